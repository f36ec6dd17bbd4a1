// SPDX-License-Identifier: GPL-2.0-or-later
//! The list of loadable modules that a QEMU has in it since 6.1.
//!
//! Source: `struct QemuModinfo` in `include/qemu/module.h`, filled by
//! `scripts/modinfo-generate.py`. Five words: `name`, `arch`, and three lists of names, `objs` (QOM
//! types), `deps` and `opts`; an entry without a name ends it. Nothing leads to it but code, so it
//! is known by its shape and by the groups of the names, which are the folders of the modules in
//! `meson.build`.

use super::image::{Image, Word};
use super::qom::Module;

const GROUPS: [&str; 8] =
    ["accel-", "audio-", "authz-", "block-", "chardev-", "hw-", "ui-", "net-"];
const ENTRY: u64 = 5 * 8;
/// QEMU has about fifty.
const MOST_MODULES: u64 = 512;
const MOST_NAMES: u64 = 256;
/// How many entries are looked at in all: data that lies may begin a list at every word.
const MOST_LOOKS: usize = 1 << 14;
/// As many in a row are no accident.
const ENOUGH: usize = 3;

/// The modules, in the binary's order; none where it has no such list, or more than one.
pub fn read(image: &Image) -> Vec<Module> {
    let mut starts = Vec::new();
    // The list is the only one of its kind, so its first entry is the first that is seen.
    let mut end = 0;
    let mut left = MOST_LOOKS;
    image.pointers(|address, target| {
        if address < end || left == 0 || !image.name(target).is_some_and(in_group) {
            return;
        }
        if let Some((modules, after)) = list(image, address, &mut left) {
            end = after;
            starts.push(modules);
        }
    });
    match <[Vec<Module>; 1]>::try_from(starts) {
        Ok([modules]) => modules,
        Err(_) => Vec::new(),
    }
}

fn in_group(name: &str) -> bool {
    GROUPS.iter().any(|group| name.starts_with(group))
}

/// The list that begins at `address`, and where it ends.
fn list(image: &Image, address: u64, left: &mut usize) -> Option<(Vec<Module>, u64)> {
    let mut modules = Vec::new();
    for index in 0..MOST_MODULES {
        *left = left.checked_sub(1)?;
        let at = address.checked_add(index * ENTRY)?;
        let [name, arch, objs, deps, opts] = image.words(at)?;
        if name == Word::NULL {
            return (modules.len() >= ENOUGH).then_some((modules, at));
        }
        let name = image.name(name.target()?).filter(|name| in_group(name))?;
        if arch != Word::NULL {
            image.name(arch.target()?)?;
        }
        names(image, deps)?;
        names(image, opts)?;
        modules.push(Module { name: name.to_owned(), types: names(image, objs)? });
    }
    None
}

fn names(image: &Image, list: Word) -> Option<Vec<String>> {
    let mut found = Vec::new();
    if list == Word::NULL {
        return Some(found);
    }
    let list = list.target()?;
    for index in 0..MOST_NAMES {
        match image.word(list.checked_add(index * 8)?)? {
            Word::NULL => return Some(found),
            word => found.push(image.name(word.target()?)?.to_owned()),
        }
    }
    None
}

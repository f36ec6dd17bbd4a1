// SPDX-License-Identifier: GPL-2.0-or-later
//! The edits, each in all its outcomes, on specs of our own.

mod bytes;
mod declared;
mod drop_patch;
mod insert;
mod preamble;
mod prep_snippet;
mod redefined;
mod release_suffix;
mod spec_info;
mod uses;
mod whole;

use super::{Outcome, edit, refuse_no_spec};
use crate::config::{Definition, Device, Edit, Insert, Insertion, Replacement};
use crate::error::render;
use similar::{ChangeTag, TextDiff};
use std::collections::BTreeMap;

/// A spec in the shape of XCP-ng's: no Source1, a conditional among the tags, a bare tar in %prep.
pub const SPEC: &str = "\
# The device model of our own test
# License of this text: the project's

%global usver 4.2.1

Summary: A device model
Name: qemu
Epoch: 2
Version: 4.2.1
Release: %{?xsrel}.2%{?dist}
License: GPL
Requires: helper
Source0: qemu-4.2.1.tar.gz
Source2: keycodemapdb.tar.gz
Patch0: 0001-first.patch
Patch1: https://example.org/0002-second.patch
BuildRequires: glib2-devel
%if 0%{?asan}
BuildRequires: libasan
%endif
# tar xzf %{SOURCE2} unpacks below

%description
A device model.

%prep
%autosetup -p1
tar xzf %{SOURCE2}

%build
./configure --enable-xen \\
    --enable-werror --enable-libusb
make all

%files
/usr/lib/qemu

%changelog
* Mon Jan 05 2026 Nobody <nobody@example.org> - 4.2.1-1
- --enable-werror and tar xzf %%{SOURCE2} are here to stay
";

pub fn word<T: TryFrom<String, Error = String>>(text: &str) -> T {
    T::try_from(text.to_owned()).unwrap()
}

pub fn device() -> Device {
    device_from("vgpu-stub", "../device/vgpu-stub.c")
}

pub fn device_from(name: &str, source: &str) -> Device {
    Device {
        qom_type: word(name),
        source: source.into(),
        directory: word("hw/misc"),
        condition: word("CONFIG_PCI"),
        defines: BTreeMap::new(),
    }
}

pub fn add_source(file: &str) -> Edit {
    Edit::AddSource(word(file))
}

pub fn drop_patch(file: &str) -> Edit {
    Edit::DropPatch(word(file))
}

pub fn provide(capability: &str) -> Edit {
    Edit::Provide(word(capability))
}

pub fn suffix(suffix: &str) -> Edit {
    Edit::ReleaseSuffix(word(suffix))
}

pub fn replace(find: &str, with: &str) -> Edit {
    Edit::Replace(Replacement { find: word(find), with: word(with) })
}

pub fn define(name: &str, value: &str) -> Edit {
    Edit::Define(Definition { name: word(name), value: word(value) })
}

fn lines(anchor: &str, lines: &[&str]) -> Insertion {
    let lines = lines.iter().map(|line| word(line)).collect();
    Insertion { anchor: word(anchor), insert: Insert::Lines(lines) }
}

pub fn after(anchor: &str, block: &[&str]) -> Edit {
    Edit::InsertAfter(lines(anchor, block))
}

pub fn before(anchor: &str, block: &[&str]) -> Edit {
    Edit::InsertBefore(lines(anchor, block))
}

pub fn device_after(anchor: &str, name: &str) -> Edit {
    Edit::InsertAfter(Insertion { anchor: word(anchor), insert: Insert::Device(word(name)) })
}

pub fn device_before(anchor: &str, name: &str) -> Edit {
    Edit::InsertBefore(Insertion { anchor: word(anchor), insert: Insert::Device(word(name)) })
}

/// What a pipeline for XCP-ng asks for.
pub fn all() -> Vec<Edit> {
    vec![
        add_source("vgpu-stub.c"),
        device_after("tar xzf %{SOURCE2}", "vgpu-stub"),
        replace("--enable-werror", "--disable-werror"),
        drop_patch("0002-second.patch"),
        define("pool", "A"),
        define("pools", "%{pool} B"),
        before("%build", &["# the tree is ready"]),
        suffix(".vgpu1"),
        provide("qemu-device(vgpu-stub) = 1"),
    ]
}

/// What became of a spec that is text.
pub struct Edited {
    pub spec: String,
    pub edits: Vec<(String, Outcome)>,
}

pub fn attempt(spec: &str, edits: &[Edit]) -> anyhow::Result<Edited> {
    let defines = BTreeMap::from([(word("with_given"), word("1")), (word("given"), word("gpu"))]);
    let edited = edit(spec.as_bytes(), "qemu.spec", edits, &[device()], &defines)?;
    Ok(Edited { spec: String::from_utf8(edited.spec)?, edits: edited.edits })
}

pub fn edited(spec: &str, edits: &[Edit]) -> Edited {
    attempt(spec, edits).unwrap_or_else(|problem| panic!("{problem:#}\n{spec}"))
}

pub fn refused(spec: &str, edits: &[Edit]) -> String {
    match attempt(spec, edits) {
        Ok(edited) => panic!("not refused: {:?}\n{}", edited.edits, edited.spec),
        Err(problem) => {
            let text = render(&problem);
            assert!(text.lines().last().unwrap().starts_with("help: "), "{text}");
            text
        }
    }
}

/// The lines that an edit takes away and puts in, endings included.
pub fn diff(old: &str, new: &str) -> Vec<String> {
    let diff = TextDiff::from_lines(old, new);
    let changes = diff.iter_all_changes().filter(|change| change.tag() != ChangeTag::Equal);
    changes.map(|change| format!("{}{}", change.tag(), change.value())).collect()
}

/// The edit changes exactly these lines, and once it has, it is satisfied.
#[track_caller]
pub fn changes(spec: &str, edit: Edit, expected: &[&str]) {
    let edits = [edit];
    let once = edited(spec, &edits);
    assert_eq!(once.edits[0].1, Outcome::Applied);
    assert_eq!(diff(spec, &once.spec), expected);
    satisfied(&once.spec, &edits);
}

#[track_caller]
pub fn satisfied(spec: &str, edits: &[Edit]) {
    let again = edited(spec, edits);
    assert_eq!(again.spec, spec);
    assert!(again.edits.iter().all(|(_, outcome)| *outcome == Outcome::AlreadySatisfied));
}

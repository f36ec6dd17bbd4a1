// SPDX-License-Identifier: GPL-2.0-or-later
//! The rule `debug-package`, about packages for debuggers: their contents differ with every build, so that nobody compares
//! them, and what their name promises has to be so.

use super::{Check, EVERYWHERE, InspectedPackage, Level, Policy, RuleSpec, below};
use crate::rules::ElfFile;
use rpm_inspect::FileEntry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

pub const RULE: RuleSpec = RuleSpec {
    name: "debug-package",
    level: Level::Require,
    targets: EVERYWHERE,
    asks: "a package called `…-debuginfo` or `…-debugsource` has files for debuggers alone, runs \
           nothing, and replaces and provides nothing but itself; no ELF file has a script for gdb",
    help: "leave it to rpmbuild to make, or give the package another name",
    example: "it has `/usr/share/ruled/file`, which is no file for debuggers",
    check: Check::Package(|package, policy: &Policy| check(package, policy.build_ids)),
};

/// Where such a package has its files, and the folders on the way there.
const PLACES: [&str; 2] = [SYMBOLS, "/usr/src/debug"];
const SYMBOLS: &str = "/usr/lib/debug";
/// How gdb calls files that it runs for whoever looks at the program beside them (gdb's manual, "objfile-gdb.ext
/// file").
const SCRIPTS: [&str; 3] = ["-gdb.py", "-gdb.gdb", "-gdb.scm"];
/// The folders among symbols whose names begin with a dot. Whatever else does is hidden, and mostly read by
/// some program that comes by: `.gdbinit`, `.lldbinit`, `.git`.
const HIDDEN: [&str; 2] = ["/usr/lib/debug/.build-id", "/usr/lib/debug/.dwz"];
/// What it provides by build-id, for whoever looks for the symbols of a program.
const BY_BUILD_ID_FOLDER: &str = "/usr/lib/debug/.build-id";
const BY_BUILD_ID: &str = "debuginfo(build-id) = ";

/// What breaks the rule, in any package: gdb looks into programs and libraries too.
fn check(package: &InspectedPackage, build_ids: Option<&BTreeSet<&str>>) -> Vec<String> {
    let foreign = build_ids.and_then(|known| foreign(package, known));
    let other = if package.is_for_debuggers() { debug_promise(package) } else { scripts(package) };
    other.into_iter().chain(foreign).collect()
}

/// Symbols by a build id that no program of the build has: a debugger would take them for another package's.
fn foreign(package: &InspectedPackage, known: &BTreeSet<&str>) -> Option<String> {
    let stray = package.files.iter().find(|file| {
        // What dwz makes has an id too, and lies in its own folder.
        let shared = file.link.as_deref().is_some_and(|link| link.starts_with("../../.dwz/"));
        build_id_path(&file.path, BY_BUILD_ID_FOLDER) == Some(BuildIdPath::Id)
            && !shared
            && !known.contains(&*id_of(&file.path))
    })?;
    let path = stray.path.escape_debug();
    Some(format!("`{path}` is by the build id of no program of this build"))
}

/// The id that the two last parts of a path by build id say, without number and ending.
fn id_of(path: &str) -> String {
    let rest = path.strip_prefix(BY_BUILD_ID_FOLDER).unwrap_or_default();
    let id = rest.split('.').next().unwrap_or_default();
    id.chars().filter(|c| *c != '/').collect()
}

/// What a package that calls itself one for debuggers has and is not.
pub fn debug_promise(package: &InspectedPackage) -> Vec<String> {
    if !package.is_for_debuggers() {
        return Vec::new();
    }
    let name = &package.id.name;
    let mut found = Vec::new();
    let mut stray = package.files.iter().filter(|file| {
        let inside = PLACES.iter().any(|place| below(&file.path, place));
        let above = file.is_directory() && PLACES.iter().any(|place| below(place, &file.path));
        !inside && !above
    });
    if let Some(file) = stray.next() {
        found
            .push(format!("it has `{}`, which is no file for debuggers", file.path.escape_debug()));
    }
    if let Some(file) = package.files.iter().find(|file| !is_plain(file)) {
        let shown = file.path.escape_debug();
        found.push(format!("`{shown}` is no plain file of symbols or sources, or no open folder"));
    }
    found.extend(other_than_symbols(package));
    found.extend(scripts(package));
    found.extend(
        package.scriptlets.iter().map(|script| format!("it has a scriptlet, %{}", script.kind)),
    );
    found.extend(package.triggers.iter().map(|trigger| {
        format!("it has a {} trigger on `{}`", trigger.kind.name(), trigger.on.join(", "))
    }));
    let own = |text: &str| {
        // `name`, or `name(x86-64)`, in some version.
        text.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with([' ', '(']))
    };
    let provides =
        package.provides.iter().filter(|text| !own(text) && !text.starts_with(BY_BUILD_ID));
    found.extend(provides.map(|text| format!("it provides `{text}`")));
    // Of its own family: symbols want the sources beside them, and what they share with others.
    let family = |text: &str| {
        text.starts_with("rpmlib(")
            || ["-debugsource", "-debuginfo"].iter().any(|it| text.contains(it))
    };
    let requires = package.requires.iter().chain(&package.weak).filter(|text| !family(text));
    found.extend(requires.map(|text| format!("it requires `{text}`")));
    found.extend(package.conflicts.iter().map(|text| format!("it conflicts with `{text}`")));
    found.extend(package.obsoletes.iter().map(|text| format!("it obsoletes `{text}`")));
    found
}

/// ELF files with a script inside, which gdb runs where it trusts the folder that they are in.
fn scripts(package: &InspectedPackage) -> Vec<String> {
    let found = package.elf.iter().filter(|file| file.scripts && !package.source);
    let what = |path: &Path| {
        let path = path.display().to_string();
        format!("gdb runs a script that is in `{}` (.debug_gdb_scripts)", path.escape_debug())
    };
    found.map(|file| what(&file.path)).collect()
}

/// Files in the place of symbols that are programs, or no ELF: gdb reads other formats as well, and nobody
/// here does.
fn other_than_symbols(package: &InspectedPackage) -> Option<String> {
    let elf: HashMap<&Path, &ElfFile> =
        package.elf.iter().map(|file| (file.path.as_path(), file)).collect();
    // Of hard links, the payload has the bytes under one name.
    let bytes = |file: &FileEntry| elf.get(Path::new(&file.path)).and(file.sha256.clone());
    let known: HashSet<String> = package.files.iter().filter_map(bytes).collect();
    let mut among = package
        .files
        .iter()
        .filter(|file| file.is_regular() && !file.has("ghost") && below(&file.path, SYMBOLS));
    let wrong = among.find_map(|file| {
        let starts = |elf: &&ElfFile| elf.starts.is_some() && !elf.for_debuggers;
        match elf.get(Path::new(&file.path)) {
            Some(elf) => starts(elf).then_some((file, "is a program, and no file of symbols")),
            None => file
                .sha256
                .as_ref()
                .is_none_or(|sha256| !known.contains(sha256))
                .then_some((file, "is no ELF file, as symbols are")),
        }
    });
    wrong.map(|(file, what)| format!("`{}` {what}", file.path.escape_debug()))
}

/// Whether a part of a path below such a folder begins with a dot.
fn is_hidden(path: &str) -> bool {
    let known = HIDDEN.iter().find(|known| below(path, known));
    let rest = known.map_or(path, |known| &path[known.len()..]);
    rest.split('/').any(|part| part.starts_with('.'))
}

/// Whether a file of such a package is one that nobody need compare: symbols or sources to read, an open
/// folder, or a link that leads to symbols.
fn is_plain(file: &FileEntry) -> bool {
    if SCRIPTS.iter().any(|end| file.path.ends_with(end)) || is_hidden(&file.path) {
        return false;
    }
    let path = file.path.as_str();
    let of_id = build_id_path(path, BY_BUILD_ID_FOLDER);
    if below(path, BY_BUILD_ID_FOLDER) && of_id.is_none() {
        return false;
    }
    match &file.link {
        _ if file.is_directory() => {
            file.mode & 0o7777 == 0o755 && !matches!(of_id, Some(BuildIdPath::Id))
        }
        // To a program, or to the file with its symbols.
        Some(_) if matches!(of_id, Some(BuildIdPath::Id)) => true,
        // A link to a program in its own package has one to that program's symbols beside it.
        Some(target) => leads_to_symbols(path, target),
        None => file.is_regular() && !matches!(of_id, Some(BuildIdPath::Folder)),
    }
}

/// Whether a link from one file of symbols leads to another, and never out of their folder.
fn leads_to_symbols(path: &str, target: &str) -> bool {
    let is_debug = |path: &str| path.strip_suffix(".debug").is_some();
    let Some(inside) = path.strip_prefix(SYMBOLS).filter(|_| is_debug(path)) else {
        return false;
    };
    let mut depth = inside.split('/').count().saturating_sub(2);
    !target.starts_with('/')
        && is_debug(target)
        && target.split('/').all(|part| match part {
            "" | "." => false,
            ".." => depth.checked_sub(1).is_some_and(|less| {
                depth = less;
                true
            }),
            _ => {
                depth += 1;
                true
            }
        })
}

/// What a path is in a folder that is laid out by build-id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuildIdPath {
    /// The folder itself, or the one for ids with the same first byte.
    Folder,
    /// A name that is an id, as rpmbuild gives it: a number behind it for another file of the same id, and
    /// `.debug` for its symbols.
    Id,
}

/// What `path` is below `folder`; nothing where rpmbuild has no such names there.
pub fn build_id_path(path: &str, folder: &str) -> Option<BuildIdPath> {
    let hex = |text: &str| text.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c));
    let rest = path.strip_prefix(folder)?;
    let Some(rest) = rest.strip_prefix('/') else {
        return rest.is_empty().then_some(BuildIdPath::Folder);
    };
    let (first, name) = match rest.split_once('/') {
        Some((first, name)) => (first, Some(name)),
        None => (rest, None),
    };
    if first.len() != 2 || !hex(first) {
        return None;
    }
    let Some(name) = name else { return Some(BuildIdPath::Folder) };
    let name = name.strip_suffix(".debug").unwrap_or(name);
    let (id, number) = name.split_once('.').unwrap_or((name, "1"));
    let numbered = !number.is_empty() && number.bytes().all(|c| c.is_ascii_digit());
    (!id.is_empty() && hex(id) && numbered).then_some(BuildIdPath::Id)
}

#[cfg(test)]
mod tests;

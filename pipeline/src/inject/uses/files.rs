// SPDX-License-Identifier: GPL-2.0-or-later
//! Where a text names a file, or the folder that all sources lie in.

use crate::inject::macros::mark;

/// How the folder of the sources is called in a spec.
pub const FOLDER: [&str; 8] = [
    "%{?_sourcedir}",
    "%{_sourcedir}",
    "%_sourcedir",
    "$RPM_SOURCE_DIR",
    "${RPM_SOURCE_DIR}",
    "%{_topdir}/SOURCES",
    "%_topdir/SOURCES",
    "/SOURCES",
];

/// How a text uses `file`, if it does. In `prep` a name may be put together.
pub fn named(text: &str, file: &str, prep: bool) -> Option<&'static str> {
    let part = |c: char| c.is_ascii_alphanumeric() || "_.+~-".contains(c);
    let whole =
        |at: usize| !text[..at].ends_with(part) && !text[at + file.len()..].starts_with(part);
    if text.match_indices(file).any(|(at, _)| whole(at)) {
        return Some("a use of the file by its name");
    }
    if let Some(how) = in_folder(text, file) {
        return Some(how);
    }
    let sources = ["%{SOURCE", "%SOURCE", "%{S:"];
    if text.contains("dirname") && sources.iter().any(|source| text.contains(source)) {
        return Some("a use of the folder with all sources");
    }
    if prep {
        let words = text.split(|c: char| c.is_whitespace() || ";|&<>()`\"'=/".contains(c));
        for word in words.filter(|word| word.contains(mark::is)) {
            let tail = word.rsplit(mark::is).next().unwrap_or_default();
            if !tail.is_empty() && file.ends_with(tail) {
                return Some("a name that may be that of the file");
            }
        }
    }
    None
}

/// How a text uses the folder, if it does otherwise than for another file by its name. Every way to it
/// is followed to the end of its word.
pub fn in_folder(text: &str, file: &str) -> Option<&'static str> {
    let part = |c: char| c.is_ascii_alphanumeric() || "_.+~-".contains(c);
    for folder in FOLDER {
        for (at, _) in text.match_indices(folder) {
            let rest = &text[at + folder.len()..];
            // `$RPM_SOURCE_DIRECTORY` is another name.
            if rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
                continue;
            }
            let rest = rest.trim_start_matches(['"', '\'']);
            let end = rest.find(|c: char| c.is_whitespace() || ";|&<>()`\"'".contains(c));
            let path = &rest[..end.unwrap_or(rest.len())];
            let name = path.rsplit('/').next().unwrap_or_default();
            let behind = end.map_or("", |end| &rest[end..]);
            if name.is_empty() || !path.starts_with('/') || name == "." || name == ".." {
                return Some("a use of the folder with all sources");
            }
            let glued = behind.starts_with(['"', '\'', '`'])
                && behind[1..].starts_with(|c: char| part(c) || "*?[$".contains(c));
            if glued || may_be(name, file) {
                return Some("a use of files of the folder with all sources");
            }
        }
    }
    None
}

/// Whether the shell may make `file` of a word.
fn may_be(word: &str, file: &str) -> bool {
    let wild = |c: char| "*?[]{},$%`\\".contains(c) || mark::is(c);
    let Some(first) = word.find(wild) else { return word == file };
    let last = word.rfind(wild).unwrap_or(first);
    let tail: String = word[last..].chars().skip(1).collect();
    // Within braces, brackets and names of variables, the letters are not those of the file.
    let open = word.contains(['{', '$', '%', '[', '`', '\\']) || word.contains(mark::is);
    file.starts_with(&word[..first]) && (open || file.ends_with(&tail))
}

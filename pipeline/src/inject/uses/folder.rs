// SPDX-License-Identifier: GPL-2.0-or-later
//! Roundabout ways to the folder that all sources lie in.
//!
//! No shell is understood here: a line that speaks of the folder, or cuts up the path of a source,
//! without naming another file plainly may come to any file.

use super::files::{FOLDER, in_folder};
use crate::inject::macros::word;

/// The names of the folder, however they are called.
const NAMES: [&str; 2] = ["_sourcedir", "RPM_SOURCE_DIR"];

/// How a macro for the path of one source or patch begins.
const PATHS: [&str; 9] =
    ["%{SOURCE", "%SOURCE", "%{?SOURCE", "%{S:", "%{S ", "%{PATCH", "%PATCH", "%{?PATCH", "%{P:"];

/// What makes another path of one.
const CUTS: [&str; 12] = [
    "dirname", "realpath", "readlink", "| sed", "|sed", "awk", "| cut", "%{sub ", "%{gsub ",
    "%{u2p", "}/..", "}\"/..",
];

/// How a line takes such a way, if it does.
pub fn way(text: &str, file: &str, prep: bool) -> Option<&'static str> {
    let named: usize = NAMES.iter().map(|name| text.matches(name).count()).sum();
    // `%{_sourcedir}` holds no `%_sourcedir`, so that each is counted once.
    let plain: usize = FOLDER
        .iter()
        .filter(|folder| NAMES.iter().any(|name| folder.contains(name)))
        .map(|folder| text.matches(folder).count())
        .sum();
    if named != plain || (named > 0 && text.contains("{lua:")) {
        return Some("a roundabout use of the folder with all sources");
    }
    if let Some(how) = in_folder(text, file) {
        return Some(how);
    }
    let path = PATHS.iter().any(|path| text.contains(path));
    (prep && path && cuts(text)).then_some("a use of files beside a source")
}

/// Whether a line of the shell makes another path of one that it has.
pub fn cuts(text: &str) -> bool {
    CUTS.iter().any(|cut| text.contains(cut))
        || text.match_indices("${").any(|(at, _)| {
            let inner = &text[at + 2..];
            inner.starts_with('!') || inner[word(inner)..].starts_with(['%', '#', '/', ':', '@'])
        })
}

/// Whether a line of the shell gives the path of a source to a variable.
pub fn keeps(text: &str) -> bool {
    PATHS.iter().any(|path| {
        text.match_indices(path).any(|(at, _)| {
            let before = text[..at].trim_end_matches(['"', '\'']);
            before.ends_with('=') || before.trim_end().ends_with(" in")
        })
    })
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! What the program says, fit for a snapshot: whatever differs from run to run has a name in its place.

use super::{kept, root};
use regex_lite::Regex;

/// What differs, and its name. The longest digests come first.
const DIFFERENT: [(&str, &str); 11] = [
    // A folder of `scratch`, wherever TMPDIR is.
    (r#"(/[^\s/`'":,=]+)*/\.tmp[A-Za-z0-9]{6}"#, "FOLDER"),
    (r"\b[0-9a-f]{128}\b", "SHA512"),
    (r"\b[0-9a-f]{64}\b", "SHA256"),
    (r"\b[0-9a-f]{40}\b", "COMMIT"),
    (r"\b[0-9a-f]{32}\b", "MD5"),
    (r"\b[0-9a-f]{33,}\b", "DIGEST"),
    (r"\b[0-9a-f]{16}\b", "KEY"),
    (r"\b[0-9A-F]{40}\b", "FINGERPRINT"),
    (r"\b(127\.0\.0\.1|localhost):[0-9]+", "SERVER"),
    (r"\b[0-9]+\.[0-9]+ s\b", "TIME"),
    // Of an archive with a moment in it.
    (r"\b(size: |SHA256 of |files? in )[0-9]+", "${1}SIZE"),
];

/// The text with names in the place of what differs. Of a run that failed the error alone, without the last lines
/// of other programs in it: what the stages said before is not what a test of an error is about, and what
/// other programs say is theirs.
pub fn stable(text: &str) -> String {
    let places =
        [(kept("").display().to_string(), "KEPT/"), (root().display().to_string(), "PROJECT")];
    let begin = text.starts_with("error: ").then_some(0);
    let begin = begin.or_else(|| text.find("\nerror: ").map(|at| at + 1)).unwrap_or(0);
    let mut in_snippet = false;
    let own: Vec<&str> = text[begin..]
        .lines()
        .filter(|line| {
            in_snippet = line.contains("--> ") || in_snippet && !line.starts_with("error: ");
            in_snippet || !(line.starts_with("  | ") || *line == "  |")
        })
        .map(str::trim_end)
        .collect();
    let text = own.join("\n");
    let text = places.iter().fold(text, |text, (place, name)| text.replace(place, name));
    DIFFERENT.iter().fold(text, |text, (pattern, name)| {
        Regex::new(pattern).unwrap().replace_all(&text, *name).into_owned()
    })
}

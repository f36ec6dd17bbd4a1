// SPDX-License-Identifier: GPL-2.0-or-later
//! What a text that cannot be expanded in full may turn out to be.

/// Whether the name of a tag that begins so may be that of a Source or Patch.
pub fn may_become(start: &str) -> bool {
    let start = start.to_ascii_lowercase();
    ["source", "patch"].iter().any(|word| word.starts_with(&*start) || start.starts_with(word))
}

/// Whether a text holds a program whose output would be part of the spec.
pub fn runs(text: &str) -> bool {
    ["%{lua:", "%(", "%["].iter().any(|program| text.contains(program))
}

/// Whether a text holds what looks like the tag of a Source or Patch, somewhere.
pub fn declares(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["source", "patch"].into_iter().any(|word| {
        lower.match_indices(word).any(|(at, _)| {
            lower[at + word.len()..]
                .trim_start_matches(|c: char| c.is_ascii_digit())
                .starts_with(':')
        })
    })
}

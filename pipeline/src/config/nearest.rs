// SPDX-License-Identifier: GPL-2.0-or-later
//! The word that somebody meant.

/// Nobody mistypes a longer word, and to compare takes as long as both are.
const LONGEST: usize = 1000;

/// The known word that somebody most likely meant, if any is near.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearer(word, known, 0.5)
}

/// The nearest known word that is more alike than so much of one.
pub fn nearer<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
    alike: f64,
) -> Option<&'a str> {
    let short = |word: &str| word.len() <= LONGEST;
    known
        .into_iter()
        .filter(|candidate| short(word) && short(candidate))
        .map(|candidate| (strsim::normalized_damerau_levenshtein(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness > alike)
        // Of two that are as near, the first.
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, candidate)| candidate)
}

/// Words in backticks, with commas.
pub fn quoted<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}

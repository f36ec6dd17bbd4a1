// SPDX-License-Identifier: GPL-2.0-or-later
//! The edit `replace`.

use super::spec::SpecText;
use super::{EditResult, Outcome, anchor, hanging};
use anyhow::Result;

/// Puts `with` in the place of the one `find`. A `find` that is part of a standing `with` is the
/// work of this very edit and does not count: `-O2` to `-O2 -g` is satisfied by `-O2 -g`.
pub fn replace(spec: &mut SpecText, find: &str, with: &str) -> Result<EditResult> {
    let label = format!("replace `{find}` by `{with}`");
    let what = format!("`{find}` of `replace`");
    let mut places: Vec<(usize, usize)> = Vec::new();
    for line in spec.live() {
        let text = spec.text(line);
        let done = occurrences(text, with);
        let fresh = occurrences(text, find).into_iter().filter(|&at| {
            let inside = |&start: &usize| start <= at && at + find.len() <= start + with.len();
            !done.iter().any(inside)
        });
        places.extend(fresh.map(|at| (line, at)));
    }
    match places.as_slice() {
        [(line, at)] => {
            let mut text = spec.text(*line).to_owned();
            text.replace_range(*at..*at + find.len(), with);
            spec.set(*line, text);
            Ok((hanging(label, spec, *line), Outcome::Applied))
        }
        [] if !spec.live().any(|line| is_present(spec.text(line), with, find)) => {
            let problem = format!("{what} is in no line, nor is `{with}`");
            Err(anchor::missing(spec, find, &problem))
        }
        [] => Ok((label, Outcome::AlreadySatisfied)),
        _ => {
            let mut lines: Vec<usize> = places.iter().map(|(line, _)| *line).collect();
            lines.dedup();
            Err(anchor::ambiguous(spec, &lines, places.len(), &what))
        }
    }
}

/// Whether `with` stands there as such and not within a longer word: `libdrm-devel` does not stand in
/// `xenserver-libdrm-devel`. Where `find` does not begin or end with a word, neither need this.
fn is_present(text: &str, words: &str, find: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || "_-.+".contains(c);
    let joined = |a: Option<char>, b: Option<char>| a.is_some_and(part) && b.is_some_and(part);
    occurrences(text, words).into_iter().any(|at| {
        let (before, after) = (&text[..at], &text[at + words.len()..]);
        let (first, last) = (find.chars().next(), find.chars().next_back());
        let fresh_before =
            !first.is_some_and(part) || !joined(before.chars().next_back(), words.chars().next());
        let fresh_after =
            !last.is_some_and(part) || !joined(words.chars().next_back(), after.chars().next());
        fresh_before && fresh_after
    })
}

/// Where `needle` begins, overlapping ones too.
fn occurrences(text: &str, needle: &str) -> Vec<usize> {
    text.char_indices().map(|(at, _)| at).filter(|&at| text[at..].starts_with(needle)).collect()
}

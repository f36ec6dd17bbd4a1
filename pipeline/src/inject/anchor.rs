// SPDX-License-Identifier: GPL-2.0-or-later
//! Text that must stand in exactly one line, and what to say where it does not.

use super::spec::SpecText;
use crate::error::Help;
use anyhow::{Error, anyhow};

/// The lines that hold `needle`.
pub fn matching_lines(spec: &SpecText, needle: &str) -> Vec<usize> {
    spec.live().filter(|&line| spec.text(line).contains(needle)).collect()
}

/// No line holds it: the nearest ones are shown, for it is a typo or upstream has changed.
pub fn missing(spec: &SpecText, needle: &str, problem: &str) -> Error {
    let silent: Vec<usize> =
        (0..spec.len()).filter(|&line| spec.text(line).contains(needle)).collect();
    let (lines, help) = if silent.is_empty() {
        let help =
            "these lines come nearest; take text that stands in exactly one line of the spec";
        (nearest(spec, needle), help)
    } else {
        (
            silent,
            "it is in the lines shown, but comments, %changelog and what an `%if 0` leaves out do not count",
        )
    };
    anyhow!("{}: {problem}{}", spec.name, spec.show(&lines)).help(help.to_string())
}

/// It is there several times.
pub fn ambiguous(spec: &SpecText, lines: &[usize], times: usize, what: &str) -> Error {
    repeated(spec, lines, times, what)
        .help("take more of the line that is meant, so that no other place has it")
}

/// What an edit knows by its name is there several times.
pub fn given_twice(spec: &SpecText, lines: &[usize], what: &str) -> Error {
    repeated(spec, lines, lines.len(), what)
        .help("leave one of these lines, with `replace` before this edit")
}

fn repeated(spec: &SpecText, lines: &[usize], times: usize, what: &str) -> Error {
    anyhow!("{}: {what} is there {times} times, not once{}", spec.name, spec.show(lines))
}

/// The three lines that are most like `needle`, the likest first.
fn nearest(spec: &SpecText, needle: &str) -> Vec<usize> {
    let mut ranked: Vec<(f64, usize)> = spec
        .live()
        .filter(|&line| !spec.text(line).trim().is_empty())
        .map(|line| (likeness(needle, spec.text(line)), line))
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    ranked.into_iter().take(3).map(|(_, line)| line).collect()
}

/// An anchor is a part of its line, so it is compared with each run of as many words.
fn likeness(needle: &str, text: &str) -> f64 {
    let wanted: Vec<&str> = needle.split_whitespace().collect();
    let words: Vec<&str> = text.split_whitespace().collect();
    let size = wanted.len().clamp(1, words.len().max(1));
    let needle = wanted.join(" ");
    words
        .windows(size)
        .map(|run| strsim::normalized_damerau_levenshtein(&needle, &run.join(" ")))
        .fold(0.0, f64::max)
}

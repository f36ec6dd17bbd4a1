// SPDX-License-Identifier: GPL-2.0-or-later
//! What moved between two states of a spec: patches, the changelog, and the flaws that both name.
//!
//! A patch is known by its file's name. What changed inside of it never enters here.

use super::{ChangelogEntry, SpecInfo};
use serde::Serialize;
use std::collections::BTreeSet;

/// What changed between two states of a spec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SpecDiff {
    /// The patches that are new, in the order of the spec.
    pub came: Vec<String>,
    /// The patches that are gone.
    pub went: Vec<String>,
    /// Each `CVE-YYYY-N` and `XSA-N` that these patches and the new lines of the changelog name.
    pub cves: Vec<String>,
    /// The new lines of the changelog, each below the header of its entry.
    pub changelog: Vec<String>,
}

pub fn spec_diff(before: &SpecInfo, after: &SpecInfo) -> SpecDiff {
    let came = additions(&before.patches, &after.patches);
    let went = additions(&after.patches, &before.patches);
    let changelog = news(&before.changelog, &after.changelog);
    let cves: BTreeSet<String> =
        came.iter().chain(&went).chain(&changelog).flat_map(|text| advisories(text)).collect();
    SpecDiff { came, went, cves: cves.into_iter().collect(), changelog }
}

fn additions(old: &[String], new: &[String]) -> Vec<String> {
    let old: BTreeSet<&String> = old.iter().collect();
    new.iter().filter(|name| !old.contains(name)).cloned().collect()
}

/// An entry is known by its header, and a line within it by its words.
fn news(old: &[ChangelogEntry], new: &[ChangelogEntry]) -> Vec<String> {
    let headers: BTreeSet<&str> = old.iter().map(|entry| &*entry.header).collect();
    let lines: BTreeSet<(&str, &str)> = old.iter().flat_map(pairs).collect();
    let mut news = Vec::new();
    for entry in new {
        let fresh: Vec<&String> = entry
            .lines
            .iter()
            .filter(|line| !lines.contains(&(&entry.header, line.trim())))
            .collect();
        if !fresh.is_empty() || !headers.contains(&*entry.header) {
            news.push(entry.header.clone());
            news.extend(fresh.into_iter().cloned());
        }
    }
    news
}

fn pairs(entry: &ChangelogEntry) -> impl Iterator<Item = (&str, &str)> {
    entry.lines.iter().map(|line| (&*entry.header, line.trim()))
}

/// What a text names in the manner of `CVE-2020-14364`, `XSA-335` or `xsa335-qemu.patch`.
fn advisories(text: &str) -> Vec<String> {
    let text = text.to_ascii_uppercase();
    let number = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    let mut found = Vec::new();
    for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_') {
        let parts: Vec<&str> = word.split(['-', '_']).collect();
        for at in 0..parts.len() {
            match &parts[at..] {
                ["CVE", year, rest, ..] if year.len() == 4 && number(year) && number(rest) => {
                    found.push(format!("CVE-{year}-{rest}"));
                }
                ["XSA", rest, ..] if number(rest) => found.push(format!("XSA-{rest}")),
                [joined, ..] => {
                    let rest = joined.strip_prefix("XSA").filter(|rest| number(rest));
                    found.extend(rest.map(|rest| format!("XSA-{rest}")));
                }
                [] => {}
            }
        }
    }
    found
}

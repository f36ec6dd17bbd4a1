// SPDX-License-Identifier: GPL-2.0-or-later
//! What moved between two states of a spec: patches, the changelog, and the flaws that both name.
//!
//! A patch is known by its file's name. What changed inside of it never enters here.

use super::{ChangelogEntry, SpecInfo};
use regex_lite::Regex;
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// What changed between two states of a spec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SpecDiff {
    /// The patches that are new, in the order of the spec.
    pub came: Vec<String>,
    /// The patches that are gone.
    pub went: Vec<String>,
    /// Each `CVE-YYYY-N` and `XSA-N` that the new patches and the new lines of the changelog name.
    pub cves: Vec<String>,
    /// Each that only patches name which are gone.
    pub lost: Vec<String>,
    /// The new lines of the changelog, each below the header of its entry.
    pub changelog: Vec<String>,
}

pub fn spec_diff(before: &SpecInfo, after: &SpecInfo) -> SpecDiff {
    let came = additions(&before.patches, &after.patches);
    let went = additions(&after.patches, &before.patches);
    let changelog = news(&before.changelog, &after.changelog);
    let cves = flaws(came.iter().chain(&changelog));
    let lost = flaws(&went).into_iter().filter(|flaw| !cves.contains(flaw)).collect();
    SpecDiff { came, went, cves, lost, changelog }
}

/// Each flaw that texts name, once and in order.
pub fn flaws<'t>(texts: impl IntoIterator<Item = &'t String>) -> Vec<String> {
    let found: BTreeSet<String> = texts.into_iter().flat_map(|text| advisories(text)).collect();
    found.into_iter().collect()
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

/// What a text names in the manner of `CVE-2020-14364`, `CVE-2026-1111/1112`, `XSA 335` or
/// `xsa335-qemu.patch`.
fn advisories(text: &str) -> Vec<String> {
    static NAMES: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            "(?i)(?:^|[^a-z0-9])(?:CVE[-_ ]([0-9]{4})[-_ ]([0-9]{4,}(?:[ ]?[/,][ ]?[0-9]{4,})*)|XSA[-_ #]?([0-9]+))",
        )
        .unwrap_or_else(|error| unreachable!("a pattern: {error}"))
    });
    let mut found = Vec::new();
    for names in NAMES.captures_iter(text) {
        if let (Some(year), Some(numbers)) = (names.get(1), names.get(2)) {
            let numbers = numbers.as_str().split(['/', ',', ' ']).filter(|it| !it.is_empty());
            found.extend(numbers.map(|number| format!("CVE-{}-{number}", year.as_str())));
        }
        found.extend(names.get(3).map(|number| format!("XSA-{}", number.as_str())));
    }
    found
}

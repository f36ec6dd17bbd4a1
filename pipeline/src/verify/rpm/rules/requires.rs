//! Rules about what a package requires.

use super::super::facts::PackageFacts;
use super::super::profile::{Profile, RICH_DEPENDENCIES};
use qom_census::glibc_version as version;

pub fn features(facts: &PackageFacts, profile: &Profile) -> Vec<String> {
    let features = facts.requires.iter().filter_map(|requirement| {
        let feature = requirement.strip_prefix("rpmlib(")?.split(')').next()?;
        (!profile.knows(feature)).then(|| {
            format!(
                "it requires `{requirement}`, which the rpm {} of {} does not know",
                profile.rpm, profile.name
            )
        })
    });
    features.collect()
}

pub fn rich(facts: &PackageFacts, profile: &Profile) -> Vec<String> {
    if profile.rpm >= RICH_DEPENDENCIES {
        return Vec::new();
    }
    let lists = [("requires", &facts.requires), ("conflicts with", &facts.conflicts)];
    let lists = lists.into_iter().chain([("obsoletes", &facts.obsoletes)]);
    let all = lists.flat_map(|(verb, list)| list.iter().map(move |one| (verb, one)));
    all.filter(|(_, one)| one.starts_with('('))
        .map(|(verb, one)| {
            format!("it {verb} `{one}`, and rpm {} takes that for a name", profile.rpm)
        })
        .collect()
}

pub fn users(facts: &PackageFacts, profile: &Profile) -> Vec<String> {
    let found = facts.requires.iter().filter(|requirement| {
        ["user(", "group("].iter().any(|begin| requirement.starts_with(begin))
    });
    found
        .map(|one| format!("it requires `{one}`, which nothing on {} provides", profile.name))
        .collect()
}

/// By the requires, which rpm asks, and by the binaries, which the loader asks.
pub fn glibc(facts: &PackageFacts, profile: &Profile) -> Vec<String> {
    let (major, minor) = profile.glibc;
    let has = format!("{} has {major}.{minor}", profile.name);
    let required = facts.requires.iter().filter_map(|requirement| {
        // Such as `libc.so.6(GLIBC_2.34)(64bit)`, or `glibc >= 2.34`.
        let needed = if let Some((_, rest)) = requirement.split_once('(') {
            version(rest.split(')').next()?)?
        } else {
            let (_, wanted) = requirement.strip_prefix("glibc ")?.split_once("= ")?;
            version(&format!("GLIBC_{}", wanted.split('-').next()?))?
        };
        (needed > profile.glibc).then(|| format!("it requires `{requirement}`, and {has}"))
    });
    let needed = facts.elf.iter().filter_map(|file| {
        let needed = file.facts.as_ref()?.glibc.filter(|needed| *needed > profile.glibc)?;
        let path = file.path.display();
        Some(format!("`{path}` needs glibc {}.{}, and {has}", needed.0, needed.1))
    });
    required.chain(needed).collect()
}

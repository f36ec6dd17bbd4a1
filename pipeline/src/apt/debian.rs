// SPDX-License-Identifier: GPL-2.0-or-later
//! Debian's own archive: its suites, and which others belong to each.

use super::{Origin, Target};

/// Where Debian serves itself; the machine's own mirror is taken before it.
const MIRROR: &str = "http://ftp.debian.org/debian/";
/// How an archive of old states lays itself out, whoever serves it.
const SNAPSHOTS: &str = "/archive/debian/";
const SECURITY: &str = "http://security.debian.org/debian-security/";

/// Releases that had their fixes in `SUITE/updates` (Debian 11's release notes, 5.1.3).
const OLDER: &[&str] = &["jessie", "stretch", "buster"];
/// Releases and moving names that have an updates and a security suite; a mirror serves them side by
/// side.
const SUITES: &[&str] =
    &["bullseye", "bookworm", "trixie", "forky", "oldoldstable", "oldstable", "stable", "testing"];
/// Where fixes arrive without any other suite.
const ROLLING: &[&str] = &["sid", "unstable"];

pub fn is_suite(suite: &str) -> bool {
    [OLDER, SUITES, ROLLING].concat().contains(&suite)
}

/// A suite, its updates and its fixes, each from where the machine has it, else from the machine's own
/// mirror, else from Debian's.
pub fn origins(targets: &[Target], suite: &str) -> Vec<Origin> {
    let has = |wanted: &str| {
        let found = targets.iter().find(|target| is_debian(target) && target.suite == wanted);
        found.map(|target| target.uri.to_owned())
    };
    let any = |wanted: fn(&str) -> bool| {
        let found = targets.iter().find(|target| is_debian(target) && wanted(target.suite));
        found.map(|target| target.uri.to_owned())
    };
    let own = has(suite).or_else(|| any(is_suite));
    let main = own.unwrap_or_else(|| MIRROR.to_owned());
    let mut origins = vec![Origin { uri: main.clone(), suite: suite.to_owned() }];
    if ROLLING.contains(&suite) {
        return origins;
    }
    let updates = format!("{suite}-updates");
    let uri = has(&updates).unwrap_or_else(|| main.clone());
    origins.push(Origin { uri, suite: updates });
    let security = security_suite(suite);
    let uri = has(&security).or_else(|| any(is_security)).unwrap_or_else(|| security_of(&main));
    origins.push(Origin { uri, suite: security });
    origins
}

/// Whether an index is one of Debian's: others serve their packages under the names of its suites.
fn is_debian(target: &Target) -> bool {
    let reachable = !target.uri.starts_with("cdrom:");
    let known = target.origin.is_none_or(|origin| origin == "Debian");
    reachable && known && target.component == "main"
}

fn is_security(suite: &str) -> bool {
    let base = suite.strip_suffix("-security").or_else(|| suite.strip_suffix("/updates"));
    base.is_some_and(is_suite)
}

fn security_suite(suite: &str) -> String {
    if OLDER.contains(&suite) { format!("{suite}/updates") } else { format!("{suite}-security") }
}

/// Where the fixes are that belong to a mirror: beside it in Debian's archive of old states, also behind a
/// cache; other mirrors need not have them at all.
fn security_of(main: &str) -> String {
    match main.split_once(SNAPSHOTS) {
        Some((before, after)) => format!("{before}/archive/debian-security/{after}"),
        None => SECURITY.to_owned(),
    }
}

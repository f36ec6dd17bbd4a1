// SPDX-License-Identifier: GPL-2.0-or-later
//! Where a suite of a Debian archive comes from, as lines of apt's.
//!
//! apt itself is asked what the machine has, so that one-line and deb822 files, mirrors and proxies
//! mean what they mean to the machine. Of that the mirror is taken, and no more: one of Debian's own
//! suites comes with its updates and its security suite wherever it is built, also where the machine
//! is of another suite, or no Debian. Nothing of the machine's configuration is changed: whoever needs
//! `deb-src` gets it through a scratch configuration.

mod debian;
#[cfg(test)]
mod tests;

use crate::error::Help;
use crate::process::{Invocation, Runner};
use anyhow::{Result, anyhow};
use std::path::Path;
use std::time::Duration;

/// Debian's archive keys, where a machine keeps them outside apt's trusted folder. Since trixie the
/// second name is the file, and the first a link to it.
const KEYRINGS: [&str; 2] = [
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    "/usr/share/keyrings/debian-archive-keyring.pgp",
];

/// The longest that apt may take for what it fetches at once: a mirror may never end.
pub const LIMIT: Duration = Duration::from_secs(60 * 60);

/// One place that serves one suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    uri: String,
    suite: String,
}

impl Origin {
    pub fn uri(&self) -> &str {
        &self.uri
    }

    pub fn binary_line(&self) -> String {
        format!("deb {} {} main", self.uri, self.suite)
    }

    pub fn source_line(&self) -> String {
        format!("deb-src {} {} main", self.uri, self.suite)
    }
}

/// What apt says of one index that it would fetch.
struct Target<'a> {
    uri: &'a str,
    suite: &'a str,
    component: &'a str,
    /// Whose archive it is, as its Release file says; nothing before the first `apt-get update`.
    origin: Option<&'a str>,
}

/// Where a suite comes from, with its updates and security suites.
pub fn origins(runner: &Runner, suite: &str) -> Result<Vec<Origin>> {
    refuse_without_keys(suite, keyring())?;
    let targets = runner.run(
        &Invocation::new("apt-get")
            .args(["indextargets", "--format", FORMAT, "Created-By: Packages"])
            .capture_stdout(),
    )?;
    choose(&targets.stdout, suite)
}

/// Debian's suites are checked by Debian's keys, which another distribution need not have.
fn refuse_without_keys(suite: &str, keyring: Option<&Path>) -> Result<()> {
    if debian::is_suite(suite) && keyring.is_none() {
        return Err(anyhow!(
            "this machine has no keys of Debian's archive, so nothing of `{suite}` can be checked"
        )
        .help("apt-get install debian-archive-keyring"));
    }
    Ok(())
}

const FORMAT: &str = "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)";

/// The places of a suite, by what apt says that the machine has.
fn choose(targets: &str, suite: &str) -> Result<Vec<Origin>> {
    let targets: Vec<Target> = targets.lines().filter_map(target).collect();
    if debian::is_suite(suite) {
        return Ok(debian::origins(&targets, suite));
    }
    // An archive of somebody else's: the machine has it, or nobody knows where it is.
    let wanted = [suite.to_owned(), format!("{suite}-updates"), format!("{suite}-security")];
    let mut origins = Vec::new();
    for target in targets.iter().filter(|target| target.component == "main") {
        let origin = Origin { uri: target.uri.to_owned(), suite: target.suite.to_owned() };
        if wanted.iter().any(|suite| suite == target.suite) && !origins.contains(&origin) {
            origins.push(origin);
        }
    }
    if origins.iter().all(|origin| origin.suite != suite) {
        return Err(anyhow!(
            "this machine's apt sources do not serve `{suite}`, and it is no suite of Debian's"
        )
        .help("add a `deb` line for it to /etc/apt, or run on a machine that has one"));
    }
    Ok(origins)
}

/// A line of apt's answer. What apt does not know it leaves as it was asked.
fn target(line: &str) -> Option<Target<'_>> {
    let mut words = line.splitn(4, ' ');
    let (uri, suite, component) = (words.next()?, words.next()?, words.next()?);
    let origin = words.next().filter(|origin| !origin.is_empty() && !origin.starts_with("$("));
    Some(Target { uri, suite, component, origin })
}

/// The keyring to trust besides apt's own trusted folder, if the machine has it.
pub fn keyring() -> Option<&'static Path> {
    KEYRINGS.map(Path::new).into_iter().find(|keyring| keyring.exists())
}

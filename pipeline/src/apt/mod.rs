//! This machine's own Debian sources, as lines for a suite.
//!
//! apt itself is asked, so that one-line and deb822 files, mirrors and proxies mean what they mean to
//! the machine. Nothing of the machine's configuration is changed: whoever needs `deb-src` gets it
//! through a scratch configuration.

use crate::cmd::{Call, Runner};
use anyhow::{Result, bail};
use std::path::Path;

/// Debian's archive keys, where a machine keeps them outside apt's trusted folder.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

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

/// Debian's releases and their moving names: one mirror serves them side by side.
const SUITES: &[&str] = &[
    "bullseye",
    "bookworm",
    "trixie",
    "forky",
    "duke",
    "sid",
    "oldoldstable",
    "oldstable",
    "stable",
    "testing",
    "unstable",
];

/// Where the machine gets a suite from, with its updates and security suites. One of Debian's that it
/// does not have itself comes from the mirror of one that it has, as it was last released.
pub fn origins(cmd: &Runner, suite: &str) -> Result<Vec<Origin>> {
    let targets = cmd.run(
        &Call::new("apt-get")
            .args(["indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)"])
            .arg("Created-By: Packages")
            .read(),
    )?;
    let mut origins = select(&targets.stdout, suite);
    if origins.is_empty() {
        origins.extend(beside(&targets.stdout, suite));
    }
    if origins.iter().all(|origin| origin.suite != suite) {
        bail!(
            "this machine's apt sources do not serve `{suite}`\n\
             help: add a `deb` line for it to /etc/apt, or run on a machine that has one"
        );
    }
    Ok(origins)
}

fn select(targets: &str, suite: &str) -> Vec<Origin> {
    let wanted = [suite.to_owned(), format!("{suite}-updates"), format!("{suite}-security")];
    let mut origins = Vec::new();
    for line in targets.lines() {
        let [uri, release, "main"] = line.split(' ').collect::<Vec<_>>()[..] else { continue };
        let origin = Origin { uri: uri.to_owned(), suite: release.to_owned() };
        if wanted.iter().any(|suite| suite == release) && !origins.contains(&origin) {
            origins.push(origin);
        }
    }
    origins
}

/// The suite on the mirror from which the machine gets another one of Debian's.
fn beside(targets: &str, suite: &str) -> Option<Origin> {
    let mut own = SUITES.iter().flat_map(|own| select(targets, own));
    let mirror = own.find(|origin| SUITES.contains(&&*origin.suite))?;
    SUITES.contains(&suite).then(|| Origin { uri: mirror.uri, suite: suite.to_owned() })
}

/// The keyring to trust besides apt's own trusted folder, if the machine has it.
pub fn keyring() -> Option<&'static Path> {
    let keyring = Path::new(KEYRING);
    keyring.exists().then_some(keyring)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_main_of_the_suite_and_its_companions_is_taken() {
        let targets = "http://a/debian/ bookworm main\nhttp://a/debian/ bookworm contrib\n\
                       http://a/debian/ bookworm main\nhttp://b/ bookworm-security main\n\
                       http://c/ nodistro main\nhttp://a/debian/ trixie main\n";
        let lines: Vec<String> =
            select(targets, "bookworm").iter().map(Origin::source_line).collect();
        assert_eq!(
            lines,
            ["deb-src http://a/debian/ bookworm main", "deb-src http://b/ bookworm-security main"]
        );
    }

    #[test]
    fn another_suite_of_debians_comes_from_the_machines_own_mirror() {
        let targets = "http://n/ nodistro main\nhttp://b/ bookworm-security main\n\
                       http://a/debian/ bookworm main\n";
        let line = |suite| beside(targets, suite).map(|origin| origin.source_line());
        assert_eq!(line("trixie").unwrap(), "deb-src http://a/debian/ trixie main");
        assert_eq!(line("noble"), None);
        assert_eq!(beside("http://n/ nodistro main\n", "trixie"), None);
    }
}

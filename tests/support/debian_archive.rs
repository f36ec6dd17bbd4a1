// SPDX-License-Identifier: GPL-2.0-or-later
//! Packages of another suite of Debian's than this machine has: from the machine's own mirror, through
//! a scratch configuration of apt, which checks the archive's signature on the way. Nothing of them
//! is installed.

use crate::support;
use crate::support::requirements::run;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// A package's file, of the newest version that the suite has; fetched once and kept.
pub fn package(suite: &str, name: &str) -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _lock = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let folder = support::kept("suites").join(suite);
    let kept = folder.join(format!("{name}.deb"));
    if kept.exists() {
        return kept;
    }
    let scratch = support::scratch();
    let apt = Apt::new(scratch.path(), suite);
    let name = apt.newest(name);
    run(apt.call("apt-get").args(["-q", "download", &name]).current_dir(scratch.path()));
    let mut files = fs::read_dir(scratch.path()).unwrap().map(|entry| entry.unwrap().path());
    let file = files.find(|file| file.extension().is_some_and(|end| end == "deb")).unwrap();
    fs::create_dir_all(&folder).unwrap();
    // Whole or not at all, whoever else fetches it at this moment.
    let part = kept.with_extension(std::process::id().to_string());
    fs::copy(file, &part).unwrap();
    fs::rename(&part, &kept).unwrap();
    kept
}

struct Apt {
    options: Vec<String>,
}

impl Apt {
    fn new(folder: &Path, suite: &str) -> Self {
        for name in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(folder.join(name)).unwrap();
        }
        let line = format!("deb [arch=amd64] {} {suite} main\n", mirror());
        fs::write(folder.join("sources.list"), line).unwrap();
        let path = |name: &str| folder.join(name).display().to_string();
        let options = [
            format!("Dir::Etc::SourceList={}", path("sources.list")),
            "Dir::Etc::SourceParts=/dev/null".into(),
            format!("Dir::Etc::Trusted={KEYRING}"),
            format!("Dir::State::Lists={}", path("lists")),
            format!("Dir::Cache={}", path("cache")),
            // apt's own unprivileged user cannot enter this folder.
            "APT::Sandbox::User=root".into(),
            "Acquire::Languages=none".into(),
            "Acquire::Retries=3".into(),
        ];
        let apt = Self { options: options.into() };
        run(apt.call("apt-get").args(["update", "-q", "--error-on=any"]));
        apt
    }

    fn call(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.args(self.options.iter().flat_map(|option| ["-o", option]));
        command
    }

    /// The package itself, or the one of this version that a package without files stands for.
    fn newest(&self, name: &str) -> String {
        let depends = run(self.call("apt-cache").args(["depends", name]));
        let versioned = |line: &str| {
            let other = line.trim().strip_prefix("Depends: ")?;
            (name.starts_with("linux-image-") && other.starts_with("linux-image-"))
                .then(|| other.to_owned())
        };
        depends.lines().find_map(versioned).unwrap_or_else(|| name.to_owned())
    }
}

/// Where this machine gets Debian 12 from: suites lie side by side there.
fn mirror() -> String {
    let format = "$(REPO_URI) $(RELEASE) $(COMPONENT)";
    let targets = run(Command::new("apt-get").args([
        "indextargets",
        "--format",
        format,
        "Created-By: Packages",
    ]));
    let mirror = targets.lines().find_map(|line| line.strip_suffix(" bookworm main"));
    mirror.unwrap_or_else(|| panic!("apt has no `bookworm`:\n{targets}")).to_owned()
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! A host of the repository: an empty root, and `dnf` and `rpm` that work on it and on nothing else.

use crate::support::requirements;
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A root, and beside it all that configures the programs.
pub struct Client {
    folder: PathBuf,
}

/// How a program ended, and all that it said.
pub struct Outcome {
    pub success: bool,
    pub text: String,
}

impl Client {
    /// A client in an existing folder. It knows no repository and no key.
    pub fn new(folder: &Path) -> Self {
        let client = Self { folder: folder.to_owned() };
        for name in ["home", "repos", "root", "vars"] {
            fs::create_dir(client.path(name)).unwrap();
        }
        // Debian's rpm keeps its database in the user's home; a host keeps it here.
        fs::write(client.path("home/.rpmmacros"), "%_dbpath /var/lib/rpm\n").unwrap();
        // The folders for caches and logs are under the root by default.
        let text = format!(
            "[main]\nreposdir={}\nvarsdir={}\nplugins=0\ninstall_weak_deps=0\n",
            client.path("repos").display(),
            client.path("vars").display()
        );
        fs::write(client.path("dnf.conf"), text).unwrap();
        client
    }

    /// Makes a repository known, as a file in `/etc/yum.repos.d` does.
    pub fn add_repository(&self, name: &str, repo_file: &str) {
        fs::write(self.path("repos").join(format!("{name}.repo")), repo_file).unwrap();
    }

    pub fn root(&self) -> PathBuf {
        self.path("root")
    }

    /// Runs `dnf` on the root, saying yes to what it asks.
    pub fn dnf(&self, args: &[&str]) -> Outcome {
        let mut command = self.command("dnf", "dnf");
        command.arg("-c").arg(self.path("dnf.conf")).arg("--installroot").arg(self.root());
        outcome(command.args(["--releasever=12", "-y"]).args(args))
    }

    /// Runs `rpm` on the root.
    pub fn rpm(&self, args: &[&str]) -> Outcome {
        outcome(self.command("rpm", "rpm").arg("--root").arg(self.root()).args(args))
    }

    /// Runs `rpmkeys` with the root's database on files outside of it.
    pub fn rpmkeys(&self, args: &[&str]) -> Outcome {
        let database = self.path("root/var/lib/rpm");
        outcome(self.command("rpmkeys", "rpm").arg("--dbpath").arg(database).args(args))
    }

    /// Removes dnf's cache, and with its key ring the gpg-agent that guards that.
    pub fn forget_downloads(&self) {
        fs::remove_dir_all(self.path("root/var/cache/dnf")).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A program that sees nothing of this machine's configuration and user.
    fn command(&self, program: &str, package: &str) -> Command {
        let program = requirements::program(program, package);
        let mut command = if rustix::process::geteuid().is_root() {
            Command::new(program)
        } else {
            // Both change their root folder, which takes root: that of a namespace will do.
            let mut command = Command::new(requirements::program("unshare", "util-linux"));
            command.arg("--map-root-user").arg(program);
            command
        };
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command.env("HOME", self.path("home")).env("LC_ALL", "C.UTF-8");
        command
    }
}

fn outcome(command: &mut Command) -> Outcome {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    Outcome { success: output.status.success(), text: String::from_utf8_lossy(&text).into_owned() }
}

impl Outcome {
    /// Fails unless these words are in what was said.
    pub fn says(&self, words: &str) {
        assert!(self.text.contains(words), "no word of `{words}` in:\n{self}");
    }
}

impl Display for Outcome {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        let end = if self.success { "it succeeded" } else { "it failed" };
        write!(formatter, "{}\n({end})", self.text)
    }
}

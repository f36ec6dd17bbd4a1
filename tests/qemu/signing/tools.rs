// SPDX-License-Identifier: GPL-2.0-or-later
//! gpg and rpm, each with a home of its own that nothing of the machine's reaches into.

use crate::support;
use crate::support::requirements;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// How a program ended, and all that it said.
pub struct Outcome {
    pub code: Option<i32>,
    pub text: String,
}

pub fn run(command: &mut Command) -> Outcome {
    let output = command.env("LC_ALL", "C").output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    Outcome { code: output.status.code(), text: String::from_utf8_lossy(&text).into_owned() }
}

/// A gpg of its own: its own home, its own agent, which ends with it.
pub struct Gpg(pub TempDir);

impl Gpg {
    pub fn new() -> Self {
        let home = support::scratch();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).unwrap();
        Self(home)
    }

    pub fn try_it(&self, args: &[&str]) -> Outcome {
        let mut gpg = Command::new(requirements::program("gpg", "gpg"));
        gpg.arg("--homedir").arg(self.0.path()).args([
            "--batch",
            "--yes",
            "--no-tty",
            "--status-fd=1",
        ]);
        run(gpg.args(args))
    }

    pub fn run(&self, args: &[&str]) -> String {
        let outcome = self.try_it(args);
        assert_eq!(outcome.code, Some(0), "gpg {args:?}: {}", outcome.text);
        outcome.text
    }

    /// Makes a key and gives its fingerprint.
    pub fn make(&self, passphrase: &str, args: &[&str]) -> String {
        let pass = format!("--passphrase={passphrase}");
        let mut all = vec!["--pinentry-mode=loopback", pass.as_str()];
        all.extend(args);
        let text = self.run(&all);
        let created = text.lines().find(|line| line.contains("KEY_CREATED")).unwrap();
        created.split(' ').nth(3).unwrap().to_owned()
    }

    pub fn export(&self, passphrase: &str, how: &str, fingerprint: &str) -> PathBuf {
        let file = self.0.path().join(format!("{how}-{fingerprint}.asc"));
        let pass = format!("--passphrase={passphrase}");
        let to = format!("--output={}", file.display());
        self.run(&["--pinentry-mode=loopback", &pass, "--armor", &to, how, fingerprint]);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        file
    }

    pub fn secret(&self, fingerprint: &str) -> PathBuf {
        self.export("", "--export-secret-keys", fingerprint)
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        let mut gpgconf = Command::new(requirements::program("gpgconf", "gpgconf"));
        run(gpgconf.arg("--homedir").arg(self.0.path()).args(["--kill", "all"]));
    }
}

/// An rpm with an empty database and one key.
pub struct Rpm(TempDir);

impl Rpm {
    pub fn new(public_key: &Path) -> Self {
        let rpm = Self(support::scratch());
        let imported = rpm.rpmkeys(&["--import", public_key.to_str().unwrap()]);
        assert_eq!(imported.code, Some(0), "{}", imported.text);
        rpm
    }

    fn rpmkeys(&self, args: &[&str]) -> Outcome {
        let mut rpmkeys = Command::new(requirements::program("rpmkeys", "rpm"));
        run(rpmkeys.arg("--dbpath").arg(self.0.path()).args(args))
    }

    pub fn check(&self, package: &Path) -> Outcome {
        self.rpmkeys(&["--checksig", "--verbose", package.to_str().unwrap()])
    }
}

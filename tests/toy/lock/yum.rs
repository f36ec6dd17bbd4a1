// SPDX-License-Identifier: GPL-2.0-or-later
//! Yum repositories of packages that the test builds and signs with keys of its own.

use crate::support::ends_with;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A key pair in a keyring of its own.
pub struct Key {
    home: PathBuf,
    pub fingerprint: String,
}

impl Key {
    pub fn make(home: &Path) -> Self {
        fs::create_dir_all(home).unwrap();
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        fs::set_permissions(home, private).unwrap();
        let key = Self { home: home.to_owned(), fingerprint: String::new() };
        key.gpg(&["--quick-generate-key", "Repository <r@localhost>", "rsa2048", "sign", "never"]);
        let listed = key.gpg(&["--list-keys", "--with-colons"]);
        let line = listed.lines().find(|line| line.starts_with("fpr:")).unwrap();
        Self { fingerprint: line.split(':').nth(9).unwrap().to_owned(), ..key }
    }

    pub fn public(&self) -> String {
        self.gpg(&["--armor", "--export"])
    }

    fn gpg(&self, args: &[&str]) -> String {
        let mut gpg = Command::new("gpg");
        gpg.env("GNUPGHOME", &self.home).args(["--batch", "--passphrase", ""]).args(args);
        String::from_utf8(ends_with(0, &mut gpg).stdout).unwrap()
    }

    /// Signs a package as a distribution does.
    pub fn sign(&self, package: &Path) {
        self.sign_over("sha256", package);
    }

    /// Signs a package over a given hash; CentOS 7's rpmsign takes SHA-1 unless it is told otherwise.
    pub fn sign_over(&self, hash: &str, package: &Path) {
        let mut sign = Command::new("rpmsign");
        sign.env("GNUPGHOME", &self.home).arg("--resign");
        sign.args(["--define", "__gpg /usr/bin/gpg"]);
        sign.args(["--define", &format!("_gpg_digest_algo {hash}")]);
        sign.args(["--define", &format!("_gpg_name {}", self.fingerprint)]).arg(package);
        ends_with(0, &mut sign);
    }
}

/// A repository in a folder that somebody serves.
pub struct Repository {
    folder: PathBuf,
    key: Key,
}

impl Repository {
    pub fn new(folder: &Path, keys: &Path) -> Self {
        fs::create_dir_all(folder.join("Packages")).unwrap();
        let key = Key::make(keys);
        fs::write(folder.join("KEY"), key.public()).unwrap();
        Self { folder: folder.to_owned(), key }
    }

    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Adds a signed package without content.
    pub fn add(&self, name: &str, version: &str, requires: &str) -> PathBuf {
        let package = self.build(name, version, requires, None);
        self.key.sign(&package);
        self.index();
        package
    }

    /// Adds a signed package with one file, `/usr/lib64/xen/bin/qemu-wrapper`.
    pub fn add_wrapper(&self, name: &str, version: &str, wrapper: &str) -> PathBuf {
        let package = self.build(name, version, "", Some(wrapper));
        self.key.sign(&package);
        self.index();
        package
    }

    /// Adds a package that nobody signed.
    pub fn add_unsigned(&self, name: &str, version: &str) -> PathBuf {
        let package = self.build(name, version, "", None);
        self.index();
        package
    }

    pub fn remove(&self, package: &Path) {
        fs::remove_file(package).unwrap();
        self.index();
    }

    /// Writes the metadata anew.
    pub fn index(&self) {
        ends_with(
            0,
            Command::new("createrepo_c").args(["--quiet", "--no-database"]).arg(&self.folder),
        );
    }

    /// Rewrites the list of packages, as another tool would have written it.
    pub fn rewrite(&self, change: impl Fn(&str) -> String) {
        let folder = self.folder.join("repodata");
        let index = fs::read_to_string(folder.join("repomd.xml")).unwrap();
        let name = index.split('"').find(|word| word.ends_with("primary.xml.gz")).unwrap();
        let primary = self.folder.join(name);
        let xml = ends_with(0, Command::new("gzip").arg("-dc").arg(primary)).stdout;
        let scratch = tempfile::tempdir().unwrap();
        let to = scratch.path().join("primary.xml");
        fs::write(&to, change(&String::from_utf8(xml).unwrap())).unwrap();
        let mut modify = Command::new("modifyrepo_c");
        modify.arg("--mdtype=primary").arg(to).arg(folder);
        ends_with(0, &mut modify);
    }

    fn build(&self, name: &str, version: &str, requires: &str, wrapper: Option<&str>) -> PathBuf {
        let top = tempfile::tempdir().unwrap();
        let requires =
            if requires.is_empty() { String::new() } else { format!("Requires: {requires}\n") };
        let place = "/usr/lib64/xen/bin";
        let file = top.path().join("wrapper");
        fs::write(&file, wrapper.unwrap_or_default()).unwrap();
        let install = format!(
            "%install\ninstall -D {} %{{buildroot}}{place}/qemu-wrapper\n%files\n{place}\n",
            file.display()
        );
        let install = if wrapper.is_some() { install } else { "%files\n".to_owned() };
        let spec = format!(
            "Name: {name}\nVersion: {version}\nRelease: 1.el7\nSummary: A stand-in\nLicense: MIT\n\
             BuildArch: noarch\n{requires}%description\nA stand-in.\n{install}"
        );
        fs::write(top.path().join("p.spec"), spec).unwrap();
        let mut build = Command::new("rpmbuild");
        build.args(["-bb", "--quiet", "--define", &format!("_topdir {}", top.path().display())]);
        ends_with(0, build.arg(top.path().join("p.spec")));
        let file = format!("{name}-{version}-1.el7.noarch.rpm");
        let to = self.folder.join("Packages").join(&file);
        fs::copy(top.path().join("RPMS/noarch").join(&file), &to).unwrap();
        to
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! What the tools themselves make: packages of rpmbuild, keys of gpg, signatures of rpmsign.

use super::builder::refused;
use crate::openpgp::{Certificate, check_package};
use crate::package_file;
use crate::process::{Invocation, Runner, find_program as find};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const SPEC: &str = "\
Name: tools
Epoch: 1
Version: 2
Release: 3%{?dist}
Summary: A test
License: GPL-2.0-or-later
BuildArch: noarch
%description
A test.
%install
mkdir -p %{buildroot}/opt
seq 9999 > %{buildroot}/opt/tools
%files
/opt/tools
";

/// A gpg with a home of its own, and rpm's tools that use it.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::set_permissions(home.path(), Permissions::from_mode(0o700)).unwrap();
        Self(home)
    }

    fn run(&self, call: Invocation) -> String {
        let runner = Runner::new(&self.0.path().join("log"), |_| {}).unwrap();
        runner.run(&call.capture_stdout()).unwrap().stdout
    }

    fn gpg(&self, args: &[&str]) -> String {
        let call = Invocation::new("gpg").arg("--homedir").arg(self.0.path());
        let call = call.args(["--batch", "--yes", "--status-fd=1", "--pinentry-mode=loopback"]);
        self.run(call.arg("--passphrase=").args(args))
    }

    /// Makes a key and gives its fingerprint.
    fn key(&self, kind: &str) -> String {
        let text = self.gpg(&["--quick-generate-key", kind, kind, "sign", "never"]);
        let created = text.lines().find(|line| line.contains("KEY_CREATED")).unwrap();
        created.split(' ').nth(3).unwrap().to_owned()
    }

    fn export(&self, keys: &[&str]) -> Vec<u8> {
        let file = self.0.path().join("exported.asc");
        let to = format!("--output={}", file.display());
        self.gpg(&[&["--armor", &to, "--export"], keys].concat());
        fs::read(file).unwrap()
    }

    fn certificates(&self, keys: &[&str]) -> Vec<Certificate> {
        Certificate::read(&self.export(keys)).unwrap()
    }

    /// The binary and the source package.
    fn build(&self) -> [PathBuf; 2] {
        let top = self.0.path().join("rpmbuild");
        let spec = self.0.path().join("tools.spec");
        fs::write(&spec, SPEC).unwrap();
        let top_is = format!("_topdir {}", top.display());
        let call =
            Invocation::new("rpmbuild").args(["-ba", "--define", &top_is, "--define", "dist .el7"]);
        self.run(call.arg(spec));
        ["RPMS/noarch/tools-2-3.el7.noarch.rpm", "SRPMS/tools-2-3.el7.src.rpm"].map(|p| top.join(p))
    }

    fn sign(&self, package: &Path, key: &str, more: &[&str]) {
        let gpg = find("gpg").unwrap();
        let macros = [
            format!("__gpg {}", gpg.display()),
            format!("_gpg_path {}", self.0.path().display()),
            format!("_gpg_name {key}"),
        ];
        let call = Invocation::new("rpmsign").args(macros.iter().flat_map(|is| ["--define", is]));
        self.run(call.args(more).arg("--resign").arg(package));
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.run(
            Invocation::new("gpgconf").arg("--homedir").arg(self.0.path()).args(["--kill", "all"]),
        );
    }
}

/// The refusals of the same package with one bit of its header or of its payload altered.
fn refused_altered(package: &Path, keys: &[Certificate]) -> [String; 2] {
    let good = fs::read(package).unwrap();
    let payload = package_file::open(package).unwrap().lead_and_headers().len();
    let refusals = [payload - 40, payload.midpoint(good.len())].map(|at| {
        let mut bad = good.clone();
        bad[at] ^= 1;
        fs::write(package, bad).unwrap();
        refused(check_package(package, keys))
    });
    fs::write(package, good).unwrap();
    refusals
}

#[test]
fn a_package_that_rpmsign_signed_is_taken_and_an_altered_one_is_not() {
    let home = Home::new();
    let [rsa, ed25519] = ["rsa3072", "ed25519"].map(|kind| home.key(kind));
    let keys = home.certificates(&[&rsa, &ed25519]);
    assert_eq!(keys.iter().map(Certificate::fingerprint).collect::<Vec<_>>(), [&rsa, &ed25519]);
    let [binary, source] = home.build();
    assert!(refused(check_package(&binary, &keys)).starts_with("it is not signed"));
    // rpm 4.18 signs the header alone unless it is told to sign as older versions did.
    for (key, more) in
        [(&rsa, &[][..]), (&rsa, &["--rpmv3"]), (&ed25519, &[]), (&ed25519, &["--rpmv3"])]
    {
        for (package, arch) in [(&binary, "noarch"), (&source, "src")] {
            home.sign(package, key, more);
            let checked = check_package(package, &keys).unwrap();
            assert_eq!(checked.nevra.to_string(), format!("tools-1:2-3.el7.{arch}"));
            assert_eq!(&checked.fingerprint, key);
            for message in refused_altered(package, &keys) {
                assert!(message.contains(" is not what it says: it was altered"), "{message}");
            }
        }
    }
    let message = refused(check_package(&binary, &keys[..1]));
    assert!(
        message.contains(&format!("`{ed25519}`, which the pipeline does not pin")),
        "{message}"
    );
}

#[test]
fn a_subkey_of_gpg_signs_for_its_primary_key() {
    let home = Home::new();
    let primary = home.key("rsa2048");
    home.gpg(&["--quick-add-key", &primary, "rsa2048", "sign", "never"]);
    let listed = home.gpg(&["--with-colons", "--list-keys"]);
    let subkey = listed.lines().rfind(|line| line.starts_with("fpr:")).unwrap();
    let subkey = subkey.split(':').nth(9).unwrap();
    let [binary, _] = home.build();
    home.sign(&binary, &format!("{subkey}!"), &[]);
    let checked = check_package(&binary, &home.certificates(&[&primary])).unwrap();
    assert_eq!(checked.fingerprint, primary);

    home.gpg(&["--quick-set-expire", &primary, "2y", subkey]);
    check_package(&binary, &home.certificates(&[&primary])).unwrap();
    let revoke = home.0.path().join("revoke");
    fs::write(&revoke, "key 1\nrevkey\ny\n0\n\ny\nsave\n").unwrap();
    let commands = format!("--command-file={}", revoke.display());
    home.gpg(&["--no-batch", "--no-tty", &commands, "--edit-key", &primary]);
    let message = refused(check_package(&binary, &home.certificates(&[&primary])));
    let expected = format!("the subkey `{subkey}` of the key `{primary}` is revoked, or not bound");
    assert!(message.starts_with(&expected), "{message}");
}

#[test]
fn a_key_that_gpg_revoked_or_made_too_short_is_refused() {
    let home = Home::new();
    let [short, revoked] = ["rsa1024", "rsa2048"].map(|kind| home.key(kind));
    let message = refused(Certificate::read(&home.export(&[&short])));
    assert!(message.contains("` has 1024 bits, and needs 2048 or more\nhelp: "), "{message}");
    let revocation = home.0.path().join(format!("openpgp-revocs.d/{revoked}.rev"));
    // gpg puts a colon before the armour, so that nobody imports it by chance.
    let text = fs::read_to_string(&revocation).unwrap().replace(":-----BEGIN", "-----BEGIN");
    fs::write(&revocation, text).unwrap();
    home.gpg(&["--import", revocation.to_str().unwrap()]);
    let message = refused(Certificate::read(&home.export(&[&revoked])));
    assert!(message.starts_with(&format!("the key `{revoked}` is revoked\nhelp: ")), "{message}");
}

#[test]
fn rpm_imports_a_key_that_went_through_here() {
    let home = Home::new();
    let key = home.key("rsa2048");
    let [binary, _] = home.build();
    home.sign(&binary, &key, &["--rpmv3"]);
    let file = home.0.path().join("key.asc");
    fs::write(&file, home.certificates(&[&key])[0].armored()).unwrap();
    let database = home.0.path().join("rpmdb");
    let rpmkeys = || Invocation::new("rpmkeys").arg("--dbpath").arg(&database);
    home.run(rpmkeys().arg("--import").arg(file));
    home.run(rpmkeys().args(["--define", "_pkgverify_level all", "--checksig"]).arg(binary));
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! What gpg and rpm themselves make of our keys and signatures, and we of the keys that gpg makes.

mod tools;

use crate::support;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tools::{Gpg, Outcome, Rpm, run};

const PASSPHRASE: &str = "correct horse";

fn ours(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vgpu-pipeline"));
    command.args(args);
    command
}

fn show(file: &Path) -> Outcome {
    run(&mut ours(&["key", "show", file.to_str().unwrap()]))
}

/// The message about a key that is refused as wrong input, without its fingerprint.
fn refused(outcome: &Outcome) -> String {
    assert_eq!(outcome.code, Some(2), "{}", outcome.text);
    assert!(!outcome.text.contains("PUBLIC KEY"), "{}", outcome.text);
    let (message, help) = outcome.text.trim_end().split_once('\n').unwrap();
    assert!(help.starts_with("help: ") && help.lines().count() == 1, "{}", outcome.text);
    let anonymous = message.split('`').enumerate().map(|(n, part)| match part.len() {
        40 if n % 2 == 1 => "KEY",
        _ => part,
    });
    anonymous.collect::<Vec<_>>().join("`")
}

/// Writes the public half of the key in a file beside it.
fn public_half(file: &Path) -> PathBuf {
    let output = ours(&["key", "show", file.to_str().unwrap()]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let public = file.with_extension("public");
    fs::write(&public, output.stdout).unwrap();
    public
}

#[test]
fn gpg_and_rpm_import_a_new_key() {
    let (gpg, folder) = (Gpg::new(), support::scratch());
    let file = folder.path().join("key.asc");
    let made = run(&mut ours(&["key", "new", file.to_str().unwrap()]));
    assert_eq!(made.code, Some(0), "{}", made.text);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let public = public_half(&file);
    assert!(gpg.run(&["--import", public.to_str().unwrap()]).contains("IMPORT_OK 1 "));
    let listed = gpg.run(&["--with-colons", "--list-keys"]);
    let key = listed.lines().find(|line| line.starts_with("pub:")).unwrap();
    let fields: Vec<&str> = key.split(':').collect();
    assert_eq!(
        (fields[2], fields[3], fields[6]),
        ("4096", "1", ""),
        "4096 bits, RSA, no expiry: {key}"
    );
    assert!(fields[11].contains("sc") && !listed.contains("sub:"), "{listed}");
    assert!(gpg.run(&["--import", file.to_str().unwrap()]).contains("IMPORT_OK 17 "));
    Rpm::new(&public);
}

#[test]
fn a_key_that_gpg_made_is_taken_and_its_public_half_imports() {
    let gpg = Gpg::new();
    let plain =
        gpg.make("", &["--quick-generate-key", "plain <p@example.org>", "rsa2048", "sign", "1y"]);
    // An encryption subkey, as gpg makes by default, is left out of what is published.
    gpg.run(&[
        "--passphrase=",
        "--pinentry-mode=loopback",
        "--quick-add-key",
        &plain,
        "rsa2048",
        "encr",
    ]);
    let public = public_half(&gpg.secret(&plain));
    Rpm::new(&public);
    let other = Gpg::new();
    assert!(other.run(&["--import", public.to_str().unwrap()]).contains(&plain));
    let listed = other.run(&["--with-colons", "--list-keys"]);
    assert!(!listed.contains("\nsub:"), "{listed}");
}

#[test]
fn a_passphrase_opens_a_key_that_gpg_locked() {
    let gpg = Gpg::new();
    let args = ["--quick-generate-key", "locked", "rsa2048", "sign", "never"];
    let locked = gpg.make(PASSPHRASE, &args);
    let file = gpg.export(PASSPHRASE, "--export-secret-keys", &locked);
    let prefix = format!("error: signing key in `{}`: ", file.display());
    let without = refused(&show(&file));
    let expected = "the key `KEY` is locked with a passphrase, and none was given";
    assert_eq!(without.strip_prefix(&prefix), Some(expected));
    let with = |passphrase: &str| {
        let args = ["key", "show", file.to_str().unwrap(), "--passphrase-env", "TEST_PASSPHRASE"];
        run(ours(&args).env("TEST_PASSPHRASE", passphrase))
    };
    let wrong = with("incorrect horse");
    assert!(!wrong.text.contains("horse"), "{}", wrong.text);
    let expected = "the passphrase does not unlock the key `KEY`";
    assert_eq!(refused(&wrong).strip_prefix(&prefix), Some(expected));
    let right = with(PASSPHRASE);
    assert_eq!(right.code, Some(0), "{}", right.text);
    assert!(right.text.contains(&locked) && !right.text.contains("horse"), "{}", right.text);
}

#[test]
fn each_key_that_dom0_cannot_use_is_refused_with_its_reason() {
    let gpg = Gpg::new();
    let make =
        |name: &str, more: &[&str]| gpg.make("", &[&["--quick-generate-key", name], more].concat());
    let old = "--faked-system-time=20200101T000000";
    let expired = gpg.make("", &[old, "--quick-generate-key", "old", "rsa2048", "sign", "1y"]);
    let certify_only = make("certify", &["rsa2048", "cert", "never"]);
    let subkey = make("subkey", &["rsa2048", "cert", "never"]);
    gpg.run(&[
        "--passphrase=",
        "--pinentry-mode=loopback",
        "--quick-add-key",
        &subkey,
        "rsa2048",
        "sign",
    ]);
    let revoked = make("revoked", &["rsa2048", "sign", "never"]);
    let certificate = gpg.0.path().join(format!("openpgp-revocs.d/{revoked}.rev"));
    // gpg puts a colon before the armour, so that nobody revokes a key by mistake.
    let text = fs::read_to_string(&certificate).unwrap().replace(":-----BEGIN", "-----BEGIN");
    fs::write(&certificate, text).unwrap();
    gpg.run(&["--import", certificate.to_str().unwrap()]);
    let elsewhere = make("elsewhere", &["rsa2048", "sign", "never"]);
    gpg.run(&[
        "--passphrase=",
        "--pinentry-mode=loopback",
        "--quick-add-key",
        &elsewhere,
        "rsa2048",
        "encr",
    ]);

    let ed25519 = make("ed", &["ed25519", "sign", "never"]);
    let nist = make("nist", &["nistp256", "sign", "never"]);
    let dsa = make("dsa", &["dsa2048", "sign", "never"]);
    let small = make("small", &["rsa1024", "sign", "never"]);

    let cases = [
        (gpg.secret(&ed25519), "the key `KEY` is Ed25519: the rpm 4.11 of dom0 imports RSA alone"),
        (gpg.secret(&nist), "the key `KEY` is ECDSA: the rpm 4.11 of dom0 imports RSA alone"),
        (gpg.secret(&dsa), "the key `KEY` is DSA: the rpm 4.11 of dom0 imports RSA alone"),
        (gpg.secret(&small), "the key `KEY` has 1024 bits, and needs 2048 or more"),
        (gpg.secret(&expired), "the key `KEY` expired on 2020-12-31"),
        (gpg.secret(&revoked), "the key `KEY` is revoked"),
        (gpg.secret(&certify_only), "the primary key `KEY` may not sign"),
        (
            gpg.secret(&subkey),
            "the key `KEY` signs with a subkey, and the rpm 4.11 of dom0 accepts signatures of the \
             primary key alone",
        ),
        (
            gpg.export("", "--export-secret-subkeys", &elsewhere),
            "the secret part of the primary key `KEY` is not in the file \
             (`--export-secret-subkeys` leaves it out, a smartcard never gives it away)",
        ),
        (gpg.export("", "--export", &elsewhere), "the key is a public key, which cannot sign"),
    ];
    for (file, message) in cases {
        let prefix = format!("error: signing key in `{}`: ", file.display());
        assert_eq!(refused(&show(&file)).strip_prefix(&prefix), Some(message));
    }
}

/// Everything signed in the published repository.
fn published() -> (PathBuf, Vec<PathBuf>) {
    let repository = support::workstation().repository.clone();
    let packages =
        ["Packages", "SRPMS"].map(|folder| fs::read_dir(repository.join(folder)).unwrap());
    let packages = packages.into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    (repository, packages)
}

#[test]
fn rpm_checks_every_digest_and_both_signatures_of_what_is_published() {
    let (repository, packages) = published();
    let rpm = Rpm::new(&repository.join("RPM-GPG-KEY-workstation"));
    assert!(packages.len() >= 2, "{packages:?}");
    for package in packages {
        let checked = rpm.check(&package);
        assert_eq!(checked.code, Some(0), "{}", checked.text);
        let count = |what: &str| {
            let fits = |line: &&str| line.starts_with(what) && line.ends_with(": OK");
            checked.text.lines().map(str::trim).filter(fits).count()
        };
        assert_eq!(count("Header V4 RSA/SHA256 Signature, key ID "), 1, "{}", checked.text);
        assert_eq!(count("V4 RSA/SHA256 Signature, key ID "), 1, "{}", checked.text);
        for digest in ["Header SHA256", "Header SHA1", "Payload SHA256", "MD5"] {
            assert_eq!(count(&format!("{digest} digest")), 1, "{}", checked.text);
        }
    }
}

#[test]
fn rpm_sees_a_flipped_byte_in_header_and_payload() {
    let (repository, packages) = published();
    let rpm = Rpm::new(&repository.join("RPM-GPG-KEY-workstation"));
    let folder = support::scratch();
    for package in packages {
        let offsets = rpm::PackageMetadata::open(&package).unwrap().get_package_segment_offsets();
        let good = fs::read(&package).unwrap();
        let [header, payload] =
            [offsets.header, offsets.payload].map(|at| usize::try_from(at).unwrap());
        for at in [header.midpoint(payload), payload, payload.midpoint(good.len()), good.len() - 1]
        {
            let mut bad = good.clone();
            bad[at] ^= 1;
            let altered = folder.path().join("altered.rpm");
            fs::write(&altered, bad).unwrap();
            let checked = rpm.check(&altered);
            assert_eq!(checked.code, Some(1), "at {at}: {}", checked.text);
        }
    }
}

#[test]
fn gpg_accepts_the_signed_index_and_no_other() {
    let (repository, _) = published();
    let gpg = Gpg::new();
    gpg.run(&["--import", repository.join("RPM-GPG-KEY-workstation").to_str().unwrap()]);
    let index = repository.join("repodata/repomd.xml");
    let signature = repository.join("repodata/repomd.xml.asc");
    let good = gpg.run(&["--verify", signature.to_str().unwrap(), index.to_str().unwrap()]);
    assert!(good.contains("GOODSIG") && good.contains("VALIDSIG"), "{good}");
    let altered = gpg.0.path().join("repomd.xml");
    fs::write(&altered, [fs::read(&index).unwrap().as_slice(), b" "].concat()).unwrap();
    let bad = gpg.try_it(&["--verify", signature.to_str().unwrap(), altered.to_str().unwrap()]);
    assert!(bad.code == Some(1) && bad.text.contains("BADSIG"), "{}", bad.text);
}

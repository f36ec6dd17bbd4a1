// SPDX-License-Identifier: GPL-2.0-or-later
//! What a host does with the published repository: `dnf` and `rpm` themselves, over HTTP, with every
//! check on. One good install, and each way in which a bad one has to be refused.

mod client;
mod repo_file;
mod server;
mod stubs;

use crate::support;
use crate::support::requirements::{self, run};
use client::{Client, Outcome};
use server::Server;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const KEY: &str = "RPM-GPG-KEY-workstation";
const REPOMD: &str = "repodata/repomd.xml";
const BINARY: &str = "usr/bin/qemu-system-x86_64";

/// The root into which the published package was installed, once for all tests.
pub fn installed() -> &'static Client {
    static INSTALLED: OnceLock<(Client, File)> = OnceLock::new();
    let (client, _lock) = INSTALLED.get_or_init(|| {
        // A fixed place, since a static is never dropped and would leave a folder behind at each run.
        let folder = support::kept("installed");
        let lock = File::create(folder.with_extension("lock")).unwrap();
        lock.lock().unwrap();
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir(&folder).unwrap();
        let repository = &support::workstation().repository;
        let server = Server::start(repository);
        let client = host(&folder, &repo_file(repository, &server));
        let outcome = client.dnf(&["install", "qemu"]);
        assert!(outcome.success, "{outcome}");
        client.forget_downloads();
        (client, lock)
    });
    client
}

/// A host that knows the repository under test, and has the libraries that Debian has.
fn host(folder: &Path, repo_file: &str) -> Client {
    let client = Client::new(folder);
    let stand_in = folder.join("stand-in");
    stubs::make(&stand_in, &package("Packages"));
    let base = stand_in.display();
    let declared = format!("[stand-in]\nname=Debian's root\nbaseurl=file://{base}\ngpgcheck=0\n");
    client.add_repository("stand-in", &declared);
    client.add_repository("under-test", repo_file);
    client
}

/// The published `.repo` file as it is, but for the address, which here is a port of the moment.
fn repo_file(repository: &Path, server: &Server) -> String {
    let published = fs::read_to_string(repository.join("workstation.repo")).unwrap();
    for line in ["gpgcheck=1", "repo_gpgcheck=1", "baseurl=http://localhost:8000"] {
        assert!(published.lines().any(|found| found == line), "no `{line}` in:\n{published}");
    }
    published.replace("http://localhost:8000", &server.url())
}

/// QEMU's one package in a folder of the published repository.
fn package(folder: &str) -> PathBuf {
    let folder = support::workstation().repository.join(folder);
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_qemu = |path: &PathBuf| {
        let path = path.to_string_lossy();
        path.contains("/qemu-") && !path.contains("/qemu-device-")
    };
    let mut found: Vec<_> = files.filter(is_qemu).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// What `dnf install qemu` says of an altered copy of the repository. Nothing may be installed.
fn refused(alter: impl FnOnce(&Path), alter_repo_file: impl FnOnce(String) -> String) -> Outcome {
    let scratch = support::scratch();
    let copy = scratch.path().join("repository");
    run(Command::new("cp").arg("-r").arg(&support::workstation().repository).arg(&copy));
    alter(&copy);
    let server = Server::start(&copy);
    let client = host(scratch.path(), &alter_repo_file(repo_file(&copy, &server)));
    let outcome = client.dnf(&["install", "qemu"]);
    assert!(!outcome.success, "installed all the same:\n{outcome}");
    assert!(!client.root().join(BINARY).exists(), "it failed, and left its file:\n{outcome}");
    let packages = client.rpm(&["-qa", "--queryformat", "%{name}\\n"]);
    assert!(packages.success, "{packages}");
    // A key that was taken in is no package, though rpm keeps it like one.
    assert!(packages.text.lines().all(|name| name == "gpg-pubkey"), "{outcome}\n{packages}");
    outcome
}

fn as_published(repo_file: String) -> String {
    repo_file
}

/// Leaves the package's own signature as the one thing that is checked. Whoever can alter a package
/// can make its index anew, and a mirror may sign none.
#[expect(clippy::needless_pass_by_value, reason = "it stands where `as_published` does")]
fn unsigned_index(repo_file: String) -> String {
    let altered = repo_file.replace("repo_gpgcheck=1", "repo_gpgcheck=0");
    assert!(altered.contains("\ngpgcheck=1\n"), "{altered}");
    altered
}

fn in_copy(repository: &Path) -> PathBuf {
    repository.join("Packages").join(package("Packages").file_name().unwrap())
}

/// Flips the lowest bit of the byte in the middle of a package's payload.
fn flip(package: &Path) {
    let offsets = rpm::PackageMetadata::open(package).unwrap().get_package_segment_offsets();
    let mut bytes = fs::read(package).unwrap();
    let middle = usize::try_from(offsets.payload).unwrap().midpoint(bytes.len());
    bytes[middle] ^= 1;
    fs::write(package, bytes).unwrap();
}

fn index(repository: &Path) {
    run(Command::new(requirements::program("createrepo_c", "createrepo-c"))
        .arg("-q")
        .arg(repository));
}

/// The public half of a key that has nothing to do with the repository.
fn another_key() -> String {
    let scratch = support::scratch();
    let file = scratch.path().join("another-key.asc");
    let key = |action| {
        run(Command::new(env!("CARGO_BIN_EXE_vgpu-pipeline")).args(["key", action]).arg(&file))
    };
    key("new");
    key("show")
}

/// What `rpmkeys` has to say of a package, line by line.
fn judged(client: &Client, package: &Path) -> (bool, Vec<String>) {
    let outcome = client.rpmkeys(&["-K", "-v", package.to_str().unwrap()]);
    (outcome.success, outcome.text.lines().skip(1).map(|line| line.trim().to_owned()).collect())
}

#[test]
fn dnf_installs_the_package_with_every_check_on() {
    let client = installed();
    assert!(client.root().join(BINARY).exists());
    let nevra = client.rpm(&["-q", "qemu"]);
    assert!(nevra.success, "{nevra}");
    assert!(nevra.text.trim().ends_with(".vgpu1.x86_64"), "{nevra}");
    let provider = client.rpm(&["-q", "--whatprovides", "qemu-device(vgpu-stub)"]);
    assert_eq!((provider.success, provider.text), (true, nevra.text));
}

#[test]
fn the_installed_files_are_the_packaged_ones() {
    let verified = installed().rpm(&["-V", "qemu"]);
    assert_eq!((verified.success, verified.text.as_str()), (true, ""));
}

#[test]
fn dnf_refuses_a_package_with_one_flipped_byte() {
    refused(|repository| flip(&in_copy(repository)), as_published)
        .says("Downloading successful, but checksum doesn't match");
}

#[test]
fn dnf_refuses_a_flipped_package_in_a_new_index() {
    let alter = |repository: &Path| {
        flip(&in_copy(repository));
        index(repository);
    };
    refused(alter, as_published).says("Bad GPG signature");
}

#[test]
fn dnf_refuses_a_flipped_package_by_its_signature_alone() {
    let alter = |repository: &Path| {
        flip(&in_copy(repository));
        index(repository);
    };
    let outcome = refused(alter, unsigned_index);
    outcome.says("Problem opening package qemu-");
    outcome.says("GPG check FAILED");
}

#[test]
fn dnf_refuses_an_unsigned_package() {
    let alter = |repository: &Path| {
        rpm::Package::clear_signatures_in_place(in_copy(repository)).unwrap();
        index(repository);
    };
    let outcome = refused(alter, unsigned_index);
    outcome.says(".rpm is not signed");
    outcome.says("GPG check FAILED");
}

#[test]
fn dnf_refuses_a_package_of_another_key() {
    let alter = |repository: &Path| fs::write(repository.join(KEY), another_key()).unwrap();
    let outcome = refused(alter, unsigned_index);
    outcome.says("Import of key(s) didn't help, wrong key(s)?");
    outcome.says("GPG check FAILED");
}

#[test]
fn dnf_refuses_an_index_of_another_key() {
    let alter = |repository: &Path| fs::write(repository.join(KEY), another_key()).unwrap();
    refused(alter, as_published).says("Bad GPG signature");
}

#[test]
fn dnf_refuses_an_index_without_its_signature() {
    let alter = |repository: &Path| {
        fs::remove_file(repository.join(format!("{REPOMD}.asc"))).unwrap();
    };
    refused(alter, as_published)
        .says("GPG verification is enabled, but GPG signature is not available");
}

#[test]
fn dnf_refuses_an_altered_index() {
    let alter = |repository: &Path| {
        let path = repository.join(REPOMD);
        let text = fs::read_to_string(&path).unwrap();
        // It stays well-formed: the signature is all that can tell.
        let (before, revision) = text.split_once("<revision>").unwrap();
        let digit = if revision.starts_with('1') { '2' } else { '1' };
        fs::write(&path, format!("{before}<revision>{digit}{}", &revision[1..])).unwrap();
    };
    refused(alter, as_published).says("Bad GPG signature");
}

#[test]
fn rpm_verifies_all_of_both_packages() {
    for folder in ["Packages", "SRPMS"] {
        // Its database has the published key: dnf took that in.
        let (good, lines) = judged(installed(), &package(folder));
        assert!(good && lines.iter().all(|line| line.ends_with(": OK")), "{lines:#?}");
        // The header's signature, and the one over header and payload that rpm 4.11 asks for too.
        for check in [
            "Header V4 RSA/SHA256 Signature, key ID ",
            "V4 RSA/SHA256 Signature, key ID ",
            "Header SHA256 digest: ",
            "Header SHA1 digest: ",
            "Payload SHA256 digest: ",
            "MD5 digest: ",
        ] {
            assert!(lines.iter().any(|line| line.starts_with(check)), "no `{check}` in {lines:#?}");
        }
    }
}

#[test]
fn rpm_refuses_both_packages_with_one_flipped_byte() {
    for folder in ["Packages", "SRPMS"] {
        let scratch = support::scratch();
        let copy = scratch.path().join("flipped.rpm");
        fs::copy(package(folder), &copy).unwrap();
        flip(&copy);
        let (good, lines) = judged(installed(), &copy);
        assert!(!good, "{lines:#?}");
        for check in ["V4 RSA/SHA256 Signature, key ID ", "Payload SHA256 digest: ", "MD5 digest: "]
        {
            let bad = |line: &String| line.starts_with(check) && line.contains(": BAD");
            assert!(lines.iter().any(bad), "no bad `{check}` in {lines:#?}");
        }
        let brief = installed().rpmkeys(&["-K", copy.to_str().unwrap()]);
        brief.says("DIGESTS SIGNATURES NOT OK");
    }
}

#[test]
fn rpm_refuses_both_packages_where_only_another_key_is_known() {
    let scratch = support::scratch();
    let stranger = Client::new(scratch.path());
    let key = scratch.path().join("key.asc");
    fs::write(&key, another_key()).unwrap();
    let imported = stranger.rpmkeys(&["--import", key.to_str().unwrap()]);
    assert!(imported.success, "{imported}");
    for folder in ["Packages", "SRPMS"] {
        let (good, lines) = judged(&stranger, &package(folder));
        assert!(!good && lines.iter().any(|line| line.ends_with(": NOKEY")), "{lines:#?}");
    }
}

#[test]
fn the_source_package_holds_all_that_the_binary_was_made_of() {
    let source = package("SRPMS");
    let listed = installed().rpm(&["-qpl", source.to_str().unwrap()]);
    assert!(listed.success, "{listed}");
    let names: Vec<&str> = listed.text.lines().collect();
    assert_eq!(names.len(), 4, "{names:?}");
    for end in ["qemu.spec", ".orig.tar.xz", ".debian.tar.xz", "vgpu-stub.c"] {
        assert!(names.iter().any(|name| name.ends_with(end)), "no `{end}` in {names:?}");
    }
    let device = fs::read(support::root().join("device/vgpu-stub.c")).unwrap();
    let mut reader = rpm::PackageReader::open(&source).unwrap();
    while let Some(mut file) = reader.next_file().unwrap() {
        if file.metadata.path().ends_with("vgpu-stub.c") {
            let mut packed = Vec::new();
            file.read_to_end(&mut packed).unwrap();
            assert!(packed == device, "another vgpu-stub.c than this one");
            return;
        }
    }
    panic!("vgpu-stub.c is listed and not there");
}

#[test]
fn the_sums_hold_for_every_published_file() {
    let repository = &support::workstation().repository;
    run(Command::new("sha256sum")
        .args(["--check", "--strict", "SHA256SUMS"])
        .current_dir(repository));
    let sums = fs::read_to_string(repository.join("SHA256SUMS")).unwrap();
    let summed = sums.lines().map(|line| line.split_once("  ").unwrap().1.to_owned());
    let found = run(Command::new("find")
        // Our record of the folder is no part of what was published.
        .args([".", "-type", "f", "!", "-name", "SHA256SUMS*", "!", "-name", ".vgpu-pipeline.json"])
        .args(["-printf", "%P\\n"])
        .current_dir(repository));
    let found: BTreeSet<String> = found.lines().map(str::to_owned).collect();
    assert_eq!(summed.collect::<BTreeSet<_>>(), found);
}

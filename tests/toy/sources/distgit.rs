// SPDX-License-Identifier: GPL-2.0-or-later
//! Packaging repositories with everything at the top, as Fedora's and CentOS Stream's: the spec, the
//! patches, and a file `sources` that names what is in a lookaside cache.

use crate::support::git_server::Fault;
use crate::support::packaging_repo::{KEYCODEMAPDB, PackagingRepo, QEMU};
use crate::support::{ends_with, events, kept, ran, refusal, sha256, stable};
use crate::support::{has_note, notes};
use insta::assert_snapshot;
use std::fs;
use std::path::Path;
use std::process::Command;

fn digest(program: &str, path: &Path) -> String {
    let output = ends_with(0, Command::new(program).arg(path));
    String::from_utf8(output.stdout).unwrap().split(' ').next().unwrap().to_owned()
}

/// Puts a file into the cache that the forge serves. Returns its digest.
fn keep(packaging: &PackagingRepo, kind: &str, from: &Path, name: &str) -> String {
    let digest = digest(&format!("{kind}sum"), from);
    let folder = packaging.path("served/pkgs/rpms/qemu").join(name).join(kind).join(&digest);
    fs::create_dir_all(&folder).unwrap();
    fs::copy(from, folder.join(name)).unwrap();
    digest
}

/// The packaging repository, laid out as Fedora does it. Both tarballs are in the cache.
fn distgit(name: &str) -> PackagingRepo {
    let packaging = PackagingRepo::new(name);
    let (qemu, keys) = (packaging.object(QEMU), packaging.object(KEYCODEMAPDB));
    let (qemu, keys) =
        (keep(&packaging, "sha512", &qemu, QEMU), keep(&packaging, "sha512", &keys, KEYCODEMAPDB));
    let work = packaging.work();
    for tarball in [QEMU, KEYCODEMAPDB] {
        fs::remove_file(work.join("SOURCES").join(tarball)).unwrap();
    }
    fs::remove_file(work.join(".gitattributes")).unwrap();
    for folder in ["SOURCES", "SPECS"] {
        for entry in fs::read_dir(work.join(folder)).unwrap() {
            let entry = entry.unwrap();
            fs::rename(entry.path(), work.join(entry.file_name())).unwrap();
        }
        fs::remove_dir(work.join(folder)).unwrap();
    }
    let sources = format!("SHA512 ({QEMU}) = {qemu}\nSHA512 ({KEYCODEMAPDB}) = {keys}\n");
    fs::write(work.join("sources"), sources).unwrap();
    fs::write(work.join(".gitignore"), "/*.tar.gz\n").unwrap();
    fs::write(work.join("gating.yaml"), "--- !Policy\n").unwrap();
    fs::create_dir_all(work.join("tests/.fmf")).unwrap();
    fs::write(work.join("tests/.fmf/version"), "1\n").unwrap();
    let text = fs::read_to_string(packaging.path("p.yaml")).unwrap();
    let (from, to) = (text.find("      lfs:").unwrap(), text.find("\nenvironment:").unwrap());
    let cache = format!(
        "      directory: .\n      lookaside:\n        url: {}\n",
        packaging.server.url("pkgs/rpms")
    );
    let text = format!("{}{cache}{}", &text[..from], &text[to..]);
    fs::write(packaging.path("p.yaml"), text.replace("git: SPECS/qemu.spec", "git: qemu.spec"))
        .unwrap();
    packaging.pin("Lay it out as Fedora does");
    packaging
}

fn edit_sources(packaging: &PackagingRepo, from: &str, to: &str) {
    packaging.edit("work/sources", from, to);
    packaging.pin("Other sources");
}

#[test]
fn a_repository_with_everything_at_the_top_is_built_and_again_from_a_mirror_alone() {
    let packaging = distgit("distgit");
    let build = |store: &Path| {
        let mut run = packaging.program("run");
        run.args(["--until", "build"]).env("VGPU_PIPELINE_STORE", store);
        run
    };
    let shared = kept("store");
    let first = events(&mut build(&shared));
    assert!(ran(&first).contains(&"build"), "{first:#?}");
    let notes = notes(&first);
    let folder = "not taken: `tests` is a folder, and sources are files";
    assert!(notes.iter().any(|note| note == folder), "{notes:?}");

    let mirror = packaging.path("mirror");
    ends_with(0, packaging.program("lock").arg("--fetch").arg(&mirror));
    assert_eq!(fs::read_dir(mirror.join("sha512")).unwrap().count(), 2);
    fs::remove_dir_all(packaging.path("store")).unwrap();
    let requests = packaging.server.requests().len();
    events(packaging.fetch().arg("--offline").arg("--mirror").arg(&mirror));
    assert_eq!(packaging.server.requests().len(), requests, "nobody was asked");

    // A mirror without one of them, and one that has another in its place.
    let victim = fs::read_dir(mirror.join("sha512")).unwrap().next().unwrap().unwrap().path();
    fs::write(&victim, "something else").unwrap();
    fs::remove_dir_all(packaging.path("store")).unwrap();
    events(packaging.fetch().arg("--mirror").arg(&mirror));
    for entry in fs::read_dir(mirror.join("sha512")).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    fs::remove_dir_all(packaging.path("store")).unwrap();
    let error = refusal(1, packaging.fetch().arg("--offline").arg("--mirror").arg(&mirror));
    assert!(error.contains(QEMU) && error.contains(KEYCODEMAPDB), "all at once: {error}");
    assert_snapshot!(stable(&error), @"
    error: stage `source`: `qemu-4.2.1.tar.gz`, `keycodemapdb-COMMIT.tar.gz` of the lookaside cache is neither in the store nor in a mirror folder, and the network is off
    help: `vgpu-pipeline lock FILE --fetch DIR` fills a mirror folder where there is a network
    ");
}

#[test]
fn every_kind_of_line_is_taken_or_refused_with_what_to_pin() {
    let packaging = distgit("distgit-lines");
    let line = |name: &str| {
        let text = fs::read_to_string(packaging.work().join("sources")).unwrap();
        text.lines().find(|line| line.contains(name)).unwrap().to_owned()
    };
    // A sha256 proves as much.
    let keys = packaging.path("keys.tar.gz");
    let served = packaging.path("served/pkgs/rpms/qemu").join(KEYCODEMAPDB).join("sha512");
    let served = fs::read_dir(served).unwrap().next().unwrap().unwrap().path();
    fs::copy(served.join(KEYCODEMAPDB), &keys).unwrap();
    let kept = keep(&packaging, "sha256", &keys, KEYCODEMAPDB);
    edit_sources(&packaging, &line(KEYCODEMAPDB), &format!("SHA256 ({KEYCODEMAPDB}) = {kept}"));
    events(&mut packaging.fetch());
    // md5 and sha1 prove nothing, in either form, without a pin.
    for (kind, form) in [("md5", "@  %"), ("md5", "MD5 (%) = @"), ("sha1", "SHA1 (%) = @")] {
        let digest = keep(&packaging, kind, &keys, KEYCODEMAPDB);
        let weak = form.replace('@', &digest).replace('%', KEYCODEMAPDB);
        edit_sources(&packaging, &line(KEYCODEMAPDB), &weak);
        let _ = fs::remove_dir_all(packaging.path("store"));
        let error = refusal(1, &mut packaging.fetch());
        assert!(error.contains(&format!("by {kind} alone, which proves nothing")), "{error}");
        let pins = error.lines().find(|line| line.trim().starts_with("pins: ")).unwrap();
        let pins = format!("  {pins}\n\nenvironment:").replace('…', &sha256(&keys));
        packaging.edit("p.yaml", "\nenvironment:", &pins);
        events(&mut packaging.fetch());
        packaging.edit("p.yaml", &pins, "\nenvironment:");
    }
    // Bytes that are not the pinned ones, and a pin of nothing.
    let bad = format!(
        "        pins: [{{ name: {KEYCODEMAPDB}, sha256: {} }}]\n\nenvironment:",
        "0".repeat(64)
    );
    packaging.edit("p.yaml", "\nenvironment:", &bad);
    let error = refusal(1, &mut packaging.fetch());
    assert_snapshot!(stable(&error), @"
    error: stage `source`: `keycodemapdb-COMMIT.tar.gz` is not what the pipeline pins: sha256 SHA256, pinned SHA256
    help: get the pinned file; change the pin only if you know why it differs
    ");
    packaging.edit("p.yaml", KEYCODEMAPDB, "qemu-4.2.2.tar.gz");
    let error = refusal(1, &mut packaging.fetch());
    assert_snapshot!(stable(&error), @"
    error: stage `source`: `sources` of commit COMMIT names no file `qemu-4.2.2.tar.gz`
    help: did you mean `qemu-4.2.1.tar.gz`?
    ");
}

#[test]
fn what_the_cache_has_wrong_is_refused_and_what_nobody_needs_is_not() {
    let packaging = distgit("distgit-wrong");
    for (fault, expected) in [
        (
            Fault::Instead(b"other".to_vec()),
            "is not what `sources` of the pinned commit names: sha512 ",
        ),
        (Fault::Instead(b"\x1f\x8b\x08".to_vec()), "the archive ends in the middle"),
        (Fault::Status(404), "404"),
    ] {
        packaging.server.fault(QEMU, fault);
        let error = refusal(1, &mut packaging.fetch());
        assert!(error.contains(expected), "{expected}: {error}");
        assert!(!packaging.path("store/content/sha512").join(QEMU).exists());
    }
    packaging.server.clear();
    // A file that the spec does not name, with a digest that proves nothing.
    let sources = fs::read_to_string(packaging.work().join("sources")).unwrap();
    fs::write(packaging.work().join("sources"), format!("{sources}{}  old.tgz\n", "0a".repeat(16)))
        .unwrap();
    packaging.pin("Something old");
    let events = events(&mut packaging.fetch());
    assert!(has_note(&events, "`old.tgz` by md5"), "{events:#?}");
    for (line, expected) in [
        ("<html>", "line 1 is no `SHA512 (FILE) = DIGEST`: `<html>`"),
        ("SHA512 (../../etc/passwd) = 00", "line 1 is no `SHA512 (FILE) = DIGEST`"),
    ] {
        fs::write(packaging.work().join("sources"), line).unwrap();
        packaging.pin(line);
        let error = refusal(1, &mut packaging.fetch());
        assert!(error.contains(expected), "{error}");
    }
    fs::remove_file(packaging.work().join("sources")).unwrap();
    packaging.pin("No sources");
    let error = refusal(1, &mut packaging.fetch());
    assert_snapshot!(stable(&error), @"
    error: stage `source`: commit COMMIT of http://SERVER/qemu.git has no file `sources`, which would say what is in the lookaside cache
    help: leave out `lookaside`, or set `directory` to where it is
    ");
}

/// Without a lookaside cache: everything is committed, or comes as a further source.
#[test]
fn the_top_of_a_repository_needs_no_lookaside_cache() {
    let packaging = distgit("distgit-alone");
    let text = fs::read_to_string(packaging.path("p.yaml")).unwrap();
    let (from, to) = (text.find("      lookaside:").unwrap(), text.find("\nenvironment:").unwrap());
    fs::write(packaging.path("p.yaml"), format!("{}{}", &text[..from], &text[to..])).unwrap();
    events(&mut packaging.fetch());
    packaging.edit("p.yaml", "directory: .", "directory: ./");
    let error = refusal(2, &mut packaging.fetch());
    assert_snapshot!(stable(&error), @"
    error: source[0].git.directory: `./` is not a folder such as `SOURCES`, or `.` for the top of the repository
      --> FOLDER/p.yaml:11:18
       |
    11 |       directory: ./
       |                  ^^
       |
       = help: did you mean `.`?
    ");
}

#[test]
fn an_entry_that_nobody_names_may_be_odd_or_gone() {
    let packaging = distgit("distgit-gone");
    let sources = fs::read_to_string(packaging.work().join("sources")).unwrap();
    let odd = format!("BLAKE2B (x) = ab\nSHA512 (gone.tgz) = {}\n", "0a".repeat(64));
    fs::write(packaging.work().join("sources"), format!("{sources}{odd}")).unwrap();
    packaging.pin("Something old");
    let events = events(&mut packaging.fetch());
    let notes = notes(&events);
    for expected in ["`BLAKE2B (x) = ab`", "`gone.tgz`"] {
        let noted = |note: &String| note.starts_with("not taken: ") && note.contains(expected);
        assert!(notes.iter().any(noted), "{expected}: {notes:?}");
    }
    // Whoever is busy has said nothing of whether there is one.
    packaging.server.fault("gone.tgz", Fault::Status(503));
    fs::remove_dir_all(packaging.path("store")).unwrap();
    let error = refusal(1, &mut packaging.fetch());
    assert!(error.contains("returned error: 503"), "{error}");
    assert_snapshot!(stable(&error), @"
    error: stage `source`: cannot fetch `gone.tgz`: `curl` ended with exit code 22
    help: the whole output is in FOLDER/store/logs/distgit-gone/source.log
    ");
    packaging.server.clear();
    // What the spec names is needed, however the list is wrong.
    packaging.server.fault(QEMU, Fault::Status(404));
    fs::remove_dir_all(packaging.path("store")).unwrap();
    let error = refusal(1, &mut packaging.fetch());
    assert_snapshot!(stable(&error), @"
    error: stage `source`: the spec needs what the sources do not have: `qemu-4.2.1.tar.gz` is not in the lookaside cache: curl: (22) The requested URL returned error: 404
    help: it would be http://SERVER/pkgs/rpms/qemu/qemu-4.2.1.tar.gz/sha512/SHA512/qemu-4.2.1.tar.gz; a mirror that has it serves as well
    ");
    packaging.server.clear();
    // The absence was nothing to remember.
    crate::support::events(&mut packaging.fetch());
    edit_sources(&packaging, &format!("SHA512 ({QEMU})"), &format!("BLAKE2B ({QEMU})"));
    let error = refusal(1, &mut packaging.fetch());
    assert_snapshot!(stable(&error), @"error: stage `source`: the spec needs what the sources do not have: `sources`: line 1 is no `SHA512 (FILE) = DIGEST`: `BLAKE2B (qemu-4.2.1.tar.gz) = DIGEST`");
}

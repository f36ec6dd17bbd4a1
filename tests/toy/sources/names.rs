// SPDX-License-Identifier: GPL-2.0-or-later
//! What the files of a packaging repository may be called, and what is no file of it.

use crate::support;
use crate::support::key;
use crate::support::packaging_repo::{PackagingRepo, pointer};
use crate::support::{ends_with, events, kept, refusal, stable};
use insta::assert_snapshot;
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use vgpu_pipeline::Event;

const PATCH: &str = "0001-say-who-is-speaking-CVE-2026-0001.patch";
/// What rpm takes as the name of a source (tried with rpm 4.18: `rpmbuild -bs` packs every one).
const ODD: [&str; 9] = [
    "foo@.service",
    "a b.txt",
    "\u{fc}ml\u{e4}ut.conf",
    ".hidden",
    "a+~^b",
    "-dash",
    "it's \"quoted\"",
    "pa(r)en,;&$x",
    "back\\slash*?[a]",
];

fn notes(events: &[Event]) -> String {
    support::notes(events).iter().fold(String::new(), |all, note| all + note + "\n")
}

/// The files that a run left of the sources.
fn taken(events: &[Event], store: &std::path::Path) -> Vec<String> {
    let folder = store.join(format!("results/source-{}/files/SOURCES", key(events, "source")));
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn every_name_that_rpm_takes_is_built_and_packed() {
    let packaging = PackagingRepo::new("odd-names");
    let mut declared = String::new();
    for (number, name) in ODD.iter().enumerate().filter(|(_, name)| !name.contains('\\')) {
        fs::write(packaging.work().join("SOURCES").join(name), name).unwrap();
        writeln!(declared, "Source{}: {name}", 10 + number).unwrap();
    }
    // A link to a file beside it is that file.
    symlink(PATCH, packaging.work().join("SOURCES/again.patch")).unwrap();
    declared += "Source30: again.patch\n";
    packaging.edit(
        "work/SPECS/qemu.spec",
        "\nBuildRequires: gcc",
        &format!("\n{declared}\nBuildRequires: gcc"),
    );
    packaging.pin("Name them oddly");
    let mut run = packaging.program("run");
    run.args(["--until", "build"]).env("VGPU_PIPELINE_STORE", kept("store"));
    let events = events(&mut run);
    let key = key(&events, "build");
    let packages = kept("store").join(format!("results/build-{key}/files/SRPMS"));
    let package = fs::read_dir(packages).unwrap().next().unwrap().unwrap().path();
    let listed = ends_with(0, Command::new("rpm").args(["-qlp", "--nosignature"]).arg(package));
    let listed = String::from_utf8(listed.stdout).unwrap();
    for name in ODD.iter().filter(|name| !name.contains('\\')).chain(&["again.patch"]) {
        assert!(listed.lines().any(|line| line == *name), "{name}: {listed}");
    }
}

#[test]
fn what_is_no_source_is_told_and_hinders_nothing() {
    let packaging = PackagingRepo::new("not-taken");
    let sources = packaging.work().join("SOURCES");
    for name in ODD {
        fs::write(sources.join(name), name).unwrap();
    }
    fs::write(sources.join(".gitignore"), "*.rpm\n").unwrap();
    fs::create_dir(sources.join("tests")).unwrap();
    fs::write(sources.join("tests/run"), "exit 1\n").unwrap();
    symlink("/etc/passwd", sources.join("passwd.patch")).unwrap();
    symlink("../SPECS/qemu.spec", sources.join("spec.patch")).unwrap();
    symlink("tests", sources.join("folder-link")).unwrap();
    symlink("loop", sources.join("loop")).unwrap();
    symlink(PATCH, sources.join("again.patch")).unwrap();
    fs::write(sources.join("new\nline\u{1b}[2J"), "x").unwrap();
    fs::write(sources.join("right\u{202e}left"), "x").unwrap();
    let unreadable = std::os::unix::ffi::OsStringExt::from_vec(b"latin\xe4".to_vec());
    let unreadable: std::ffi::OsString = unreadable;
    fs::write(sources.join(unreadable), "x").unwrap();
    // A pointer that nobody needs and nobody lists.
    fs::write(sources.join("logo.png"), pointer(&"ab".repeat(32), 5)).unwrap();
    // Another repository in it.
    let commit = packaging.git("upstream-keys", &["rev-parse", "HEAD"]);
    packaging
        .git("work", &["update-index", "--add", "--cacheinfo", "160000", &commit, "SOURCES/sub"]);
    packaging.git("work", &["add", "--ignore-removal", "."]);
    packaging.git("work", &["commit", "--quiet", "-m", "Everything"]);
    let before = packaging.git("work", &["rev-parse", "HEAD~1"]);
    let now = packaging.git("work", &["rev-parse", "HEAD"]);
    packaging.publish();
    packaging.edit("p.yaml", &before, &now);
    let events = events(&mut packaging.fetch());
    let taken = taken(&events, &packaging.path("store"));
    for name in ODD.into_iter().chain([PATCH, "again.patch"]) {
        assert!(taken.iter().any(|taken| taken == name), "{name}: {taken:?}");
    }
    assert_eq!(taken.len(), ODD.len() + 4, "{taken:?}");
    let notes = notes(&events);
    for expected in [
        "not taken: `tests` is a folder",
        "not taken: `sub` is a submodule",
        "not taken: `passwd.patch` is a link to `/etc/passwd`",
        "not taken: `spec.patch` is a link to `../SPECS/qemu.spec`",
        "not taken: `folder-link` is a link to `tests`",
        "not taken: `loop` is a link to `loop`",
        "not taken: `new\\nline\\u{1b}[2J` has a name that no spec can say",
        "not taken: `right\\u{202e}left` has a name",
        "latin",
        "`logo.png` of commit ",
    ] {
        assert!(notes.contains(expected), "{expected}: {notes}");
    }
    assert!(!notes.contains(".gitignore") && !notes.contains('\u{1b}'), "{notes}");
}

#[test]
fn what_the_spec_needs_and_cannot_be_taken_is_the_one_thing_named() {
    let packaging = PackagingRepo::new("needed");
    let sources = packaging.work().join("SOURCES");
    fs::create_dir(sources.join("extra")).unwrap();
    fs::write(sources.join("extra/file"), "x").unwrap();
    symlink("/etc/passwd", sources.join("qemu-4.2.1.patch")).unwrap();
    fs::write(sources.join("logo.png"), pointer(&"ab".repeat(32), 5)).unwrap();
    let spec = packaging.work().join("SPECS/qemu.spec");
    let good = fs::read_to_string(&spec).unwrap();
    for (line, expected) in [
        ("Source9: extra", "needs what the sources do not have: `extra` is a folder"),
        ("Patch9: %{name}-%{version}.patch", "`qemu-4.2.1.patch` is a link to `/etc/passwd`"),
        ("Source9: https://h.example/dl/logo.png", "pin the object in the source's `lfs`:"),
    ] {
        fs::write(
            &spec,
            good.replace("\nBuildRequires: gcc", &format!("\n{line}\n\nBuildRequires: gcc")),
        )
        .unwrap();
        packaging.pin(line);
        // Fresh and from the store.
        for _ in 0..2 {
            let error = refusal(1, &mut packaging.fetch());
            assert!(error.contains(expected), "{line}: {error}");
            assert_eq!(error.matches("needs what").count(), 1, "{error}");
        }
    }
}

#[test]
fn a_file_of_this_machine_may_be_called_so_too() {
    let packaging = PackagingRepo::new("odd-path");
    let name = "foo@ \u{fc}.service";
    fs::write(packaging.path(name), "x").unwrap();
    let digest = support::sha256(&packaging.path(name));
    let source = format!("  - path: {{ file: '{name}', sha256: {digest} }}\n\nenvironment:");
    packaging.edit("p.yaml", "\nenvironment:", &source);
    let events = events(&mut packaging.fetch());
    assert!(taken(&events, &packaging.path("store")).iter().any(|taken| taken == name));
    packaging.edit("p.yaml", &format!("'{name}'"), "\"foo\\e.service\"");
    let error = refusal(2, &mut packaging.fetch());
    assert_snapshot!(stable(&error), @r#"
    error: source[1].path.file: `foo\u{1b}.service` is not a path that ends in the name of a file
      --> FOLDER/p.yaml:22:19
       |
    22 |   - path: { file: "foo\e.service", sha256: SHA256 }
       |                   ^^^^^^^^^^^^^^^
    "#);
}

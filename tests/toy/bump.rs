// SPDX-License-Identifier: GPL-2.0-or-later
//! `bump`: the pins that follow a packaging repository, and what keeps them where they are.

use crate::support::packaging_repo::{KEYCODEMAPDB, PackagingRepo, QEMU};
use crate::support::{ends_with, events, refusal, stable};
use insta::assert_snapshot;
use std::fs;
use std::os::unix::fs::PermissionsExt;

const SPEC: &str = "work/SPECS/qemu.spec";

fn bump(packaging: &PackagingRepo) -> String {
    String::from_utf8(ends_with(0, &mut packaging.program("bump")).stdout).unwrap()
}

/// What it said without the short names and dates of commits.
fn shown(said: &str) -> String {
    let line = |line: &str| match line.split_once("commit: ") {
        Some((before, commit)) => {
            let subject = commit.splitn(3, ' ').nth(2).unwrap_or_default();
            format!("{before}commit: SHORT DATE {subject}\n")
        }
        None => format!("{line}\n"),
    };
    stable(&said.lines().map(line).collect::<String>())
}

fn text(packaging: &PackagingRepo) -> String {
    fs::read_to_string(packaging.path("p.yaml")).unwrap()
}

/// A release with a fix, as vendors make them.
fn release(packaging: &PackagingRepo, from: u32, fixes: &str) -> String {
    let number = from + 1;
    packaging
        .edit(SPEC, &format!("Release: 5.2.15.{from}"), &format!("Release: 5.2.15.{number}"))
        .edit(SPEC, "\nBuildRequires: gcc", &format!("Patch{number}: {number:04}-fix.patch\n\nBuildRequires: gcc"))
        .edit(
            SPEC,
            "%changelog\n",
            &format!("%changelog\n* Thu Jan 08 2026 Test <t@localhost> - 4.2.1-5.2.15.{number}\n- {fixes}\n\n"),
        );
    fs::write(packaging.work().join(format!("SOURCES/{number:04}-fix.patch")), "").unwrap();
    packaging.commit(&format!("Make release {number}"))
}

#[test]
fn the_pin_follows_the_branch_and_the_file_keeps_all_else() {
    let packaging = PackagingRepo::new("bump");
    packaging.edit("p.yaml", "      branch:", "      # what hosts have\n      branch:");
    let path = packaging.path("p.yaml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let before = text(&packaging);
    assert_eq!(
        stable(&bump(&packaging)),
        "    `master` of http://SERVER/qemu.git is at the pinned commit\nnothing changed"
    );
    let old = packaging.git("work", &["rev-parse", "HEAD"]);
    packaging.commit("Nothing that counts");
    let new = release(&packaging, 2, "Fix CVE-2026-0002 and XSA-480");
    // What is said only is said as if it were done.
    let said =
        String::from_utf8(ends_with(0, packaging.program("bump").arg("--dry-run")).stdout).unwrap();
    assert_eq!(text(&packaging), before);
    assert_eq!(bump(&packaging), said);
    assert_snapshot!(shown(&said), @"
        `master` of http://SERVER/qemu.git has 2 more, COMMIT -> COMMIT
        commit: SHORT DATE Make release 3
        commit: SHORT DATE Nothing that counts
        patch came: 0003-fix.patch
        changelog: * Thu Jan 08 2026 Test <t@localhost> - 4.2.1-5.2.15.3
        changelog: - Fix CVE-2026-0002 and XSA-480
        security: CVE-2026-0002, XSA-480
        the vendor's package: qemu 2:4.2.1-5.2.15.2.xcpng8.3 -> 2:4.2.1-5.2.15.3.xcpng8.3
        our package: qemu 2:4.2.1-5.2.15.2.xcpng8.3.vgpu1 -> 2:4.2.1-5.2.15.3.xcpng8.3.vgpu1
    ");
    assert_eq!(text(&packaging), before.replace(&old, &new));
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    assert!(bump(&packaging).ends_with("nothing changed\n"));
    // The next one, from there.
    let newer = release(&packaging, 3, "Fix what was fixed");
    bump(&packaging);
    assert_eq!(text(&packaging), before.replace(&old, &newer));
    // What it says is what a run takes.
    events(&mut packaging.fetch());
}

#[test]
fn other_content_under_the_same_release_raises_ours() {
    let packaging = PackagingRepo::new("bump-release");
    packaging.commit("Nothing that counts");
    assert!(!bump(&packaging).contains("release-suffix:"));
    packaging.edit(SPEC, "rm -rf %{buildroot}", "rm -rf  %{buildroot}");
    packaging.commit("Forget the release");
    let said = bump(&packaging);
    assert!(said.contains("    release-suffix: .vgpu1 -> .vgpu2, since one"), "{said}");
    assert!(
        said.contains(
            "our package: qemu 2:4.2.1-5.2.15.2.xcpng8.3.vgpu1 -> 2:4.2.1-5.2.15.2.xcpng8.3.vgpu2"
        ),
        "{said}"
    );
    assert!(text(&packaging).contains("    - release-suffix: .vgpu2\n"));
    // One that has no number cannot be raised, which somebody has to know.
    packaging.edit("p.yaml", "release-suffix: .vgpu2", "release-suffix: .vgpu");
    packaging.edit(SPEC, "rm -rf  %{buildroot}", "rm -rf %{buildroot}");
    packaging.commit("And back");
    let said = bump(&packaging);
    assert!(said.contains("ACT the package has other content under the release"), "{said}");
    // A step back of the vendor's is no update for hosts.
    packaging.edit(SPEC, "Release: 5.2.15.2", "Release: 5.2.15.1");
    packaging.commit("Go back");
    let said = bump(&packaging);
    assert!(said.contains("ACT our package would be older than before"), "{said}");
}

#[test]
fn what_git_lfs_keeps_is_followed_by_its_pointers() {
    let packaging = PackagingRepo::new("bump-lfs");
    packaging.put_object(KEYCODEMAPDB, b"other bytes");
    packaging.put_object("qemu-4.2.2.tar.gz", b"a newer one");
    packaging.put_object("firmware-1.0.tar.gz", b"one more");
    fs::remove_file(packaging.work().join("SOURCES").join(QEMU)).unwrap();
    packaging
        .edit(SPEC, "Version: 4.2.1", "Version: 4.2.2")
        .edit(SPEC, QEMU, "qemu-4.2.2.tar.gz")
        .edit(SPEC, "\nBuildRequires: make", "\nBuildRequires: make, ninja-build >= 1.8 git");
    packaging.commit("Update to 4.2.2");
    let said = bump(&packaging);
    assert_snapshot!(shown(&said), @"
        `master` of http://SERVER/qemu.git has 1 more, COMMIT -> COMMIT
        commit: SHORT DATE Update to 4.2.2
        git-lfs: qemu-4.2.2.tar.gz took the place of qemu-4.2.1.tar.gz
        git-lfs: qemu-4.2.2.tar.gz has sha256 SHA256, 11 bytes
        git-lfs: keycodemapdb-COMMIT.tar.gz has sha256 SHA256, 11 bytes
    ACT git-lfs: keycodemapdb-COMMIT.tar.gz has lost its `same-as`, which made other bytes, of commit COMMIT of http://SERVER/upstream-keys.git: it comes from the git-lfs server alone until another one is written
        git-lfs: firmware-1.0.tar.gz is new, 8 bytes
        the vendor's package: qemu 2:4.2.1-5.2.15.2.xcpng8.3 -> 2:4.2.2-5.2.15.2.xcpng8.3
        our package: qemu 2:4.2.1-5.2.15.2.xcpng8.3.vgpu1 -> 2:4.2.2-5.2.15.2.xcpng8.3.vgpu1
    ");
    let after = text(&packaging);
    let lfs = &after[after.find("      lfs:").unwrap()..after.find("\nenvironment:").unwrap()];
    assert_snapshot!(stable(lfs), @"
          lfs:
            - file: qemu-4.2.2.tar.gz
              sha256: SHA256
              size: SIZE
            - file: keycodemapdb-COMMIT.tar.gz
              sha256: SHA256
              size: SIZE
            - file: firmware-1.0.tar.gz
              sha256: SHA256
              size: SIZE
    ");
    events(&mut packaging.fetch());
    // One that became a file of the commit is pinned by it.
    fs::write(packaging.work().join("SOURCES/firmware-1.0.tar.gz"), "a file").unwrap();
    packaging.commit("Keep it here");
    let said = bump(&packaging);
    assert!(said.contains("git-lfs: firmware-1.0.tar.gz is no object any more"), "{said}");
    assert!(!text(&packaging).contains("firmware"), "{}", text(&packaging));
    events(&mut packaging.fetch());
    // A pointer that leads nowhere is no pin.
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha512:00\nsize 1\n";
    fs::write(packaging.work().join("SOURCES").join(KEYCODEMAPDB), pointer).unwrap();
    packaging.commit("Damage");
    let before = text(&packaging);
    let error = refusal(1, &mut packaging.program("bump"));
    assert_snapshot!(stable(&error), @"
    error: `keycodemapdb-COMMIT.tar.gz` of commit COMMIT is a git-lfs pointer without a sha256 and a size
    help: nothing was changed: nobody can build that commit; wait for the next one
    ");
    assert_eq!(text(&packaging), before);
}

#[test]
fn a_commit_without_what_its_spec_names_is_not_followed() {
    let packaging = PackagingRepo::new("bump-missing");
    let before = text(&packaging);
    fs::remove_file(packaging.work().join("SOURCES").join(QEMU)).unwrap();
    packaging.commit("Forget a tarball");
    let error = refusal(1, &mut packaging.program("bump"));
    assert_snapshot!(stable(&error), @"
    error: `qemu-4.2.1.tar.gz`, which the spec names, is gone from `SOURCES` at COMMIT of `master`
    help: nothing was changed: nobody can build that commit; wait for the next one
    ");
    // The folder became something else.
    packaging.git("work", &["rm", "-r", "--quiet", "SOURCES"]);
    std::os::unix::fs::symlink("SPECS", packaging.work().join("SOURCES")).unwrap();
    packaging.commit("A link in its place");
    refusal(1, &mut packaging.program("bump"));
    assert_eq!(text(&packaging), before);
}

#[test]
fn the_release_that_counts_is_ours() {
    // The vendor's release moves, and an edit of ours says what the release is.
    let packaging = PackagingRepo::new("bump-ours");
    packaging.edit(
        "p.yaml",
        "    - release-suffix: .vgpu1\n",
        "    - replace: { find: \"Release: %{rel}\", with: \"Release: 99\" }\n    - release-suffix: '.vgpu1'  # of ours\n",
    );
    packaging.edit(SPEC, "Epoch: 2\n", "%global rel 2\nEpoch: 2\n");
    packaging.edit(SPEC, "Release: 5.2.15.2", "Release: %{rel}");
    packaging.pin("Name the release");
    packaging.edit(SPEC, "%global rel 2", "%global rel 3");
    packaging.commit("Something else");
    let said = bump(&packaging);
    assert!(said.contains("99.xcpng8.3.vgpu1 -> 2:4.2.1-99.xcpng8.3.vgpu2"), "{said}");
    assert!(text(&packaging).contains("- release-suffix: '.vgpu2'  # of ours\n"));
    // With a spec of ours, whose release the vendor's commits never move.
    let packaging = PackagingRepo::new("bump-own-spec");
    fs::copy(packaging.path(SPEC), packaging.path("own.spec")).unwrap();
    packaging.edit("p.yaml", "git: SPECS/qemu.spec", "file: own.spec");
    let patch = "SOURCES/0001-say-who-is-speaking-CVE-2026-0001.patch";
    fs::write(packaging.work().join(patch), "other\n").unwrap();
    packaging.commit("Another patch under its name, for CVE-2026-0007");
    let said = bump(&packaging);
    assert!(said.contains("release-suffix: .vgpu1 -> .vgpu2"), "{said}");
    assert!(said.contains("security: CVE-2026-0007"), "{said}");
}

#[test]
fn an_edit_that_no_longer_applies_keeps_everything_where_it_is() {
    let packaging = PackagingRepo::new("bump-edit");
    packaging.put_object(KEYCODEMAPDB, b"other bytes");
    packaging.edit(SPEC, "tar xzf %{SOURCE2}", "tar xf %{SOURCE2}");
    packaging.commit("Unpack otherwise");
    let before = text(&packaging);
    let error = refusal(1, &mut packaging.program("bump"));
    assert_snapshot!(stable(&error), @"
    error: an edit no longer applies at COMMIT of `master`: SPECS/qemu.spec: anchor `tar xzf %{SOURCE2}` of `insert-after` is in no line
        25: tar xf %{SOURCE2}
        38: rm -rf %{buildroot}
         4: Summary: Stand-in for the qemu-dm device model
    help: these lines come nearest; take text that stands in exactly one line of the spec
    help: nothing was changed; write the edit so that it fits the newer spec, then `bump` again
    ");
    assert_eq!(text(&packaging), before);
    // Of the test binary's edits too.
    packaging.edit(SPEC, "tar xf %{SOURCE2}", "tar xzf %{SOURCE2}");
    packaging.commit("And back");
    packaging.edit(
        "p.yaml",
        "    dist: .xcpng8.3\n",
        "    dist: .xcpng8.3\n  test-binary:\n    file: qemu\n    edits:\n      - replace: { find: no such text, with: b }\n",
    );
    let error = refusal(1, &mut packaging.program("bump"));
    assert!(error.contains("`build.test-binary`") && error.contains("no such text"), "{error}");
    // An edit that the vendor made too is said.
    packaging.edit(
        "p.yaml",
        "\n  test-binary:\n    file: qemu\n    edits:\n      - replace: { find: no such text, with: b }\n",
        "\n",
    );
    packaging.edit(SPEC, "--enable-werror", "--disable-werror");
    packaging.commit("Warnings are none of ours");
    let said = bump(&packaging);
    assert!(
        said.contains(
            "ACT replace `--enable-werror` by `--disable-werror`: is already satisfied there"
        ),
        "{said}"
    );
}

#[test]
fn what_has_to_be_looked_at_by_a_person_is_not_followed() {
    let packaging = PackagingRepo::new("bump-person");
    packaging.commit("Nothing that counts");
    packaging.edit("p.yaml", "      branch: master\n", "      branch: master\n      tag: v1\n");
    let refused = |expected: &str| {
        let before = text(&packaging);
        let error = refusal(1, &mut packaging.program("bump"));
        assert!(error.contains(expected) && error.contains("\nhelp: "), "{expected}:\n{error}");
        assert_eq!(text(&packaging), before);
    };
    refused("the tag `v1` of http://127.0.0.1:");
    packaging.edit("p.yaml", "      tag: v1\n", "");
    // A file whose values stand for each other.
    let pinned = packaging.git("work", &["rev-parse", "HEAD~1"]);
    packaging.edit("p.yaml", &format!("commit: {pinned}"), &format!("commit: &c {pinned}"));
    packaging.edit("p.yaml", "provides:\n    - ", "provides:\n    - *c\n    - ");
    refused("is written in a way in which its values cannot be changed");
    packaging.edit("p.yaml", "    - *c\n", "").edit("p.yaml", "&c ", "");
    packaging.edit("p.yaml", "branch: master", "branch: main");
    refused("has no branch `main`");
    packaging.edit("p.yaml", "branch: main", "branch: master");
    packaging.git("work", &["reset", "--quiet", "--hard", "v1"]);
    packaging.commit("Another history");
    refused("is not in the history of `master` of ");
    packaging.edit("p.yaml", "      branch: master\n", "");
    let said = bump(&packaging);
    assert!(
        said.contains("names no branch, so its pin follows nothing\nnothing changed"),
        "{said}"
    );
    let mut carried = crate::support::program();
    let error = refusal(2, carried.arg("bump"));
    assert_snapshot!(error, @r"
    error: `bump` changes a pipeline file, and none is named
    help: vgpu-pipeline bump FILE
    ");
}

#[test]
fn what_somebody_writes_meanwhile_is_not_lost() {
    let packaging = PackagingRepo::new("bump-meanwhile");
    packaging.commit("Nothing that counts");
    // Whoever edits the file while git is at work.
    let (bin, path) = (packaging.path("bin"), std::env::var("PATH").unwrap());
    fs::create_dir(&bin).unwrap();
    let script = format!(
        "#!/bin/sh\necho '# mine' >>{}\nPATH='{path}' exec git \"$@\"\n",
        packaging.path("p.yaml").display()
    );
    fs::write(bin.join("git"), script).unwrap();
    fs::set_permissions(bin.join("git"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut program = packaging.program("bump");
    program.env("PATH", format!("{}:{path}", bin.display()));
    let error = refusal(1, &mut program);
    assert_snapshot!(stable(&error), @"
    error: `FOLDER/p.yaml` was changed by somebody else meanwhile
    help: nothing was written; try again
    ");
    assert!(text(&packaging).ends_with("# mine\n"));
    assert!(bump(&packaging).contains("has 1 more"));
}

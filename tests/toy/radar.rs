// SPDX-License-Identifier: GPL-2.0-or-later
//! `lock --check`: what it sees upstream, and when somebody has to act.

use crate::support::packaging_repo::PackagingRepo;
use crate::support::stable;
use insta::assert_snapshot;
use std::fs;

/// What the radar says, and whether somebody has to act.
fn look(packaging: &PackagingRepo) -> (String, bool) {
    let output = packaging.program("lock").arg("--check").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    match output.status.code() {
        Some(0) => (said, false),
        Some(1) => (said, true),
        code => panic!("{code:?} {said} {}", String::from_utf8_lossy(&output.stderr)),
    }
}

fn rewrite(packaging: &PackagingRepo, file: &str, change: impl Fn(String) -> String) {
    let path = packaging.work().join(file);
    fs::write(&path, change(fs::read_to_string(&path).unwrap())).unwrap();
}

#[test]
fn nothing_moved_and_nobody_has_to_act() {
    let packaging = PackagingRepo::new("radar-quiet");
    let (said, act) = look(&packaging);
    assert_snapshot!(stable(&said), @"    `master` of http://SERVER/qemu.git is at the pinned commit");
    assert!(!act, "{said}");
    packaging.commit("Nothing that counts");
    let (said, act) = look(&packaging);
    assert_snapshot!(stable(&said), @"
    `master` of http://SERVER/qemu.git is 1 commits ahead, at COMMIT
    add-source vgpu-stub.c as Source3: still applies
    replace `--enable-werror` by `--disable-werror`: still applies
    insert-after `tar xzf %{SOURCE2}`: device vgpu-stub from Source3 to hw/misc/vgpu-stub.c: still applies
    release-suffix .vgpu1: still applies
    provide qemu-device(vgpu-stub) = 1: still applies
    the package of the newer spec, qemu 2:4.2.1-5.2.15.2.xcpng8.3, does not win over ours, 2:4.2.1-5.2.15.2.xcpng8.3.vgpu1
    ");
    assert!(!act, "{said}");
}

#[test]
fn a_newer_release_with_a_fix_has_to_be_followed() {
    let packaging = PackagingRepo::new("radar-newer");
    rewrite(&packaging, "SPECS/qemu.spec", |spec| {
        spec.replace("Release: 5.2.15.2", "Release: 5.2.15.3")
            .replace("\nBuildRequires: gcc", "Patch1: 0002-fix.patch\n\nBuildRequires: gcc")
            .replace(
                "%changelog\n",
                "%changelog\n* Thu Jan 08 2026 Test <t@localhost> - 4.2.1-5.2.15.3\n- Fix CVE-2026-0002\n\n",
            )
    });
    fs::write(packaging.work().join("SOURCES/0002-fix.patch"), "not read\n").unwrap();
    packaging.commit("Fix something");
    packaging.git("work", &["tag", "v2"]);
    packaging.publish();
    let (said, act) = look(&packaging);
    for line in [
        "    newer tag: v2 at ",
        "    insert-after `tar xzf %{SOURCE2}`: device vgpu-stub from Source3 to hw/misc/vgpu-stub.c: still applies",
        "    patch came: 0002-fix.patch",
        "    changelog: - Fix CVE-2026-0002",
        "ACT security: CVE-2026-0002",
        "would win over ours",
    ] {
        assert!(said.contains(line), "{line}:\n{said}");
    }
    assert!(act);
    assert_snapshot!(stable(&said), @"
        newer tag: v2 at COMMIT
        `master` of http://SERVER/qemu.git is 1 commits ahead, at COMMIT
        add-source vgpu-stub.c as Source3: still applies
        replace `--enable-werror` by `--disable-werror`: still applies
        insert-after `tar xzf %{SOURCE2}`: device vgpu-stub from Source3 to hw/misc/vgpu-stub.c: still applies
        release-suffix .vgpu1: still applies
        provide qemu-device(vgpu-stub) = 1: still applies
        patch came: 0002-fix.patch
        changelog: * Thu Jan 08 2026 Test <t@localhost> - 4.2.1-5.2.15.3
        changelog: - Fix CVE-2026-0002
    ACT security: CVE-2026-0002
    ACT the package of the newer spec, qemu 2:4.2.1-5.2.15.3.xcpng8.3, would win over ours, 2:4.2.1-5.2.15.2.xcpng8.3.vgpu1: an update would drop the device
    ");
}

#[test]
fn an_edit_that_no_longer_applies_has_to_be_looked_at() {
    let packaging = PackagingRepo::new("radar-edit");
    rewrite(&packaging, "SPECS/qemu.spec", |spec| {
        spec.replace("tar xzf %{SOURCE2}", "tar xf %{SOURCE2}")
    });
    packaging.commit("Unpack otherwise");
    let (said, act) = look(&packaging);
    assert_snapshot!(stable(&said), @"
        `master` of http://SERVER/qemu.git is 1 commits ahead, at COMMIT
    ACT an edit no longer applies: SPECS/qemu.spec: anchor `tar xzf %{SOURCE2}` of `insert-after` is in no line
        the package of the newer spec, qemu 2:4.2.1-5.2.15.2.xcpng8.3, does not win over ours, 2:4.2.1-5.2.15.2.xcpng8.3.vgpu1
    ");
    assert!(act);
}

#[test]
fn a_spec_that_is_a_link_is_not_followed() {
    let packaging = PackagingRepo::new("radar-link");
    let spec = packaging.work().join("SPECS/qemu.spec");
    fs::remove_file(&spec).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &spec).unwrap();
    packaging.commit("Link");
    let (said, act) = look(&packaging);
    assert_snapshot!(stable(&said), @"
        `master` of http://SERVER/qemu.git is 1 commits ahead, at COMMIT
    ACT the git source could not be looked at: the spec at COMMIT of `master`: `SPECS/qemu.spec` is not a file of commit COMMIT
    ");
    assert!(act);
}

#[test]
fn a_history_that_was_rewritten_or_a_branch_that_is_gone_has_to_be_looked_at() {
    let packaging = PackagingRepo::new("radar-rewritten");
    packaging.git("work", &["commit", "--quiet", "--amend", "-m", "Otherwise"]);
    packaging.publish();
    let (said, act) = look(&packaging);
    assert_snapshot!(stable(&said), @"ACT the history of `master` of http://SERVER/qemu.git no longer has the pinned commit COMMIT; it is at COMMIT");
    assert!(act);
    packaging.edit("p.yaml", "branch: master", "branch: main");
    let (said, act) = look(&packaging);
    assert_snapshot!(stable(&said), @"
    ACT http://SERVER/qemu.git has no branch `main`
    ACT `source.git` of http://SERVER/qemu.git names no branch, so nothing can be said of its spec
    ");
    assert!(act);
}

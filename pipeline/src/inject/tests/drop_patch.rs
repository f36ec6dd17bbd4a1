// SPDX-License-Identifier: GPL-2.0-or-later
//! `drop-patch`, in every spelling of `%patch`, and its guard against slips.

use super::*;

const PATCHED: &str = "\
Name: a
Source0: a.tar
Patch1: alpha.patch
Patch2: dir/beta.patch
Patch12: gamma.patch
%prep
%setup -q
%patch1 -p1 -b .one
%if 1
%patch2 -p1
%endif
# %patch2 was hard to get right
%patch -P 12 -p 1
%build
";

#[test]
fn a_patch_goes_with_the_line_that_applies_it() {
    changes_once(PATCHED, "beta.patch", &["-Patch2: dir/beta.patch\n", "-%patch2 -p1\n"]);
    changes_once(PATCHED, "gamma.patch", &["-Patch12: gamma.patch\n", "-%patch -P 12 -p 1\n"]);
    changes_once(PATCHED, "alpha.patch", &["-Patch1: alpha.patch\n", "-%patch1 -p1 -b .one\n"]);
    changes_once(SPEC, "0001-first.patch", &["-Patch0: 0001-first.patch\n"]);
}

#[track_caller]
fn changes_once(spec: &str, file: &str, expected: &[&str]) {
    changes(spec, drop_patch(file), expected);
}

#[test]
fn every_spelling_of_application_is_known() {
    for line in ["%patch7", "%patch7 -p1", "%patch 7", "%patch -P7 -p1", "  %patch -p1 -P 7"] {
        let spec = format!("Name: a\nPatch3: b\nPatch7: a\n%prep\n{line}\n%patch3 -b .7 -F 7\n");
        let new = edited(&spec, &[drop_patch("a")]).spec;
        assert_eq!(new, "Name: a\nPatch3: b\n%prep\n%patch3 -b .7 -F 7\n", "{line}");
    }
    let spec = "Patch: a\nPatch1: b\n%prep\n%patch -p1\n%patch1\n";
    let new = edited(spec, &[drop_patch("a")]).spec;
    assert_eq!(new, "Patch1: b\n%prep\n%patch1\n");
}

#[test]
fn another_use_of_the_number_is_refused() {
    for line in [
        "patch < %{PATCH7}",
        "patch < %PATCH7",
        "%patch -P 7 -P 3",
        "git am %{P:7}",
        "%{?x:%patch7 -p1}",
    ] {
        let spec = format!("Patch3: b\nPatch7: a\n%prep\n{line}\n");
        let problem = refused(&spec, &[drop_patch("a")]);
        assert!(problem.contains(&format!("\n     4: {line}\n")), "{problem}");
    }
    changes_once("Patch7: a\n%prep\n%patch70\ncat %PATCH71\n", "a", &["-Patch7: a\n"]);
}

#[test]
fn patches_that_would_change_their_numbers_are_refused() {
    let spec = "Patch: a\nPatch: b\n%prep\n%patch0\n%patch1\n";
    let problem = refused(spec, &[drop_patch("a")]);
    assert!(problem.contains("without `a`, `b` gets another number"), "{problem}");
    assert!(
        problem.contains("help: number the patches of the spec, as in `Patch1: b`"),
        "{problem}"
    );
    changes_once(spec, "b", &["-Patch: b\n", "-%patch1\n"]);
    changes_once("Patch: a\nPatch: b\n%prep\n%autosetup\n", "a", &["-Patch: a\n"]);
}

#[test]
fn a_patch_that_is_gone_is_satisfied_and_a_slip_is_not() {
    satisfied(PATCHED, &[drop_patch("something-else.patch")]);
    let series = "Patch1: 0001-nvme-part-1.patch\nPatch3: 0003-nvme-part-3.patch\n%prep\n";
    satisfied(series, &[drop_patch("0002-nvme-part-2.patch")]);
    for (slip, meant) in [
        ("0001-nvme-prat-1.patch", "0001-nvme-part-1.patch"),
        ("0004-nvme-part-3.patch", "0003-nvme-part-3.patch"),
        ("nvme-part-3.patch", "0003-nvme-part-3.patch"),
        ("0001-NVMe-part-1", "0001-nvme-part-1.patch"),
    ] {
        let problem = refused(series, &[drop_patch(slip)]);
        assert!(problem.contains(&format!("help: did you mean `{meant}`? ")), "{problem}");
    }
}

#[test]
fn a_patch_that_the_vendor_renamed_is_not_taken_for_gone() {
    for (file, renamed) in [
        ("toy-gpu.patch", "toy-gpu-v2.patch"),
        ("toy-gpu.patch", "toy-gpu.patch.xz"),
        ("toy-gpu.patch", "toy-gpu-rebased.diff.gz"),
        ("toy-gpu.patch", "toy-gpu_fixed.patch"),
        ("toy-gpu.patch", "0001-xen-toy-gpu.patch"),
        ("toy-gpu.patch", "toy-gpu.mbox"),
        ("toy-gpu-v2.patch", "toy-gpu.patch"),
        ("xsa-123.patch", "xsa-123-4.2.patch"),
        ("xsa123.patch", "backport-of-what-upstream-made-for-qemu-xsa123.patch"),
        ("b.patch", "b.patch.gz"),
    ] {
        let spec = format!("Name: a\nPatch1: {renamed}\nPatch2: another.patch\n%prep\n");
        let problem = refused(&spec, &[drop_patch(file)]);
        assert!(problem.contains(&format!("\n     2: Patch1: {renamed}\n")), "{problem}");
    }
    // Words that it does not have whole are no name of it.
    for other in ["gpu-toy.patch", "toy-other-gpu.patch"] {
        satisfied(&format!("Name: a\nPatch1: {other}\n%prep\n"), &[drop_patch("toy-gpu.patch")]);
    }
}

#[test]
fn a_patch_that_is_declared_twice_is_refused() {
    let problem = refused("Patch1: a\nPatch2: x/a\n%prep\n", &[drop_patch("a")]);
    assert!(
        problem.contains("2 times, not once\n     1: Patch1: a\n     2: Patch2: x/a\n"),
        "{problem}"
    );
}

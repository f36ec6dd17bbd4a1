// SPDX-License-Identifier: GPL-2.0-or-later
//! Patches that %prep applies by another road than a `%patch` of their own.

use super::*;

fn with(head: &str, prep: &str) -> String {
    format!(
        "{head}Name: toy\nPatch3: c.patch\nPatch7: toy-gpu.patch\n%prep\n%setup\n{prep}\n%build\n"
    )
}

fn dropped(head: &str, prep: &str) -> Vec<String> {
    let spec = with(head, prep);
    diff(&spec, &edited(&spec, &[drop_patch("toy-gpu.patch")]).spec)
}

#[test]
fn a_use_that_would_stay_is_refused_with_its_line() {
    for prep in [
        "patch -p1 < %{_sourcedir}/toy-gpu.patch",
        "patch -p1 < %{_sourcedir}/%{name}-gpu.patch",
        "patch -p1 < $RPM_SOURCE_DIR/toy-gpu.patch",
        "patch -p1 < \"${RPM_SOURCE_DIR}/toy-gpu.patch\"",
        "patch -p1 < %{PATCH7}",
        "patch -p1 < %{?PATCH7}",
        "git am %{P:7}",
        "git apply %PATCH7",
        "%autopatch 7 3",
        "%autopatch -p1 7",
        "%{autopatch 7}",
        "%autopatch -m 5 -M 9",
        "%autopatch -m5",
        "%autopatch -m %{nope}",
        "%{patch -P 7}",
        "%{patch 7 -p1}",
        "%{?with_x:%patch7 -p1}",
        "%patch7 -p1 | tee log",
        "%patch -P 7 -P 3",
        "%patch%{nope} -p1",
        "%patch -P %{nope}",
        "cat %{_sourcedir}/*.patch | patch -p1",
        "for p in $RPM_SOURCE_DIR/toy*; do patch -p1 < $p; done",
        "for p in gpu; do patch -p1 < %{_sourcedir}/toy-$p.patch; done",
        "patch -p1 < %{_sourcedir}/{c,toy-gpu}.patch",
        "cd %{_sourcedir}",
        "ls -d %{_sourcedir} | xargs cat | patch -p1",
        "find $RPM_SOURCE_DIR -name '*gpu*' | xargs patch -p1 -i",
        "cat $(dirname %{SOURCE0})/*.patch | patch -p1",
        "patch -p1 < %{PATCH%{nope}}",
        "patch -p1 < %{P:%{nope}}",
        "%{lua: for i, p in ipairs(patches) do print(\"patch < \"..p..\"\\n\") end}",
        "%{lua: print(rpm.expand(\"%{PATCH7}\"))}",
        "sed -i s/a/b/ %{_sourcedir}/toy-gpu.patch",
        "patch -p1 < %{_topdir}/SOURCES/toy-gpu.patch",
        "patch -p1 < %{nope}gpu.patch",
        "%include prep.inc",
        "ApplyPatch toy-gpu.patch",
    ] {
        let problem = refused(&with("", prep), &[drop_patch("toy-gpu.patch")]);
        assert!(problem.contains(&format!("\n     6: {prep}\n")), "{problem}");
    }
    for head in
        ["%define use %patch7 -p1\n", "%define use() %patch%1 -p1\n", "%global use %{PATCH7}\n"]
    {
        let problem = refused(&with(head, "%use 7"), &[drop_patch("toy-gpu.patch")]);
        assert!(problem.contains("cannot be dropped"), "{problem}");
    }
    let problem =
        refused(&with("%global n 7\n", "patch < %{PATCH%{n}}"), &[drop_patch("toy-gpu.patch")]);
    assert!(problem.contains("cannot be told"), "{problem}");
}

#[test]
fn what_takes_all_patches_takes_one_less() {
    for prep in [
        "%autosetup -p1",
        "%autopatch -p1 -v",
        "%autopatch 3",
        "%autopatch -M 5",
        "%autopatch -m 1 -M 9",
        "git am %{patches}",
        "for p in %{patches}; do patch -p1 < $p; done",
        "echo %patches | xargs -n1 patch -p1 -i",
        "%patch3 -p1 -b .7",
        "%patch -P 3 -F 7",
        "patch -p1 < %{PATCH3}",
        "patch -p1 < %{PATCH70}",
        "cp %{_sourcedir}/other.patch .",
        "cat $RPM_SOURCE_DIR/c* > list",
        "cat < web-toy-gpu.patch",
        "# %patch7 and toy-gpu.patch",
    ] {
        assert_eq!(dropped("", prep), ["-Patch7: toy-gpu.patch\n"], "{prep}");
    }
    let only = "Patch1: a.patch\n%prep\n%setup\ngit am %{patches}\n";
    assert!(refused(only, &[drop_patch("a.patch")]).contains("none is left"));
}

#[test]
fn a_patch_line_goes_even_where_a_macro_gives_its_number() {
    let tag = "-Patch7: toy-gpu.patch\n";
    assert_eq!(dropped("%global n 7\n", "%patch%{n} -p1"), [tag, "-%patch%{n} -p1\n"]);
    assert_eq!(dropped("%global n 7\n", "%patch -P %{n} -p1"), [tag, "-%patch -P %{n} -p1\n"]);
    assert_eq!(dropped("", "%patch -P7 -R -E"), [tag, "-%patch -P7 -R -E\n"]);
}

#[test]
fn a_shell_keeps_the_command_that_it_needs() {
    for (before, after) in [
        ("if [ -e x ]; then", "fi"),
        ("for i in 1; do", "done"),
        ("test -e x &&", ""),
        ("{", "}"),
        ("case a in\na)", ";; esac"),
    ] {
        let prep = format!("{before}\n%patch7 -p1\n{after}");
        assert_eq!(
            dropped("", &prep),
            ["-Patch7: toy-gpu.patch\n", "-%patch7 -p1\n", "+:\n"],
            "{prep}"
        );
    }
    // A line that goes on, or that another goes on in, is no line to take away.
    for prep in ["%patch7 -p1 \\\n  -b .x", "echo \\\n%patch7 -p1"] {
        refused(&with("", prep), &[drop_patch("toy-gpu.patch")]);
    }
}

#[test]
fn prose_and_tags_use_nothing() {
    let spec = "Name: toy\nPatch7: gpu.patch\n%description\nHas gpu.patch and %%{PATCH7} in it.\n%prep\n%autosetup\n";
    changes(spec, drop_patch("gpu.patch"), &["-Patch7: gpu.patch\n"]);
    let spec = "Name: toy\n%global p gpu.patch\nPatch7: %{p}\n%prep\n%autosetup\n";
    changes(spec, drop_patch("gpu.patch"), &["-Patch7: %{p}\n"]);
    let spec = format!("{spec}patch -p1 < %{{_sourcedir}}/%{{p}}\n");
    assert!(refused(&spec, &[drop_patch("gpu.patch")]).contains("is left\n     6: patch"));
}

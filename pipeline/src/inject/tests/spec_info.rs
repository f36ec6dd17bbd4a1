// SPDX-License-Identifier: GPL-2.0-or-later
//! `read_spec_info` and `spec_diff`: what is read, what is refused, what moved.

mod hostile;

use super::*;
use crate::config::{Line, MacroName};
use crate::inject::spec_info::diff::SpecDiff;
use crate::inject::spec_info::{ChangelogEntry, SpecInfo, read_spec_info, spec_diff};

/// In the shape of XCP-ng's spec, in words of our own.
const BEFORE: &str = "\
%global usver 4.2.1
%global xsver 5.2.14
%global xsrel %{xsver}%{?xscount}%{?xshash}
%define path ui/%{name}
%define with_asan 0

Name: qemu
Epoch: 2
Version: 4.2.1
Release: %{?xsrel}.1%{?dist}
Source0: https://example.org/archive?at=v%{version}&format=tar.gz#/%{name}-%{version}.tar.gz
Source2: keymap-0123.tar.gz
Patch0: 0001-first-CVE-2020-14364.patch
Patch1: dir/0002-second.patch
%if %{with_asan} == 0
BuildRequires: jemalloc-devel
Patch9: sometimes.patch
%endif
Patch1000: %{name}-%{usver}-own.patch

%description
A device model.

%prep
%autosetup -p1
tar xzf %{SOURCE2}

%changelog
* Mon Dec 08 2025 Nobody <nobody@example.org> - 4.2.1-5.2.14.1
- Follow 4.2.1-5.2.14
  * Wed Oct 15 2025 Someone <someone@example.org> - 4.2.1-5.2.14
  - An index is right now (XSA-300)

* Tue Apr 08 2014 Nobody <nobody@example.org>
- The first one
";

fn given(defines: &[(&str, &str)]) -> BTreeMap<MacroName, Line> {
    defines.iter().map(|(name, value)| (word(name), word(value))).collect()
}

fn info_of(spec: &str) -> SpecInfo {
    let defines = given(&[("dist", ".xcpng8.3")]);
    read_spec_info(spec.as_bytes(), "qemu.spec", &defines)
        .unwrap_or_else(|problem| panic!("{problem:#}\n{spec}"))
}

fn refusal(spec: &str) -> String {
    match read_spec_info(spec.as_bytes(), "qemu.spec", &given(&[("dist", ".xcpng8.3")])) {
        Ok(info) => panic!("not refused: {info:?}"),
        Err(problem) => {
            let text = render(&problem);
            assert!(text.lines().last().unwrap().starts_with("help: "), "{text}");
            text
        }
    }
}

/// The release of a spec that begins with `lines`.
fn with(lines: &str, release: &str) -> String {
    format!("{lines}\nName: a\nVersion: 1\nRelease: {release}\n%description\n")
}

#[track_caller]
fn gives(lines: &str, release: &str, expected: &str) {
    assert_eq!(info_of(&with(lines, release)).release, expected, "{lines}");
}

#[track_caller]
fn is_refused(lines: &str, release: &str, expected: &str) {
    let problem = refusal(&with(lines, release));
    let expected = format!("qemu.spec: the `Release` cannot be told: {expected}\n     ");
    assert!(problem.starts_with(&expected), "{problem}");
}

#[test]
fn a_spec_says_what_it_is() {
    let info = info_of(BEFORE);
    assert_eq!(info.name, "qemu");
    assert_eq!(info.evr().to_string(), "2:4.2.1-5.2.14.1.xcpng8.3");
    assert_eq!(info.sources, ["qemu-4.2.1.tar.gz", "keymap-0123.tar.gz"]);
    let patches = [
        "0001-first-CVE-2020-14364.patch",
        "0002-second.patch",
        "sometimes.patch",
        "qemu-4.2.1-own.patch",
    ];
    assert_eq!(info.patches, patches);
    let oldest = ChangelogEntry {
        header: "* Tue Apr 08 2014 Nobody <nobody@example.org>".to_owned(),
        lines: vec!["- The first one".to_owned()],
    };
    assert_eq!(info.changelog.len(), 2);
    assert_eq!(info.changelog[1], oldest);
    assert_eq!(info_of(&BEFORE.replace('\n', "\r\n")), info);
}

#[test]
fn what_a_build_needs_is_named_once_and_without_versions() {
    let lines = "%global pool glib2\nBuildRequires: gcc make, ninja-build >= 1.8 git\n\
                 BuildRequires: %{pool}-devel = 2,pkgconfig(zlib) gcc\nBuildRequires: %(uname) /bin/sh\n\
                 BuildRequires: (clang or gcc(x) if (a >= 1 with b)) make\n";
    let info = info_of(&with(lines, "1"));
    let expected = [
        "%(uname)",
        "/bin/sh",
        "gcc",
        "git",
        "glib2-devel",
        "make",
        "ninja-build",
        "pkgconfig(zlib)",
    ];
    assert_eq!(info.build_requires.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn versions_are_in_the_order_of_rpm() {
    let of = |release: &str| info_of(&BEFORE.replace("}.1%", &format!("}}.{release}%")));
    let older = |one: &str, other: &str| of(one).evr() < of(other).evr();
    assert!(older("1", "2") && older("9", "10") && older("2~rc1", "2"));
    let none = info_of(&BEFORE.replace("Epoch: 2\n", ""));
    assert_eq!(none.evr().to_string(), "4.2.1-5.2.14.1.xcpng8.3");
    assert!(none.evr() < of("1").evr());
    assert_eq!(none, info_of(&BEFORE.replace("Epoch: 2", "Epoch: 0")));
}

#[test]
fn macros_are_expanded_as_in_rpm() {
    gives("", "1%{?dist}%?dist%{!?dist:x}%{?nope}%{?nope:x}%{!?nope:y}", "1.xcpng8.3.xcpng8.3y");
    gives("%define rel 7", "%{rel}.%rel", "7.7");
    gives("%define rel 7", "%{?rel:1%{rel}}%{!?!nope:x}%{?!nope:3}", "173");
    gives("%global rel 7  \n%global rel %{rel}.8", "%{rel}", "7.8");
    gives("%global one %{two}\n%define two 2", "1", "1");
    gives("%define one %{two}\n%define two 2", "%{one}", "2");
    gives("%define two 2\n%define one %{two}\n%define two 3", "%{one}", "3");
    gives("%define two 2\n%global one %{two}\n%define two 3", "%{one}", "2");
    gives("%define one {4}\n%define two %{one}\\\n", "%{two}", "4");
    gives("%{!?rel: %define rel 7}%{!?rel:%define rel 8}", "%{rel}", "7");
    gives("%{!?one:\n%global one 1\n%global two %{one}.2\n}", "%{two}", "1.2");
    gives("%define later 5\n# %define later 6", "%{later}", "6");
    gives("%define dist .own", "1%{?dist}", "1.own");
    gives("%global one %%{two}\n%define two 2", "%{one}", "2");
    gives("%define one 1\n%if 0\nName\n%endif", "%{one}", "1");
    gives("%define one() %{expand:\n%define two 2\n}", "1%{version}", "11");
    gives("%configure\n100%\n%{?}", "1", "1");
}

#[test]
fn what_is_not_certain_is_refused() {
    is_refused("", "1%{nope}", "`%{nope}` is not defined");
    is_refused("", "%nope", "`%nope` is not defined");
    is_refused("%define rel 1%{nope}", "%{?rel}", "`%{nope}` is not defined");
    is_refused("%global rel %(date)", "%{?rel}", "`%(date)` would run a program");
    is_refused("%global rel %{lua:print(1)}", "%rel", "`%{lua:print(1)}` is left to rpm");
    is_refused("%bcond_with asan", "1%{with asan}", "`%{with asan}` is left to rpm");
    is_refused("", "%[1 + 1]", "`%[1 + 1]` is left to rpm");
    is_refused("%define rel() 1", "%{rel}", "`rel() 1` takes arguments");
    is_refused("%define rel 1\n%undefine rel", "%{?rel}", "`%undefine rel` is left to rpm");
    is_refused("", "1%{?dist", "`%{?dist` is not closed");
    is_refused("%define rel {1", "%{rel}", "`rel {1` is not closed");
    is_refused("", "1 2", "`1 2` is nothing that rpm takes there");
    is_refused("", "1-2", "`1-2` is nothing that rpm takes there");
    is_refused("", "1..2", "`1..2` is nothing that rpm takes there");
    is_refused("", "%{?nope}", "`` is nothing that rpm takes there");
    is_refused("", "100%%", "`100%` is nothing that rpm takes there");
}

#[test]
fn what_stands_under_a_condition_is_refused() {
    let condition = "`%global rel 2` stands under a condition";
    is_refused("%global rel 1\n%if 1\n%global rel 2\n%endif", "%{rel}", condition);
    is_refused("%if 1\n%global rel 2\n%endif", "1%{?rel}", condition);
    is_refused(
        "%if 1\n%{?x:%{expand:%global rel 2}}\n%endif",
        "%{!?rel:1}",
        "`%{?x:%{expand:%global rel 2}}` stands under a condition",
    );
    gives("%if 1\n%global rel 2\n%endif\n%global rel 3", "%{rel}", "3");

    let problem = refusal(&with("%ifarch x\n  %define rel 2\n%endif", "%{rel}"));
    assert_eq!(
        problem,
        "qemu.spec: the `Release` cannot be told: `%define rel 2` stands under a condition\
         \n     2:   %define rel 2\
         \n     6: Release: %{rel}\
         \nhelp: only what the spec itself and `build.define` set for certain is expanded"
    );
    let problem = refusal("Name: a\n%if 1\nVersion: 2\n%endif\nRelease: 1\n");
    assert!(problem.contains("`Version: 2` stands under a condition\n     3: V"), "{problem}");
    let problem = refusal("Name: a\n%if 1\nEpoch: 1\n%endif\nVersion: 1\nRelease: 1\n");
    assert!(problem.contains("the `Epoch` cannot be told"), "{problem}");
    let problem = refusal("Name: a\n%if 1\nVersion: 2\n%else\nVersion: 3\n%endif\nRelease: 1\n");
    assert!(
        problem
            .contains("`Version` is there more than once\n     3: Version: 2\n     5: Version: 3"),
        "{problem}"
    );
}

#[test]
fn a_definition_that_was_not_reached_is_not_certain() {
    is_refused("%{expand:%global rel 2}", "1%{?rel}", "`%{expand:%global rel 2}` is left to rpm");
    is_refused("%nope %define rel 2", "1%{?rel}", "`%nope` is not defined");
    is_refused("%define make %{nope}%global rel 2\n%make", "1%{?rel}", "`%{nope}` is not defined");
    is_refused(
        "%define make() %global rel %1\n%make 2",
        "1%{?rel}",
        "`make() %global rel %1` takes arguments",
    );
    is_refused(
        "%if 1\n%undefine dist\n%endif",
        "1%{?dist}",
        "`%undefine dist` stands under a condition",
    );
}

#[test]
fn a_spec_without_its_tags_is_refused() {
    let problem = refusal("Name: a\nRelease: 1\n%package b\nVersion: 2\n");
    assert!(
        problem.starts_with("qemu.spec: no `Version` tag before the first section"),
        "{problem}"
    );
    assert!(refusal("").contains("no `Version` tag"));
    assert!(refusal("Name: a\nVersion: 1\nEpoch: x\nRelease: 1\n").contains("`x` is nothing"));
    assert!(refusal("Name: a\nVersion: 1\nEpoch: 4294967296\nRelease: 1\n").contains("`Epoch`"));
}

#[test]
fn files_are_named_as_far_as_their_macros_go() {
    let spec = "Name: a\nVersion: 1\nRelease: 1\nURL: https://example.org/%{name}\n\
                Source: %{url}/%{name}-%{version}.tar\nsource7: %{nope}/b-%{nope}.tar\n\
                Patch: %{name}.patch\n%define more %{expand:\nPatch4: no.patch\n}\n\
                %package b\nVersion: 2\nPatch3: %{version}.patch\n\
                %patchlist\n# none.patch\n%if 1\n%{name}-c.patch\n%endif\n\nd.patch\n\
                %sourcelist\ne.tar\n%prep\nPatch8: no.patch\n";
    let info = info_of(spec);
    assert_eq!(info.sources, ["a-1.tar", "b-%{nope}.tar", "e.tar"]);
    assert_eq!(info.patches, ["a.patch", "2.patch", "a-c.patch", "d.patch"]);
}

#[test]
fn a_movement_tells_what_is_new() {
    let after = BEFORE
        .replace("Patch1: dir/0002-second.patch\n", "Patch1: xsa335-1.patch\nPatch2: cve.patch\n")
        .replace("5.2.14\n%global xsrel", "5.2.15\n%global xsrel")
        .replace(
            "%changelog\n",
            "%changelog\n* Thu Jan 08 2026 Nobody <nobody@example.org> - 4.2.1-5.2.15.1\n\
             - Backport fixes for CVE-2021-3929 and cve-2021-20257, see XSA-42:\n\n\
             \x20 * more\n# CVE-2000-0001 is only a comment\n\n",
        )
        .replace("- The first one", "- The first one\n- Which was CVE-2014-0001, CVE-20x4-1");
    let (before, after) = (info_of(BEFORE), info_of(&after));
    assert!(before.evr() < after.evr());
    let moved = spec_diff(&before, &after);
    assert_eq!(
        moved,
        SpecDiff {
            came: vec!["xsa335-1.patch".to_owned(), "cve.patch".to_owned()],
            went: vec!["0002-second.patch".to_owned()],
            cves: ["CVE-2014-0001", "CVE-2021-20257", "CVE-2021-3929", "XSA-335", "XSA-42"]
                .map(str::to_owned)
                .to_vec(),
            lost: Vec::new(),
            changelog: [
                "* Thu Jan 08 2026 Nobody <nobody@example.org> - 4.2.1-5.2.15.1",
                "- Backport fixes for CVE-2021-3929 and cve-2021-20257, see XSA-42:",
                "  * more",
                "* Tue Apr 08 2014 Nobody <nobody@example.org>",
                "- Which was CVE-2014-0001, CVE-20x4-1",
            ]
            .map(str::to_owned)
            .to_vec(),
        }
    );
    let back = spec_diff(&after, &before);
    assert_eq!((&back.came, &back.went), (&moved.went, &moved.came));
    assert_eq!((&*back.cves, &*back.lost), (&[][..], &["XSA-335".to_owned()][..]));
    assert_eq!(back.changelog, [""; 0]);
    let still = spec_diff(&after, &after);
    assert!(still.came.is_empty() && still.cves.is_empty() && still.changelog.is_empty());
}

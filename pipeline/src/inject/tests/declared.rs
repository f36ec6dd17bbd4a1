// SPDX-License-Identifier: GPL-2.0-or-later
//! Files that the spec declares by another text than their names, and tags that rpm makes.

use super::*;

/// One patch among others, spelled as the case has it.
fn patched(head: &str, tag: &str) -> String {
    format!(
        "{head}Name: toy\nVersion: 1\nURL: https://example.org/p\nSource0: a.tar\n{tag}\n%prep\n%setup\n%patch1 -p1\n"
    )
}

#[test]
fn a_patch_is_known_by_its_expanded_name() {
    for (head, tag) in [
        ("", "Patch1: %{name}-%{version}-gpu.patch"),
        ("", "PATCH1:\t%{name}-%version-gpu.patch"),
        ("", "Patch1: %{url}/%{name}-1-gpu.patch"),
        ("", "Patch01 : https://example.org/?get=toy-1-gpu.patch/x?y=toy-1-gpu.patch"),
        ("%global what gpu\n", "Patch1: toy-1-%{what}.patch"),
        ("%define what gpu\n%define all %{name}-1-%{what}\n", "Patch1: %{all}.patch"),
        ("%define what() %1-gpu\n", "Patch1: toy-%{what 1}.patch"),
        ("%define what(x) no\n%undefine what\n%define what 1-gpu\n", "Patch1: toy-%{what}.patch"),
        ("%global n 1\n", "Patch%{n}: toy-1-gpu.patch"),
        ("", "Patch1: %{expand:%%{name}}-1-gpu.patch"),
        ("", "Patch1: toy-1-%{given}.patch"),
        ("", "Patch1: toy-1%{?with_given:-gpu}.patch%{nil}"),
        ("", "%{?with_given:Patch1: toy-1-gpu.patch}"),
        ("", "%{?not_told:Patch1: toy-1-gpu.patch}"),
        ("", "%if 0%{?rhel}\nPatch1: toy-1-gpu.patch\n%endif"),
        ("", "Patch0: other.patch\nPatch: toy-1-gpu.patch"),
    ] {
        let spec = patched(head, tag);
        let new = edited(&spec, &[drop_patch("toy-1-gpu.patch")]).spec;
        let gone = diff(&spec, &new);
        assert_eq!(gone.len(), 2, "{spec}{gone:?}");
        assert!(
            gone[0].to_lowercase().contains("patch") && gone[1] == "-%patch1 -p1\n",
            "{gone:?}"
        );
        satisfied(&new, &[drop_patch("toy-1-gpu.patch")]);
    }
}

#[test]
fn a_name_that_may_be_meant_is_refused() {
    for (head, tag) in [
        ("", "Patch1: %{nope}-gpu.patch"),
        ("", "Patch1: %{?nope}toy-1-gpu.patch"),
        ("", "Patch1: toy-1-%{?nope:gpu}.patch"),
        ("", "Patch1: toy-1%{!?nope:-gpu}.patch"),
        ("", "Patch1: %(echo toy)-1-gpu.patch"),
        ("", "Patch1: %{lua:print(\"toy-1-gpu.patch\")}"),
        ("", "Patch1: toy-%[1+0]-gpu.patch"),
        ("%if 1\n%global what gpu\n%endif\n", "Patch1: toy-1-%{what}.patch"),
        ("%{!?what:%global what gpu}\n", "Patch1: toy-1-%{what}.patch"),
        ("%{load:macros}\n", "Patch1: %{?what}toy-1-gpu.patch"),
        ("", "Patch1: %nope x.patch"),
    ] {
        let problem = refused(&patched(head, tag), &[drop_patch("toy-1-gpu.patch")]);
        assert!(problem.contains(&format!(": {tag}\n")), "{problem}");
    }
    // What cannot be the name in any case is no reason.
    satisfied(&patched("", "Patch1: %{nope}.diff"), &[drop_patch("toy-1-gpu.patch")]);
}

#[test]
fn a_line_that_does_more_than_declare_is_left_alone() {
    for tag in [
        "%{expand:Patch1: x.patch\nPatch2: y.patch}",
        "Patch1: %{expand:%global done 1}x.patch",
        "%{?with_given:Patch1: x.patch\n}",
    ] {
        let problem = refused(&patched("", tag), &[drop_patch("x.patch")]);
        assert!(problem.contains("does more than that"), "{problem}");
    }
    let twins =
        "Source0: a\n%if 1\nPatch1: x.patch\n%else\nPatch1: y.patch\n%endif\n%prep\n%patch1\n";
    assert!(refused(twins, &[drop_patch("x.patch")]).contains("that of another patch too"));
}

#[test]
fn lists_of_files_are_read() {
    let spec = "Name: a\nSource0: a.tar\n%patchlist\n# one\n%{name}-1.patch\n\nb.patch\n%prep\n%autosetup\n";
    changes(spec, drop_patch("a-1.patch"), &["-%{name}-1.patch\n"]);
    changes(spec, drop_patch("b.patch"), &["-b.patch\n"]);
    let numbered = spec.replace("%autosetup", "%patch1");
    let problem = refused(&numbered, &[drop_patch("a-1.patch")]);
    assert!(problem.contains("`b.patch` gets another number"), "{problem}");
    changes(&numbered, drop_patch("b.patch"), &["-b.patch\n", "-%patch1\n"]);

    let spec = "Name: a\nSource0: a.tar\n%sourcelist\nhttps://example.org/%{name}.c\n\n%prep\n";
    satisfied(spec, &[add_source("a.c")]);
    changes(spec, add_source("x.c"), &["+x.c\n"]);
    assert_eq!(edited(spec, &[add_source("a.c")]).edits[0].0, "add-source a.c as Source1");
    assert_eq!(edited(spec, &[add_source("x.c")]).edits[0].0, "add-source x.c as Source2");
    for list in ["%{nope}", "%if 1\nb\n%endif", "%(ls)", "%{?extra}"] {
        let problem =
            refused(&spec.replace("\n\n%prep", &format!("\n{list}\n%prep")), &[add_source("x.c")]);
        assert!(problem.contains("\n     5: ") || problem.contains("\n     6: b"), "{problem}");
    }
    let problem = refused(&format!("{spec}%package b\nSource: z\n"), &[add_source("x.c")]);
    assert!(problem.contains("Source: z"), "{problem}");
}

#[test]
fn a_source_is_known_by_its_expanded_name() {
    for tag in
        ["%{name}.c", "%{url}/%{name}.c#/%{name}.c", "x%{?nope:/}/toy.c", "?f=%{name}.c/?a=toy.c"]
    {
        let spec =
            format!("Name: toy\nURL: https://example.org\nSource0: a.tar\nSource7: {tag}\n%prep\n");
        satisfied(&spec, &[add_source("toy.c")]);
        let edits = [add_source("toy.c"), device_after("%prep", "vgpu-stub")];
        // The device's own file is not there, so nothing is copied from a wrong number.
        assert!(refused(&spec, &edits).contains("no `Source` declares `vgpu-stub.c`"));
    }
    let spec = SPEC.replace("Source2:", "%global stub vgpu-stub\nSource9: %{stub}.c\nSource2:");
    let new = edited(&spec, &[device_after("tar xzf %{SOURCE2}", "vgpu-stub")]).spec;
    assert!(new.contains("cp -p \"%{SOURCE9}\" hw/misc/vgpu-stub.c"), "{new}");
    let problem = refused("Source0: %{nope}\n%prep\n", &[add_source("toy.c")]);
    assert!(
        problem.contains("whether this source is `toy.c` cannot be told\n     1: "),
        "{problem}"
    );
}

#[test]
fn the_number_of_a_tag_that_a_macro_makes_is_seen() {
    for (line, number) in [
        ("%{?with_given:Source1: b}", 2),
        ("%{?nope:Source1: b}", 2),
        ("%{!?nope:Source3: b}", 4),
        ("%{expand:Source1: b}", 2),
        ("%{expand:%%{expand:Source4: b}}", 5),
        ("%define one Source1: b\n%one", 2),
        ("%global one() Source%1: %2\n%one 5 b", 6),
        ("%define two %{expand:\nSource1: b\nSource2: c\n}\n%two", 3),
        ("%define more \\\nSource1: b\\\nSource2: c\\\n%{nil}\n%{more}", 3),
        ("%global n 6\nSource%{n}: b", 7),
        ("# %{?with_given:\nSource8: b}", 9),
        ("Source 5: b", 2),
        ("Source5 (old): b", 6),
        ("SOURCE05:b", 6),
        ("%description\nx\n%{expand:%%package c\nSource3: b}", 4),
        ("%{lua:local a = 1}", 1),
        ("%{?_cov_buildrequires}", 1),
        ("%bcond_with asan\n%{?with_asan:Source2: b}", 3),
    ] {
        let spec = format!("Name: a\nSource0: a\n{line}\n%prep\n");
        let label = &edited(&spec, &[add_source("x.c")]).edits[0].0;
        assert_eq!(label, &format!("add-source x.c as Source{number}"), "{line}");
    }
}

#[test]
fn a_tag_that_cannot_be_seen_is_refused_with_its_line() {
    for line in [
        "%{lua: for i = 1, 2 do print(\"Source\"..i..\": b\\n\") end}",
        "%{lua: return \"S\"..\"ource1: b\"}",
        "%(echo Source1: b)",
        "%[1 ? \"Source1: b\" : \"\"]",
        "%include more.inc",
        "%{?nope:%include more.inc}",
        "%make_sources",
        "%{make_sources x}",
        "%{quote:Source1: b}",
        "%{lower:SOURCE1: B}",
        "Source%{nope}: b",
        "Source+1: b",
        "%{nope}ource1: b",
        "%{?nope}Source1: b",
        "Summary: %{lua:print(\"a\\nSource1: b\")}",
        "%(echo So)urce1: b",
        "%{expand:%{lua:print(1)}}",
        "%{gsub aource1:_b a S}",
    ] {
        let spec = format!("Name: a\nSource0: a\n{line}\nPatch1: a.patch\n%prep\n");
        for edit in [add_source("x.c"), drop_patch("a.patch"), drop_patch("b-b-b.patch")] {
            let problem = refused(&spec, &[edit]);
            assert!(problem.contains(&format!("\n     3: {line}\n")), "{problem}");
        }
    }
}

#[test]
fn what_a_program_may_have_defined_is_not_taken_for_undefined() {
    for before in ["%{lua: rpm.define(\"more Source1: b\")}", "%{load:macros.inc}"] {
        let spec = format!("Name: a\nSource0: a\n{before}\n%{{?more}}\n%prep\n");
        let problem = refused(&spec, &[add_source("x.c")]);
        assert!(problem.contains("\n     4: %{?more}\n"), "{problem}");
    }
    for define in ["%if 1\n%global more Source1: b\n%endif", "%{!?more:%global more Source1: b}"] {
        let spec = format!("Name: a\nSource0: a\n{define}\n%{{?more}}\n%prep\n");
        assert!(refused(&spec, &[add_source("x.c")]).contains(": %{?more}\n"), "{define}");
    }
}

#[test]
fn a_heading_that_a_macro_makes_ends_the_tags() {
    let spec = "Name: a\nSource0: a\n%debug_package\nSource1: b\n%prep\n";
    assert!(refused(spec, &[add_source("x.c")]).contains("makes a heading"));
    let spec = "Name: a\nSource0: a\n%{?debug_package}\n%prep\n";
    changes(spec, add_source("x.c"), &["+Source1: x.c\n"]);
    let spec = "Name: a\nSource0: a\n%{expand:%%if 1}\nSource1: b\n%endif\n%prep\n";
    assert!(refused(spec, &[add_source("x.c")]).contains("opens a condition"));
}

/// A bomb makes no more than text should, and what hangs on it is refused.
#[test]
fn the_work_is_bounded() {
    let double = |n: u32| format!("%define m{} %{{m{n}}}%{{m{n}}}\n", n + 1);
    let bomb: String = (0..60).map(double).collect();
    for spec in [
        format!("%define m0 0123456789\n{bomb}Source0: a\n%{{m60}}\n%prep\n"),
        "%define m0 %{m0}%{m0}\nSource0: a\n%{m0}\n%prep\n".to_owned(),
        "%define m0() %{m0 %1}%{m0 %1}\nSource0: a\n%{m0 1}\n%prep\n".to_owned(),
        "Source0: a\n%{expand:%{expand:\n%prep\n".to_owned(),
    ] {
        assert!(refused(&spec, &[add_source("x.c")]).contains("needs to know every"), "{spec:.60}");
    }
}

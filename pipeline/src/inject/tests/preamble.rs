// SPDX-License-Identifier: GPL-2.0-or-later
//! `add-source`, `release-suffix`, `provide` and `define`.

use super::*;

#[test]
fn a_source_follows_the_highest_number() {
    let label = &edited(SPEC, &[add_source("vgpu-stub.c")]).edits[0].0;
    assert_eq!(label, "add-source vgpu-stub.c as Source3");
    changes(SPEC, add_source("vgpu-stub.c"), &["+Source3: vgpu-stub.c\n"]);
}

#[test]
fn a_source_without_number_counts() {
    let spec = "Name: a\nsource:\t\ta.tar\n%description\n";
    changes(spec, add_source("b.c"), &["+source1:\t\tb.c\n"]);
    let spec = "Source: a\nSource5: b\nSource: c\n%prep\n";
    changes(spec, add_source("d.c"), &["+Source7: d.c\n"]);
}

#[test]
fn a_source_keeps_the_column() {
    let spec = "Name:           a\nSource9:        a.tar\n%description\n";
    changes(spec, add_source("b.c"), &["+Source10:       b.c\n"]);
}

#[test]
fn a_source_goes_behind_conditionals_and_counts_their_numbers() {
    let spec =
        "Source0: a\n%if 1\n%ifarch x86_64\nSource7: b\n%endif\n%else\n%endif\nName: a\n%prep\n";
    let expected = "Source0: a\n%if 1\n%ifarch x86_64\nSource7: b\n%endif\n%else\n%endif\n\
                    Source8: x.c\nName: a\n%prep\n";
    assert_eq!(edited(spec, &[add_source("x.c")]).spec, expected);
    let spec = "Source0: a\n%if 1\nSource1: b\n%description\n%endif\n";
    changes(spec, add_source("x.c"), &["+Source2: x.c\n"]);
}

#[test]
fn macro_bodies_hold_no_tags() {
    let spec = "Source0: a\n%define more() %{expand:\nSource4: b\n%if 0\n%prep\n}\n\
                %define two \\\nSource5: x.c \\\n%{nil}\nName: a\n%prep\n";
    let new = edited(spec, &[add_source("x.c")]).spec;
    assert!(new.starts_with("Source0: a\nSource1: x.c\n%define"), "{new}");
}

#[test]
fn a_declared_source_is_satisfied() {
    satisfied("Source: a\nSource4: https://example.org/x#/x.c\n%prep\n", &[add_source("x.c")]);
}

#[test]
fn a_source_under_a_condition_is_refused() {
    let problem = refused("Source0: a\n%if 1\nSource1: x.c\n%endif\n%prep\n", &[add_source("x.c")]);
    assert!(
        problem.contains("under a condition or in a macro\n     3: Source1: x.c\n"),
        "{problem}"
    );
    let problem = refused("%if 1\nSource: a\n%endif\nSource: x.c\n%prep\n", &[add_source("x.c")]);
    assert!(problem.contains("     4: Source: x.c\n"), "{problem}");
}

#[test]
fn no_source_is_refused() {
    assert!(refused("Name: a\n%prep\n", &[add_source("x.c")]).contains("no `Source` tag"));
}

#[test]
fn the_suffix_ends_the_release() {
    changes(
        SPEC,
        suffix(".vgpu1"),
        &["-Release: %{?xsrel}.2%{?dist}\n", "+Release: %{?xsrel}.2%{?dist}.vgpu1\n"],
    );
    let spec = "Release:\t7 \n%package x\nRelease: 9\n%prep\n";
    changes(spec, suffix(".a"), &["-Release:\t7 \n", "+Release:\t7.a \n"]);
}

#[test]
fn a_release_that_is_not_one_is_refused() {
    let problem = refused("Name: a\n%package x\nRelease: 1\n", &[suffix(".a")]);
    assert!(problem.starts_with("qemu.spec: no `Release` tag"), "{problem}");
    let problem = refused("%if 1\nRelease: 1\n%else\nrelease: 2\n%endif\n", &[suffix(".a")]);
    assert!(
        problem.contains("2 times, not once\n     2: Release: 1\n     4: release: 2\n"),
        "{problem}"
    );
    assert!(refused("Release: \n", &[suffix(".a")]).contains("no value"));
    assert!(refused("Release: 1\\\n", &[suffix(".a")]).contains("no value"));
}

#[test]
fn a_provide_goes_behind_the_last_tag_outside_of_conditionals() {
    let new = edited(SPEC, &[provide("qemu-device(vgpu-stub) = 1")]).spec;
    assert!(new.contains("%endif\nProvides: qemu-device(vgpu-stub) = 1\n# tar"), "{new}");
    changes(SPEC, provide("a = 1"), &["+Provides: a = 1\n"]);
}

#[test]
fn a_provide_goes_behind_other_provides() {
    let spec = "Name: a\nProvides:       b\nRequires: c\n%package x\nProvides: d\n%prep\n";
    changes(spec, provide("e = 1"), &["+Provides:       e = 1\n"]);
    let new = edited(spec, &[provide("d")]).spec;
    assert!(new.contains("b\nProvides:       d\nRequires"), "{new}");
    assert_eq!(edited("Name: a\n", &[provide("d")]).spec, "Name: a\nProvides: d\n");
}

#[test]
fn a_provide_in_another_spelling_is_satisfied() {
    let spec = "Name: a\nprovides: b >= 2,c  =  1 d\n%prep\n";
    satisfied(spec, &[provide("c = 1"), provide("d"), provide("d, b >= 2")]);
    let conditional = "Name: a\n%if 1\nProvides: c\n%endif\n%prep\n";
    changes(conditional, provide("c"), &["+Provides: c\n"]);
    changes(spec, provide("c"), &["+Provides: c\n"]);
}

#[test]
fn a_provide_without_a_place_is_refused() {
    assert!(refused("%prep\n", &[provide("a")]).contains("no place"));
    assert!(refused(SPEC, &[provide("a \\")]).contains("swallow"));
}

#[test]
fn a_macro_is_set_behind_the_first_comment() {
    let new = edited(SPEC, &[define("one", "1"), define("two", "%{one}2")]).spec;
    let expected = "project's\n\n%global one 1\n%global two %{one}2\n%global usver";
    assert!(new.contains(expected), "{new}");
    changes("Name: a\n", define("one", "1"), &["+%global one 1\n"]);
}

#[test]
fn a_macro_is_changed_where_it_is_set() {
    changes(SPEC, define("usver", "5.0"), &["-%global usver 4.2.1\n", "+%global usver 5.0\n"]);
    changes("%define  abc\n", define("abc", "1"), &["-%define  abc\n", "+%define  abc 1\n"]);
    satisfied(SPEC, &[define("usver", " 4.2.1 ")]);
}

#[test]
fn a_macro_that_another_line_may_give_a_value_is_refused_with_that_line() {
    for (other, macro_name) in [
        ("%bcond_without gpu", "with_gpu"),
        ("%bcond gpu 1", "with_gpu"),
        ("%{bcond_with gpu}", "with_gpu"),
        ("%{lua: rpm.define(\"foo vendor\")}", "foo"),
        ("%{lua: rpm.define(\"fo\" .. \"o vendor\")}", "foo"),
        ("%{lua: macros.foo = 'vendor'}", "foo"),
        ("%{expand:%global foo vendor}", "foo"),
        ("%{expand:%%define foo vendor}", "foo"),
        ("%{global foo vendor}", "foo"),
        ("%{?dist:%global foo vendor}", "foo"),
        ("%undefine foo", "foo"),
        ("%{undefine foo}", "foo"),
        ("%{load:vendor.inc}", "foo"),
        ("%include vendor.inc", "foo"),
        ("# %define foo vendor", "foo"),
    ] {
        for spec in [format!("Name: a\n{other}\n%prep\n"), format!("Name: a\n%prep\n{other}\n")] {
            for before in ["", "%define with_gpu 0\n%define foo mine\n"] {
                let spec = format!("{before}{spec}");
                let problem = refused(&spec, &[define(macro_name, "0")]);
                assert!(problem.contains("is not the last word"), "{spec}\n{problem}");
                assert!(problem.contains(&format!(": {other}\n")), "{problem}");
            }
        }
    }
    let multi = "Name: a\n%{?foo:\n%global foo vendor\n}\n%prep\n";
    assert!(refused(multi, &[define("foo", "0")]).contains("is not the last word"));
    let late = "Name: a\n%build\nmake %{?foo}\n%install\n%define foo baz\n";
    assert!(refused(late, &[define("foo", "baz")]).contains("behind the tags"));

    // What only asks for it, or sets another.
    for harmless in [
        "%{!?foo:%global foo vendor}",
        "%{!?foo: %define foo vendor}",
        "%global bar %{foo}",
        "%{lua: rpm.define(\"bar vendor\")}",
        "%bcond_without foo",
    ] {
        let spec = format!("Name: a\n{harmless}\n%prep\n");
        let (top, bottom) = (edited(&spec, &[define("foo", "0")]).spec, spec.as_str());
        assert_eq!(top, format!("%global foo 0\n{bottom}"), "{harmless}");
    }
    let option = "Name: a\n%bcond_without gpu\n%prep\n";
    changes(option, define("_without_gpu", "1"), &["+%global _without_gpu 1\n"]);
}

#[test]
fn a_macro_that_is_more_than_one_line_is_refused() {
    for (spec, problem) in [
        ("%global one 1\n%define one 2\n", "the definition of `one` is there 2 times"),
        ("%if 1\n%global one 1\n%endif\n", "inside a conditional"),
        ("%define one() 1\n", "with arguments"),
        ("%define one 1 \\\n 2\n", "over several lines"),
    ] {
        let text = refused(spec, &[define("one", "3")]);
        assert!(text.contains(problem), "{text}");
    }
    for value in ["1 \\", "%{two", "%(two"] {
        assert!(refused(SPEC, &[define("one", value)]).contains("swallow"));
    }
}

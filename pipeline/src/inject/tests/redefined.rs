// SPDX-License-Identifier: GPL-2.0-or-later
//! Specs that define anew what their tags have said, or what an edit relies on.

use super::*;
use crate::error::Rendered;

fn spec(head: &str, tags: &str, prep: &str) -> String {
    format!(
        "{head}Name: toy\nVersion: 1\nSource0: a.tar\nSource1: vgpu-stub.c\nPatch1: b.patch\n{tags}\n\
         %description\na\n%prep\n%setup\n%patch1 -p1\n{prep}\n%build\n%changelog\n- none\n"
    )
}

/// Every edit that relies on numbers is refused, with the line.
#[track_caller]
fn numbers_refused(spec: &str, line: &str) {
    for edit in [
        add_source("x.c"),
        add_source("vgpu-stub.c"),
        drop_patch("b.patch"),
        drop_patch("gone-long-ago.patch"),
        device_after("%setup", "vgpu-stub"),
    ] {
        let problem = refused(spec, &[edit]);
        let hidden = problem.contains("needs to know every `Source` and `Patch`");
        assert!(hidden || problem.contains("relies on the numbers"), "{problem}");
        assert!(problem.contains(&format!(": {line}\n")), "{problem}");
    }
}

#[test]
fn a_macro_of_a_source_or_patch_keeps_its_meaning() {
    for line in [
        "%global SOURCE1 %{_sourcedir}/theirs.c",
        "%define SOURCE1 /etc/hostname",
        "# %global SOURCE1 theirs.c",
        "%{!?x:%global SOURCE01 theirs.c}",
        "%{expand:%%global SOU%{nil}RCE1 theirs.c}",
        "%define  PATCH7 b",
        "%undefine SOURCE1",
        "%{define SOURCE1 b}",
        "%{lua: rpm.define(\"SOURCE1 theirs.c\")}",
        "%{lua: rpm.define(\"SOU\" .. \"RCE1 theirs.c\")}",
        "%{lua: macros.SOURCE1 = 'theirs.c'}",
        "%{lua: local d = rpm['define']; d('SOURCE1 x')}",
        "%{lua: rpm.expand('%global SOURCE1 x')}",
        "%{lua: local name = 'SOURCE1 x'; rpm.define(name)}",
        "%{load:macros.inc}",
        "%global _sourcedir /elsewhere",
        "%global SOURCE1() theirs.c",
        "%define S() theirs.c",
        // Other spellings, other directives, other roads to the same.
        "%global\tSOURCE1 theirs.c",
        "%{global:SOURCE1 theirs.c}",
        "%{?dist:%{define SOURCE1 theirs.c}}",
        "%global PATCH1 %{nil}",
        "%define patch1 :",
        "%undefine PATCH1",
        "%global _topdir /elsewhere",
        "%include more.inc",
        "%{?dist:%include more.inc}",
        "%{expand:%%{load:macros.inc}}",
        // In the body of a macro that nothing here calls: who does may not be seen.
        "%define later() %%global SOURCE1 theirs.c",
        "%{lua: macros['SOURCE1'] = 'x'}",
        "%{lua: rpm.undefine('PATCH1')}",
        "%{lua: rpm.load('macros.inc')}",
        "%{lua: rpm.execute('x')}",
        "%{lua: load('x')()}",
        "%{lua: require 'x'}",
        "%{lua: dofile('x')}",
        "%{lua: local r = rpm; r.define('SOURCE1 x')}",
        "%{lua: _G['rpm'].define('SOURCE1 x')}",
        "%{lua: rpm.define([[SOURCE1 x]])}",
        "%{lua: rpm.define('\\83OURCE1 x')}",
        "%{lua: rpm.expand('%{load:macros.inc}')}",
    ] {
        numbers_refused(&spec("", "", line), line);
        numbers_refused(&spec("", line, ""), line);
    }
    for line in [
        "%global SOURCES all",
        "%{lua: local x = 1}",
        "%{lua: rpm.define(\"other theirs.c\")}",
        "%{lua: local v = rpm.expand('%{?dist}')}",
        "# %dnl SOURCE1 of global interest",
        "%global mine %{SOURCE1}",
    ] {
        edited(&spec("", line, ""), &[add_source("x.c"), device_after("%setup", "vgpu-stub")]);
    }
}

#[test]
fn a_name_made_of_what_a_program_may_define_is_not_told() {
    for (head, name) in [
        ("%global nm c.diff\n%{lua: rpm.define(\"nm b.patch\")}\n", "%nm"),
        ("%global nm c.diff\n%{lua: rpm.define(\"n\" .. \"m b.patch\")}\n", "%{nm}"),
        ("%global nm c.diff\n%{load:macros}\n", "%{nm}"),
        ("%global nm c.diff\n%{expand:%{load:macros}}\n", "%{?nm}"),
        ("%global nm c.diff\n%include macros\n", "%{nm}"),
        ("%global nm c.diff\n%{expand:%(cat definitions)}\n", "%{nm}"),
        ("%global nm c.diff\n%{expand:%{lua:print('x')}}\n", "%{nm}"),
        ("%define nm c.diff\n%undefine nm\n", "%{nm}"),
        ("%define nm c.diff\n%{lua: rpm.undefine('nm')}\n", "%{nm}"),
        ("%define f() %{expand:%%define nm c.diff}\n%global nm b.patch\n%f\n", "%{nm}"),
        ("%define f() %{expand:%%global nm b.patch}\n%global nm c.diff\n%{?x:%f}\n", "%{nm}"),
        ("%define nm() c.diff\n%{lua: rpm.define(\"nm() b.patch\")}\n", "%{nm}"),
    ] {
        let tag = format!("Patch2: {name}");
        let spec = spec(head, &tag, "");
        let problem = refused(&spec, &[drop_patch("gone-long-ago.patch")]);
        assert!(problem.contains(&format!(": {tag}\n")), "{head}{problem}");
    }
    let spec = format!("%global nm vgpu-stub.c\n%{{load:macros}}\n{}", spec("", "", ""));
    let spec = spec.replace("Source1: vgpu-stub.c", "Source1: %{nm}");
    assert!(refused(&spec, &[add_source("vgpu-stub.c")]).contains(": Source1: %{nm}\n"));
}

#[test]
fn no_unknown_macro_is_harmless_where_anything_may_be_defined() {
    for head in [
        "%{lua: rpm.define(\"gometa Patch2: c.patch\")}\n",
        "%{lua: rpm.define(\"go\" .. \"meta Patch2: c.patch\")}\n",
        "%{load:macros}\n",
        "%{expand:%%{lua:rpm.define(\"gometa Patch2: c.patch\")}}\n",
    ] {
        for line in ["%gometa", "%{?gometa}", "%{gometa}"] {
            let problem = refused(&spec(head, line, ""), &[drop_patch("c.patch")]);
            assert!(problem.contains(&format!(": {line}\n")), "{problem}");
        }
    }
    satisfied(&spec("", "%gometa", ""), &[drop_patch("gone-long-ago.patch")]);
}

#[test]
fn what_a_macro_makes_in_the_changelog_or_behind_a_comment_is_read() {
    let package = "%{expand:\n%%package x\nSummary: s\nPatch2: c.patch\n%%description x\nx}";
    let of = |tags: &str, prep: &str, entry: &str| {
        spec("", tags, prep).replace("- none\n", &format!("- none\n{entry}\n"))
    };
    let problem = refused(&of("", "", package), &[drop_patch("c.patch")]);
    assert!(problem.contains("does more than that"), "{problem}");
    let open = "%{expand:%%package x}\nSummary: s\nPatch2: c.patch\n";
    for made in [of("", "", open), of("", "", &open.replace("package x", "patchlist"))] {
        let problem = refused(&made, &[drop_patch("c.patch")]);
        assert!(problem.contains("needs to know every `Source` and `Patch`"), "{problem}");
    }
    let comment = "# %{lua: print('\\nPat'..'ch2: c.patch')}";
    let problem = refused(&of(comment, "", ""), &[drop_patch("c.patch")]);
    assert!(problem.contains(&format!(": {comment}\n")), "{problem}");
    let gone = [drop_patch("gone-long-ago.patch")];
    satisfied(&of("", "", "- use %{url}, %autosetup and %%{expand}"), &gone);
    satisfied(&of("# see %{url}", "", "- a"), &gone);

    for note in [
        "%global note fix\\\npatch -p1 < %{_sourcedir}/b.patch\n",
        "%global note() fix\\\npatch -p1 < $RPM_SOURCE_DIR/b.patch\n",
        "%define note fix\\\npatch -p1 < %{PATCH1}\n",
    ] {
        let spec = note.to_owned() + &spec("", "", "# see %{note}");
        assert!(refused(&spec, &[drop_patch("b.patch")]).contains("cannot be dropped"), "{spec}");
    }
    for comment in [
        "# see %{?_sourcedir:fix\npatch -p1 < %{_sourcedir}/b.patch\n}",
        "# %{expand: x\npatch -N -p1 < %{PATCH1}\n}",
    ] {
        let problem = refused(&spec("", "", comment), &[drop_patch("b.patch")]);
        assert!(problem.contains("cannot be dropped"), "{problem}");
    }
}

#[test]
fn another_way_to_the_sources_is_a_use_of_them_all() {
    for line in [
        "for p in %{?_sourcedir}/*.patch; do patch -N -p1 < $p || :; done",
        "for p in ${RPM_SOURCE_DIR:-.}/b*; do patch -p1 < $p; done",
        "for p in $(printenv RPM_SOURCE_DIR)/b*; do patch -p1 < $p; done",
        "cat %{getenv:RPM_SOURCE_DIR}/b* | patch -p1",
        "X=RPM_SOURCE_DIR; cat ${!X}/b* | patch -p1",
        "s=%{S:0}; for p in ${s%%/a*}/b*; do patch -p1 < $p; done",
        "cat %{sub %{SOURCE0} 1 -5}b* | patch -p1",
        "cat $(realpath %{SOURCE0} | sed s/a.tar/b.p/)atch | patch -p1",
        "d=%{SOURCE0}; cat \"${d/a.tar/b.}\"patch | patch -p1",
        "cat \"%{u2p:%{SOURCE0}}\"/../b* | patch -p1",
        "find %{?_sourcedir} -name 'b*' | xargs patch -p1 -i",
    ] {
        let problem = refused(&spec("", "", line), &[drop_patch("b.patch")]);
        assert!(problem.contains(&format!(": {line}\n")), "{problem}");
    }
    let two = "s=\"%{SOURCE0}\"\nfor p in ${s%/*}/b*; do patch -p1 < $p; done";
    assert!(refused(&spec("", "", two), &[drop_patch("b.patch")]).contains(": for p in ${s"));
    for head in ["%global srcs %{_sourcedir}", "%define srcs() %{?_sourcedir}/b%1"] {
        let spec = spec(&format!("{head}\n"), "", "cat %{srcs}/b* | patch -p1");
        assert!(refused(&spec, &[drop_patch("b.patch")]).contains(&format!(": {head}\n")));
    }
    for line in [
        "cp %{?_sourcedir}/other.conf .",
        "tar -C ${RPM_BUILD_DIR} -xf %{SOURCE0}",
        "sed -e 's/a/b/' %{SOURCE0} > c",
        "for i in %{SOURCE0}; do cp $i .; done",
        "v=1.2; echo ${v%.*}",
    ] {
        edited(&spec("", "", line), &[drop_patch("b.patch")]);
    }
}

#[test]
fn a_patch_that_is_a_source_too_is_not_dropped() {
    for tag in ["Source9: b.patch", "Source9: %{nope}.patch", "Source9: x/%{nope}b.patch"] {
        let problem = refused(&spec("", tag, ""), &[drop_patch("b.patch")]);
        assert!(problem.contains(&format!(": {tag}\n")), "{problem}");
    }
    let head = "%{lua: rpm.define(\"fx cat %{P\" .. \"ATCH1} | patch\")}\n";
    let problem = refused(&spec(head, "", "%{fx}"), &[drop_patch("b.patch")]);
    assert!(problem.contains("     1: %{lua"), "{problem}");
    // An `expand` of macros that others define carries out nothing of a program's.
    edited(&spec("", "", "%{expand:%{_bindir}}"), &[add_source("x.c")]);
}

#[test]
fn numbers_end_where_rpm_does() {
    for tag in ["Source2147483647: b", "Source4294967295: b", "Source4294967296: b"] {
        let problem = refused(&spec("", tag, ""), &[add_source("x.c")]);
        assert!(problem.contains(&format!(": {tag}\n")), "{problem}");
    }
}

/// The builder's own macros, and an edit that comes after those that took the numbers for granted.
#[test]
fn no_edit_and_no_define_of_the_pipeline_changes_a_number_either() {
    let define = |name: &str| define(name, "x");
    let spec = spec("", "", "");
    for name in ["SOURCE1", "PATCH1", "SOURCE01", "_sourcedir", "_topdir", "setup", "patch1"] {
        let problem = refused(&spec, &[define(name)]);
        assert!(
            problem.contains(&format!("`define {name}` would change what the numbers")),
            "{problem}"
        );
        let defines = [(word(name), word("x"))].into_iter().collect();
        for one in [add_source("x.c"), drop_patch("b.patch"), device_after("%setup", "vgpu-stub")] {
            let problem = edit(spec.as_bytes(), "s", &[one], &[device()], &defines).unwrap_err();
            let expected = format!("and `build.define` has `{name}`");
            assert!(problem.to_string().contains(&expected), "{problem}");
        }
    }
    edited(&spec, &[define("dist"), define("SOURCES")]);
    let lines = |text: &str| after("%setup", &[text]);
    for line in ["%global SOURCE1 theirs.c", "%{load:macros.inc}", "%{lua: macros.PATCH1 = ''}"] {
        for one in [add_source("x.c"), drop_patch("b.patch"), device_after("%setup", "vgpu-stub")] {
            let problem = refused(&spec, &[one.clone(), lines(line)]);
            assert!(problem.contains(&format!("   new: {line}\n")), "{problem}");
        }
        // Nothing here takes a number for granted.
        edited(&spec, &[lines(line)]);
    }
    let replace = replace("%setup", "%define S() x");
    assert!(refused(&spec, &[add_source("x.c"), replace]).contains("relies on the numbers"));
}

#[test]
fn a_source_that_is_called_as_a_dropped_patch_is_would_be_missing() {
    // It was no patch, or is none any more: no build has the file all the same.
    for tag in ["Source9: gone.patch", "Source9: %{nope}.patch", "Source: x/gone.patch"] {
        let problem = refused(&spec("", tag, ""), &[drop_patch("gone.patch")]);
        assert!(problem.contains(&format!(": {tag}\n")), "{problem}");
    }
    satisfied(&spec("", "Source9: gone.patch.asc", ""), &[drop_patch("gone.patch")]);
}

#[test]
fn what_is_no_spec_is_refused_unseen() {
    let no = |text: &str| refuse_no_spec(text.as_bytes(), "key.asc").unwrap_err().rendered();
    for text in [
        "CANARY\n",
        "",
        "name CANARY\n",
        "hostname: CANARY\n%prep\n",
        " Name: CANARY\n%prep\n",
        "# Name: CANARY\n%prep\n",
        "%prep\nName: CANARY\n",
        "%description\n%changelog\nName: CANARY\n",
        "apiVersion: v1\nname: CANARY\nusers:\n- token: CANARY\n",
        "Name: CANARY\nPassword: CANARY\n",
        "%define a \\\nName: CANARY\n%prep\n",
    ] {
        let said = no(text);
        assert!(said.starts_with("key.asc is no spec: ") && said.contains("\nhelp: "), "{said}");
        assert!(!said.contains("CANARY"), "{said}");
    }
    for text in [
        SPEC,
        "name: a\n%PREP\n",
        "%if 1\nName:a\n%endif\n%description\n",
        "Name : a\r\n%build\r\n",
    ] {
        refuse_no_spec(text.as_bytes(), "s").unwrap();
    }
}

#[test]
fn a_number_that_two_tags_have_is_refused_with_both() {
    for (tags, edits) in [
        ("Source2: x\nSource2: y", vec![add_source("new.c")]),
        ("Source1: x", vec![drop_patch("b.patch")]),
        ("Patch7: x\nPatch07: y", vec![add_source("new.c")]),
        ("URL: u", vec![add_source("new.c"), after("URL: u", &["Source2: x.c"])]),
        ("URL: u", vec![add_source("new.c"), replace("URL: u", "Source2: x.c")]),
    ] {
        let problem = refused(&spec("", tags, ""), &edits);
        assert!(problem.contains("have one and the same"), "{problem}");
        assert_eq!(problem.matches(": Source").count() + problem.matches(": Patch").count(), 2);
    }
    let printing = [add_source("new.c"), after("URL: u", &["%{lua: print(\"Source2: x.c\\n\")}"])];
    let problem = refused(&spec("", "URL: u", ""), &printing);
    assert!(problem.contains("needs to know every"), "{problem}");
    // One of two branches is there.
    let either = "%if %{x}\nSource2: x\n%else\nSource2: y\n%endif\nSource3: z";
    edited(&spec("", either, ""), &[drop_patch("b.patch")]);
}

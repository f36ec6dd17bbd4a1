// SPDX-License-Identifier: GPL-2.0-or-later
//! Insertions, replacements, and what is said of an anchor that is missing or ambiguous.

use super::*;

#[test]
fn lines_go_to_their_side() {
    let spec = "%prep\na\nb\n";
    assert_eq!(edited(spec, &[after("a", &["x", "y"])]).spec, "%prep\na\nx\ny\nb\n");
    assert_eq!(edited(spec, &[before("a", &["x", "y"])]).spec, "%prep\nx\ny\na\nb\n");
    changes(spec, after("b", &["x"]), &["+x\n"]);
    changes(spec, before("%prep", &["x"]), &["+x\n"]);
}

#[test]
fn several_at_one_anchor_keep_their_order() {
    let spec = "%prep\na\n%build\n";
    let edits = [
        after("a", &["1"]),
        after("a", &["2", "3"]),
        before("%build", &["4"]),
        before("%build", &["5", "6"]),
    ];
    let once = edited(spec, &edits).spec;
    assert_eq!(once, "%prep\na\n1\n2\n3\n4\n5\n6\n%build\n");
    satisfied(&once, &edits);
    let mut without_the_first = once.replace("1\n", "").replace("4\n", "");
    without_the_first = edited(&without_the_first, &edits).spec;
    assert_eq!(without_the_first, once);
}

#[test]
fn an_edit_may_stand_on_an_earlier_one() {
    let edits = [after("make all", &["make more"]), before("make more", &["make between"])];
    let new = edited(SPEC, &edits).spec;
    assert!(new.contains("make all\nmake between\nmake more\n"), "{new}");
    let problem = refused(SPEC, &[edits[1].clone(), edits[0].clone()]);
    assert!(problem.contains("anchor `make more` of `insert-before` is in no line"), "{problem}");
}

#[test]
fn a_block_that_holds_its_own_anchor_is_satisfied() {
    let edits = [after("make all", &["nice make all", "# make all"])];
    let once = edited(SPEC, &edits).spec;
    satisfied(&once, &edits);
}

#[test]
fn the_same_edit_twice_is_one() {
    let edits = [after("make all", &["make more"]), after("make all", &["make more"])];
    let new = edited(SPEC, &edits);
    assert_eq!(diff(SPEC, &new.spec), ["+make more\n"]);
    assert_eq!(new.edits[1].1, Outcome::AlreadySatisfied);
}

#[test]
fn a_missing_anchor_shows_the_nearest_lines() {
    let problem = refused(SPEC, &[after("tar xzf %{SOURCE1}", &["x"])]);
    assert_eq!(
        problem.lines().take(2).collect::<Vec<_>>(),
        [
            "qemu.spec: anchor `tar xzf %{SOURCE1}` of `insert-after` is in no line",
            "    28: tar xzf %{SOURCE2}",
        ]
    );
    assert_eq!(problem.lines().count(), 5, "{problem}");
}

#[test]
fn numbers_in_errors_are_those_of_the_file() {
    let problem =
        refused(SPEC, &[add_source("x.c"), define("one", "1"), after("make al1", &["x"])]);
    assert!(problem.contains("\n    33: make all\n"), "{problem}");
    let problem = refused(SPEC, &[add_source("x.c"), after("x.d", &["x"])]);
    assert!(problem.contains("\n   new: Source3: x.c\n"), "{problem}");
}

#[test]
fn an_anchor_in_comments_alone_is_said_to_be_there() {
    let problem = refused(SPEC, &[after("unpacks below", &["x"])]);
    assert!(problem.contains("\n    21: # tar xzf %{SOURCE2} unpacks below\n"), "{problem}");
    assert!(problem.contains("comments, %changelog and what"), "{problem}");
    let problem = refused(SPEC, &[before("Mon Jan", &["x"])]);
    assert!(problem.contains("\n    39: * Mon"), "{problem}");
}

#[test]
fn an_ambiguous_anchor_shows_its_lines() {
    let problem = refused(SPEC, &[after("BuildRequires", &["x"])]);
    assert!(
        problem.starts_with(
            "qemu.spec: anchor `BuildRequires` of `insert-after` is there 2 times, not once\n    \
             17: BuildRequires: glib2-devel\n    19: BuildRequires: libasan\nhelp: "
        ),
        "{problem}"
    );
}

#[test]
fn one_text_replaces_another() {
    changes(
        SPEC,
        replace("--enable-werror", "--disable-werror"),
        &["-    --enable-werror --enable-libusb\n", "+    --disable-werror --enable-libusb\n"],
    );
    changes(SPEC, replace("make all", "make all V=1"), &["-make all\n", "+make all V=1\n"]);
    changes(
        SPEC,
        replace("--enable-xen", "--enable"),
        &["-./configure --enable-xen \\\n", "+./configure --enable \\\n"],
    );
}

#[test]
fn a_replacement_that_is_there_is_satisfied() {
    satisfied("%build\nmake -k\nmake -k\n", &[replace("make -j", "make -k")]);
    satisfied("%build\nmake -k\n", &[replace("make", "make -k")]);
    // A slip must not pass because the new text is a part of a longer word.
    let spec = "BuildRequires: xenserver-libdrm-devel\n";
    let problem = refused(spec, &[replace("xenserver-libdrm-devl", "libdrm-devel")]);
    assert!(problem.contains("is in no line, nor is `libdrm-devel`"), "{problem}");
}

#[test]
fn a_replacement_without_or_with_several_places_is_refused() {
    let problem = refused(SPEC, &[replace("--enable-werr0r", "--disable-werr0r")]);
    assert!(
        problem.starts_with(
            "qemu.spec: `--enable-werr0r` of `replace` is in no line, nor is `--disable-werr0r`\n"
        ),
        "{problem}"
    );
    assert!(problem.contains("    32:     --enable-werror"), "{problem}");
    let problem = refused("%build\naaa\n", &[replace("aa", "b")]);
    assert!(problem.contains("is there 2 times, not once\n     2: aaa\nhelp"), "{problem}");
    let problem = refused("%build\nmake\nmake -k\nmake\n", &[replace("make", "make -k")]);
    assert!(problem.contains("2 times"), "{problem}");
}

#[test]
fn a_device_goes_into_prep_alone() {
    let source = add_source("vgpu-stub.c");
    for (edit, problem) in [
        (device_after("make all", "vgpu-stub"), "outside of %prep"),
        (device_after("%build", "vgpu-stub"), "outside of %prep"),
        (device_before("%prep", "vgpu-stub"), "outside of %prep"),
        (device_before("%global", "vgpu-stub"), "outside of %prep"),
    ] {
        let text = refused(SPEC, &[source.clone(), edit]);
        assert!(text.contains(&format!("would put the device `vgpu-stub` {problem}")), "{text}");
    }
    let spec = "Source0: a\n%prep\ntar a \\\n  b\n%build\n";
    let text = refused(spec, &[source.clone(), device_after("tar a", "vgpu-stub")]);
    assert!(text.contains("in the middle of a command\n     3: tar a \\\n     4:   b\n"), "{text}");
    for edit in [device_after("%prep", "vgpu-stub"), device_before("%build", "vgpu-stub")] {
        let edits = [source.clone(), edit];
        satisfied(&edited(SPEC, &edits).spec, &edits);
    }
}

#[test]
fn a_device_needs_its_source() {
    let edit = device_after("tar xzf %{SOURCE2}", "vgpu-stub");
    let problem = refused(SPEC, std::slice::from_ref(&edit));
    assert!(problem.contains("help: put `- add-source: vgpu-stub.c` before"), "{problem}");
    let declared = SPEC.replace("keycodemapdb.tar.gz", "vgpu-stub.c");
    let new = edited(&declared, &[edit]);
    assert!(new.spec.contains("cp -p \"%{SOURCE2}\" hw/misc/vgpu-stub.c\n"), "{}", new.spec);
    assert_eq!(
        new.edits[0].0,
        "insert-after `tar xzf %{SOURCE2}`: device vgpu-stub from Source2 to hw/misc/vgpu-stub.c"
    );
}

#[test]
fn nothing_to_insert_is_refused() {
    assert!(refused(SPEC, &[after("make all", &[])]).contains("is empty"));
    let problem = refused(SPEC, &[device_after("make all", "other")]);
    assert!(problem.contains("`other` is not a device of this pipeline"), "{problem}");
}

#[test]
fn what_no_build_reads_is_neither_changed_nor_taken_for_done() {
    let spec = |open: &str, line: &str| {
        format!(
            "Name: a\nSource1: vgpu-stub.c\n%prep\n%setup\n{open}\n{line}\n%endif\n%build\nmake\n"
        )
    };
    for (open, line) in [
        ("%if 0", "./configure --enable-werror"),
        ("%if  0 ", "./configure --enable-werror"),
        ("%if 1\n%else", "./configure --enable-werror"),
        ("%if 0\n%if %{x}", "./configure --enable-werror\n%endif"),
        ("%if 1", "%dnl ./configure --enable-werror"),
        ("%if 1", "# ./configure --enable-werror"),
    ] {
        let spec = spec(open, line);
        for edit in [
            replace("--enable-werror", "--disable-werror"),
            replace("--disable-werror", "--enable-werror"),
            after("./configure", &["true"]),
            before("./configure", &["true"]),
            device_after("./configure", "vgpu-stub"),
        ] {
            let problem = refused(&spec, &[edit]);
            assert!(problem.contains("is in no line"), "{problem}");
        }
    }
    // What a condition decides is the user's to know: it is told.
    let unsure = spec("%if %{x}", "./configure --enable-werror");
    let label = |edit: Edit| edited(&unsure, &[edit]).edits[0].0.clone();
    for label in [
        label(replace("--enable-werror", "--disable-werror")),
        label(after("./configure", &["true"])),
        label(before("./configure", &["true"])),
    ] {
        assert!(label.ends_with(", within a conditional"), "{label}");
    }
    assert!(!label(after("make", &["true"])).contains("conditional"));
    assert!(!label(replace("make", "make all")).contains("conditional"));
    let problem = refused(&unsure, &[device_after("./configure", "vgpu-stub")]);
    assert!(problem.contains("where a condition decides"), "{problem}");
    for open in ["%if 1", "%if 0\n%else", "%if 0\n%elif 1"] {
        let spec = spec(open, "./configure --enable-werror");
        edited(&spec, &[replace("--enable-werror", "--disable-werror")]);
    }
}

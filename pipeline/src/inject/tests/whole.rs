// SPDX-License-Identifier: GPL-2.0-or-later
//! All edits together, on many specs: once is enough, and nothing else changes.

use super::*;

/// Small, seeded, and the same everywhere: the cases are many, but a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn some(&mut self, lines: &[&str]) -> String {
        let taken: Vec<&str> = lines.iter().copied().filter(|_| self.below(2) == 0).collect();
        taken.iter().flat_map(|line| [line, "\n"]).collect()
    }
}

/// A spec that all edits of [`all`] can be applied to, with whatever else a spec may hold.
fn any_spec(dice: &mut Dice) -> String {
    let noise = [
        "",
        "# tar xzf %{SOURCE2}",
        "%if 0%{?rhel}\nRequires: other\n%endif",
        "%ifarch x86_64\nSource5: five\n%else\nPatch9: nine\n%endif",
        "%define three() %{expand:\nProvides: inner\n%if %1\n}",
        "%define four \\\nProvides: inner \\\n%{nil}",
        "%{?_cov_buildrequires}",
        "Source: unnumbered",
        "Requires(post): /bin/sh",
        "Provides:      outer",
    ];
    let mut spec = dice.some(&["# a comment", "", "%global first 1"]);
    spec += "Name: qemu\n";
    spec += &dice.some(&noise);
    spec += "Source2:  b.tar\nRelease: 1%{?dist}\nPatch1: 0002-second.patch\n";
    spec += &dice.some(&noise);
    spec += "%description\nSource77: is no tag here\n";
    spec += &dice.some(&[
        "%package tools\nSummary: x\nSource8: eight\nProvides: tools",
        "%description tools",
    ]);
    spec += "%prep\n%autosetup -p1\n";
    spec += &dice.some(&["%if 1", "ls \\", "tar xzf a"]);
    spec += "tar xzf %{SOURCE2}\n";
    spec += &dice.some(&["", "cp a b", "%endif"]);
    spec += "%build\nmake --enable-werror\n";
    spec += &dice.some(&["%files", "%changelog\n- tar xzf %%{SOURCE2} --enable-werror"]);
    if dice.below(2) == 0 {
        spec.pop();
    }
    if dice.below(2) == 0 {
        spec = spec.replace('\n', "\r\n");
    }
    spec
}

#[test]
fn any_spec_is_edited_once_and_nowhere_else() {
    let mut dice = Dice(7);
    for _ in 0..400 {
        let spec = any_spec(&mut dice);
        let once = edited(&spec, &all());
        assert_eq!(edited(&once.spec, &all()).spec, once.spec, "{spec}");
        assert!(once.edits.iter().all(|(_, outcome)| *outcome == Outcome::Applied), "{spec}");
        satisfied(&once.spec, &all());

        let breaks = once.spec.matches('\n').count();
        let expected = if spec.contains('\r') { breaks } else { 0 };
        assert_eq!(once.spec.matches("\r\n").count(), expected, "{spec}");
        assert_eq!(spec.ends_with('\n'), once.spec.ends_with('\n'), "{spec}");
        let changes = diff(&spec, &once.spec);
        let gone: Vec<&str> =
            changes.iter().filter_map(|line| line.strip_prefix('-')).map(str::trim_end).collect();
        assert_eq!(
            gone,
            ["Release: 1%{?dist}", "Patch1: 0002-second.patch", "make --enable-werror"],
            "{spec}"
        );
        assert_eq!(changes.len(), 3 + 2 + 2 + 1 + 16 + 1 + 1, "{spec}\n{changes:#?}");
    }
}

#[test]
fn no_edits_change_no_byte() {
    let mut dice = Dice(11);
    for _ in 0..200 {
        let spec = any_spec(&mut dice);
        assert_eq!(edited(&spec, &[]).spec, spec);
    }
    for spec in ["", "\n", "\r\n", "a", "a\r\nb\nc", "\n\n", "%{", "%if\n\\"] {
        assert_eq!(edited(spec, &[]).spec, spec);
    }
}

#[test]
fn no_text_makes_an_edit_panic() {
    let pieces = [
        "%{",
        "}",
        "%(",
        ")",
        "\\",
        "\n",
        "%if",
        "%endif",
        "%prep",
        "%define a",
        "Source",
        ":",
        "1",
        "99999999999",
        "Release: 1",
        "é",
        "\u{2028}",
        "\t",
        "\r",
        "#",
        "%patch",
        "-P",
        "Patch",
        " ",
    ];
    let mut dice = Dice(13);
    for _ in 0..1000 {
        let spec: String = (0..dice.below(30)).map(|_| pieces[dice.below(pieces.len())]).collect();
        for edit_ in
            all().into_iter().chain([drop_patch("1"), replace("\t#", "é"), after("é", &["é"])])
        {
            let edits = [add_source("vgpu-stub.c"), edit_];
            let _ = attempt(&spec, &edits);
            if let Ok(once) = attempt(&spec, &edits[1..]) {
                let again = attempt(&once.spec, &edits[1..]);
                let again = again.unwrap_or_else(|problem| panic!("{spec:?}: {problem:#}"));
                assert_eq!(again.spec, once.spec, "{spec:?}");
            }
        }
    }
}

#[test]
fn edits_are_applied_in_their_order() {
    let edits = [replace("make all", "make some"), replace("make some", "make none")];
    assert!(edited(SPEC, &edits).spec.contains("\nmake none\n"));
    assert!(refused(SPEC, &[edits[1].clone(), edits[0].clone()]).contains("is in no line"));
}

#[test]
fn what_was_done_is_told() {
    let labels: Vec<String> =
        edited(SPEC, &all()).edits.into_iter().map(|(line, _)| line).collect();
    assert_eq!(
        labels,
        [
            "add-source vgpu-stub.c as Source3",
            "insert-after `tar xzf %{SOURCE2}`: device vgpu-stub from Source3 to hw/misc/vgpu-stub.c",
            "replace `--enable-werror` by `--disable-werror`",
            "drop-patch 0002-second.patch, which was Patch1",
            "define pool as `A`",
            "define pools as `%{pool} B`",
            "insert-before `%build`: `# the tree is ready`",
            "release-suffix .vgpu1",
            "provide qemu-device(vgpu-stub) = 1",
        ]
    );
    let json = serde_json::to_value(edited("Release: 1.a\n", &[suffix(".a")]).edits).unwrap();
    assert_eq!(json[0][1], "already-satisfied");
}

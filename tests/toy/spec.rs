// SPDX-License-Identifier: GPL-2.0-or-later
//! The edits of a spec held against the real rpm: after an edit rpm reads exactly the change that was
//! asked for, or the edit was refused. There is no third outcome.

mod specs;
mod workspace;

use crate::support::{campaign, ends_with, program};
use specs::{Dice, any};
use std::fs;
use std::process::Command;
use workspace::{Became, Parsed, Workspace};

/// Counts of what happened, for the log.
#[derive(Default, Debug)]
struct Count {
    applied: usize,
    satisfied: usize,
    refused: usize,
    /// Specs that rpm does not read as they are.
    not_specs: usize,
}

const STUB: &str = "vgpu-stub.c";

/// Names that the specs of our own declare in one way or another, and one that none does.
const DROPPED: &[&str] =
    &["toy-1-gpu.patch", "b.patch", "toy-c.patch", "d.patch", "not-there-at-all.patch"];

/// Judges all edits on a spec; false where it is none to rpm.
fn judge(bench: &Workspace, spec: &str, count: &mut Count) -> bool {
    let Some(before) = bench.parse(spec) else {
        count.not_specs += 1;
        return false;
    };
    // What others wrote may come out otherwise each time, with the clock or the machine in it.
    let ours = spec.contains("Name: toy");
    let mut became = |edit: &str| {
        let became = bench.edit(spec.as_bytes(), edit);
        match &became {
            Became::Applied(_) => count.applied += 1,
            Became::Satisfied => count.satisfied += 1,
            Became::Refused(said) => {
                count.refused += 1;
                assert!(said.contains("help: ") && said.contains(": "), "{said}");
                if !ours {
                    println!("{edit}: {said}");
                }
            }
        }
        became
    };
    match became("add-source: vgpu-stub.c") {
        Became::Applied(new) => added(bench, spec, &before, &new, ours),
        Became::Satisfied => assert!(before.sources.contains(&STUB.to_owned()), "{spec}"),
        Became::Refused(_) => {}
    }
    let mut dropped = DROPPED.to_vec();
    if !ours {
        let patches: Vec<&str> = before.patches.iter().map(String::as_str).collect();
        let some = [patches.first(), patches.get(patches.len() / 2), patches.last()];
        dropped = some.into_iter().flatten().copied().chain(["not-there-at-all.patch"]).collect();
        let plain = |c: char| c.is_ascii_alphanumeric() || "_.+~-".contains(c);
        dropped.retain(|file| file.chars().all(plain));
        dropped.dedup();
    }
    for file in dropped {
        match became(&format!("drop-patch: {file}")) {
            Became::Applied(new) => went(bench, &before, file, &new),
            Became::Satisfied => {
                assert!(!before.patches.iter().any(|one| one == file), "{file}\n{spec}");
            }
            Became::Refused(_) => {}
        }
    }
    match became("release-suffix: .vgpu1") {
        Became::Applied(new) => {
            let after = read(bench, &new);
            assert_eq!(after.release, before.release + ".vgpu1", "{new}");
            assert_eq!((after.sources, after.patches), (before.sources, before.patches), "{new}");
        }
        Became::Satisfied => assert!(before.release.strip_suffix(".vgpu1").is_some(), "{spec}"),
        Became::Refused(_) => {}
    }
    true
}

fn read(bench: &Workspace, new: &str) -> Parsed {
    bench.parse(new).unwrap_or_else(|| panic!("rpm does not read\n{new}"))
}

/// There is one source more, and it is known by the number that was chosen.
fn added(bench: &Workspace, spec: &str, before: &Parsed, new: &str, ours: bool) {
    let number = new.lines().find_map(|line| {
        let (head, file) = line.split_once(':')?;
        let digits = head.trim_start_matches(|c: char| c.is_alphabetic());
        (file.trim() == STUB && !spec.contains(line)).then(|| digits.parse::<u32>().unwrap())
    });
    let number = number.filter(|_| !spec.contains("%clean"));
    let asked = number.map_or_else(String::new, |n| format!("\n%clean\necho @%{{SOURCE{n}}}@\n"));
    let after = read(bench, &(new.to_owned() + &asked));
    let mut sources = before.sources.clone();
    sources.push(STUB.to_owned());
    sources.sort();
    assert_eq!(after.sources, sources, "{new}");
    assert_eq!((&after.release, &after.patches), (&before.release, &before.patches), "{new}");
    if ours {
        assert_eq!(after.prep, before.prep, "{new}");
    }
    if number.is_some() {
        assert!(after.whole.contains(&format!("@/sources/{STUB}@")), "{new}\n{}", after.whole);
    }
}

/// The patch is declared no more, nothing of %prep names it, and all others are used as before.
fn went(bench: &Workspace, before: &Parsed, file: &str, new: &str) {
    let after = read(bench, new);
    let mut patches = before.patches.clone();
    // A patch in a branch that is not taken is gone too, and rpm does not see it.
    patches.retain(|patch| patch != file);
    assert_eq!(after.patches, patches, "{file}\n{new}");
    assert_eq!((&after.sources, &after.release), (&before.sources, &before.release), "{new}");
    let named = |prep: &[String], patch: &str| {
        prep.iter().filter(|line| line.contains(&format!("/{patch}"))).count()
    };
    assert_eq!(named(&after.prep, file), 0, "{file}\n{new}\n{}", after.whole);
    for patch in &patches {
        let (was, is) = (named(&before.prep, patch), named(&after.prep, patch));
        assert_eq!(was, is, "{patch} without {file}\n{new}\n{}", after.whole);
    }
}

/// `SPECS=2000 SEED=7` makes it more and others, and `SPEC_FOLDER` names real ones besides.
#[test]
fn rpm_reads_what_was_asked_for_or_it_was_refused() {
    let (specs, seed) = (campaign::number("SPECS", 40), campaign::number("SEED", 1));
    let bench = Workspace::new();
    let mut count = Count::default();
    let mut dice = Dice(seed);
    for _ in 0..specs {
        while !judge(&bench, &any(&mut dice), &mut count) {}
    }
    println!("{specs} specs from seed {seed}: {count:?}");
    let mut real = Count::default();
    for file in std::env::var("SPEC_FOLDER").iter().flat_map(|folder| fs::read_dir(folder).unwrap())
    {
        let path = file.unwrap().path();
        let Ok(spec) = fs::read_to_string(&path) else { continue };
        let refused = real.refused;
        let read = judge(&bench, &spec, &mut real);
        println!("{}: read {read}, refused {}", path.display(), real.refused - refused);
    }
    println!("real ones: {real:?}");
    assert!(count.applied >= usize::try_from(specs).unwrap(), "{count:?}");
}

/// A tree of one file, and patches that change it.
fn tree(bench: &Workspace) {
    let script = "mkdir -p toy-1 && printf 'one\\n' > toy-1/one && tar cf a.tar toy-1 && \
        for p in b toy-1-gpu; do printf -- '--- /dev/null\\n+++ b/%s\\n@@ -0,0 +1 @@\\n+%s\\n' $p $p > $p.patch; done";
    ends_with(0, Command::new("sh").args(["-ec", script]).current_dir(bench.0.path()));
}

#[test]
fn a_dropped_patch_is_not_in_the_tree_that_rpmbuild_prepares() {
    let bench = Workspace::new();
    tree(&bench);
    let head = "Name: toy\nVersion: 1\nRelease: 1\nSummary: a\nLicense: b\nSource0: a.tar\n\
                Patch1: %{name}-%{version}-gpu.patch\nPatch2: b.patch\n%description\na\n%prep\n";
    let mut prepared = 0;
    for prep in [
        "%autosetup -p1",
        "%setup -q\n%patch1 -p1\n%patch2 -p1",
        "%setup -q\n%autopatch -p1",
        "%setup -q\nfor p in %{patches}; do patch -p1 < $p; done",
        "%setup -q\nif true; then\n%patch1 -p1\nfi\n%patch -P 2 -p1",
        "%setup -q\n%autopatch -p1 1 2",
        "%setup -q\npatch -p1 < %{_sourcedir}/toy-1-gpu.patch\n%patch2 -p1",
        "%setup -q\nfor p in %{_sourcedir}/*.patch; do patch -p1 < $p; done",
    ] {
        let spec = format!("{head}{prep}\n%build\n");
        let Became::Applied(new) = bench.edit(spec.as_bytes(), "drop-patch: toy-1-gpu.patch")
        else {
            continue;
        };
        fs::write(bench.path("new.spec"), &new).unwrap();
        let mut rpmbuild = Command::new("rpmbuild");
        let folder = bench.0.path().display();
        for define in [format!("_sourcedir {folder}"), format!("_builddir {folder}/build")] {
            rpmbuild.args(["--define", &define]);
        }
        fs::create_dir_all(bench.path("build")).unwrap();
        ends_with(0, rpmbuild.arg("-bp").arg(bench.path("new.spec")));
        assert!(bench.path("build/toy-1/b").exists(), "{prep}");
        assert!(!bench.path("build/toy-1/toy-1-gpu").exists(), "{prep}");
        prepared += 1;
    }
    assert_eq!(prepared, 5);
}

#[test]
fn a_spec_in_latin_1_is_planned_and_its_bytes_are_shown_escaped() {
    let bench = Workspace::new();
    let spec = b"Name: toy\nSource0: a.tar\nRelease: 1%{?dist}\n# Ren\xe9\n%prep\n%changelog\n* Mon Jan 05 2026 Ren\xe9 <a@b>\n- x";
    let Became::Applied(_) = bench.edit(spec, "add-source: vgpu-stub.c") else { panic!() };
    let plan = ends_with(0, program().arg("plan").arg(bench.path("p.yaml")).arg("--diff"));
    let text = String::from_utf8(plan.stdout).unwrap();
    assert!(text.contains("+Source1: vgpu-stub.c") && text.contains(" # Ren\\xE9\n"), "{text}");
    for (spec, named) in [
        (
            &b"\xef\xbb\xbfName: toy\nSource0: a.tar\n%prep\n"[..],
            "line 1 begins with a byte order mark",
        ),
        (b"Name: toy\n\0\nSource0: a.tar\n%prep\n", "line 2 of it has a NUL byte"),
    ] {
        match bench.edit(spec, "add-source: vgpu-stub.c") {
            Became::Refused(said) => assert!(said.contains(named), "{said}"),
            _ => panic!("not refused"),
        }
    }
}

//! The edits of a spec held against the real rpm: after an edit rpm reads exactly the change that was
//! asked for, or the edit was refused. There is no third outcome.

mod specs;

use crate::support::{self, ends_with, environment, program, root, scratch};
use specs::{Dice, any};
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

/// What rpm is told besides the spec.
const DIST: &str = ".xcpng8.3";

/// A folder with a pipeline whose spec is written anew for each case.
struct Bench(TempDir);

/// What became of an edit.
enum Became {
    Applied(String),
    Satisfied,
    Refused(String),
}

/// What rpm reads in a spec.
#[derive(Debug, PartialEq, Eq, Clone)]
struct Parsed {
    release: String,
    sources: Vec<String>,
    patches: Vec<String>,
    /// The expanded commands of %prep.
    prep: Vec<String>,
    whole: String,
}

impl Bench {
    fn new() -> Self {
        let folder = scratch();
        fs::copy(root().join("device/vgpu-stub.c"), folder.path().join("vgpu-stub.c")).unwrap();
        fs::write(folder.path().join("a.tar"), "").unwrap();
        let containerfile = root().join("containers/debian-12.Containerfile");
        fs::copy(containerfile, folder.path().join("Containerfile")).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn edit(&self, spec: &[u8], edit: &str) -> Became {
        let toy = fs::read_to_string(root().join("tests/fixtures/toy.yaml")).unwrap();
        let edits = toy.find("    - add-source").unwrap()..toy.find("build:").unwrap();
        let sources = toy.find("  - path:").unwrap()..toy.find("environment:").unwrap();
        let mut text = toy.clone();
        text.replace_range(edits, &format!("    - {edit}\n\n"));
        let sha256 = support::sha256(&self.path("a.tar"));
        let source = format!("  - path:\n      file: a.tar\n      sha256: {sha256}\n\n");
        text.replace_range(sources, &source);
        let text = text.replace("@NAME@", "spec").replace("@ENVIRONMENT@", &environment());
        fs::write(self.path("p.yaml"), text).unwrap();
        fs::write(self.path("qemu.spec"), spec).unwrap();
        let mut plan = program();
        let output = plan.arg("plan").arg(self.path("p.yaml")).args(["--diff", "--json"]).output();
        let output = output.unwrap();
        if output.status.code() == Some(2) {
            return Became::Refused(String::from_utf8(output.stderr).unwrap());
        }
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let plan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        if plan["edits"][0]["outcome"] == "already-satisfied" {
            assert_eq!(plan["diff"], "");
            return Became::Satisfied;
        }
        let spec = String::from_utf8_lossy(spec).into_owned();
        Became::Applied(patched(&spec, plan["diff"].as_str().unwrap()))
    }

    /// What rpm makes of it; nothing where rpm itself refuses it.
    fn parse(&self, spec: &str) -> Option<Parsed> {
        let path = self.path("parsed.spec");
        fs::write(&path, spec).unwrap();
        let ask = |arguments: &[&str]| {
            let dist = format!("dist {DIST}");
            let mut rpmspec = Command::new("rpmspec");
            rpmspec.args(["--define", &dist, "--define", "_sourcedir /sources"]);
            let output = rpmspec.args(arguments).arg(&path).output().unwrap();
            let said = String::from_utf8(output.stdout).unwrap();
            // Asked only to read it, rpm goes on behind some errors.
            let errors = String::from_utf8(output.stderr).unwrap();
            (output.status.success() && !errors.contains("error: ")).then_some(said)
        };
        let format = "R %{RELEASE}\n[S %{SOURCE}\n][P %{PATCH}\n]";
        let said = ask(&["-q", "--srpm", "--qf", format])?;
        let whole = ask(&["-P"])?;
        let all = |kind: &str| -> Vec<String> {
            let mut all: Vec<String> = said
                .lines()
                .filter_map(|line| line.strip_prefix(kind))
                .map(str::to_owned)
                .collect();
            all.retain(|name| name != "(none)");
            all.sort();
            all
        };
        let prep = whole.split("%prep").nth(1).unwrap_or_default();
        let prep = prep.split("echo ready").next().unwrap_or_default();
        let prep =
            prep.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let prep = prep.map(str::to_owned).collect();
        Some(Parsed {
            release: all("R ").concat(),
            sources: all("S "),
            patches: all("P "),
            prep,
            whole,
        })
    }
}

/// Applies a unified diff to what it was made of.
fn patched(old: &str, diff: &str) -> String {
    let old: Vec<&str> = old.split_inclusive('\n').collect();
    let (mut new, mut at) = (String::new(), 0);
    for line in diff.lines().filter(|line| !line.starts_with("---") && !line.starts_with("+++")) {
        if let Some(hunk) = line.strip_prefix("@@ -") {
            let numbers = hunk.split([' ', ',']).next().unwrap();
            let start = numbers.parse::<usize>().unwrap() - 1;
            new.extend(old[at..start].iter().copied());
            at = start;
        } else if let Some(added) = line.strip_prefix('+') {
            writeln!(new, "{added}").unwrap();
        } else {
            if !line.starts_with('-') {
                new.push_str(old[at]);
            }
            at += 1;
        }
    }
    new.extend(old[at..].iter().copied());
    new
}

/// Counts of what happened, for the log.
#[derive(Default, Debug)]
struct Count {
    applied: usize,
    satisfied: usize,
    refused: usize,
    /// Specs that rpm does not read as they are.
    not_specs: usize,
}

/// Judges all edits on a spec; false where it is none to rpm.
fn judge(bench: &Bench, spec: &str, count: &mut Count) -> bool {
    let Some(before) = bench.parse(spec) else {
        count.not_specs += 1;
        return false;
    };
    let mut became = |edit: &str| {
        let became = bench.edit(spec.as_bytes(), edit);
        match &became {
            Became::Applied(_) => count.applied += 1,
            Became::Satisfied => count.satisfied += 1,
            Became::Refused(said) => {
                count.refused += 1;
                assert!(said.contains("help: ") && said.contains(": "), "{said}");
            }
        }
        became
    };
    let name = "vgpu-stub.c";
    match became("add-source: vgpu-stub.c") {
        Became::Applied(new) => {
            let number = new.lines().find_map(|line| {
                let (head, file) = line.split_once(':')?;
                let digits = head.trim_start_matches(|c: char| c.is_alphabetic());
                (file.trim() == name && !spec.contains(line))
                    .then(|| digits.parse::<u32>().unwrap())
            });
            let asked =
                number.map_or_else(String::new, |n| format!("%check\necho @%{{SOURCE{n}}}@\n"));
            let after = bench.parse(&(new.clone() + &asked));
            let after = after.unwrap_or_else(|| panic!("rpm does not read\n{new}"));
            let mut sources = before.sources.clone();
            sources.push(name.to_owned());
            sources.sort();
            assert_eq!(after.sources, sources, "{new}");
            let (release, patches, prep) = (&after.release, &after.patches, &after.prep);
            assert_eq!(
                (release, patches, prep),
                (&before.release, &before.patches, &before.prep),
                "{new}"
            );
            if number.is_some() {
                assert!(
                    after.whole.contains(&format!("@/sources/{name}@")),
                    "{new}\n{}",
                    after.whole
                );
            }
        }
        Became::Satisfied => assert!(before.sources.contains(&name.to_owned()), "{spec}"),
        Became::Refused(_) => {}
    }
    for file in ["toy-1-gpu.patch", "b.patch", "toy-c.patch", "d.patch", "not-there-at-all.patch"] {
        let declared = before.patches.iter().any(|patch| patch == file);
        match became(&format!("drop-patch: {file}")) {
            Became::Applied(new) => {
                let after = bench.parse(&new);
                let after = after.unwrap_or_else(|| {
                    panic!("rpm does not read without {file}\n{spec}\n→\n{new}")
                });
                let mut patches = before.patches.clone();
                // A patch in a branch that is not taken is gone too, and rpm does not see it.
                patches.retain(|patch| patch != file);
                assert_eq!(after.patches, patches, "{file}\n{spec}\n→\n{new}");
                assert_eq!(after.sources, before.sources, "{new}");
                assert_eq!(after.release, before.release, "{new}");
                let named = |prep: &[String], patch: &str| {
                    prep.iter().filter(|line| line.contains(&format!("/{patch}"))).count()
                };
                assert_eq!(
                    named(&after.prep, file),
                    0,
                    "{file}\n{spec}\n→\n{new}\n{}",
                    after.whole
                );
                for patch in &patches {
                    let (was, is) = (named(&before.prep, patch), named(&after.prep, patch));
                    assert_eq!(
                        was, is,
                        "{patch} without {file}\n{spec}\n→\n{new}\n{}",
                        after.whole
                    );
                }
            }
            Became::Satisfied => assert!(!declared, "{file} is satisfied\n{spec}"),
            Became::Refused(_) => {}
        }
    }
    match became("release-suffix: .vgpu1") {
        Became::Applied(new) => {
            let after = bench.parse(&new).unwrap_or_else(|| panic!("rpm does not read\n{new}"));
            assert_eq!(after.release, format!("{}.vgpu1", before.release), "{new}");
            assert_eq!((after.sources, after.patches), (before.sources, before.patches), "{new}");
        }
        Became::Satisfied => assert!(before.release.ends_with(".vgpu1"), "{spec}"),
        Became::Refused(_) => {}
    }
    true
}

/// `SPECS=2000 SEED=7` makes it more and others.
#[test]
fn rpm_reads_what_was_asked_for_or_it_was_refused() {
    let number = |name: &str, usual: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
    };
    let (specs, seed) = (number("SPECS", 40), number("SEED", 1));
    let bench = Bench::new();
    let mut count = Count::default();
    let mut dice = Dice(seed);
    for _ in 0..specs {
        while !judge(&bench, &any(&mut dice), &mut count) {}
    }
    println!("{specs} specs from seed {seed}: {count:?}");
    assert!(count.applied > usize::try_from(specs).unwrap(), "{count:?}");
}

/// A tree of one file, and patches that change it.
fn tree(bench: &Bench) {
    let script = "mkdir -p toy-1 && printf 'one\\n' > toy-1/one && tar cf a.tar toy-1 && \
        for p in b toy-1-gpu; do printf -- '--- /dev/null\\n+++ b/%s\\n@@ -0,0 +1 @@\\n+%s\\n' $p $p > $p.patch; done";
    ends_with(0, Command::new("sh").args(["-ec", script]).current_dir(bench.0.path()));
}

#[test]
fn a_dropped_patch_is_not_in_the_tree_that_rpmbuild_prepares() {
    let bench = Bench::new();
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
    let bench = Bench::new();
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
        (b"Name: toy\n\0\nSource0: a.tar\n%prep\n", "line 2 holds a NUL byte"),
    ] {
        match bench.edit(spec, "add-source: vgpu-stub.c") {
            Became::Refused(said) => assert!(said.contains(named), "{said}"),
            _ => panic!("not refused"),
        }
    }
}

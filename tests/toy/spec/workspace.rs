// SPDX-License-Identifier: GPL-2.0-or-later
//! A pipeline whose spec is written anew for each case, and what the real rpm reads in a spec.

use crate::support::{self, environment, program, root, scratch};
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

/// What rpm is told besides the spec.
const DIST: &str = ".xcpng8.3";

/// A folder with a pipeline whose spec is written anew for each case.
pub struct Workspace(pub TempDir);

/// What became of an edit.
pub enum Became {
    Applied(String),
    Satisfied,
    Refused(String),
}

/// What rpm reads in a spec.
#[derive(Debug, PartialEq, Eq, Clone)]
pub struct Parsed {
    pub release: String,
    pub sources: Vec<String>,
    pub patches: Vec<String>,
    /// The expanded commands of %prep.
    pub prep: Vec<String>,
    pub whole: String,
}

impl Workspace {
    pub fn new() -> Self {
        let folder = scratch();
        fs::copy(root().join("device/vgpu-stub.c"), folder.path().join("vgpu-stub.c")).unwrap();
        fs::write(folder.path().join("a.tar"), "").unwrap();
        let containerfile = root().join("containers/debian-12.Containerfile");
        fs::copy(containerfile, folder.path().join("Containerfile")).unwrap();
        Self(folder)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn edit(&self, spec: &[u8], edit: &str) -> Became {
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
    pub fn parse(&self, spec: &str) -> Option<Parsed> {
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
        let asked = |line: &&str| line.starts_with("echo @") || *line == "%clean";
        let prep = prep.lines().map(str::trim);
        let prep = prep.filter(|line| !line.is_empty() && !line.starts_with('#') && !asked(line));
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

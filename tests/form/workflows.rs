// SPDX-License-Identifier: GPL-2.0-or-later
//! The workflows by zizmor's strictest judgement, its auditor. It comes from `PyPI`, at a version of
//! its own, into a folder under target/; where `PyPI` is out of reach, that is said and counted.

use crate::support::{root, scratch, venv};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Raised by hand: a newer one may find more, and that is no reason for a change to be refused.
const ZIZMOR: &str = "zizmor==1.32.0";

/// The program, or `None` where it cannot be had.
fn zizmor() -> Option<PathBuf> {
    Some(venv::python(&[ZIZMOR])?.with_file_name("zizmor"))
}

fn judged(program: &Path, folder: &Path) -> Output {
    let mut zizmor = Command::new(program);
    zizmor.args(["--offline", "--no-progress", "--persona", "auditor"]);
    zizmor.arg(folder).output().unwrap()
}

#[test]
fn the_workflows_are_as_zizmors_auditor_wants_them() {
    let Some(program) = zizmor() else {
        crate::support::skip::skipped!(
            "{ZIZMOR} cannot be had from PyPI here: the workflows were not judged"
        );
        return;
    };
    let output = judged(&program, &root().join(".github/workflows"));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

/// What it would say of each thing that was fixed, so that a green word is one.
#[test]
fn zizmor_finds_what_was_mended() {
    let Some(program) = zizmor() else {
        crate::support::skip::skipped!("{ZIZMOR} cannot be had from PyPI here: it was not tried");
        return;
    };
    let text = fs::read_to_string(root().join(".github/workflows/release.yml")).unwrap();
    let digest = text.find("@sha256:").unwrap();
    let unpinned = text.replacen(&text[digest..digest + "@sha256:".len() + 64], "", 1);
    for (text, audit) in [
        (unpinned, "unpinned-images"),
        (text.replacen(" # makes the release of the tag", "", 1), "undocumented-permissions"),
        (text.replacen("    name: Upload to the release\n", "", 1), "anonymous-definition"),
        (text.replacen("persist-credentials: false", "fetch-depth: 1", 1), "artipacked"),
        (text.replacen("permissions: {}", "permissions: write-all", 1), "excessive-permissions"),
        (text.replacen("$GITHUB_REF_NAME", "${{ github.ref_name }}", 1), "template-injection"),
    ] {
        let folder = scratch();
        fs::create_dir_all(folder.path().join(".github/workflows")).unwrap();
        fs::write(folder.path().join(".github/workflows/w.yml"), text).unwrap();
        let output = judged(&program, &folder.path().join(".github/workflows"));
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success() && said.contains(audit), "{audit}: {said}");
    }
}

/// Whatever a job runs on or uses, in any workflow, is named by what it is and not by what it is called.
#[test]
fn every_image_and_action_is_pinned_by_a_digest() {
    for entry in fs::read_dir(root().join(".github/workflows")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        for line in text.lines().map(|line| line.trim().trim_start_matches("- ")) {
            let value = ["image: ", "uses: "].iter().find_map(|key| line.strip_prefix(key));
            let Some(value) = value else { continue };
            let pin = value.split_whitespace().next().unwrap().rsplit('@').next().unwrap();
            let hex = pin.strip_prefix("sha256:").unwrap_or(pin);
            let hash = [40, 64].contains(&hex.len()) && hex.bytes().all(|b| b.is_ascii_hexdigit());
            assert!(hash, "{}: {line}", path.display());
        }
    }
}

/// The script of a step, as the runner gets it.
fn script(workflow: &str, job: &str, step: &str) -> String {
    let text = fs::read_to_string(root().join(".github/workflows").join(workflow)).unwrap();
    let workflow: serde_json::Value = serde_yaml::from_str(&text).unwrap();
    let steps = workflow["jobs"][job]["steps"].as_array().unwrap();
    let step = steps.iter().find(|it| it["name"] == step).unwrap();
    step["run"].as_str().unwrap().to_owned()
}

/// Runs a step's script in a folder, with programs that stand in for others before all in PATH.
fn runs(script: &str, folder: &Path, variables: &[(&str, &str)]) -> Output {
    let path = format!("{}:{}", folder.join("bin").display(), std::env::var("PATH").unwrap());
    let mut bash = Command::new("bash");
    bash.current_dir(folder).args(["-eo", "pipefail", "-c", script]).env("PATH", path);
    bash.envs(variables.iter().copied()).output().unwrap()
}

fn stand_in(folder: &Path, name: &str, script: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, format!("#!/bin/sh\n{script}")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// `bump` of each pipeline: what moved is carried on, what was refused is in the report.
#[test]
fn the_bump_takes_what_moved_and_says_what_did_not() {
    let folder = scratch();
    let path = |name: &str| folder.path().join(name);
    for name in ["a", "b", "c", "d"] {
        fs::create_dir_all(path("pipeline")).unwrap();
        fs::write(path(&format!("pipeline/{name}.yaml")), "before\n").unwrap();
    }
    fs::write(path("pipeline/b.lock"), "before\n").unwrap();
    // a: both files, one of them new; b: its lock; c: refused; d: nothing.
    stand_in(
        folder.path(),
        "target/release/vgpu-pipeline",
        "echo \"$@\"\ncase $2 in\n*/a.yaml) echo moved | tee $2 > pipeline/a.lock ;;\n\
         */b.yaml) echo moved > pipeline/b.lock ;;\n*/c.yaml) echo why >&2; exit 1 ;;\nesac\n",
    );
    let summary = path("summary");
    let script = script("bump.yml", "move", "Move");
    let ran = runs(&script, folder.path(), &[("GITHUB_STEP_SUMMARY", summary.to_str().unwrap())]);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    // What a vendor wrote could be a command for whoever reads the log.
    assert!(ran.stdout.is_empty(), "{}", String::from_utf8_lossy(&ran.stdout));
    let mut changed: Vec<String> = fs::read_dir(path("moved/changed/pipeline"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    changed.sort();
    assert_eq!(changed, ["a.lock", "a.yaml", "b.lock"]);
    assert_eq!(fs::read_to_string(path("failed")).unwrap(), "pipeline/c.yaml\n");
    let report = fs::read_to_string(path("moved/report.md")).unwrap();
    assert!(
        report.contains("## pipeline/c.yaml\n```\nbump pipeline/c.yaml\nwhy\n```\n"),
        "{report}"
    );
}

/// One request of one commit, and none where the open one has the same. What stands in for `gh` writes down
/// what it is asked.
#[test]
fn the_bump_proposes_one_commit_and_the_same_one_once() {
    let folder = scratch();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("moved/changed/pipeline")).unwrap();
    fs::write(path("moved/changed/pipeline/a.yaml"), "it's \"new\"\n").unwrap();
    fs::write(path("moved/changed/pipeline/a.lock"), "lock\n").unwrap();
    fs::write(path("moved/report.md"), format!("{}\n", "é".repeat(1000)).repeat(1000)).unwrap();
    stand_in(
        folder.path(),
        "bin/gh",
        "echo \"$@\" >> \"$ASKED\"\ncase \"$*\" in\n\
         *commits/bump*) echo \"$TIP\" ;;\n*git/trees*) cat >> \"$ASKED\"; echo TREE ;;\n\
         *git/commits*) cat >> \"$ASKED\"; echo COMMIT ;;\n*PATCH*) test -n \"$OPEN\" ;;\n\
         *'pr list'*) echo \"$OPEN\" ;;\nesac\n",
    );
    let proposes = |open: &str, tip: &str| {
        let _ = fs::remove_file(path("asked"));
        let script = script("bump.yml", "propose", "Propose");
        let asked = path("asked");
        let variables = [
            ("ASKED", asked.to_str().unwrap()),
            ("OPEN", open),
            ("TIP", tip),
            ("BASE", "BASE"),
            ("GH_REPO", "o/r"),
        ];
        let ran = runs(&script, folder.path(), &variables);
        (ran.status.success(), fs::read_to_string(asked).unwrap())
    };
    let asked = |open: &str, tip: &str| {
        let (well, asked) = proposes(open, tip);
        assert!(well, "{asked}");
        asked
    };
    let tip = |message: &str, tree: &str| {
        format!("{{\"commit\": {{\"message\": \"{message}\", \"tree\": {{\"sha\": \"{tree}\"}}}}}}")
    };
    let title = "bump: what moved upstream";
    let first = asked("", "{}");
    for piece in [
        r#""base_tree": "BASE""#,
        r#""path": "pipeline/a.yaml""#,
        r#""content": "it's \"new\"\n""#,
        r#""tree": "TREE""#,
        "api --method PATCH repos/o/r/git/refs/heads/bump -f sha=COMMIT -F force=true\n",
        "api repos/o/r/git/refs -f ref=refs/heads/bump -f sha=COMMIT\n",
        "pr create --head bump --title bump: what moved upstream --body-file body.md\n",
    ] {
        assert!(first.contains(piece), "{piece}\n{first}");
    }
    assert_eq!(fs::read_to_string(path("moved/body.md")).unwrap().chars().count(), 60001);
    // The branch and its request are there, with another content; then with the same.
    let second = asked("7", &tip(title, "OTHER"));
    assert!(second.contains("force=true\npr edit 7 --body-file body.md\n"), "{second}");
    let third = asked("7", &tip(title, "TREE"));
    assert!(!third.contains("git/commits") && !third.contains("PATCH"), "{third}");
    assert!(third.ends_with("pr edit 7 --body-file body.md\n"), "{third}");
    // A person's commit on it.
    let (well, asked_then) = proposes("7", &tip("mend it", "OTHER"));
    assert!(
        !well && !asked_then.contains("git/") && !asked_then.contains("pr edit"),
        "{asked_then}"
    );
    // Nothing is left.
    fs::remove_dir_all(path("moved/changed")).unwrap();
    assert!(asked("7", &tip(title, "TREE")).contains("pr close 7"));
    assert!(!asked("", "{}").contains("git/trees"));
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The workflows by zizmor's strictest judgement, its auditor. It comes from `PyPI`, at a version of
//! its own, into a folder under target/; where `PyPI` is out of reach, that is said and counted.

use crate::support::{kept, root};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// Raised by hand: a newer one may find more, and that is no reason for a change to be refused.
const ZIZMOR: &str = "zizmor==1.32.0";

/// The program, or `None` where it cannot be had.
fn zizmor() -> Option<&'static Path> {
    static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
    PROGRAM.get_or_init(install).as_deref()
}

fn install() -> Option<PathBuf> {
    let folder = kept(&format!("venv-{}", ZIZMOR.replace("==", "-")));
    let program = folder.join("bin/zizmor");
    if program.exists() {
        return Some(program);
    }
    let made = Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder).output();
    let made = made.unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));
    let mut pip = Command::new(folder.join("bin/pip"));
    let output = pip.args(["install", "--quiet", "--disable-pip-version-check", ZIZMOR]).output();
    output.unwrap().status.success().then_some(program)
}

fn judged(program: &Path, folder: &Path) -> Output {
    let mut zizmor = Command::new(program);
    zizmor.args(["--offline", "--no-progress", "--persona", "auditor"]);
    zizmor.arg(folder).output().unwrap()
}

#[test]
fn the_workflows_are_as_zizmors_auditor_wants_them() {
    let Some(program) = zizmor() else {
        println!("SKIPPED: {ZIZMOR} cannot be had from PyPI here: the workflows were not judged");
        return;
    };
    let output = judged(program, &root().join(".github/workflows"));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

/// What it would say of each thing that was fixed, so that a green word is one.
#[test]
fn zizmor_finds_what_was_mended() {
    let Some(program) = zizmor() else {
        println!("SKIPPED: {ZIZMOR} cannot be had from PyPI here: it was not tried");
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
        let folder = crate::support::scratch();
        fs::create_dir_all(folder.path().join(".github/workflows")).unwrap();
        fs::write(folder.path().join(".github/workflows/w.yml"), text).unwrap();
        let output = judged(program, &folder.path().join(".github/workflows"));
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

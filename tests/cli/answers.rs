// SPDX-License-Identifier: GPL-2.0-or-later
//! What commands say when all is well, word for word.

use crate::support::{ends_with, program, read_events, root, scratch, stable};
use insta::assert_snapshot;
use std::fmt::Write;
use std::fs;
use std::process::Command;
use vgpu_pipeline::{Event, Failure, FailureKind};

/// What a command that succeeds says, to programs and then to people.
fn said(command: &mut Command) -> String {
    let output = ends_with(0, command);
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    format!("{out}---\n{}", stable(&err)).replace(&*root().display().to_string(), "PROJECT")
}

#[test]
fn check_names_the_pipeline_that_is_good() {
    let file = "pipeline/workstation.yaml";
    assert_snapshot!(said(program().args(["check", file])), @"
    ---
    pipeline `workstation` is good
    ");
    let store = scratch();
    let mut unfetched = program();
    unfetched.args(["check", "pipeline/xcp-ng-8.3.yaml", "--store"]).arg(store.path());
    assert_snapshot!(said(&mut unfetched), @"
    ---
    the spec is in a git source that was not fetched yet: its edits are not checked
    the environment has no lock `pipeline/xcp-ng-8.3.lock`
    help: `vgpu-pipeline lock pipeline/xcp-ng-8.3.yaml --store FOLDER` resolves it where there is a network
    pipeline `xcp-ng-8.3` is good
    ");
}

#[test]
fn plan_says_of_each_stage_what_it_would_do() {
    let store = scratch();
    let mut plan = program();
    plan.args(["plan", "pipeline/xcp-ng-8.3.yaml", "--store"]).arg(store.path());
    assert_snapshot!(stable(&said(&mut plan)), @"
    pipeline `xcp-ng-8.3`
      source       run     KEY  not in the store
      environment  run                       the environment has no lock `pipeline/xcp-ng-8.3.lock`
      inject       run     KEY  not in the store
      stock        run                       its key follows from what runs before it
      build        run                       its key follows from what runs before it
      dom0         run                       its key follows from what runs before it
      verify       run                       its key follows from what runs before it
      sign         run                       its key follows from what runs before it
      publish      run                       its key follows from what runs before it
    the spec comes with the stage `source`, which has not run yet
    ---
    ");
}

#[test]
fn a_key_is_made_and_shown() {
    let folder = scratch();
    let file = folder.path().join("key.asc");
    assert_snapshot!(stable(&said(program().args(["key", "new"]).arg(&file))), @"
    FINGERPRINT
    ---
    wrote the secret key to FOLDER/key.asc
    ");
    let shown = said(program().args(["key", "show"]).arg(&file));
    // All but the base64.
    let around: Vec<&str> =
        shown.lines().filter(|line| line.starts_with("---") || line.contains(' ')).collect();
    assert_snapshot!(stable(&around.join("\n")), @"
    -----BEGIN PGP PUBLIC KEY BLOCK-----
    -----END PGP PUBLIC KEY BLOCK-----
    ---
    FINGERPRINT vgpu-pipeline <signing@localhost>
    ");
}

#[test]
fn the_schema_is_the_one_that_editors_read() {
    let schema = fs::read_to_string(root().join("pipeline/schema.json")).unwrap();
    assert_eq!(said(program().arg("schema")), format!("{schema}---\n"));
}

#[test]
fn completions_know_every_command() {
    let completions = said(program().args(["completions", "bash"]));
    for command in ["check", "plan", "run", "lock", "shell", "verify", "key", "schema"] {
        assert!(completions.contains(&format!("vgpu__pipeline,{command})")), "{command}");
    }
}

/// The last event of a command that is refused.
fn failure(command: &mut Command) -> Failure {
    match read_events(&ends_with(2, command.arg("--json"))).pop() {
        Some(Event::Failed(failure)) => failure,
        other => panic!("the last event is no failure: {other:#?}"),
    }
}

#[test]
fn programs_get_the_mistakes_of_a_file_one_by_one() {
    let folder = scratch();
    let file = folder.path().join("p.yaml");
    fs::write(&file, "version: 1\nname: [a]\nsource: []\n").unwrap();
    let failure = failure(program().arg("run").arg(&file));
    assert_eq!(failure.kind, FailureKind::Usage);
    let mut text = format!("{}\n", failure.reason);
    for it in &failure.mistakes {
        writeln!(text, "{}:{}: {}", it.line, it.column, it.message).unwrap();
    }
    assert_snapshot!(stable(&text), @"
    FOLDER/p.yaml:1:1: the keys `environment`, `device`, `spec`, `verify` are missing, and 2 more
    help: `vgpu-pipeline schema` describes them
    1:1: the keys `environment`, `device`, `spec`, `verify` are missing
    2:7: name: this is a list, and one value is wanted
    3:9: source: this list is empty
    ");
}

#[test]
fn programs_are_told_of_a_wrong_use_too() {
    let failure = failure(program().args(["run", "--engine", "docke"]));
    assert_snapshot!(failure.reason, @"invalid value 'docke' for '--engine <ENGINE>'");
}

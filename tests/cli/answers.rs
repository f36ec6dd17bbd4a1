// SPDX-License-Identifier: GPL-2.0-or-later
//! What commands say when all is well, word for word.

use crate::support::{ends_with, program, root, scratch, stable};
use insta::assert_snapshot;
use std::fs;
use std::process::Command;

/// What a command that succeeds says, to programs and then to people.
fn said(command: &mut Command) -> String {
    let output = ends_with(0, command);
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    format!("{out}---\n{}", stable(&err)).replace(&*root().display().to_string(), "PROJECT")
}

#[test]
fn check_names_the_pipeline_that_is_good() {
    let file = "pipeline/workstation.yaml";
    assert_snapshot!(said(program().args(["check", file])), @"");
    let store = scratch();
    let mut unfetched = program();
    unfetched.args(["check", "pipeline/xcp-ng-8.3.yaml", "--store"]).arg(store.path());
    assert_snapshot!(said(&mut unfetched), @"");
}

#[test]
fn plan_says_of_each_stage_what_it_would_do() {
    let store = scratch();
    let mut plan = program();
    plan.args(["plan", "pipeline/xcp-ng-8.3.yaml", "--store"]).arg(store.path());
    assert_snapshot!(stable(&said(&mut plan)), @"");
}

#[test]
fn a_key_is_made_and_shown() {
    let folder = scratch();
    let file = folder.path().join("key.asc");
    assert_snapshot!(stable(&said(program().args(["key", "new"]).arg(&file))), @"");
    let shown = said(program().args(["key", "show"]).arg(&file));
    let armor = |line: &&str| !line.starts_with("-----") && line.len() > 60;
    let around: Vec<&str> = shown.lines().filter(|line| !armor(line)).collect();
    assert_snapshot!(stable(&around.join("\n")), @"");
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

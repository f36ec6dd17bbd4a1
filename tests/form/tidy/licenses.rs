// SPDX-License-Identifier: GPL-2.0-or-later
//! Licenses: every file of code has an SPDX line near its top, or `REUSE.toml` says it for the file.

use super::{File, every_file, files};
use std::fs;
use std::io;
use std::path::Path;

/// In two parts, so that this is no line of that kind itself.
const TAG: [&str; 2] = ["SPDX-License", "-Identifier: "];
const LICENSE: &str = "GPL-2.0-or-later";
/// The line is within this many lines of the top.
const TOP: usize = 12;

/// The patterns of `REUSE.toml`.
fn annotated() -> io::Result<Vec<String>> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("REUSE.toml"))?;
    let lists = text.split("\npath = [").skip(1).filter_map(|rest| rest.split(']').next());
    let quoted = lists.flat_map(|list| list.split('"').skip(1).step_by(2));
    Ok(quoted.map(str::to_owned).collect())
}

/// The three kinds of pattern that are used: a folder, an ending, a file.
fn matches(pattern: &str, path: &str) -> bool {
    match (pattern.strip_suffix("/**"), pattern.strip_prefix("**/*")) {
        (Some(folder), _) => path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')),
        (None, Some(ending)) => path.ends_with(ending),
        (None, None) => path == pattern,
    }
}

/// The license that a file itself states.
fn stated(text: &str) -> Option<&str> {
    let tag = TAG.concat();
    let line = text.lines().take(TOP).find_map(|line| Some(line.split_once(&tag)?.1))?;
    line.split_whitespace().next()
}

fn has_comments(file: &File) -> bool {
    let script = file.text.starts_with("#!");
    file.is_code() || script || ["toml", "spec", "conf"].iter().any(|name| file.is(name))
}

#[test]
fn every_file_of_code_states_its_license() -> io::Result<()> {
    let annotated = annotated()?;
    every_file(|file| match stated(&file.text) {
        Some(LICENSE) => Vec::new(),
        Some(other) => vec![format!(": the license `{other}`, and not {LICENSE}")],
        None if !has_comments(file) => Vec::new(),
        None if annotated.iter().any(|pattern| matches(pattern, &file.path)) => Vec::new(),
        None => vec![": no SPDX line, and nothing in REUSE.toml".to_owned()],
    })
}

#[test]
fn every_pattern_of_reuse_toml_is_used() -> io::Result<()> {
    // The fixtures are no files of the house rules.
    let files = files()?;
    let unused: Vec<String> = annotated()?
        .into_iter()
        .filter(|pattern| {
            pattern != "tests/fixtures/**" && pattern != "pipeline/crates/qom-census/fuzz/seeds/**"
        })
        .filter(|pattern| !files.iter().any(|file| matches(pattern, &file.path)))
        .collect();
    assert!(unused.is_empty(), "REUSE.toml: {unused:?}");
    Ok(())
}

#[test]
fn the_look_for_licenses_sees() {
    assert!(matches("a/**", "a/b/c") && !matches("a/**", "ab/c") && !matches("a/**", "a"));
    assert!(matches("**/*.rs", "x/y.rs") && !matches("**/*.rs", "x/y.rst"));
    assert!(matches("a/b", "a/b") && !matches("a/b", "a/b/c"));
    let tag = TAG.concat();
    assert_eq!(stated(&format!("#!/bin/sh\n# {tag}MIT\n")), Some("MIT"));
    assert_eq!(stated(&format!("/* {tag}{LICENSE} */")), Some(LICENSE));
    assert_eq!(stated(&format!("{}// {tag}MIT", "\n".repeat(TOP))), None);
}

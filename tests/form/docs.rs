// SPDX-License-Identifier: GPL-2.0-or-later
//! The documents: tables that the code knows are the code's own, every link leads somewhere, and the
//! commands for a first device work. `tests/update-docs` writes the tables; here they are compared.

mod commands;
mod format;
mod links;
mod quickstart;
mod sources;

use crate::form::tidy;
use crate::support::root;
use std::fs;

const BEGIN: &str = "<!-- generated: ";
const END: &str = "<!-- end -->";

/// Every page with generated blocks, and where they come from.
const PAGES: &[(&str, &[&str])] = &[
    ("pipeline/docs/architecture.md", &["modules"]),
    ("pipeline/docs/census.md", &["families"]),
    ("pipeline/docs/commands.md", &["commands"]),
    ("pipeline/docs/format.md", &["edits", "sections", "types"]),
    ("pipeline/docs/verify.md", &["rules"]),
];

/// Whether the blocks are being written, so that what else is in the pages cannot be judged yet.
fn writing() -> bool {
    std::env::var_os("UPDATE_DOCS").is_some()
}

/// Holds the blocks of a page to what the code says, or writes them where `UPDATE_DOCS` is set.
fn compare(page: &str, blocks: &[(&str, String)]) {
    let path = root().join(page);
    let found = fs::read_to_string(&path).unwrap();
    let mut wanted = found.clone();
    for (name, content) in blocks {
        wanted = with_block(&wanted, name, content).unwrap_or_else(|| panic!("{page}: {name}"));
    }
    if writing() {
        // Whole at every moment, since other tests read it.
        let part = path.with_extension("part");
        fs::write(&part, wanted).unwrap();
        fs::rename(part, path).unwrap();
    } else {
        let differs = found.lines().zip(wanted.lines()).find(|(found, wanted)| found != wanted);
        let (found_lines, wanted_lines) = (found.lines().count(), wanted.lines().count());
        assert!(
            found == wanted,
            "{page} is not what the code says: {differs:?}, {found_lines} lines of {wanted_lines}; \
             run tests/update-docs"
        );
    }
}

/// A page with another content between the markers of this name, which have the same indentation.
fn with_block(page: &str, name: &str, content: &str) -> Option<String> {
    let marker = format!("{BEGIN}{name} -->\n");
    let start = page.find(&marker)? + marker.len();
    let line = page[..start - marker.len()].rsplit('\n').next()?;
    let end = start + page[start..].find(END)?;
    let indented = content.trim().lines().map(|text| format!("{line}{text}").trim_end().to_owned());
    let content = indented.collect::<Vec<_>>().join("\n");
    Some(format!("{}{content}\n{line}{}", &page[..start], &page[end..]))
}

/// The text of a cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

#[test]
fn every_generated_block_is_known() {
    for file in tidy::files().unwrap().iter().filter(|file| file.is("md")) {
        let found: Vec<&str> = file
            .text
            .lines()
            .filter_map(|line| line.trim().strip_prefix(BEGIN)?.strip_suffix(" -->"))
            .collect();
        let known = PAGES.iter().find(|(page, _)| *page == file.path);
        assert_eq!(found, known.map_or(&[][..], |(_, names)| names), "{}", file.path);
    }
}

#[test]
fn the_commands_are_those_of_the_program() {
    compare("pipeline/docs/commands.md", &[("commands", commands::reference())]);
}

#[test]
fn the_format_is_that_of_the_schema() {
    let schema = format::Schema::of_the_program();
    compare(
        "pipeline/docs/format.md",
        &[("edits", schema.edits()), ("sections", schema.sections()), ("types", schema.types())],
    );
}

#[test]
fn the_modules_are_those_of_the_house_rules() {
    compare("pipeline/docs/architecture.md", &[("modules", sources::modules())]);
}

#[test]
fn the_families_of_the_census_are_those_of_its_code() {
    compare("pipeline/docs/census.md", &[("families", sources::families())]);
}

#[test]
fn the_rules_are_those_of_the_list() {
    compare("pipeline/docs/verify.md", &[("rules", vgpu_pipeline::rules_table())]);
}

/// The modules of a folder of tests.
fn modules(of: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join("tests").join(of)).unwrap();
    let declared = text.lines().filter_map(|line| line.split_once("mod ")?.1.strip_suffix(';'));
    declared.map(ToOwned::to_owned).collect()
}

/// What is in no lane of `tests/run` would never run.
#[test]
fn every_suite_is_in_a_lane_and_in_the_table_of_tests() {
    let run = fs::read_to_string(root().join("tests/run")).unwrap();
    let table = fs::read_to_string(root().join("tests/README.md")).unwrap();
    let lanes = run.lines().find_map(|line| line.strip_prefix("lanes=")).unwrap();
    let lanes: Vec<&str> = lanes.trim_matches('\'').split(' ').collect();
    let mut missing = Vec::new();
    for lane in modules("main.rs").into_iter().filter(|lane| lane != "support") {
        if !lanes.contains(&&*lane) {
            missing.push(format!("tests/run has no lane `{lane}`"));
        }
        for suite in modules(&format!("{lane}/mod.rs")) {
            if !table.contains(&format!("| `{lane}::{suite}` |")) {
                missing.push(format!("tests/README.md has no row for `{lane}::{suite}`"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn the_readme_is_short() {
    let size = fs::metadata(root().join("README.md")).unwrap().len();
    assert!(
        size <= 10 << 10,
        "README.md has {size} bytes; what it explains belongs into the folders"
    );
}

#[test]
fn a_block_is_replaced_between_its_markers() {
    let page = "a\n  <!-- generated: x -->\n  old\n  <!-- end -->\nb\n";
    let wanted = "a\n  <!-- generated: x -->\n  new\n\n  two\n  <!-- end -->\nb\n";
    assert_eq!(with_block(page, "x", "\nnew\n\ntwo\n").as_deref(), Some(wanted));
    assert_eq!(with_block(page, "y", ""), None);
    assert_eq!(cell("`a | b`\n c"), "`a \\| b` c");
}

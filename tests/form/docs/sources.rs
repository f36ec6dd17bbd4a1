// SPDX-License-Identifier: GPL-2.0-or-later
//! Tables that stand in the sources: the modules with their first sentence, the families of the census.

use super::cell;
use crate::form::tidy::{self, rooms::IMPORTS};
use crate::support::root;
use std::fmt::Write;
use std::fs;

/// The modules of the runner: what each is for, by its own words, and what it may import.
pub fn modules() -> String {
    let mut text = "| module | what it is for | may import |\n| --- | --- | --- |\n".to_owned();
    for (name, may) in IMPORTS {
        let folder = root().join("pipeline/src");
        let file = [folder.join(name).join("mod.rs"), folder.join(format!("{name}.rs"))];
        let file = file.iter().find(|file| file.exists()).unwrap_or_else(|| panic!("{name}"));
        let sentence = first_sentence(&fs::read_to_string(file).unwrap());
        let may: Vec<String> = may.split_whitespace().map(|word| format!("`{word}`")).collect();
        let may = if may.is_empty() { "–".to_owned() } else { may.join(", ") };
        writeln!(text, "| `{name}` | {} | {may} |", cell(&sentence)).unwrap();
    }
    text
}

/// The first paragraph of the module's doc comment.
fn first_sentence(source: &str) -> String {
    let doc = source.lines().filter_map(|line| line.strip_prefix("//!"));
    doc.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The table in the doc comment of the module that reads families.
pub fn families() -> String {
    let sources = tidy::files().unwrap();
    let tables = sources.iter().filter(|file| file.is("rs")).filter_map(|file| {
        let doc = file.text.lines().filter_map(|line| line.strip_prefix("//! "));
        let table: Vec<&str> = doc.filter(|line| line.starts_with('|')).collect();
        table.first()?.starts_with("| family |").then(|| table.join("\n"))
    });
    let tables: Vec<String> = tables.collect();
    let [table] = &tables[..] else { panic!("{} tables of families", tables.len()) };
    table.clone()
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The reference of commands, from the program's own help.

use super::cell;
use crate::support::{ends_with, program};
use std::fmt::Write;

/// The help of a command, without what every command has.
fn help(words: &[&str]) -> String {
    let mut command = program();
    // As it is on a terminal of this width; the variable's value would be shown.
    command.args(words).arg("-h").env("COLUMNS", "100").env_remove("VGPU_PIPELINE_STORE");
    let text = String::from_utf8(ends_with(0, &mut command).stdout).unwrap();
    let ours = text.lines().filter(|line| {
        !["-h, --help", "-V, --version"].iter().any(|every| line.trim_start().starts_with(every))
    });
    let text = ours.collect::<Vec<_>>().join("\n");
    text.trim_end().trim_end_matches("Options:").trim_end().to_owned()
}

/// The names of the commands that a help lists, with what they do.
fn listed(help: &str) -> Vec<(String, String)> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    lines
        .take_while(|line| !line.is_empty())
        .map(|line| line.trim().split_once("  ").unwrap())
        .map(|(name, about)| (name.to_owned(), about.trim().to_owned()))
        .collect()
}

pub fn reference() -> String {
    let mut table = "| command | what it does |\n| --- | --- |\n".to_owned();
    let mut details = String::new();
    for (name, about) in listed(&help(&[])) {
        let inner = help(&[&name]);
        let of_it = listed(&inner);
        let commands = match of_it[..] {
            [] => vec![(vec![name], about, inner)],
            _ => of_it
                .into_iter()
                .map(|(second, about)| {
                    let inner = help(&[&name, &second]);
                    (vec![name.clone(), second], about, inner)
                })
                .collect(),
        };
        for (words, about, inner) in commands {
            let title = format!("vgpu-pipeline {}", words.join(" "));
            let anchor = title.replace(' ', "-");
            writeln!(table, "| [`{title}`](#{anchor}) | {} |", cell(&about)).unwrap();
            let usage = inner.split_once("\n\n").unwrap().1;
            writeln!(details, "\n## {title}\n\n{about}.\n\n```\n{usage}\n```").unwrap();
        }
    }
    format!("## The commands\n\n{table}{details}")
}

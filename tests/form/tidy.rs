// SPDX-License-Identifier: GPL-2.0-or-later
//! The house rules, as tests: who may import whom, what lives in one room only, how files and
//! messages read. Each test names everything that it found, at once.
//!
//! It reads text and never compiles it, so a rule is as rough as what it looks for; the last test
//! shows that each look still sees.

use std::fs;
use std::io;
use std::path::Path;

mod licenses;
pub mod rooms;
mod scan;

use rooms::{ERRORS, FOREIGN, HARMLESS, IMPORTS, IO_METHODS, IO_MODULES, ONLY_IN, PURE, USERS_OWN};
use scan::{Source, literals, without_text, words};

/// Proper names that may begin a message; a word in capitals may anyway.
const NAMES: &[&str] = &["CentOS", "Debian", "GitHub", "Linux", "OpenPGP", "Xen", "XenStore"];

/// The most lines that a file of code may have.
const LINES: usize = 350;

/// A text file of the project.
pub struct File {
    /// From the project's root on.
    pub path: String,
    pub text: String,
}

impl File {
    pub fn is(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }

    /// Rust of the runner, as it is scanned for paths.
    fn source(&self) -> Option<Source> {
        let inside = self.path.strip_prefix("pipeline/src/")?;
        self.is("rs").then(|| Source::new(inside, &self.text))
    }

    /// Rust of a library, without its tests.
    fn library(&self) -> Option<Source> {
        let inside = self.path.strip_prefix("pipeline/crates/")?;
        let (_, inside) = inside.split_once("/src/")?;
        let source = self.is("rs").then(|| Source::new(inside, &self.text))?;
        (!source.is_test()).then_some(source)
    }

    fn is_shell(&self) -> bool {
        let interpreter = self.text.lines().next().and_then(|line| line.strip_prefix("#!"));
        let names_shell = |word: &str| {
            matches!(word.rsplit('/').next().unwrap_or_default(), "sh" | "bash" | "dash")
        };
        self.is("sh") || interpreter.is_some_and(|line| line.split_whitespace().any(names_shell))
    }

    fn is_code(&self) -> bool {
        let extensions = ["rs", "c", "h", "py", "nix", "yaml", "yml", "Containerfile"];
        self.is_shell() || extensions.iter().any(|extension| self.is(extension))
    }
}

/// Every text file, but for what is built, the licence, and the fixtures that play other people's.
pub fn files() -> io::Result<Vec<File>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let (kind, path) = (entry.file_type()?, entry.path());
            let name = entry.file_name().to_string_lossy().into_owned();
            let built = ["target", "out", "result", "__pycache__"].contains(&name.as_str());
            if built || name.starts_with('.') && ![".ci", ".github"].contains(&name.as_str()) {
                continue;
            }
            let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            if kind.is_dir() && shown != "tests/fixtures" {
                folders.push(path);
            } else if kind.is_file()
                && name != "LICENSE"
                && let Ok(text) = fs::read_to_string(&path)
            {
                found.push(File { path: shown, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// Fails with all findings of a rule over all files.
fn every_file(rule: impl Fn(&File) -> Vec<String>) -> io::Result<()> {
    let findings: Vec<String> = files()?
        .iter()
        .flat_map(|file| rule(file).into_iter().map(|finding| format!("{}{finding}", file.path)))
        .collect();
    assert!(findings.is_empty(), "against the rules of the house:\n{}", findings.join("\n"));
    Ok(())
}

#[test]
fn rooms_import_only_what_the_table_allows() -> io::Result<()> {
    every_file(|file| file.source().map(|source| imports(&source)).unwrap_or_default())
}

fn imports(source: &Source) -> Vec<String> {
    let room = source.room();
    let Some((_, may)) = IMPORTS.iter().find(|(name, _)| *name == room) else {
        return vec![format!(
            ":1: the room `{room}` is not in the table of tests/form/tidy/rooms.rs"
        )];
    };
    let list = if may.is_empty() { "nothing of ours" } else { may };
    let rooms: Vec<&str> = IMPORTS.iter().map(|(name, _)| *name).collect();
    let wrong = source.uses(&rooms).into_iter().filter(|used| {
        let name = used.name.as_deref();
        // Any room's tests may start the tools that it is judged by.
        let tool = source.is_test() && used.room == "process";
        used.room != room
            && used.room != ERRORS
            && !tool
            && !may.split(' ').any(|entry| allows(entry, &used.room, name))
    });
    wrong
        .map(|used| {
            let name = used.name.map(|name| format!("::{name}")).unwrap_or_default();
            format!(":{}: `{room}` uses `{}{name}`; it may use {list}", used.line, used.room)
        })
        .collect()
}

/// Whether an entry of the table lets a room be used. Without a name the room itself is imported,
/// and what is taken from it is looked at where it is used.
fn allows(entry: &str, room: &str, name: Option<&str>) -> bool {
    match (entry.split_once("::"), name) {
        (None, _) => entry == room,
        (Some((of, _)), None) => of == room,
        (Some((of, "<types>")), Some(name)) => of == room && name.starts_with(char::is_uppercase),
        (Some((of, only)), Some(name)) => of == room && only == name,
    }
}

#[test]
fn what_is_dangerous_has_one_room() -> io::Result<()> {
    every_file(|file| file.source().map(|source| dangerous(&source)).unwrap_or_default())
}

fn dangerous(source: &Source) -> Vec<String> {
    let mut findings = Vec::new();
    for (rooms, word, why) in ONLY_IN {
        // A test reads what it made itself.
        let read = *rooms == USERS_OWN && source.is_test();
        let elsewhere = !read && !rooms.split(' ').any(|room| room == source.room());
        for line in words(source.code(), word).filter(|_| elsewhere) {
            findings.push(format!(":{line}: `{word}`: {why}"));
        }
    }
    for (line, path) in source.std_paths() {
        let name = path.get(1).map_or("", String::as_str);
        if source.room() != "process" && path[0] == "process" && !HARMLESS.contains(&name) {
            findings.push(format!(
                ":{line}: `std::{}`: only `process` starts processes",
                path.join("::")
            ));
        }
    }
    findings
}

/// They are of use to somebody who has no pipeline, and give typed errors.
#[test]
fn libraries_know_nothing_of_pipelines() -> io::Result<()> {
    every_file(|file| match file.library() {
        Some(source) => foreign(&source, &file.text),
        None => Vec::new(),
    })
}

fn foreign(library: &Source, text: &str) -> Vec<String> {
    let spoken = words(text, "pipeline").map(|line| (line, "pipeline"));
    let used =
        FOREIGN.iter().flat_map(|word| words(library.code(), word).map(move |at| (at, *word)));
    let found = spoken.chain(used);
    found.map(|(line, word)| format!(":{line}: `{word}` is not for a library")).collect()
}

#[test]
fn pure_rooms_do_no_io() -> io::Result<()> {
    every_file(|file| file.source().map(|source| impure(&source)).unwrap_or_default())
}

fn impure(source: &Source) -> Vec<String> {
    // A test may look at the clock.
    if !PURE.contains(&source.room()) || source.is_test() || source.is_step() {
        return Vec::new();
    }
    let modules =
        source.std_paths().into_iter().filter(|(_, path)| IO_MODULES.contains(&&*path[0]));
    let modules = modules.map(|(line, path)| (line, format!("std::{}", path.join("::"))));
    let methods = IO_METHODS
        .iter()
        .flat_map(|method| words(source.code(), method).map(|line| (line, (*method).to_owned())));
    let found = modules.chain(methods);
    found
        .map(|(line, what)| format!(":{line}: `{what}`: `{}` does no I/O", source.room()))
        .collect()
}

#[test]
fn rust_files_begin_with_a_module_doc() -> io::Result<()> {
    every_file(|file| {
        let exempt = !file.is("rs") || file.path.ends_with("/tests.rs");
        let good = exempt || without_license(&file.text).starts_with("//! ");
        if good { Vec::new() } else { vec![":1: begins without a `//!` module doc".to_owned()] }
    })
}

/// A file of Rust behind its SPDX line.
fn without_license(text: &str) -> &str {
    match text.split_once('\n') {
        Some((first, rest)) if first.starts_with("// SPDX-") => rest,
        _ => text,
    }
}

#[test]
fn files_of_code_stay_short() -> io::Result<()> {
    every_file(|file| {
        let lines = without_license(&file.text).lines().count();
        let good = lines <= LINES || !file.is_code();
        if good { Vec::new() } else { vec![format!(": {lines} lines; {LINES} are the most")] }
    })
}

/// What runs in dom0 serves any device, by the data of its contract.
#[test]
fn dom0_knows_no_device_by_name() -> io::Result<()> {
    every_file(|file| {
        let ours =
            file.path.starts_with("wrapper/") || file.path == "pipeline/src/dom0/scriptlets.rs";
        let named = ["vgpu-stub", "vgpu_stub"].iter().any(|name| file.text.contains(name));
        if ours && named { vec![": it names a device".to_owned()] } else { Vec::new() }
    })
}

#[test]
fn nothing_is_left_behind() -> io::Result<()> {
    every_file(left_behind)
}

fn left_behind(file: &File) -> Vec<String> {
    // In two parts, so that this file is not its own finding.
    let parts = [
        ("TO", "DO"),
        ("FIX", "ME"),
        ("XX", "X"),
        ("HA", "CK"),
        ("to", "do!("),
        ("db", "g!("),
        ("unimple", "mented!("),
    ];
    let mut findings = Vec::new();
    for word in parts.map(|(a, b)| format!("{a}{b}")) {
        findings.extend(words(&file.text, &word).map(|line| format!(":{line}: `{word}`")));
    }
    // A patch's context lines end as the patched file's do.
    if !file.is("patch") && !file.is("diff") {
        let lines = file.text.split('\n').enumerate();
        let spaced = lines.filter(|(_, line)| line.ends_with(char::is_whitespace));
        findings.extend(spaced.map(|(line, _)| format!(":{}: trailing whitespace", line + 1)));
    }
    findings
}

#[test]
fn shell_scripts_stop_at_the_first_failure() -> io::Result<()> {
    every_file(|file| if file.is_shell() { careless(&file.text) } else { Vec::new() })
}

fn careless(script: &str) -> Vec<String> {
    let mut lines = script.lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
    match first {
        Some("set -eu" | "set -euo pipefail") => Vec::new(),
        _ => vec![": its first command is neither `set -eu` nor `set -euo pipefail`".to_owned()],
    }
}

#[test]
fn errors_read_alike() -> io::Result<()> {
    every_file(|file| {
        let ours = file.source().is_some() || file.library().is_some();
        if ours { badly_worded(&file.text) } else { Vec::new() }
    })
}

fn badly_worded(text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    for (line, message) in literals(text, &["bail!(", "anyhow!(", "context(", "with_context(||"]) {
        let first: String = message.chars().take_while(char::is_ascii_alphanumeric).collect();
        let name = first.len() > 1 && !first.contains(char::is_lowercase);
        if first.starts_with(char::is_uppercase) && !name && !NAMES.contains(&first.as_str()) {
            findings.push(format!(":{line}: the message begins with a capital: {message:?}"));
        }
        if message.lines().any(|part| part.ends_with('.') && !part.ends_with("..")) {
            findings.push(format!(":{line}: the message ends in a full stop: {message:?}"));
        }
    }
    findings
}

#[test]
fn each_look_sees_what_it_is_for() {
    let of = |path: &str, text: &str| Source::new(path, text);
    let count = |path: &str, text: &str| imports(&of(path, text)).len();
    assert_eq!(count("build/mod.rs", "use crate::{process::Call, sign::{self, Signer}};"), 2);
    assert_eq!(count("verify/a.rs", "use crate::build::{Built, run};"), 1);
    assert_eq!(
        count("source/a.rs", "use crate::config;\nfn f() { config::parse(config::Pin) }"),
        1
    );
    assert_eq!(count("store/mod.rs", "mod tests { use super::*; }\nuse super::process::Call;"), 1);
    assert_eq!(count("store/a.rs", "use super::super::process::Call;"), 1);
    assert_eq!(count("process/mod.rs", "// crate::store\nconst A: &str = \"crate::store::B\";"), 0);
    assert_eq!(count("main.rs", "mod run;\nfn main() { cli::main(); run::other() }"), 2);
    assert_eq!(count("attic/mod.rs", ""), 1);
    assert_eq!(count("store/tests/tools.rs", "use crate::{process::Call, sign::Signer};"), 1);
    assert_eq!(
        dangerous(&of("run/mod.rs", "use std::process::{Command, ExitCode, self};")).len(),
        2
    );
    assert_eq!(dangerous(&of("cli/key.rs", "fn f() { key.secret_armored() }")).len(), 1);
    assert_eq!(dangerous(&of("run/load.rs", "fn f() { std::fs::read(p) }")).len(), 1);
    assert_eq!(dangerous(&of("store/mod.rs", "fn f() { std::fs::read(p) }")).len(), 0);
    assert_eq!(impure(&of("config/mod.rs", "use std::{fmt, fs};\nfn f() { p.exists() }")).len(), 2);
    assert_eq!(
        badly_worded("bail!(\n  \"Bad\"); x.context(\"a\\nhelp: b.\"); bail!(\"QEMU\")").len(),
        2
    );
    assert_eq!(badly_worded("x.with_context(|| {\n  format!(\"No {x}\")\n})").len(), 1);
    assert_eq!(careless("#!/bin/sh\n# why\ncd /\nset -eu\n").len(), 1);
    assert_eq!(without_text(r##"a'x'"/*"r#"'"#/* " */b"##), r##"a' '"  "r#" "#       b"##);
    let text = "// of a pipeline\nuse anyhow::Result;";
    assert_eq!(foreign(&of("a.rs", text), text).len(), 2);
    let text = format!("a {}{}, b\nc \n", "TO", "DO");
    assert_eq!(left_behind(&File { path: "a.md".into(), text }).len(), 2);
}

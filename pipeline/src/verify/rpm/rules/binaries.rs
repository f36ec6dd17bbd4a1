//! Rules about the ELF files of a package. Firmware, which is for other machines, is not asked.

use super::super::facts::PackageFacts;
use super::super::names::Names;
use super::Entry;
use crate::config::{Level, Rule};
use qom_census::{ElfInfo, Executable, Machine};
use std::path::Path;

pub fn interpreter(facts: &PackageFacts) -> Vec<String> {
    let found = known(facts).filter_map(|(path, elf)| {
        let expected = match elf.machine {
            Machine::X86_64 => "/lib64/ld-linux-x86-64.so.2",
            Machine::Aarch64 => "/lib/ld-linux-aarch64.so.1",
        };
        let asked = elf.interpreter.as_deref().filter(|asked| *asked != expected)?;
        Some(format!(
            "`{}` asks for the loader `{}`, not `{expected}`",
            path.display(),
            asked.escape_debug()
        ))
    });
    found.collect()
}

/// Whatever says where the loader is to look, or has it load more than names.
pub fn rpath(facts: &PackageFacts) -> Vec<String> {
    let found = known(facts).flat_map(|(path, elf)| {
        let folders: Vec<&str> = elf.rpath.iter().chain(&elf.runpath).map(String::as_str).collect();
        let folders = (!folders.is_empty())
            .then(|| format!("looks for libraries in `{}`", folders.join(":").escape_debug()));
        let audit = elf.audit.iter().map(|name| {
            format!("has the library `{}` watch the loader (AUDIT)", name.escape_debug())
        });
        // What the loader puts in the place of a `$` has a `/`.
        let named = elf.needed.iter().chain(&elf.filters).filter(|name| name.contains(['/', '$']));
        let named = named.map(|name| format!("loads `{}` by its path", name.escape_debug()));
        let all = folders.into_iter().chain(audit).chain(named);
        all.map(|what| format!("`{}` {what}", path.display())).collect::<Vec<_>>()
    });
    found.collect()
}

pub fn executable_stack(facts: &PackageFacts) -> Vec<String> {
    let found = known(facts).flat_map(|(path, elf)| {
        let stack = elf.executable_stack.then_some("an executable stack");
        let memory = elf.writable_code.then_some("memory that is written and executed");
        let all = stack.into_iter().chain(memory);
        all.map(|what| format!("`{}` has {what}", path.display())).collect::<Vec<_>>()
    });
    found.collect()
}

/// What a host starts and nobody here can read.
pub const UNREAD: Entry = Entry {
    rule: Rule::UnreadProgram,
    level: Level::Require,
    targets: "all",
    asks: "every program and library can be read; symbols alone, which no host starts, are apart in \
           `/usr/lib/debug` and not executable",
    help: "no linker writes such a file, and `strip` leaves none: find out what did (`readelf -hl`)",
    check: |facts, _| unread_program(facts),
};

fn unread_program(facts: &PackageFacts) -> Vec<String> {
    let names = Names::of(facts);
    let found = facts.elf.iter().filter_map(|file| {
        let why = file.unread.as_ref().filter(|_| file.starts == Some(Executable::Elf64))?;
        let what = format!("`{}` can be started, and not be read: {why}", file.path.display());
        (!names.is_symbols(file)).then_some(what)
    });
    found.collect()
}

/// Of programs only: a library is loaded as the program that loads it was built.
pub fn hardening(facts: &PackageFacts) -> Vec<String> {
    let found = known(facts).filter(|(_, elf)| elf.program).filter_map(|(path, elf)| {
        let asked = [
            (elf.pie, "position-independent code"),
            (elf.relro, "read-only relocations"),
            (elf.bind_now || elf.interpreter.is_none(), "binding at its start"),
            (elf.stack_protector || elf.interpreter.is_none(), "stack protector"),
        ];
        let missing: Vec<&str> =
            asked.into_iter().filter_map(|(has, what)| (!has).then_some(what)).collect();
        let what = format!("`{}` has no {}", path.display(), missing.join(", no "));
        (!missing.is_empty()).then_some(what)
    });
    found.chain(unread(facts)).collect()
}

/// What may be executed and nobody looked into: hosts of 64 bits start programs of 32, too.
fn unread(facts: &PackageFacts) -> impl Iterator<Item = String> {
    let names = Names::of(facts);
    facts.elf.iter().filter_map(move |file| {
        let why = file.unread.as_ref().filter(|_| file.starts != Some(Executable::Elf64))?;
        let what = format!("`{}` was not looked into: {why}", file.path.display());
        names.is_executable(file).then_some(what)
    })
}

fn known(facts: &PackageFacts) -> impl Iterator<Item = (&Path, &ElfInfo)> {
    facts.elf.iter().filter_map(|file| Some((file.path.as_path(), file.facts.as_ref()?)))
}

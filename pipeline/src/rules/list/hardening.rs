// SPDX-License-Identifier: GPL-2.0-or-later
//! The rule `hardening`.

use super::elf_names::ElfNames;
use super::{Check, EVERYWHERE, InspectedPackage, Level, RuleSpec};
use qom_census::Executable;

pub const RULE: RuleSpec = RuleSpec {
    name: "hardening",
    level: Level::Warn,
    targets: EVERYWHERE,
    asks: "programs are position-independent, with relocations that are read-only before they \
           run and with checked frames",
    help: "build it with `-fPIE -pie -fstack-protector-strong -Wl,-z,relro,-z,now`",
    example: "`/usr/bin/ruled` has no position-independent code, no read-only relocations, no \
              binding at its start, no stack protector",
    check: Check::Package(|package, _| check(package)),
};

/// Of programs only: a library is loaded as the program that loads it was built.
fn check(package: &InspectedPackage) -> Vec<String> {
    let found = package.read_elf().filter(|(_, elf)| elf.program).filter_map(|(path, elf)| {
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
    found.chain(unread(package)).collect()
}

/// What may be executed and nobody looked into: hosts of 64 bits start programs of 32, too.
fn unread(package: &InspectedPackage) -> impl Iterator<Item = String> {
    let names = ElfNames::of(package);
    package.elf.iter().filter_map(move |file| {
        let why = file.unread.as_ref().filter(|_| file.starts != Some(Executable::Elf64))?;
        let what = format!("`{}` was not looked into: {why}", file.path.display());
        names.is_executable(file).then_some(what)
    })
}

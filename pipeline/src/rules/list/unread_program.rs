// SPDX-License-Identifier: GPL-2.0-or-later
//! The rule `unread-program`: what a host starts and nobody here can read.

use super::elf_names::ElfNames;
use super::{Check, EVERYWHERE, InspectedPackage, Level, RuleSpec};
use qom_census::Executable;

pub const RULE: RuleSpec = RuleSpec {
    name: "unread-program",
    level: Level::Require,
    targets: EVERYWHERE,
    asks: "every program and library can be read; symbols alone, which no host starts, are apart in \
           `/usr/lib/debug` and not executable",
    help: "no linker writes such a file, and `strip` leaves none: find out what did (`readelf -hl`)",
    example: "`/usr/bin/ruled` can be started, and not be read: the ELF file is not little-endian \
              (data encoding 2)",
    check: Check::Package(|package, _| check(package)),
};

fn check(package: &InspectedPackage) -> Vec<String> {
    let names = ElfNames::of(package);
    let found = package.elf.iter().filter_map(|file| {
        let why = file.unread.as_ref().filter(|_| file.starts == Some(Executable::Elf64))?;
        let what = format!("`{}` can be started, and not be read: {why}", file.path.display());
        (!names.is_symbols(file)).then_some(what)
    });
    found.collect()
}

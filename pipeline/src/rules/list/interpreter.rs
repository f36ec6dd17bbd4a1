// SPDX-License-Identifier: GPL-2.0-or-later
//! The rule `interpreter`. Firmware, which is for other machines, is not asked.

use super::{Check, EVERYWHERE, InspectedPackage, Level, RuleSpec};
use qom_census::Machine;

pub const RULE: RuleSpec = RuleSpec {
    name: "interpreter",
    level: Level::Require,
    targets: EVERYWHERE,
    asks: "programs ask for the loader that their kind of machine has",
    help: "build it with the distribution's own linker, without `--dynamic-linker`",
    example: "`/usr/bin/ruled` asks for the loader `/opt/ld.so`, not `/lib64/ld-linux-x86-64.so.2`",
    check: Check::Package(|package, _| check(package)),
};

fn check(package: &InspectedPackage) -> Vec<String> {
    let found = package.read_elf().filter_map(|(path, elf)| {
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

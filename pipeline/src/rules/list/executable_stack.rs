// SPDX-License-Identifier: GPL-2.0-or-later
//! The rule `executable-stack`.

use super::{Check, EVERYWHERE, InspectedPackage, Level, RuleSpec};

pub const RULE: RuleSpec = RuleSpec {
    name: "executable-stack",
    level: Level::Require,
    targets: EVERYWHERE,
    asks: "no binary has an executable stack, or other memory that may be written and executed",
    help: "find the assembly without `.note.GNU-stack`, or link with `-z noexecstack`, without `-N`",
    example: "`/usr/bin/ruled` has an executable stack",
    check: Check::Package(|package, _| check(package)),
};

fn check(package: &InspectedPackage) -> Vec<String> {
    let found = package.read_elf().flat_map(|(path, elf)| {
        let stack = elf.executable_stack.then_some("an executable stack");
        let memory = elf.writable_code.then_some("memory that is written and executed");
        let all = stack.into_iter().chain(memory);
        all.map(|what| format!("`{}` has {what}", path.display())).collect::<Vec<_>>()
    });
    found.collect()
}

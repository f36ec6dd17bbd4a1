// SPDX-License-Identifier: GPL-2.0-or-later
//! The rule `user-group-requires`: rpm provides them by itself since 4.19.

use super::{Check, HostProfile, InspectedPackage, Level, RuleSpec, Target};

pub const RULE: RuleSpec = RuleSpec {
    name: "user-group-requires",
    level: Level::Require,
    targets: &[Target::El7, Target::El8, Target::El9],
    asks: "no requires of `user()` or `group()`, which nothing provides there",
    help: "make the user in %pre, and filter the generated requires",
    example: "it requires `user(qemu)`, which nothing on el7 provides",
    check: Check::Host(check),
};

fn check(package: &InspectedPackage, host: &HostProfile) -> Vec<String> {
    let found = package.requires.iter().filter(|requirement| {
        ["user(", "group("].iter().any(|begin| requirement.starts_with(begin))
    });
    found
        .map(|one| format!("it requires `{one}`, which nothing on {} provides", host.name))
        .collect()
}

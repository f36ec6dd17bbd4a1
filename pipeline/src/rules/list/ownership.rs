// SPDX-License-Identifier: GPL-2.0-or-later
//! The rule `ownership`.

use super::{ATTRIBUTES, Check, EVERYWHERE, InspectedPackage, Level, RuleSpec, installed_files};

pub const RULE: RuleSpec = RuleSpec {
    name: "ownership",
    level: Level::Require,
    targets: EVERYWHERE,
    asks: "everything belongs to root",
    help: ATTRIBUTES,
    example: "`/usr/share/ruled/foreign` belongs to nobody:nogroup",
    check: Check::Package(|package, _| check(package)),
};

fn check(package: &InspectedPackage) -> Vec<String> {
    let foreign =
        installed_files(package).filter(|file| file.user != "root" || file.group != "root");
    foreign.map(|file| format!("`{}` belongs to {}:{}", file.path, file.user, file.group)).collect()
}

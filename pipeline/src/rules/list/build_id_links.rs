// SPDX-License-Identifier: GPL-2.0-or-later
//! The rule `build-id-links`: rpm lets packages share them since 4.14.

use super::{Check, InspectedPackage, Level, RuleSpec, Target, below, installed_files};

pub const RULE: RuleSpec = RuleSpec {
    name: "build-id-links",
    level: Level::Require,
    targets: &[Target::El7],
    asks: "no links below `/usr/lib/.build-id`, over which two packages conflict",
    help: "set `_build_id_links` to `none`",
    example: "it has 1 path at `/usr/lib/.build-id`",
    check: Check::Host(|package, _| check(package)),
};

const FOLDER: &str = "/usr/lib/.build-id";

fn check(package: &InspectedPackage) -> Vec<String> {
    // One line for all: there are two for every binary.
    match installed_files(package).filter(|file| below(&file.path, FOLDER)).count() {
        0 => Vec::new(),
        1 => vec![format!("it has 1 path at `{FOLDER}`")],
        count => vec![format!("it has {count} paths at `{FOLDER}`")],
    }
}

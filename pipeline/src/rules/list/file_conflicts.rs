// SPDX-License-Identifier: GPL-2.0-or-later
//! The rule `file-conflicts`.

use super::{Check, EVERYWHERE, Level, RuleSpec};

pub const RULE: RuleSpec = RuleSpec {
    name: "file-conflicts",
    level: Level::Require,
    targets: EVERYWHERE,
    asks: "no file is one of another package on the hosts (`verify.installed`)",
    help: "leave the file out, or replace that package (`Obsoletes`)",
    example: "`/usr/share/ruled/file` is a file of the package `other`",
    check: Check::Package(|package, policy| {
        policy.installed.map_or_else(Vec::new, |known| known.conflicts(package))
    }),
};

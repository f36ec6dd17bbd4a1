// SPDX-License-Identifier: GPL-2.0-or-later
//! The rule `md5-digest`.

use super::{Check, InspectedPackage, Level, RuleSpec, Target};

pub const RULE: RuleSpec = RuleSpec {
    name: "md5-digest",
    level: Level::Require,
    targets: &[Target::El7],
    asks: "an MD5 over header and payload is there, without which rpm 4.11 does not see an \
           altered payload",
    help: "sign it with `vgpu-pipeline`, or build it with rpmbuild",
    example: "its signature header has no MD5 over header and payload (tag 1004)",
    check: Check::SignedForHost(|package, _| check(package)),
};

fn check(package: &InspectedPackage) -> Vec<String> {
    let what = "its signature header has no MD5 over header and payload (tag 1004)";
    super::absent_digest(package, "md5", what)
}

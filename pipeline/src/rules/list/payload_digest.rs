// SPDX-License-Identifier: GPL-2.0-or-later
//! The rule `payload-digest`: rpm checks it since 4.14.

use super::{Check, InspectedPackage, Level, RuleSpec, Target};

pub const RULE: RuleSpec = RuleSpec {
    name: "payload-digest",
    level: Level::Require,
    targets: &[Target::El8, Target::El9],
    asks: "the header holds a digest of the payload, so that a signature over it covers all",
    help: "build it with rpm 4.14 or later",
    example: "its header has no SHA-256 of the payload (tag 5092)",
    check: Check::Host(|package, _| check(package)),
};

fn check(package: &InspectedPackage) -> Vec<String> {
    let what = "its header has no SHA-256 of the payload (tag 5092)";
    super::absent_digest(package, "payload-sha256", what)
}

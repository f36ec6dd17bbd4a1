// SPDX-License-Identifier: GPL-2.0-or-later
//! The rule `signature`.

use super::{
    Check, EVERYWHERE, FaultKind, InspectedPackage, Level, Policy, RuleSpec, SignatureCheck,
};

pub const RULE: RuleSpec = RuleSpec {
    name: "signature",
    level: Level::Require,
    targets: EVERYWHERE,
    asks: "a key that was given signed all of it",
    help: "take it from where that key's owner publishes it",
    example: "it is not signed",
    check: Check::Package(check),
};

fn check(package: &InspectedPackage, policy: &Policy) -> Vec<String> {
    match policy.signature {
        SignatureCheck::Required => super::faults(package, FaultKind::Signature),
        SignatureCheck::Skip | SignatureCheck::Deferred => Vec::new(),
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The rule `file-triggers`: rpm runs them since 4.13.

use super::{Check, HostProfile, InspectedPackage, Level, RuleSpec, Target};
use rpm_inspect::TriggerKind;

pub const RULE: RuleSpec = RuleSpec {
    name: "file-triggers",
    level: Level::Require,
    targets: &[Target::El7],
    asks: "no file triggers, which the target's rpm ignores without a word",
    help: "use a trigger on a package, or a scriptlet",
    example: "it has a file trigger (`in /usr/lib`), which rpm 4.11 never runs",
    check: Check::Host(check),
};

fn check(package: &InspectedPackage, host: &HostProfile) -> Vec<String> {
    let on_files = |kind| matches!(kind, TriggerKind::File | TriggerKind::TransactionFile);
    let found = package.triggers.iter().filter(|trigger| on_files(trigger.kind));
    found
        .map(|trigger| {
            let on = trigger.on.join(", ");
            format!("it has a file trigger (`{on}`), which rpm {} never runs", host.rpm)
        })
        .collect()
}

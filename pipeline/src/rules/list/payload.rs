// SPDX-License-Identifier: GPL-2.0-or-later
//! The rule `payload`.

use super::{Check, EVERYWHERE, FaultKind, Level, RuleSpec, faults};

pub const RULE: RuleSpec = RuleSpec {
    name: "payload",
    level: Level::Require,
    targets: EVERYWHERE,
    asks: "every path is plain, none leads through a link of the package, the payload holds what \
           the header lists, and the header only what rpmbuild writes",
    help: "no rpmbuild makes such a package: find out who did",
    example: "its payload has `./usr/../../etc/passwd`, which its header does not list",
    check: Check::Package(|package, _| faults(package, FaultKind::Payload)),
};

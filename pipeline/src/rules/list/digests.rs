// SPDX-License-Identifier: GPL-2.0-or-later
//! The rule `digests`.

use super::{Check, EVERYWHERE, FaultKind, Level, RuleSpec, faults};

pub const RULE: RuleSpec = RuleSpec {
    name: "digests",
    level: Level::Require,
    targets: EVERYWHERE,
    asks: "every digest and size that the package gives is right, by our own reading",
    help: "it was altered after it was built, or damaged: build it again",
    example: "`/usr/share/ruled/file` is not what its digest in the header says",
    check: Check::Package(|package, _| faults(package, FaultKind::Digest)),
};

// SPDX-License-Identifier: GPL-2.0-or-later
//! The rule `rpmlib-features`.

use super::{BUILD_THERE, Check, HostProfile, InspectedPackage, Level, RuleSpec, Target};

pub const RULE: RuleSpec = RuleSpec {
    name: "rpmlib-features",
    level: Level::Require,
    targets: &[Target::El7, Target::El8, Target::El9],
    asks: "the target's rpm knows every `rpmlib()` feature that is required",
    help: BUILD_THERE,
    example: "it requires `rpmlib(CaretInVersions) <= 4.15.0-1`, which the rpm 4.11 of el7 does \
              not know",
    check: Check::Host(check),
};

fn check(package: &InspectedPackage, host: &HostProfile) -> Vec<String> {
    let features = package.requires.iter().filter_map(|requirement| {
        let feature = requirement.strip_prefix("rpmlib(")?.split(')').next()?;
        (!host.knows(feature)).then(|| {
            format!(
                "it requires `{requirement}`, which the rpm {} of {} does not know",
                host.rpm, host.name
            )
        })
    });
    features.collect()
}

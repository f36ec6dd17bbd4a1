// SPDX-License-Identifier: GPL-2.0-or-later
//! The rule `payload-compressor`.

use super::{Check, HostProfile, InspectedPackage, Level, RuleSpec, Target};

pub const RULE: RuleSpec = RuleSpec {
    name: "payload-compressor",
    level: Level::Require,
    targets: &[Target::El7, Target::El8, Target::El9],
    asks: "the target's rpm can unpack the payload",
    help: "set `_binary_payload` to `w6.xzdio`",
    example: "its payload is compressed with `zstd`, which the rpm 4.11 of el7 cannot unpack",
    check: Check::Host(check),
};

fn check(package: &InspectedPackage, host: &HostProfile) -> Vec<String> {
    let compressor = &package.payload.compressor;
    let known = host.compressors.contains(&compressor.as_str());
    let what = format!(
        "its payload is compressed with `{compressor}`, which the rpm {} of {} cannot unpack",
        host.rpm, host.name
    );
    if known { Vec::new() } else { vec![what] }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The rule `rich-dependencies`: rpm knows them since 4.13.

use super::{Check, HostProfile, InspectedPackage, Level, RuleSpec, Target};

pub const RULE: RuleSpec = RuleSpec {
    name: "rich-dependencies",
    level: Level::Require,
    targets: &[Target::El7],
    asks: "no rich dependencies, of which the target's rpm knows nothing",
    help: "write them as plain ones, or leave them out",
    example: "it requires `(this or that)`, and rpm 4.11 takes that for a name",
    check: Check::Host(check),
};

fn check(package: &InspectedPackage, host: &HostProfile) -> Vec<String> {
    let lists = [("requires", &package.requires), ("conflicts with", &package.conflicts)];
    let lists = lists.into_iter().chain([("obsoletes", &package.obsoletes)]);
    let all = lists.flat_map(|(verb, list)| list.iter().map(move |one| (verb, one)));
    all.filter(|(_, one)| one.starts_with('('))
        .map(|(verb, one)| format!("it {verb} `{one}`, and rpm {} takes that for a name", host.rpm))
        .collect()
}

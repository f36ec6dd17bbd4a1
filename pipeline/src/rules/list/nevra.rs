//! The rule `nevra`: how a package is called, and what overtakes it.

use super::{Check, EVERYWHERE, InspectedPackage, Level, Policy, RuleSpec};
use crate::rules::version_order::{apart, between, unmarked};

pub const RULE: RuleSpec = RuleSpec {
    name: "nevra",
    level: Level::Require,
    targets: EVERYWHERE,
    asks: "it sorts after the stock package and before the vendor's next",
    help: "give the release a suffix behind the dist tag (`release-suffix: .vgpu1`)",
    check: Check::Package(check),
};

fn check(package: &InspectedPackage, policy: &Policy) -> Vec<String> {
    let ours = &package.id;
    let between = policy.stock.map_or_else(Vec::new, |stock| between(stock, ours));
    let apart = policy.siblings.and_then(|source| apart(source, ours));
    let unmarked = policy.suffix.and_then(|suffix| unmarked(suffix, ours));
    between.into_iter().chain(apart).chain(unmarked).collect()
}

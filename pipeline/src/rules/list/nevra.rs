// SPDX-License-Identifier: GPL-2.0-or-later
//! The rule `nevra`: how a package is called, and what overtakes it.

use super::{Check, EVERYWHERE, InspectedPackage, Level, Policy, RuleSpec};
use crate::rules::version_order::{apart, between, unmarked};

pub const RULE: RuleSpec = RuleSpec {
    name: "nevra",
    level: Level::Require,
    targets: EVERYWHERE,
    asks: "it sorts after the stock package and before the vendor's next",
    help: "give the release a suffix behind the dist tag (`release-suffix: .vgpu1`)",
    example: "`ruled-2:1-1.vgpu1.el7.x86_64` does not sort before `ruled-2:1-1.el8.x86_64`, which \
              may come next",
    check: Check::Package(check),
};

fn check(package: &InspectedPackage, policy: &Policy) -> Vec<String> {
    let ours = &package.id;
    let between = policy.stock.map_or_else(Vec::new, |stock| between(stock, ours));
    let apart = policy.siblings.and_then(|source| apart(source, ours));
    let unmarked = policy.suffix.and_then(|suffix| unmarked(suffix, ours));
    between.into_iter().chain(apart).chain(unmarked).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rpm_inspect::Nevra;

    /// The one rule that no package alone can break.
    #[test]
    fn a_suffix_before_the_dist_tag_hides_the_vendors_next() {
        let named = |release: &str| Nevra::new("ruled", 2, "1", release, "x86_64").unwrap();
        let said = between(&named("1.el7"), &named("1.vgpu1.el7"));
        assert_eq!(said.first().map(String::as_str), Some(RULE.example));
    }
}

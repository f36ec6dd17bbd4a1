// SPDX-License-Identifier: GPL-2.0-or-later
//! The rule `package-format`: no rpm of a target promises more than to read a format 6 in part, and 4.11
//! cannot check one.

use super::{
    Check, HostProfile, InspectedPackage, Level, Policy, RuleSpec, SignatureCheck, Target,
};

pub const RULE: RuleSpec = RuleSpec {
    name: "package-format",
    level: Level::Require,
    targets: &[Target::El7, Target::El8, Target::El9],
    asks: "it is of rpm's format 4; in a run without a target too, as `sign` signs no other",
    help: "build it with `%_rpmformat 4`",
    example: "it is a package of the format 6, and rpm 4.11 of el7 is of the format 4",
    check: Check::Package(check),
};

const KNOWN: u32 = 4;

fn check(package: &InspectedPackage, policy: &Policy) -> Vec<String> {
    let what = format!("it is a package of the format {}", package.format);
    match policy.target.map(HostProfile::of) {
        _ if package.format == KNOWN => Vec::new(),
        Some(host) => {
            vec![format!("{what}, and rpm {} of {} is of the format {KNOWN}", host.rpm, host.name)]
        }
        None if policy.signature == SignatureCheck::Deferred => {
            vec![format!("{what}, and only the format {KNOWN} is signed here")]
        }
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::judge;
    use crate::rules::sample::built;

    /// A run without a target has no rpm to name, and signs no such package all the same.
    #[test]
    fn a_run_takes_no_package_of_format_6() {
        let mut builder = rpm::PackageBuilder::new("six", "1", "MIT", "noarch", "A test");
        // The crate's lead says 3, and its header 6.
        let package = built(builder.using_config(rpm::BuildConfig::v6()));
        assert_eq!((package.format, package.source), (6, false));
        let run = Policy { signature: SignatureCheck::Deferred, ..Policy::default() };
        let found: Vec<_> =
            judge(&package, &run).into_iter().map(|found| (found.rule, found.what)).collect();
        let what = "it is a package of the format 6, and only the format 4 is signed here";
        assert_eq!(found, [(RULE.rule(), what.to_owned())]);
        assert!(judge(&package, &Policy::default()).is_empty());
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The rule `glibc`.

use super::{BUILD_THERE, Check, HostProfile, InspectedPackage, Level, RuleSpec, Target};
use qom_census::glibc_version;

pub const RULE: RuleSpec = RuleSpec {
    name: "glibc",
    level: Level::Require,
    targets: &[Target::El7, Target::El8, Target::El9],
    asks: "nothing wants a newer glibc than the target's, by its requires and by its binaries",
    help: BUILD_THERE,
    example: "it requires `libc.so.6(GLIBC_2.34)(64bit)`, and el7 has 2.17",
    check: Check::Host(check),
};

/// By the requires, which rpm asks, and by the binaries, which the loader asks.
fn check(package: &InspectedPackage, host: &HostProfile) -> Vec<String> {
    let (major, minor) = host.glibc;
    let has = format!("{} has {major}.{minor}", host.name);
    let required = package.requires.iter().filter_map(|requirement| {
        // Such as `libc.so.6(GLIBC_2.34)(64bit)`, or `glibc >= 2.34`.
        let needed = if let Some((_, rest)) = requirement.split_once('(') {
            glibc_version(rest.split(')').next()?)?
        } else {
            let (_, wanted) = requirement.strip_prefix("glibc ")?.split_once("= ")?;
            glibc_version(&format!("GLIBC_{}", wanted.split('-').next()?))?
        };
        (needed > host.glibc).then(|| format!("it requires `{requirement}`, and {has}"))
    });
    let needed = package.elf.iter().filter_map(|file| {
        let needed = file.info.as_ref()?.glibc.filter(|needed| *needed > host.glibc)?;
        let path = file.path.display();
        Some(format!("`{path}` needs glibc {}.{}, and {has}", needed.0, needed.1))
    });
    required.chain(needed).collect()
}

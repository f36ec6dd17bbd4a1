// SPDX-License-Identifier: GPL-2.0-or-later
//! The rule `paths`.

use super::{Check, EVERYWHERE, InspectedPackage, Level, Policy, RuleSpec};
use super::{below, installed_files};

pub const RULE: RuleSpec = RuleSpec {
    name: "paths",
    level: Level::Require,
    targets: EVERYWHERE,
    asks: "every file is in an allowed folder (`verify.paths`)",
    help: "move it, or allow its folder in `verify.paths`",
    example: "`/srv/ruled` is in no allowed folder",
    check: Check::Package(check),
};

/// The folders that packages commonly have files in.
const COMMON: [&str; 19] = [
    "/bin",
    "/boot",
    "/etc",
    "/lib",
    "/lib64",
    "/opt",
    "/sbin",
    "/usr/bin",
    "/usr/include",
    "/usr/lib",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/sbin",
    "/usr/share",
    "/usr/src",
    "/var/cache",
    "/var/lib",
    "/var/log",
    "/var/spool",
];

/// Files outside the allowed folders; the folders on the way to those are allowed too.
fn check(package: &InspectedPackage, policy: &Policy) -> Vec<String> {
    let common = || COMMON.map(str::to_owned).to_vec();
    let allowed = policy.paths.map_or_else(common, <[String]>::to_vec);
    let stray = installed_files(package).filter(|file| {
        let inside = allowed.iter().any(|folder| below(&file.path, folder.trim_end_matches('/')));
        let above = file.is_directory() && allowed.iter().any(|folder| below(folder, &file.path));
        !inside && !above
    });
    stray.map(|file| format!("`{}` is in no allowed folder", file.path)).collect()
}

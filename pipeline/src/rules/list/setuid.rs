// SPDX-License-Identifier: GPL-2.0-or-later
//! The rule `setuid`.

use super::{ATTRIBUTES, Check, EVERYWHERE, InspectedPackage, Level, RuleSpec};
use super::{installed_files, octal};
use rpm_inspect::mode;

pub const RULE: RuleSpec = RuleSpec {
    name: "setuid",
    level: Level::Require,
    targets: EVERYWHERE,
    asks: "no file is setuid or setgid, has capabilities, or is a device",
    help: ATTRIBUTES,
    example: "`/usr/bin/helper` has the mode 4755",
    check: Check::Package(|package, _| check(package)),
};

fn check(package: &InspectedPackage) -> Vec<String> {
    let found = installed_files(package).filter_map(|file| {
        let path = &file.path;
        // A folder's setgid bit only hands its group down.
        let bits = if file.is_regular() { file.mode & mode::SETUID_SETGID } else { 0 };
        match &file.capabilities {
            _ if file.is_device() => Some(format!("`{path}` is a device")),
            Some(capabilities) => Some(format!("`{path}` has the capabilities `{capabilities}`")),
            None => (bits != 0).then(|| format!("`{path}` has the mode {}", octal(file.mode))),
        }
    });
    found.collect()
}

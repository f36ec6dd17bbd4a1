// SPDX-License-Identifier: GPL-2.0-or-later
//! The rule `world-writable`.

use super::{ATTRIBUTES, Check, EVERYWHERE, InspectedPackage, Level, Policy, RuleSpec};
use super::{installed_files, octal};
use rpm_inspect::{FileEntry, mode};
use std::collections::BTreeSet;

pub const RULE: RuleSpec = RuleSpec {
    name: "world-writable",
    level: Level::Require,
    targets: EVERYWHERE,
    asks: "nothing may be written by everybody, but sticky folders that stock has too",
    help: ATTRIBUTES,
    example: "`/usr/share/ruled/open` has the mode 0666",
    check: Check::Package(check),
};

/// In a sticky folder nobody takes others' files, but everybody leaves files of his own, which somebody may
/// read or run: only those of stock are taken.
fn check(package: &InspectedPackage, policy: &Policy) -> Vec<String> {
    let open = installed_files(package).filter(|file| {
        let of_stock = |known: &BTreeSet<String>| known.contains(&file.path);
        let known = is_shared(file) && policy.shared.is_some_and(of_stock);
        // A link's own mode means nothing.
        file.mode & mode::WORLD_WRITABLE != 0 && !file.is_link() && !known
    });
    open.map(|file| format!("`{}` has the mode {}", file.path, octal(file.mode))).collect()
}

/// The sticky folders of packages that everybody may write to.
pub fn shared_folders<'a>(
    packages: impl IntoIterator<Item = &'a InspectedPackage>,
) -> BTreeSet<String> {
    let files = packages.into_iter().flat_map(installed_files).filter(|file| is_shared(file));
    files.map(|file| file.path.clone()).collect()
}

fn is_shared(file: &FileEntry) -> bool {
    const SHARED: u16 = mode::STICKY | mode::WORLD_WRITABLE;
    file.is_directory() && file.mode & SHARED == SHARED
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::sample::{file, package};

    #[test]
    fn a_folder_that_everybody_may_write_to_is_refused_unless_stock_has_it() {
        let open = |path: &str, mode: u16| {
            let mut ours = package("shared", "noarch");
            ours.package.files = vec![file(path, mode, None)];
            ours
        };
        let found = |ours: &InspectedPackage, stock: &[InspectedPackage]| -> Vec<String> {
            let shared = shared_folders(stock);
            let policy = Policy { shared: Some(&shared), ..Policy::default() };
            [check(ours, &policy), check(ours, &Policy::default())].concat()
        };
        let (sticky, bare) = (mode::DIRECTORY | 0o1777, mode::DIRECTORY | 0o777);
        let none: [String; 0] = [];
        let ours = open("/etc/profile.d", sticky);
        // With stock, and without any.
        let twice = |text: &str| vec![text.to_owned(); 2];
        assert_eq!(found(&ours, &[]), twice("`/etc/profile.d` has the mode 1777"));
        assert_eq!(found(&ours, &[open("/var/tmp", sticky)]).len(), 2);
        assert_eq!(found(&ours, &[open("/etc/profile.d", mode::DIRECTORY | 0o755)]).len(), 2);
        assert_eq!(found(&ours, &[open("/etc/profile.d", bare)]).len(), 2);
        assert_eq!(found(&ours, &[open("/x", sticky), open("/etc/profile.d", sticky)]).len(), 1);
        // One that is not sticky is refused whoever has it; a file's bit means nothing.
        let program = open("/etc/profile.d/x.sh", mode::REGULAR | 0o1666);
        for open in [open("/etc/profile.d", bare), program] {
            assert_eq!(found(&open, std::slice::from_ref(&open)).len(), 2);
        }
        assert_eq!(found(&open("/etc/profile.d", mode::DIRECTORY | 0o1775), &[]), none);
    }
}

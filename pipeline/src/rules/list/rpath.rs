// SPDX-License-Identifier: GPL-2.0-or-later
//! The rule `rpath`: whatever says where the loader is to look, or has it load more than names.

use super::{Check, EVERYWHERE, InspectedPackage, Level, RuleSpec};

pub const RULE: RuleSpec = RuleSpec {
    name: "rpath",
    level: Level::Require,
    targets: EVERYWHERE,
    asks: "no binary looks for libraries in folders of its own (RPATH, RUNPATH), names one by its \
           path, or has one watch the loader (AUDIT)",
    help: "build it without `-rpath` and `--audit`; `chrpath --delete` takes folders out",
    example: "`/usr/bin/ruled` looks for libraries in `/opt/lib`",
    check: Check::Package(|package, _| check(package)),
};

fn check(package: &InspectedPackage) -> Vec<String> {
    let found = package.read_elf().flat_map(|(path, elf)| {
        let folders: Vec<&str> = elf.rpath.iter().chain(&elf.runpath).map(String::as_str).collect();
        let folders = (!folders.is_empty())
            .then(|| format!("looks for libraries in `{}`", folders.join(":").escape_debug()));
        let audit = elf.audit.iter().map(|name| {
            format!("has the library `{}` watch the loader (AUDIT)", name.escape_debug())
        });
        // What the loader puts in the place of a `$` has a `/`.
        let named = elf.needed.iter().chain(&elf.filters).filter(|name| name.contains(['/', '$']));
        let named = named.map(|name| format!("loads `{}` by its path", name.escape_debug()));
        let all = folders.into_iter().chain(audit).chain(named);
        all.map(|what| format!("`{}` {what}", path.display())).collect::<Vec<_>>()
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::ElfFile;
    use crate::rules::sample;

    /// A program of this machine, with one library more.
    #[test]
    fn a_library_has_a_name_and_no_path() {
        let program = sample::program();
        for (name, refused) in [
            ("libevil.so.1", false),
            ("/tmp/libevil.so", true),
            ("./libevil.so", true),
            ("$ORIGIN-libevil.so", true),
        ] {
            let mut package = sample::package("a", "x86_64");
            let mut info = program.clone();
            info.needed.push(name.to_owned());
            package.elf.push(ElfFile {
                path: "/usr/bin/a".into(),
                info: Some(info),
                unread: None,
                starts: None,
                for_debuggers: false,
                scripts: false,
            });
            let expected = format!("`/usr/bin/a` loads `{name}` by its path");
            let expected = if refused { vec![expected] } else { Vec::new() };
            assert_eq!(check(&package), expected);
        }
    }
}

//! Packages that call themselves `…-debuginfo`: the name alone excuses nothing.

use super::package::{Recipe, build};
use crate::support::{program, scratch};
use std::path::Path;

/// All that is said of the rule.
fn said(folder: &Path, recipe: &Recipe) -> String {
    let package = build(folder, recipe);
    let output = program().arg("verify").arg(package).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn whatever_a_name_does_not_promise_is_refused() {
    let folder = scratch();
    let install =
        "mkdir -p %{buildroot}/usr/lib/debug/bin\ncp $file %{buildroot}/usr/lib/debug/bin/x";
    let recipe = Recipe {
        name: "zz-debuginfo",
        tags: "Obsoletes: qemu\nConflicts: qemu-img\nProvides: qemu = 99\nRequires: evil\n\
               Recommends: more",
        install,
        files: "/usr/lib/debug/bin",
        more: "%post\n:\n%preun\n:\n%triggerin -- bash\n:\n",
        ..Recipe::default()
    };
    let said = said(folder.path(), &recipe);
    for expected in [
        "it has `/usr/share/ruled/file`, which is no file for debuggers",
        "it has a scriptlet, %post",
        "it has a scriptlet, %preun",
        "it has a package trigger on `in bash`",
        "it provides `qemu = 99`",
        "it requires `evil`",
        "it requires `recommends more`",
        "it conflicts with `qemu-img`",
        "it obsoletes `qemu`",
    ] {
        let line = format!("broken debug-package: {expected}");
        assert!(said.lines().any(|found| found == line), "no `{line}` in\n{said}");
    }
    assert!(!said.contains("`/usr/lib/debug/bin"), "{said}");
}

#[test]
fn a_setuid_file_and_another_name_are_judged_as_everywhere() {
    let folder = scratch();
    let recipe = Recipe {
        name: "zz-debugsource",
        install: "mkdir -p %{buildroot}/usr/src/debug\ncp $file %{buildroot}/usr/src/debug/x",
        files: "%attr(4755, root, root) /usr/src/debug/x",
        ..Recipe::default()
    };
    let text = said(folder.path(), &recipe);
    assert!(text.contains("broken setuid: `/usr/src/debug/x` has the mode 4755"), "{text}");
    let recipe = Recipe { name: "debuginfo-zz", tags: "Obsoletes: qemu", ..Recipe::default() };
    assert!(!said(folder.path(), &recipe).contains("debug-package"));
}

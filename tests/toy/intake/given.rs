// SPDX-License-Identifier: GPL-2.0-or-later
//! What lies beside a spec while it is built, and what its source package says of that.

use super::{EVIL, clean, result};
use crate::support::started;
use crate::support::{Toy, ends_with, events, refusal, sha256, stable};
use insta::assert_snapshot;
use std::fmt::Write;
use std::fs;
use std::process::Command;

/// Packs another source package in the place of the one that rpmbuild wrote, of a spec `x.spec` and the
/// sources in `s`, which commands change before.
fn repacked(change: &str) -> String {
    format!(
        "cd %{{_topdir}}; mkdir s; cp -L /sources/* s; cp /spec/qemu.spec qemu.spec\n{change}\n\
         rpmbuild -bs --define '_topdir %{{_topdir}}/evil' --define '_sourcedir %{{_topdir}}/s' \
         --define 'dist .xcpng8.3' --define '_srcdefattr (-,root,root)' qemu.spec\n\
         rm %{{_srcrpmdir}}/*; mv evil/SRPMS/*.rpm %{{_srcrpmdir}}/; rm -r evil s qemu.spec"
    )
}

#[test]
fn a_source_package_of_anything_else_does_not_leave() {
    let mut wrong = Vec::new();
    for (what, commands, expected) in [
        ("the same", "", ""),
        ("another spec", "echo '# x' >> qemu.spec", "holds another `qemu.spec` than the one"),
        (
            "another device",
            "echo '/* x */' >> s/vgpu-stub.c",
            "holds another `vgpu-stub.c` than the one",
        ),
        ("another source", "echo >> s/qemu-4.2.1.tar.gz", "holds another `qemu-4.2.1.tar.gz`"),
        (
            "a file more",
            "echo x > s/evil.c; sed -i 's/^Source0:/Source77: evil.c\\nSource0:/' qemu.spec",
            "holds `evil.c`, which is none of the files that the build was given",
        ),
        ("a program in it", "chmod 4755 s/vgpu-stub.c", "`vgpu-stub.c` is no plain file"),
    ] {
        let toy = Toy::new("toy-repacked");
        clean(&toy, &repacked(commands));
        let mut run = toy.until("verify");
        if expected.is_empty() {
            events(&mut run);
            continue;
        }
        let error = refusal(1, &mut run);
        if !error.contains("stage `verify`") || !error.contains(expected) {
            wrong.push(format!("{what}: expected {expected}\n{error}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// By rpm's own word: such a file is declared, is there for the build, and is listed with its digest.
#[test]
fn a_source_package_that_leaves_something_out_does_not_leave() {
    for (tag, file) in [("NoSource: 3", "vgpu-stub.c"), ("NoSource: 0", "qemu-4.2.1.tar.gz")] {
        let toy = Toy::new("toy-no-source");
        toy.edit("qemu.spec", "BuildRequires: gcc\n", &format!("BuildRequires: gcc\n{tag}\n"));
        let error = refusal(1, &mut toy.run());
        assert!(error.contains("stage `verify`"), "{error}");
        let expected = format!("only lists `{file}`, and does not hold it");
        assert!(
            error.contains(&expected) && error.contains("help: the spec's `NoSource`"),
            "{error}"
        );
        assert!(!toy.output().exists());
    }
}

#[test]
fn two_packages_of_one_name_do_not_leave() {
    let toy = Toy::new("toy-one-name");
    let quiet = EVIL
        .replace("!post -n @NAME@\ntouch /pwned\n", "")
        .replace("!attr(4755,root,root) ", "")
        .replace("RPMS/x86_64/*.rpm", "RPMS/*/*.rpm")
        .replace("@NAME@", "zz");
    let both = [quiet.replace("@TAGS@\n", ""), quiet.replace("@TAGS@", "BuildArch: noarch")];
    clean(&toy, &both.join("\n"));
    let error = refusal(1, &mut toy.run());
    assert_snapshot!(stable(&error), @"
    error: stage `verify`: two packages are called `zz`, one of them for `x86_64`
    help: one build makes one package of a name: look for the other in the spec
    help: `vgpu-pipeline shell FOLDER/toy.yaml` enters its environment, with the tree as it stood
    ");
    assert!(!toy.output().exists());
}

/// The newest entry of the changelog gives the time, to the build, the signature and the repository.
#[test]
fn a_build_of_the_future_is_not_signed() {
    let toy = Toy::new("toy-future");
    toy.edit("qemu.spec", "* Tue Dec 16 2025 ", "* Thu Dec 16 2100 ");
    let error = refusal(1, &mut toy.run());
    assert_snapshot!(stable(&error), @r#"
    error: stage `sign`: cannot sign `qemu-4.2.1-5.2.15.2.xcpng8.3.vgpu1.x86_64.rpm`: it was built in the future, by its own word (4132598400 seconds after 1970)
    help: the newest entry of the spec's %changelog has the time; clients refuse such signatures
    "#);
    assert!(!toy.output().exists());
}

/// Whoever looks for a patch by another road than its tag finds only those that no edit dropped.
#[test]
fn a_dropped_patch_lies_beside_no_spec_that_it_was_dropped_from() {
    let toy = Toy::new("toy-beside");
    let mut sources = "source:\n".to_owned();
    let mut tags = "BuildRequires: gcc\n".to_owned();
    for (number, name) in ["all", "ours", "stock", "tests"].iter().enumerate() {
        let patch = format!("--- /dev/null\n+++ b/{name}\n@@ -0,0 +1 @@\n+{name}\n");
        let file = toy.path(&format!("{name}.patch"));
        fs::write(&file, patch).unwrap();
        let sha256 = sha256(&file);
        writeln!(sources, "  - path: {{ file: {name}.patch, sha256: {sha256} }}").unwrap();
        writeln!(tags, "Patch{number}: {name}.patch").unwrap();
    }
    // Nothing here says which folder it is.
    let look = "echo \"BESIDE\" $(cd /so*es; echo *.patch) and $(ls all ours stock tests) || :";
    toy.edit("toy.yaml", "source:\n", &sources)
        .edit("qemu.spec", "BuildRequires: gcc\n", &tags)
        .edit("qemu.spec", "\n%build\n", &format!("\n%build\n{look}\n"))
        .edit("toy.yaml", "  edits:\n", "  edits:\n    - drop-patch: ours.patch\n")
        .edit(
            "toy.yaml",
            "build:\n",
            "build:\n  test-binary:\n    file: i386-softmmu/qemu-system-i386\n    edits:\n      \
             - drop-patch: tests.patch\n",
        )
        .edit(
            "toy.yaml",
            "verify:\n",
            "verify:\n  stock: { build: { edits: [{ drop-patch: stock.patch }] } }\n",
        );
    let events = events(&mut toy.until("verify"));
    let beside = |stage: &str| -> Vec<String> {
        let log = fs::read_to_string(started(&events, stage)).unwrap();
        log.lines().filter_map(|line| line.strip_prefix("BESIDE ")).map(str::to_owned).collect()
    };
    // The packages, and then the tree of the test binary.
    assert_eq!(
        beside("build"),
        [
            "all.patch stock.patch tests.patch and all stock tests",
            "all.patch stock.patch and all stock"
        ]
    );
    assert_eq!(
        beside("stock"),
        [
            "all.patch ours.patch tests.patch and all ours tests",
            "all.patch ours.patch and all ours"
        ]
    );
    let source = fs::read_dir(result(&events, "build").join("SRPMS")).unwrap().next().unwrap();
    let listed = ends_with(0, Command::new("rpm").arg("-qpl").arg(source.unwrap().path())).stdout;
    let listed = String::from_utf8(listed).unwrap();
    let patches: Vec<&str> = listed.lines().filter(|name| name.contains(".patch")).collect();
    assert_eq!(patches, ["all.patch", "stock.patch", "tests.patch"]);
}

/// A name that only the source package has is one that nobody asked for.
#[test]
fn a_source_package_of_another_name_does_not_leave() {
    let toy = Toy::new("toy-named");
    toy.edit("qemu.spec", "Name: qemu\n", "Name: glibc\n")
        .edit("qemu.spec", "%autosetup -p1\n", "%autosetup -p1 -n qemu-4.2.1\n")
        .edit(
            "qemu.spec",
            "\n%prep\n",
            "\n%package -n qemu\nSummary: x\nProvides: qemu-device(vgpu-stub) = 1\n%description -n qemu\nx\n\n%prep\n",
        )
        .edit("qemu.spec", "\n%files\n", "\n%files -n qemu\n");
    let error = refusal(1, &mut toy.run());
    assert_snapshot!(stable(&error), @"
    error: stage `verify`: glibc-2:4.2.1-5.2.15.2.xcpng8.3.vgpu1.src is a source package of that name, and no package that was built of it is called `glibc`
    help: the spec's `Name` has to be that of a package with a `%files` of its own
    help: `vgpu-pipeline shell FOLDER/toy.yaml` enters its environment, with the tree as it stood
    ");
    let expected =
        "is a source package of that name, and no package that was built of it is called";
    assert_snapshot!(stable(&error), @"
    error: stage `verify`: glibc-2:4.2.1-5.2.15.2.xcpng8.3.vgpu1.src is a source package of that name, and no package that was built of it is called `glibc`
    help: the spec's `Name` has to be that of a package with a `%files` of its own
    help: `vgpu-pipeline shell FOLDER/toy.yaml` enters its environment, with the tree as it stood
    ");
    assert!(error.contains(expected) && error.contains("help: the spec's `Name`"), "{error}");
    assert!(!toy.output().exists());
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The guest's file system: busybox, `lspci` with all that it needs, and `vgpu-stub-info`.

use crate::support;
use crate::support::requirements::{self, run};
use goblin::elf::Elf;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

/// The commands of busybox that `init` uses.
const APPLETS: &[&str] = &[
    "basename", "cat", "dd", "hexdump", "mount", "poweroff", "printf", "reboot", "sh", "sleep",
    "tr", "umount",
];

/// Makes the archive `to`; what goes in is gathered in the empty folder `tree`.
pub fn make(tree: &Path, to: &Path) {
    for folder in ["bin", "dev", "proc", "sys", "tmp"] {
        fs::create_dir(tree.join(folder)).unwrap();
    }
    let busybox = requirements::program("busybox", "busybox-static");
    if Elf::parse(&fs::read(&busybox).unwrap()).unwrap().interpreter.is_some() {
        requirements::missing("a `busybox` without libraries", "busybox-static");
    }
    copy(&busybox, tree, "bin/busybox");
    for applet in APPLETS {
        symlink("busybox", tree.join("bin").join(applet)).unwrap();
    }
    let lspci = requirements::program("lspci", "pciutils");
    copy(&lspci, tree, "bin/lspci");
    for library in libraries(&lspci) {
        copy(Path::new(&library), tree, library.trim_start_matches('/'));
    }
    copy(&requirements::file("/usr/share/misc/pci.ids", "pci.ids"), tree, "usr/share/misc/pci.ids");
    let ours = support::root().join("tests/qemu/guest");
    copy(&ours.join("init"), tree, "init");
    fs::set_permissions(tree.join("init"), fs::Permissions::from_mode(0o755)).unwrap();
    let reader = support::root().join("device/guest/vgpu-stub-info.c");
    compile(&reader, &tree.join("bin/vgpu-stub-info"));
    compile(&ours.join("as-nobody.c"), &tree.join("bin/as-nobody"));
    pack(tree, to);
}

fn copy(from: &Path, tree: &Path, name: &str) {
    let to = tree.join(name);
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::copy(from, &to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
}

/// The libraries of a program and its loader, by their full paths.
fn libraries(program: &Path) -> Vec<String> {
    let listing = run(Command::new(requirements::program("ldd", "libc-bin")).arg(program));
    let words = listing.split_whitespace().filter(|word| word.starts_with('/'));
    words.map(str::to_owned).collect()
}

fn compile(source: &Path, program: &Path) {
    let cc = requirements::program("cc", "gcc libc6-dev");
    let options = ["-static", "-O2", "-Wall", "-Wextra", "-Werror", "-o"];
    run(Command::new(cc).args(options).arg(program).arg(source));
}

/// The same files give the same archive: names sorted, owned by root, of no time, no inode of this
/// machine.
fn pack(tree: &Path, to: &Path) {
    let find = |args: &[&str]| {
        run(Command::new("find").args(["-mindepth", "1"]).args(args).current_dir(tree))
    };
    find(&["-exec", "touch", "--no-dereference", "--date=@0", "{}", "+"]);
    let mut names: Vec<_> = find(&["-printf", "%P\\n"]).lines().map(str::to_owned).collect();
    names.sort_unstable();
    let mut cpio = Command::new(requirements::program("cpio", "cpio"))
        .args(["--create", "--format=newc", "--reproducible", "--owner=0:0", "--quiet"])
        .current_dir(tree)
        .stdin(Stdio::piped())
        .stdout(File::create(to).unwrap())
        .spawn()
        .unwrap();
    cpio.stdin.take().unwrap().write_all((names.join("\n") + "\n").as_bytes()).unwrap();
    assert!(cpio.wait().unwrap().success());
}

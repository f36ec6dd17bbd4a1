// SPDX-License-Identifier: GPL-2.0-or-later
//! `tests/leftovers`, which looks at the end of `tests/run` for what the tests left behind: it names
//! each kind of thing, and nothing where there is none.

use crate::support::{root, scratch};
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn look(when: &str, folder: &Path) -> Output {
    let mut look = Command::new(root().join("tests/leftovers"));
    // Other tests of this run come and go meanwhile: only what is planted here is looked for.
    look.arg(when).arg(folder).env("VGPU_LEFTOVERS_PATIENCE", "1").output().unwrap()
}

#[test]
fn each_kind_of_thing_that_is_left_is_named() {
    let scratch = scratch();
    let folder = scratch.path().join("run");
    fs::create_dir(&folder).unwrap();
    assert!(look("before", &folder).status.success());

    let mut process = Command::new("sh");
    process.args(["-c", "read -r _"]).env("VGPU_TESTS_RUN", &folder).stdin(Stdio::piped());
    // Its parent is gone, as a daemon's is.
    let mut process = process.spawn().unwrap();
    fs::write(folder.join("forgotten"), "").unwrap();
    let other = Path::new("/var/tmp").join(format!("vgpu-planted-{}", std::process::id()));
    fs::write(&other, "").unwrap();
    let name = format!("vgpu-planted-{}", std::process::id());
    let podman = |args: &[&str]| {
        let done = Command::new("podman").args(args).stdout(Stdio::null()).status().unwrap();
        assert!(done.success(), "{args:?}");
    };
    let image = format!("localhost/vgpu-planted:{}", std::process::id());
    let tar = scratch.path().join("empty.tar");
    let made = Command::new("tar").args(["-cf"]).arg(&tar).args(["-T", "/dev/null"]).status();
    assert!(made.unwrap().success());
    podman(&["import", "--quiet", tar.to_str().unwrap(), &image]);
    podman(&["create", "--name", &name, &image, "true"]);

    let found = look("after", &folder);
    podman(&["rm", "--force", &name]);
    podman(&["rmi", "--force", &image]);
    drop(process.stdin.take());
    let pid = process.id();
    process.wait().unwrap();
    fs::remove_file(&other).unwrap();
    let said = String::from_utf8(found.stdout).unwrap();
    assert_eq!(found.status.code(), Some(1), "{said}");
    for expected in [
        format!("left behind: process {pid} sh -c read -r _ "),
        format!("left behind: file {}", folder.join("forgotten").display()),
        format!("left behind: file {}", other.display()),
        format!("left behind: container {name} of {image}"),
        format!("left behind: image {image}"),
    ] {
        assert!(said.lines().any(|line| line == expected), "no `{expected}` in\n{said}");
    }
    fs::remove_file(folder.join("forgotten")).unwrap();
    // What other tests have at this moment may be named, and nothing that was planted.
    let said = String::from_utf8(look("after", &folder).stdout).unwrap();
    assert!(!said.contains("planted") && !said.contains("forgotten"), "{said}");
    assert!(!said.contains("process "), "{said}");
}

#[test]
fn a_mount_that_is_left_is_named() {
    let scratch = scratch();
    let folder = scratch.path().join("run");
    fs::create_dir(&folder).unwrap();
    // In a mount namespace of its own, so that nothing stays whatever happens.
    let script = "set -eu; \"$1\" before \"$2\"; mkdir \"$2.m\"; mount -t tmpfs none \"$2.m\"; \"$1\" after \"$2\"";
    let mut shell = Command::new("unshare");
    shell.args(["--mount", "sh", "-c", script, "sh"]).arg(root().join("tests/leftovers"));
    let output = shell.arg(&folder).env("VGPU_LEFTOVERS_PATIENCE", "0").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let expected = format!("left behind: mount {}.m", folder.display());
    assert!(said.lines().any(|line| line == expected), "{said}");
}

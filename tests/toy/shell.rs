// SPDX-License-Identifier: GPL-2.0-or-later
//! `shell`: the container of a stage that failed, with the tree as it stood.

use crate::support::{Toy, ends_with, events, program, refusal, scratch, stable};
use insta::assert_snapshot;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn shell(toy: &Toy) -> Command {
    let mut command = program();
    command.arg("shell").arg(toy.path("toy.yaml"));
    command
}

fn said(command: &mut Command) -> String {
    String::from_utf8(ends_with(0, command).stdout).unwrap()
}

/// The command that the help names.
fn entered(toy: &Toy) -> String {
    format!("`vgpu-pipeline shell {}`", toy.path("toy.yaml").display())
}

#[test]
fn a_build_that_failed_can_be_entered_and_a_good_run_ends_that() {
    // Another run of these tests may have been cut off, and what it left is kept by name.
    let name = format!("shell-build-{}", std::process::id());
    let toy = Toy::new(&name);
    let stable = |text: &str| stable(text).replace(&name, "NAME");
    let error = refusal(2, &mut shell(&toy));
    assert_snapshot!(stable(&error), @"
    error: no stage of `NAME` has failed in its environment
    help: a `run` whose stage `build` or `verify` fails keeps the tree for this
    ");

    let broken = ("\n%install\n", "\necho half > half-made; exit 3\n\n%install\n");
    toy.edit("qemu.spec", broken.0, broken.1);
    let error = refusal(1, &mut toy.run());
    assert_snapshot!(stable(&error), @"
    error: stage `build`: `podman run` ended with exit code 1
    help: the whole output is in KEPT/store/logs/NAME/build.log
    help: `vgpu-pipeline shell FOLDER/toy.yaml` enters its environment, with the tree as it stood
    ");

    let look =
        "pwd; cat BUILD/qemu-4.2.1/half-made; ls /sys/class/net; cat /sources/*.c | head -n 1";
    let seen = said(shell(&toy).args(["--", "sh", "-c", look]));
    assert!(seen.starts_with("/build\nhalf\nlo\n/*"), "{seen}");
    let mut typed = shell(&toy);
    let mut child = typed.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"touch /build/mine && id -u\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "1000\n");
    let error = refusal(1, shell(&toy).args(["--", "sh", "-c", "exit 7"]));
    assert_snapshot!(stable(&error), @"
    error: `sh -c exit 7` in the environment ended with exit status: 7
    ");

    toy.edit("qemu.spec", broken.1, broken.0);
    events(&mut toy.run());
    refusal(2, &mut shell(&toy));
}

#[test]
fn packages_that_were_refused_are_there_to_be_looked_at() {
    let toy = Toy::new("shell-verify");
    toy.edit("toy.yaml", "vm_id: uint32 }", "vm_id: uint32, colour: str }");
    let error = refusal(1, &mut toy.run());
    assert!(error.contains(&entered(&toy)), "{error}");
    let seen = said(shell(&toy).args([
        "--",
        "sh",
        "-c",
        "rpm -qp --qf '%{NAME}\\n' /packages/*.x86_64.rpm",
    ]));
    assert!(seen.ends_with("qemu\n"), "{seen}");
}

/// What a build leaves that failed in an image which no engine has; gives its folder in the store.
fn leave_scene(toy: &Toy, name: &str, store: &Path, command: &str) -> PathBuf {
    let place = fs::canonicalize(toy.path("toy.yaml")).unwrap();
    let place = blake3::hash(place.as_os_str().as_encoded_bytes()).to_hex();
    let folder = store.join("failed").join(format!("{name}-{}", &place[..8]));
    fs::create_dir_all(&folder).unwrap();
    let scene = serde_json::json!({
        "job": {
            "purpose": "build", "argv": [command], "confinement": "Sealed", "mounts": [],
            "variables": [], "memory": "1g", "pids": 1,
        },
        "image": { "engine": "podman", "reference": format!("sha256:{}", "0".repeat(64)) },
    });
    fs::write(folder.join("failed-job.json"), scene.to_string()).unwrap();
    folder
}

#[test]
fn an_engine_that_fails_is_told_in_its_own_words_and_not_as_an_image_that_is_gone() {
    let (toy, folder) = (Toy::new("shell-engine"), scratch());
    let store = folder.path().join("store");
    leave_scene(&toy, "shell-engine", &store, "rpmbuild");
    let enter = || {
        let mut enter = shell(&toy);
        enter.env("VGPU_PIPELINE_STORE", &store);
        enter
    };
    let gone = "`podman` no longer has the image sha256:0000";
    let error = refusal(1, &mut enter());
    assert!(error.contains(gone), "{error}");
    let podman = folder.path().join("podman");
    fs::write(&podman, "#!/bin/sh\necho 'Error: no room for locks' >&2\nexit 125\n").unwrap();
    fs::set_permissions(&podman, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let error = refusal(1, enter().env("PATH", path));
    assert!(error.contains("| Error: no room for locks") && !error.contains(gone), "{error}");
    assert!(error.contains("| Error: no room for locks"), "{error}");
    assert_snapshot!(stable(&error), @"
    error: `podman image` ended with exit code 125
    help: the whole output is in FOLDER/store/logs/shell-engine/shell.log
    ");
}

/// The run that it waits for may fix what had failed, or fail otherwise.
#[test]
fn what_a_run_leaves_that_was_waited_for_is_entered_and_not_what_was_there_before() {
    let (toy, folder) = (Toy::new("shell-waits"), scratch());
    let store = folder.path().join("store");
    let scene = leave_scene(&toy, "shell-waits", &store, "before");
    fs::create_dir(store.join("locks")).unwrap();
    let waits = |meanwhile: &dyn Fn()| {
        let lock = fs::File::create(store.join("locks/run-shell-waits")).unwrap();
        lock.lock().unwrap();
        let mut enter = shell(&toy);
        enter.env("VGPU_PIPELINE_STORE", &store).stderr(Stdio::piped());
        let child = enter.spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_secs(2));
        meanwhile();
        drop(lock);
        let said = child.wait_with_output().unwrap();
        (said.status.code(), String::from_utf8(said.stderr).unwrap())
    };
    let (code, said) = waits(&|| drop(leave_scene(&toy, "shell-waits", &store, "after")));
    assert!(code == Some(1) && said.starts_with("failed: after\n"), "{code:?} {said}");
    let (code, said) = waits(&|| fs::remove_dir_all(&scene).unwrap());
    assert!(code == Some(2) && said.contains("no stage of `shell-waits` has failed"), "{said}");
}

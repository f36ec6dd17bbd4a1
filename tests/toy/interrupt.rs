// SPDX-License-Identifier: GPL-2.0-or-later
//! SIGINT and SIGTERM: in the middle of rpmbuild, twice, and where a key is made.

use crate::support::{Toy, ends_with, events, program, scratch, stuck, within};
use std::fs;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Numbers of seconds that no other process sleeps for, of another suite neither.
fn sleep() -> String {
    format!("sleep 86341.{}", std::process::id())
}

fn other_sleep() -> String {
    format!("sleep 86351.{}", std::process::id())
}

fn signal(name: &str, process: &str) {
    ends_with(0, Command::new("kill").args([&format!("-{name}"), "--", process]));
}

#[test]
fn an_interrupted_build_is_gone_within_two_seconds_and_the_next_run_goes_on() {
    let toy = Toy::new("toy-interrupt");
    events(&mut toy.until("inject"));
    toy.edit("qemu.spec", "\n%install\n", &format!("\n{}\n\n%install\n", sleep()));
    let mut child = toy.run().stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for("rpmbuild to sleep", || sleepers(&sleep()) > 0);

    ends_with(0, Command::new("kill").args(["-INT", &child.id().to_string()]));
    let signalled = Instant::now();
    let status = child.wait().unwrap();
    let took = signalled.elapsed();
    assert_eq!(status.code(), Some(130));
    assert!(took < within(Duration::from_secs(2)), "{took:?}");
    assert_eq!(sleepers(&sleep()), 0, "the container's processes are gone");
    let name = format!("name=vgpu-pipeline-build-{}", child.id());
    let left =
        ends_with(0, Command::new("podman").args(["ps", "--all", "--quiet", "--filter", &name]));
    assert_eq!(String::from_utf8(left.stdout).unwrap(), "");
    assert!(!toy.output().exists());

    toy.edit("qemu.spec", &sleep(), "true");
    events(&mut toy.run());
    assert!(toy.output().join("repodata/repomd.xml").exists());
}

/// Nobody waits for the tidying up who has asked twice; it is done all the same.
#[test]
fn a_build_that_is_interrupted_twice_ends_at_once_and_is_gone_soon() {
    let toy = Toy::new("toy-interrupt-twice");
    events(&mut toy.until("inject"));
    toy.edit("qemu.spec", "\n%install\n", &format!("\n{}\n\n%install\n", other_sleep()));
    let mut child = toy.run().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for("rpmbuild to sleep", || sleepers(&other_sleep()) > 0);
    let pid = child.id().to_string();
    signal("INT", &pid);
    std::thread::sleep(Duration::from_millis(5));
    let signalled = Instant::now();
    signal("TERM", &pid);
    let code = child.wait().unwrap().code();
    let took = signalled.elapsed();
    assert!([Some(143), Some(130)].contains(&code), "{code:?}");
    assert!(took < within(Duration::from_secs(1)), "{took:?}");
    wait_for("the build's end", || sleepers(&other_sleep()) == 0);
    let name = format!("name=vgpu-pipeline-build-{pid}");
    wait_for("the container's removal", || {
        let mut list = Command::new("podman");
        list.args(["ps", "--all", "--quiet", "--filter", &name]);
        ends_with(0, &mut list).stdout.is_empty()
    });
}

#[test]
fn a_second_signal_ends_whatever_does_not_heed_the_first() {
    for (first, second, code) in
        [("INT", "INT", 130), ("TERM", "TERM", 143), ("INT", "TERM", 143), ("TERM", "INT", 130)]
    {
        let (mut child, _reader) = stuck(program().arg("schema"));
        let pid = child.id().to_string();
        signal(first, &pid);
        std::thread::sleep(Duration::from_millis(200));
        assert!(child.try_wait().unwrap().is_none(), "the first one alone is a wish");
        signal(second, &pid);
        let began = Instant::now();
        while child.try_wait().unwrap().is_none() && began.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let took = began.elapsed();
        let _ = child.kill();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{first} {second}");
        assert!(took < within(Duration::from_secs(1)), "{took:?}");
    }
}

/// As a shell has it in `$?`.
fn code(status: ExitStatus) -> i32 {
    status.code().or(status.signal().map(|signal| 128 + signal)).unwrap()
}

/// What is in a folder, at any depth, that is no folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}

#[test]
fn a_key_that_is_interrupted_is_no_file() {
    let folder = scratch();
    let mut ended = Vec::new();
    for (number, wait) in [0, 3, 10, 30, 100, 300, 700].into_iter().enumerate() {
        let name = if number % 2 == 0 { "INT" } else { "TERM" };
        let file = folder.path().join(format!("{number}/deep/key.asc"));
        let mut make = program();
        make.args(["key", "new"]).arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = make.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        signal(name, &child.id().to_string());
        let code = code(child.wait().unwrap());
        let left = files(folder.path());
        match code {
            // It was quicker.
            0 => fs::remove_file(&file).unwrap(),
            130 | 143 => assert_eq!(left, [] as [PathBuf; 0]),
            _ => panic!("{code} after {wait} ms"),
        }
        ended.push(code);
    }
    assert!(ended.iter().any(|code| *code > 0), "{ended:?}");
}

/// The moment at which the secret is in a file that has no name yet.
#[test]
fn a_key_that_is_interrupted_while_it_is_written_is_no_file_either() {
    let folder = scratch();
    let file = folder.path().join("key.asc");
    let mut trace = Command::new("strace");
    trace.args(["--quiet=all", "--output=/dev/null", "--inject=fsync:delay_enter=2000000"]);
    trace.arg(env!("CARGO_BIN_EXE_vgpu-pipeline")).args(["key", "new"]).arg(&file);
    let mut strace = trace.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for("the key to be written", || !files(folder.path()).is_empty());
    let children = format!("/proc/{0}/task/{0}/children", strace.id());
    let traced = fs::read_to_string(children).unwrap();
    signal("INT", traced.trim());
    assert_eq!(code(strace.wait().unwrap()), 130);
    assert_eq!(files(folder.path()), [] as [PathBuf; 0]);
}

/// Ctrl-C goes to all of a terminal's foreground, so to whoever makes the key as well.
#[test]
fn an_interrupted_run_that_makes_the_development_key_says_so() {
    let (toy, data, store) = (Toy::new("toy-interrupt-key"), scratch(), scratch());
    let mut run = toy.run();
    run.env("XDG_DATA_HOME", data.path()).env("VGPU_PIPELINE_STORE", store.path());
    let run = run.process_group(0).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let children = format!("/proc/{0}/task/{0}/children", run.id());
    let makes = |pid: &str| {
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        words.windows(8).any(|words| words == b"key\0new\0")
    };
    wait_for("the key to be made", || {
        let children = fs::read_to_string(&children).unwrap_or_default();
        children.split_whitespace().any(makes)
    });
    signal("INT", &format!("-{}", run.id()));
    let output = run.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.starts_with("interrupted; ") && said.lines().count() == 1, "{said}");
    assert_eq!(files(data.path()), [] as [PathBuf; 0]);
}

fn wait_for(what: &str, done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < within(Duration::from_secs(300)), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// How many processes of this machine sleep our sleep; a container's are among them.
fn sleepers(sleep: &str) -> usize {
    let wanted: Vec<u8> = sleep.replace(' ', "\0").into_bytes();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter(|process| {
            fs::read(process.path().join("cmdline")).is_ok_and(|line| line.starts_with(&wanted))
        })
        .count()
}

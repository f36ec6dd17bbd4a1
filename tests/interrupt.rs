//! SIGINT in the middle of rpmbuild.

use crate::support::{Toy, ends_with, events, within};
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A number of seconds that no other process sleeps for, of another suite neither.
fn sleep() -> String {
    format!("sleep 86341.{}", std::process::id())
}

#[test]
fn an_interrupted_build_is_gone_within_two_seconds_and_the_next_run_goes_on() {
    let toy = Toy::new("toy-interrupt");
    events(toy.run().args(["--until", "inject"]));
    toy.edit("qemu.spec", "\n%install\n", &format!("\n{}\n\n%install\n", sleep()));
    let mut child = toy.run().stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for("rpmbuild to sleep", || sleepers() > 0);

    ends_with(0, Command::new("kill").args(["-INT", &child.id().to_string()]));
    let signalled = Instant::now();
    let status = child.wait().unwrap();
    let took = signalled.elapsed();
    assert_eq!(status.code(), Some(130));
    assert!(took < within(Duration::from_secs(2)), "{took:?}");
    assert_eq!(sleepers(), 0, "the container's processes are gone");
    let name = format!("name=vgpu-pipeline-build-{}", child.id());
    let left =
        ends_with(0, Command::new("podman").args(["ps", "--all", "--quiet", "--filter", &name]));
    assert_eq!(String::from_utf8(left.stdout).unwrap(), "");
    assert!(!toy.output().exists());

    toy.edit("qemu.spec", &sleep(), "true");
    events(&mut toy.run());
    assert!(toy.output().join("repodata/repomd.xml").exists());
}

fn wait_for(what: &str, done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < within(Duration::from_secs(300)), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// How many processes of this machine sleep our sleep; a container's are among them.
fn sleepers() -> usize {
    let wanted: Vec<u8> = sleep().replace(' ', "\0").into_bytes();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter(|process| {
            fs::read(process.path().join("cmdline")).is_ok_and(|line| line.starts_with(&wanted))
        })
        .count()
}

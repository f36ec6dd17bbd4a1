// SPDX-License-Identifier: GPL-2.0-or-later
//! Who a build is on the host, and who can reach into it.

use super::{sleepers, wait_for};
use crate::support::result;
use crate::support::{Toy, ends_with, events, kept};
use crate::toy::docker::daemon;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use vgpu_pipeline::Event;

/// Numbers of seconds that no other process sleeps for.
const SLEEP: u32 = 86_342;
const DOCKERS_SLEEP: u32 = 86_344;

/// A run whose build sleeps.
struct Sleeping {
    run: Child,
    process: u32,
}

impl Sleeping {
    fn start(toy: &Toy, seconds: u32, run: &mut Command) -> Self {
        toy.edit("qemu.spec", "\n%install\n", &format!("\nsleep {seconds}\n\n%install\n"));
        let run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_for("the build to sleep", 300, || !sleepers(seconds).is_empty());
        Self { run, process: sleepers(seconds)[0] }
    }

    fn end(mut self) {
        ends_with(0, Command::new("kill").args(["-INT", &self.run.id().to_string()]));
        assert_eq!(self.run.wait().unwrap().code(), Some(130));
    }
}

/// A line of a process's status.
fn status(process: u32, name: &str) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().map(|id| id.parse().unwrap()).collect()
}

/// Whether nobody of this machine is that id, and nobody may become it.
fn nobodys(id: u32) -> bool {
    let users = ["/etc/passwd", "/etc/group"].map(|file| fs::read_to_string(file).unwrap());
    let known = users.iter().flat_map(|text| text.lines());
    let known = known.filter_map(|line| line.split(':').nth(2)?.parse::<u32>().ok());
    let given =
        ["/etc/subuid", "/etc/subgid"].map(|file| fs::read_to_string(file).unwrap_or_default());
    let given = given.iter().flat_map(|text| text.lines()).filter_map(|line| {
        let mut fields = line.split(':').skip(1).map(|field| field.parse::<u64>().ok());
        let start = fields.next()??;
        Some(start..start + fields.next()??)
    });
    let mut given = given.collect::<Vec<_>>().into_iter();
    !known.collect::<Vec<_>>().contains(&id) && !given.any(|range| range.contains(&u64::from(id)))
}

/// Whether a command of a user can be run well.
fn works_as(user: u32, argv: &[&str]) -> bool {
    let mut command = Command::new("setpriv");
    let id = [format!("--reuid={user}"), format!("--regid={user}")];
    command.args(id).arg("--clear-groups").args(argv);
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
}

/// The folders that the builds of the shared store work in now.
fn folders() -> Vec<PathBuf> {
    let works = fs::read_dir(kept("store/work")).unwrap().flatten();
    works.map(|work| work.path().join("rpmbuild")).filter(|path| path.is_dir()).collect()
}

fn nobody_reaches_into(process: u32) {
    for user in [1000, 65_534, 1] {
        assert!(works_as(user, &["true"]));
        let root = format!("/proc/{process}/root");
        for argv in [
            ["ls", &format!("{root}/")],
            ["touch", &format!("{root}/build/x")],
            ["ls", &format!("/proc/{process}/cwd/")],
            ["cat", &format!("/proc/{process}/environ")],
            ["kill", &process.to_string()],
        ] {
            assert!(!works_as(user, &argv), "{user} can {argv:?}");
        }
        for folder in folders() {
            let file = folder.join("x");
            assert!(!works_as(user, &["touch", file.to_str().unwrap()]));
        }
    }
}

#[test]
fn a_build_is_nobody_on_the_host_and_nobody_reaches_into_it() {
    if !rustix_is_root() {
        crate::support::skip::skipped!(
            "a_build_is_nobody_on_the_host_and_nobody_reaches_into_it: not root"
        );
        return;
    }
    let toy = Toy::new("nobody-podman");
    let sleeping = Sleeping::start(&toy, SLEEP, &mut toy.run());
    let mut process = sleeping.process;
    // Up to the container's first process.
    while status(process, "NSpid:").len() > 1 {
        let (users, groups) = (status(process, "Uid:"), status(process, "Gid:"));
        for id in users.into_iter().chain(groups).chain(status(process, "Groups:")) {
            assert!(nobodys(id), "{id}");
        }
        let map = fs::read_to_string(format!("/proc/{process}/uid_map")).unwrap();
        let map: Vec<u32> = map.split_whitespace().map(|it| it.parse().unwrap()).collect();
        assert!(map[0] == 0 && map[1] > 1 << 30 && map[2] == 65_536, "{map:?}");
        process = status(process, "PPid:")[0];
    }
    nobody_reaches_into(sleeping.process);
    sleeping.end();
}

#[test]
fn dockers_build_is_nobody_either_and_makes_the_same_packages() {
    if !rustix_is_root() {
        crate::support::skip::skipped!(
            "dockers_build_is_nobody_either_and_makes_the_same_packages: not root"
        );
        return;
    }
    let toy = Toy::new("nobody-docker");
    let (twin, sleeper) = (toy.twin(), toy.twin());
    let daemon = daemon();
    let socket = format!("unix://{}", daemon.folder().join("socket").display());
    let docker = |toy: &Toy| {
        let mut run = toy.run();
        run.args(["--engine", "docker"]).env("DOCKER_HOST", &socket);
        run
    };
    let packages = |events: &[Event]| {
        let record = result(events, "build").join("record.json");
        let record: serde_json::Value = serde_json::from_slice(&fs::read(record).unwrap()).unwrap();
        let mut files = record["record"]["files"].as_object().unwrap().clone();
        files.retain(|name, _| Path::new(name).extension().is_some_and(|end| end == "rpm"));
        assert_eq!(files.len(), 2);
        files
    };
    let one = packages(&events(&mut toy.run()));
    let other = packages(&events(&mut docker(&twin)));
    assert_eq!(one, other);

    let sleeping = Sleeping::start(&sleeper, DOCKERS_SLEEP, &mut docker(&sleeper));
    for id in [status(sleeping.process, "Uid:"), status(sleeping.process, "Gid:")].concat() {
        assert!(nobodys(id), "{id}");
    }
    nobody_reaches_into(sleeping.process);
    // A killed runner's container is gone with docker too.
    let mut run = sleeping.run;
    run.kill().unwrap();
    run.wait().unwrap();
    wait_for("the container's end", 30, || sleepers(DOCKERS_SLEEP).is_empty());
    // Its processes end first, and then it is removed.
    wait_for("the container's removal", 60, || {
        let mut list = Command::new("docker");
        list.args(["ps", "--all", "--quiet"]).env("DOCKER_HOST", &socket);
        ends_with(0, &mut list).stdout.is_empty()
    });
}

fn rustix_is_root() -> bool {
    Path::new("/proc/self").metadata().is_ok_and(|it| std::os::unix::fs::MetadataExt::uid(&it) == 0)
}

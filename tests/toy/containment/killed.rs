// SPDX-License-Identifier: GPL-2.0-or-later
//! SIGKILL, at any moment: nothing goes on, and the next run does.

use super::{is_used, sleepers, wait_for, with_environment};
use crate::support::{Toy, campaign, ends_with, events, scratch};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

/// Numbers of seconds that no other process sleeps for.
const BESIDE: u32 = 86_343;
const LEFT: u32 = 86_345;
const ELSEWHERE: u32 = 86_346;

/// How many runs are killed: `VGPU_PIPELINE_KILLS=40` for a campaign.
fn kills() -> u64 {
    campaign::number("VGPU_PIPELINE_KILLS", 5)
}

fn containers(filter: &str) -> String {
    let mut list = Command::new("podman");
    list.args(["ps", "--all", "--quiet", "--filter", filter]);
    String::from_utf8(ends_with(0, &mut list).stdout).unwrap()
}

/// The processes that stand on a runner's behalf: engines, conmon, reapers.
fn speaking_of(words: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|it| fs::read(it.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(words)).collect()
}

#[test]
fn a_run_that_is_killed_at_any_moment_leaves_nothing_running() {
    let store = scratch();
    with_environment(store.path());
    let toy = Toy::new("killed");
    toy.edit("qemu.spec", "\n%build\n", &format!("\n%build\nsleep {BESIDE} &\n"));
    let run = || {
        let mut run = toy.run();
        run.env("VGPU_PIPELINE_STORE", store.path());
        run
    };
    // The first run makes more than those that are killed.
    events(&mut run());
    toy.edit("vgpu-stub.c", "#include", "/* measured */\n#include");
    let began = SystemTime::now();
    events(&mut run());
    let whole = began.elapsed().unwrap().as_millis();
    let (mut moment, mut struck) =
        (began.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos(), 0);
    for number in 0..kills() {
        let device = fs::read_to_string(toy.path("vgpu-stub.c")).unwrap();
        fs::write(toy.path("vgpu-stub.c"), format!("{device}/* {number} */\n")).unwrap();
        let mut child = run().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        moment =
            moment.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let wait = u64::try_from((moment >> 33) % whole).unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        struck += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        // Its reaper takes a moment.
        let mine = format!("-{}-", child.id());
        let label = format!("name={mine}");
        wait_for(&format!("the end of all after {wait} ms"), 60, || {
            sleepers(BESIDE).is_empty()
                && containers(&label).is_empty()
                && speaking_of(&mine).is_empty()
                && !is_used(store.path())
        });
    }
    println!("{struck} of {} runs were killed before their end", kills());
    assert!(struck > 0);
    events(&mut run());
    assert!(toy.output().join("repodata/repomd.xml").exists());
    assert_eq!(fs::read_dir(store.path().join("work")).unwrap().count(), 0);
}

/// The reaper may be killed too, by somebody who clears a whole machine's processes.
#[test]
fn what_a_killed_reaper_left_is_cleared_by_the_next_run_of_the_same_store() {
    let store = scratch();
    with_environment(store.path());
    let toy = Toy::new("reaper-killed");
    let sleep = format!("\n%install\nsleep {LEFT}\n");
    toy.edit("qemu.spec", "\n%install\n", &sleep);
    let run = || {
        let mut run = toy.run();
        run.env("VGPU_PIPELINE_STORE", store.path());
        run
    };
    let mut child = run().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for("the build to sleep", 300, || !sleepers(LEFT).is_empty());
    let parent = child.id().to_string();
    let reapers =
        Command::new("pgrep").args(["--parent", &parent, "--exact", "sh"]).output().unwrap();
    let reapers = String::from_utf8(reapers.stdout).unwrap();
    assert!(!reapers.is_empty());
    ends_with(0, Command::new("kill").arg("-KILL").args(reapers.lines()));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(sleepers(LEFT).len(), 1);

    // One of another store, whose runner is gone as well.
    let elsewhere = format!("test-elsewhere-{}", std::process::id());
    let image = ends_with(
        0,
        Command::new("podman")
            .args(["ps", "--all", "--format", "{{.Image}}", "--filter"])
            .arg(format!("name=-{parent}-")),
    );
    let image = String::from_utf8(image.stdout).unwrap();
    let mut other = Command::new("podman");
    other.args(["run", "--detach", "--rm", "--network=none", "--name", &elsewhere]);
    other.args([
        "--label=vgpu-pipeline.store=0123456789abcdef",
        "--label=vgpu-pipeline.runner=x/1/1/1",
    ]);
    ends_with(0, other.args([image.trim(), "sleep", &ELSEWHERE.to_string()]));

    toy.edit("qemu.spec", &sleep, "\n%install\n");
    events(&mut run());
    assert!(sleepers(LEFT).is_empty());
    assert_eq!(containers(&format!("name=-{parent}-")), "");
    let kept = sleepers(ELSEWHERE).len();
    ends_with(0, Command::new("podman").args(["rm", "--force", "--time=0", &elsewhere]));
    assert_eq!(kept, 1);
    assert_eq!(fs::read_dir(store.path().join("work")).unwrap().count(), 0);
    assert!(Path::new(&toy.output()).exists());
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! Who the steps of an image's build are on the host, what the image says of its files, and what is left
//! of a build that was killed.

use super::{is_used, sleepers, wait_for};
use crate::support::{Toy, ends_with, events, kept};
use crate::support::{key, results};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Numbers of seconds that no other process sleeps for.
const SLEEP: u32 = 86_347;

/// A pipeline with a small environment of its own, by the text of its Containerfile after FROM.
fn toy(name: &str, steps: &str) -> Toy {
    let toy = Toy::new(name);
    let text = fs::read_to_string(toy.path("toy.yaml")).unwrap();
    let (from, to) = (text.find("packages:").unwrap(), text.find("\ndevice:").unwrap());
    let text = format!("{}packages: [libcap2-bin]\n{}", &text[..from], &text[to..]);
    fs::write(toy.path("toy.yaml"), text).unwrap();
    write_steps(&toy, steps);
    toy
}

fn write_steps(toy: &Toy, steps: &str) {
    let text = format!("ARG BASE\n# one\nFROM ${{BASE}}\n# two\n{steps}");
    fs::write(toy.path("Containerfile"), text).unwrap();
}

fn environment(toy: &Toy) -> Command {
    let mut run = toy.until("environment");
    run.env("https_proxy", std::env::var("https_proxy").unwrap_or_default());
    run
}

fn podman(args: &[&str]) -> String {
    String::from_utf8(ends_with(0, Command::new("podman").args(args)).stdout).unwrap()
}

/// What a build has left: its container where everybody's are, mounts, and folders of work.
fn left(store: &Path) -> Vec<String> {
    let containers = podman(&["ps", "--all", "--external", "--format", "{{.Image}} {{.Mounts}}"]);
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let here = store.to_str().unwrap();
    let work = fs::read_dir(store.join("work")).unwrap().flatten();
    let work = work.map(|it| it.path().display().to_string());
    let all = containers.lines().chain(mounts.lines()).filter(|line| line.contains(here));
    all.map(str::to_owned).chain(work).collect()
}

/// What tools make where everybody's temporary files are, and leave there if they are killed.
fn debris() -> usize {
    let places = ["/tmp", "/var/tmp"].map(|it| fs::read_dir(it).unwrap().flatten());
    let names = places.into_iter().flatten().map(|it| it.file_name());
    let makers = ["mmdebstrap", "container_images", "storage", "buildah", "podman"];
    names.filter(|it| makers.iter().any(|maker| it.to_string_lossy().contains(maker))).count()
}

fn is_root() -> bool {
    let me = Path::new("/proc/self").metadata();
    me.is_ok_and(|it| std::os::unix::fs::MetadataExt::uid(&it) == 0)
}

const STEPS: &str = "\
RUN cat /proc/self/uid_map >/uid_map && cat /proc/self/gid_map >/gid_map
RUN mkdir /made && touch /made/file && ln /made/file /made/twice && ln -s file /made/link
RUN touch /given /grouped /last && chown 1000:1000 /given && chgrp 7 /grouped && chown 65535 /last
RUN cp /bin/true /program && chmod 6755 /program && chmod 1777 /made
RUN cp /bin/true /capable && setcap cap_net_raw+ep /capable && rm /etc/issue
ENV SAID=well
WORKDIR /work
USER 1000
RUN id -u >/tmp/id; ulimit -f >/tmp/largest; touch /made/builders
";

#[test]
fn the_steps_of_an_image_are_nobody_on_the_host_and_its_files_are_as_ever() {
    if !is_root() {
        println!(
            "SKIPPED: the_steps_of_an_image_are_nobody_on_the_host_and_its_files_are_as_ever: not root"
        );
        return;
    }
    let toy = toy("image-nobody", STEPS);
    let first = events(&mut environment(&toy));
    let key = key(&first, "environment");
    let image = format!("localhost/vgpu-pipeline:{}", &key[..16]);
    let inside = |command: &str| {
        podman(&["run", "--rm", "--network=none", "--user=0", &image, "/bin/sh", "-c", command])
    };
    for map in [inside("cat /uid_map"), inside("cat /gid_map")] {
        let map: Vec<u64> = map.split_whitespace().map(|it| it.parse().unwrap()).collect();
        assert!(matches!(map[..], [0, first, 65_536] if first > 1 << 30), "{map:?}");
    }
    let shown = inside(
        "cd /; stat -c '%n %u:%g %a %h' made made/file made/link given grouped last program capable \
         made/builders work; cat /tmp/id /tmp/largest; echo $SAID; pwd; [ ! -e /etc/issue ]",
    );
    assert_eq!(
        shown,
        "made 0:0 1777 2\nmade/file 0:0 644 2\nmade/link 0:0 777 1\ngiven 1000:1000 644 1\n\
         grouped 0:7 644 1\nlast 65535:0 644 1\nprogram 0:0 6755 1\ncapable 0:0 755 1\n\
         made/builders 1000:0 644 1\nwork 0:0 755 2\n1000\n8388608\nwell\n/\n"
    );
    // No id of the host's anywhere, and what dpkg installed is still whose it was.
    assert_eq!(inside("find / -xdev \\( -uid +65535 -o -gid +65535 \\)"), "");
    assert_eq!(
        inside("stat -c '%U:%G %a' /var/mail /var/local"),
        "root:mail 2775\nroot:staff 2775\n"
    );
    assert_eq!(podman(&["image", "inspect", "--format", "{{.Config.User}}", &image]), "1000\n");

    // The same image again, from what the store has.
    let again = || {
        podman(&["rmi", "--force", &image]);
        // Whoever asks for a build needs the image; this environment has nothing to build with.
        ends_with(1, &mut toy.until("build"));
        podman(&["image", "inspect", "--format", "{{.Id}} {{.RootFS.Layers}}", &image])
    };
    let made = again();
    assert_eq!(again(), made);

    // A name is everybody's: another image under it is not taken for ours.
    let (empty, id) = (toy.path("empty.tar"), made.split(' ').next().unwrap().to_owned());
    ends_with(0, Command::new("tar").args(["-cf", empty.to_str().unwrap(), "-T", "/dev/null"]));
    podman(&["import", "--quiet", empty.to_str().unwrap(), &image]);
    ends_with(1, &mut toy.until("build"));
    let log = fs::read_to_string(kept("store/logs/image-nobody/build.log")).unwrap();
    assert!(log.contains(&id) && !log.contains(&image), "{log}");
    podman(&["tag", &id, &image]);

    // It has a history as any image, and others may build on it.
    let child = toy.path("child");
    fs::create_dir(&child).unwrap();
    fs::write(child.join("Containerfile"), format!("FROM {image}\nUSER 0\nRUN touch /child\n"))
        .unwrap();
    let mut build = Command::new("podman");
    build.args(["build", "--quiet", "--network=none", "--pull=never"]).arg(&child);
    let id = String::from_utf8(ends_with(0, &mut build).stdout).unwrap();
    podman(&["rmi", "--force", id.trim()]);
}

#[test]
fn a_step_ends_with_its_runner_and_nothing_of_a_build_is_left() {
    if !is_root() {
        println!("SKIPPED: a_step_ends_with_its_runner_and_nothing_of_a_build_is_left: not root");
        return;
    }
    // Deaf to whoever asks it to end, and out of its session.
    let step =
        format!("RUN trap '' INT TERM HUP; setsid sleep {SLEEP} & sleep {SLEEP}; sleep {SLEEP}\n");
    let toy = toy("image-killed", &step);
    // A path that the kernel's options of a mount cannot say, and longer than podman's own may be.
    let store =
        toy.path("a store: of, 100% odd and long names that no program likes, least of all podman");
    let run = || {
        let mut run = environment(&toy);
        run.env("VGPU_PIPELINE_STORE", &store);
        run
    };
    let start = || {
        let run = run().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_for("a step to sleep", 300, || sleepers(SLEEP).len() == 2);
        run
    };
    let over = || sleepers(SLEEP).is_empty();
    let before = debris();
    // Asked to end.
    let mut asked = start();
    ends_with(0, Command::new("kill").args(["-INT", &asked.id().to_string()]));
    assert_eq!(asked.wait().unwrap().code(), Some(130));
    assert!(over());
    assert_eq!(left(&store), Vec::<String>::new());
    // Killed together with its reaper: the kernel ends all of it.
    let mut killed = start();
    let parent = killed.id().to_string();
    let reapers = Command::new("pgrep").args(["--parent", &parent, "--exact", "sh"]).output();
    let reapers = String::from_utf8(reapers.unwrap().stdout).unwrap();
    assert!(!reapers.is_empty());
    ends_with(0, Command::new("kill").arg("-KILL").args(reapers.lines()));
    killed.kill().unwrap();
    killed.wait().unwrap();
    wait_for("the steps' end", 30, over);
    assert_eq!(left(&store).len(), 1, "{:?}", left(&store));
    // The same while its base is made, which mounts too.
    let mut killed = run().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let log = store.join("logs/image-killed/environment.log");
    let installs = || fs::read_to_string(&log).is_ok_and(|it| it.contains("installing essential"));
    wait_for("packages to be installed", 300, installs);
    killed.kill().unwrap();
    killed.wait().unwrap();
    // Others have folders of that kind too, for a while.
    wait_for("the bootstrap's end", 30, || !is_used(&store) && debris() <= before);
    assert!(left(&store).len() <= 1, "{:?}", left(&store));
    // The same while the host's storage takes the image over, of which the engine makes a copy first.
    write_steps(&toy, "RUN head -c 200000000 /dev/urandom >/much\n");
    let mut killed = run().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let work = store.join("work");
    let copies = || {
        let mut find = Command::new("find");
        find.current_dir(&work).args([".", "-path", "./*/tmp/*", "-type", "f", "-size", "+1M"]);
        // Folders come and go under it.
        find.output().is_ok_and(|it| !it.stdout.is_empty())
    };
    wait_for("the image to be copied", 300, copies);
    killed.kill().unwrap();
    killed.wait().unwrap();
    wait_for("the copy's end", 30, || !is_used(&store) && debris() <= before);
    assert!(left(&store).len() <= 1, "{:?}", left(&store));

    // A folder that nobody can work in is no job's.
    write_steps(&toy, "WORKDIR /etc/passwd/x/../../../proc/self/fd/3\n");
    assert!(!results(&events(&mut run())).is_empty());
    assert_eq!(left(&store), Vec::<String>::new());
}

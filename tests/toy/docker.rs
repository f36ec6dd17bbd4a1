// SPDX-License-Identifier: GPL-2.0-or-later
//! The other engine: the toy pipeline through a docker daemon of the test's own.

use crate::support::leash::Leash;
use crate::support::{Toy, events, ran, scratch};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// Starts a daemon in a folder. Its SIGTERM lets it unmount what it has mounted.
pub fn daemon() -> Leash {
    let folder = scratch().keep();
    let at = |name: &str| folder.join(name).display().to_string();
    let (host, data, exec, pid) = (at("socket"), at("data"), at("exec"), at("daemon.pid"));
    let daemon = Leash::on(
        &folder,
        &[
            // Where its containerd writes what it was at, when it is slow to start.
            "env",
            &format!("TMPDIR={}", folder.display()),
            "dockerd",
            "--iptables=false",
            "--ip6tables=false",
            "--bridge=none",
            &format!("--host=unix://{host}"),
            &format!("--data-root={data}"),
            &format!("--exec-root={exec}"),
            &format!("--pidfile={pid}"),
        ],
    );
    let began = Instant::now();
    // The socket is there before anybody listens.
    while UnixStream::connect(folder.join("socket")).is_err() {
        let waits = !daemon.has_ended() && began.elapsed() < Duration::from_secs(300);
        assert!(waits, "dockerd, of the package docker.io, does not start:\n{}", daemon.said());
        std::thread::sleep(Duration::from_millis(200));
    }
    daemon
}

#[test]
fn docker_builds_and_probes_like_podman() {
    let toy = Toy::new("toy-docker");
    let daemon = daemon();
    let socket = format!("unix://{}", daemon.folder().join("socket").display());
    let events = events(toy.run().args(["--engine", "docker"]).env("DOCKER_HOST", socket));
    assert!(ran(&events).contains(&"build"), "{events:#?}");
    assert!(toy.output().join("repodata/repomd.xml").exists());
}

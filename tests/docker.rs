//! The other engine: the toy pipeline through a docker daemon of the test's own.

use crate::support::{Toy, events, ran, scratch};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A daemon that ends with the test.
pub struct Daemon(Child);

impl Daemon {
    pub fn start(folder: &Path) -> Self {
        let at = |name: &str| folder.join(name).display().to_string();
        let log = std::fs::File::create(folder.join("log")).unwrap();
        let child = Command::new("dockerd")
            .args(["--iptables=false", "--ip6tables=false", "--bridge=none"])
            .args(["--host", &format!("unix://{}", at("socket"))])
            .args(["--data-root", &at("data"), "--exec-root", &at("exec"), "--pidfile", &at("pid")])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("dockerd, of the package docker.io");
        let daemon = Self(child);
        let began = Instant::now();
        while !folder.join("socket").exists() {
            let log = std::fs::read_to_string(folder.join("log")).unwrap();
            assert!(began.elapsed() < Duration::from_secs(60), "dockerd does not start:\n{log}");
            std::thread::sleep(Duration::from_millis(200));
        }
        daemon
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // SIGTERM, so that it unmounts what it has mounted.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

#[test]
fn docker_builds_and_probes_like_podman() {
    let toy = Toy::new("toy-docker");
    // Made before the daemon, so that it is removed after it.
    let folder = scratch();
    let _daemon = Daemon::start(folder.path());
    let socket = format!("unix://{}", folder.path().join("socket").display());
    let events = events(toy.run().args(["--engine", "docker"]).env("DOCKER_HOST", socket));
    assert!(ran(&events).contains(&"build"), "{events:#?}");
    assert!(toy.output().join("repodata/repomd.xml").exists());
}

//! A container registry on the loopback, Debian's, and in it a base image: a stand-in for CentOS 7 made
//! of Debian, whose yum is dnf.

use crate::support::{ends_with, events, kept, program, root, scratch};
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::Once;
use std::time::Duration;
use tempfile::TempDir;

/// A registry that runs until it is dropped.
pub struct Registry {
    folder: TempDir,
    address: String,
    process: Child,
}

impl Registry {
    /// Starts an empty one, on whose machine the stand-in is at hand.
    pub fn start() -> Self {
        let folder = scratch();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let storage = folder.path().join("storage");
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\n\
             http: {{addr: \"{address}\"}}\n",
            storage.display()
        );
        fs::write(folder.path().join("config.yml"), config).unwrap();
        let insecure = format!("[[registry]]\nlocation = \"{address}\"\ninsecure = true\n");
        fs::write(folder.path().join("registries.conf"), insecure).unwrap();
        let mut serve = Command::new("docker-registry");
        let log = fs::File::create(folder.path().join("log")).unwrap();
        serve.arg("serve").arg(folder.path().join("config.yml")).stdout(log.try_clone().unwrap());
        let registry = Self { folder, address, process: serve.stderr(log).spawn().unwrap() };
        while TcpStream::connect(&registry.address).is_err() {
            std::thread::sleep(Duration::from_millis(50));
        }
        stand_in();
        registry
    }

    /// Pushes a stand-in of a test's own, and says its reference. What is built on it has its label.
    pub fn base_for(&self, test: &str) -> String {
        let folder = scratch();
        let containerfile = format!("FROM {STAND_IN}\nLABEL vgpu-pipeline-test={test}\n");
        fs::write(folder.path().join("Containerfile"), containerfile).unwrap();
        let reference = format!("{}/library/{test}:7.5.1804", self.address);
        let mut build = Command::new("podman");
        build.args(["build", "--quiet", "--pull=never", "--timestamp=0", "--tag", &reference]);
        ends_with(0, build.arg(folder.path()));
        let mut push = Command::new("podman");
        ends_with(0, push.args(["push", "--quiet", "--tls-verify=false", &reference]));
        ends_with(0, Command::new("podman").args(["rmi", "--force", &reference]));
        reference
    }

    /// What podman needs to know to talk to it.
    pub fn configuration(&self) -> PathBuf {
        self.folder.path().join("registries.conf")
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The stand-in's name in the engine.
const STAND_IN: &str = "localhost/vgpu-pipeline-tests:yum";

/// The stand-in's name, once it is there: the environment that all tests share, with dnf besides.
pub fn stand_in() -> &'static str {
    static MADE: Once = Once::new();
    MADE.call_once(make_stand_in);
    STAND_IN
}

fn make_stand_in() {
    let folder = scratch();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let pipeline = fs::read_to_string(root().join("pipeline/workstation.yaml")).unwrap();
    assert!(pipeline.contains("        - file\n"));
    let pipeline = pipeline
        .replace("        - file\n", "        - dnf\n        - file\n")
        .replace("../", &format!("{}/", root().display()))
        .replace(
            "workstation/qemu.spec",
            &root().join("pipeline/workstation/qemu.spec").display().to_string(),
        );
    write("p.yaml", &pipeline);
    let mut run = program();
    run.arg("run").arg(folder.path().join("p.yaml")).args(["--until", "environment"]);
    let events = events(run.env("VGPU_PIPELINE_STORE", kept("store")));
    let finished = |event: &&serde_json::Value| {
        event["event"] == "finished" && event["stage"] == "environment"
    };
    let key = events.iter().find(finished).unwrap()["key"].as_str().unwrap();
    let from = format!("localhost/vgpu-pipeline:{}", &key[..16]);
    write("Containerfile", &format!("FROM {from}\nRUN ln -s dnf /usr/bin/yum\n"));
    let mut build = Command::new("podman");
    build.args(["build", "--quiet", "--network=none", "--pull=never", "--timestamp=0"]);
    ends_with(0, build.args(["--tag", STAND_IN]).arg(folder.path()));
}

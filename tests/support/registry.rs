// SPDX-License-Identifier: GPL-2.0-or-later
//! A container registry on the loopback, Debian's, and in it a base image: a stand-in for CentOS 7 made
//! of Debian, whose yum is dnf.

use crate::support::key;
use crate::support::leash::Leash;
use crate::support::{ends_with, events, kept, program, root, scratch};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Once;
use std::time::{Duration, Instant};

/// A registry that runs as long as the tests do, or until it is dropped.
pub struct Registry {
    address: String,
    leash: Leash,
}

impl Registry {
    /// Starts an empty one, on whose machine the stand-in is at hand.
    pub fn start() -> Self {
        let folder = scratch().keep();
        // The kernel chooses the port: one that was free a moment ago may be another's by now.
        let config = format!(
            "version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\n\
             http: {{addr: \"127.0.0.1:0\"}}\n",
            folder.join("storage").display()
        );
        fs::write(folder.join("config.yml"), config).unwrap();
        let config = folder.join("config.yml");
        let serve = ["docker-registry", "serve", config.to_str().unwrap()];
        let leash = Leash::on(&folder, &serve);
        let began = Instant::now();
        let address = loop {
            let said = leash.said();
            let rest = said.split_once("listening on 127.0.0.1:").map(|(_, rest)| rest);
            let port = rest.and_then(|rest| rest.split_once(|c: char| !c.is_ascii_digit()));
            if let Some((port, _)) = port {
                break format!("127.0.0.1:{port}");
            }
            assert!(!leash.has_ended() && began.elapsed() < Duration::from_secs(300), "{said}");
            std::thread::sleep(Duration::from_millis(20));
        };
        let insecure = format!("[[registry]]\nlocation = \"{address}\"\ninsecure = true\n");
        fs::write(folder.join("registries.conf"), insecure).unwrap();
        stand_in();
        Self { address, leash }
    }

    /// Pushes a stand-in of a test's own, and says its reference. What is built on it has its label.
    pub fn base_for(&self, test: &str) -> String {
        let folder = scratch();
        let containerfile = format!("FROM {STAND_IN}\nLABEL vgpu-pipeline-test={}\n", label(test));
        fs::write(folder.path().join("Containerfile"), containerfile).unwrap();
        let reference = format!("{}/library/{test}:7.5.1804", self.address);
        let mut build = Command::new("podman");
        build.args([
            "build",
            "--quiet",
            "--pull=never",
            "--no-cache",
            "--timestamp=0",
            "--tag",
            &reference,
        ]);
        ends_with(0, build.arg(folder.path()));
        let mut push = Command::new("podman");
        ends_with(0, push.args(["push", "--quiet", "--tls-verify=false", &reference]));
        ends_with(0, Command::new("podman").args(["rmi", "--force", &reference]));
        reference
    }

    /// What podman needs to know to talk to it.
    pub fn configuration(&self) -> PathBuf {
        self.leash.folder().join("registries.conf")
    }
}

/// The label of a test's images. Another suite on this machine may run the same test.
pub fn label(test: &str) -> String {
    format!("{test}-{}", std::process::id())
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
    let key = key(&events, "environment");
    let from = format!("localhost/vgpu-pipeline:{}", &key[..16]);
    write("Containerfile", &format!("FROM {from}\nRUN ln -s dnf /usr/bin/yum\n"));
    let mut build = Command::new("podman");
    build.args([
        "build",
        "--quiet",
        "--network=none",
        "--pull=never",
        "--no-cache",
        "--timestamp=0",
    ]);
    ends_with(0, build.args(["--tag", STAND_IN]).arg(folder.path()));
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The lock: an environment resolved from repositories and a registry on the loopback, by the real
//! Containerfile, and built again from exactly that. What stands in for CentOS 7 is Debian with dnf.

mod bump;
mod odd;
mod wrapper;
mod yum;

use super::release;
use crate::support::git_server::GitServer;
use crate::support::registry::{self, Registry};
use crate::support::{
    Toy, ends_with, events, from, program, ran, refusal, root, scratch, sha256, stable,
};
use insta::assert_snapshot;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use yum::Repository;

/// The registry, one for all tests.
fn registry() -> &'static Registry {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    REGISTRY.get_or_init(Registry::start)
}

/// Two repositories, of two keys, and a pipeline whose environment comes from them.
struct World {
    name: String,
    folder: TempDir,
    toy: Toy,
    server: Option<GitServer>,
    centos: Repository,
    vendor: Repository,
    /// A package of the closure.
    libs: PathBuf,
}

impl World {
    fn new(name: &str) -> Self {
        let (folder, toy) = (scratch(), Toy::new(name));
        let path = |name: &str| folder.path().join(name);
        let centos = Repository::new(&path("served/centos"), &path("keys/centos"));
        let vendor = Repository::new(&path("served/vendor"), &path("keys/vendor"));
        centos.add("rpm-build", "4.11.3", "toy-libs >= 1");
        let libs = centos.add("toy-libs", "1.0", "");
        vendor.add("toy-devel", "2.0", "toy-libs");
        vendor.add("unrelated", "1.0", "");
        let server = GitServer::serve(&path("served"));
        let text = fs::read_to_string(toy.path("toy.yaml")).unwrap();
        let (from, to) = (text.find("environment:").unwrap(), text.find("\ndevice:").unwrap());
        let environment = fs::read_to_string(root().join("tests/fixtures/locked-environment.yaml"))
            .unwrap()
            .replace(
                "@CONTAINERFILE@",
                &root().join("containers/xcp-ng-8.3.Containerfile").display().to_string(),
            )
            .replace("@BASE@", &registry().base_for(name))
            .replace("@SERVER@", server.url("").trim_end_matches('/'))
            .replace("@CENTOS@", &centos.key().fingerprint)
            .replace("@VENDOR@", &vendor.key().fingerprint);
        let text = format!("{}{environment}{}", &text[..from], &text[to..]);
        fs::write(toy.path("toy.yaml"), text).unwrap();
        let name = name.to_owned();
        Self { name, folder, toy, server: Some(server), centos, vendor, libs }
    }

    /// The program on the pipeline, with a store of its own.
    fn program(&self, command: &str) -> Command {
        let mut program = self.without_engine(command);
        // The registry knows podman alone.
        if command != "plan" && command != "check" {
            program.args(["--engine", "podman"]);
        }
        program
    }

    fn without_engine(&self, command: &str) -> Command {
        let mut program = program();
        program.arg(command).arg(self.toy.path("toy.yaml"));
        program.env("VGPU_PIPELINE_STORE", self.store());
        program.env("CONTAINERS_REGISTRIES_CONF", registry().configuration());
        program
    }

    /// `lock --check`, which has no use for an engine.
    fn radar(&self) -> Command {
        let mut radar = self.without_engine("lock");
        radar.arg("--check");
        radar
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// `run --until environment` with nothing cached.
    fn environment(&self) -> Command {
        let _ = fs::remove_dir_all(self.store());
        let mut run = self.program("run");
        run.args(["--until", "environment"]);
        run
    }

    fn lock(&self) -> String {
        String::from_utf8(ends_with(0, &mut self.program("lock")).stdout).unwrap()
    }

    fn lock_file(&self) -> PathBuf {
        self.toy.path("toy.lock")
    }
}

#[test]
fn an_environment_is_locked_and_built_from_exactly_that_with_everybody_gone() {
    let mut world = World::new("locked");
    let error = refusal(2, &mut world.program("run"));
    assert_snapshot!(stable(&error), @"
    error: the environment has no lock `FOLDER/toy.lock`
    help: `vgpu-pipeline lock FOLDER/toy.yaml` resolves it where there is a network
    ");

    assert!(world.lock().starts_with("new "));
    let text = fs::read_to_string(world.lock_file()).unwrap();
    let lock: serde_json::Value = serde_yaml::from_str(&text).unwrap();
    let packages = lock["packages"].as_array().unwrap();
    let names: Vec<&str> = packages.iter().map(|p| p["nevra"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "rpm-build-4.11.3-1.el7.noarch",
            "toy-devel-2.0-1.el7.noarch",
            "toy-libs-1.0-1.el7.noarch"
        ]
    );
    assert_eq!(packages[1]["key"], world.vendor.key().fingerprint.as_str());
    assert_eq!(packages[2]["sha256"], sha256(&world.libs).as_str());
    assert_eq!(packages[2]["key"], world.centos.key().fingerprint.as_str());
    let url = world.server.as_ref().unwrap().url("centos/Packages/toy-libs-1.0-1.el7.noarch.rpm");
    assert_eq!(packages[2]["url"], url.as_str());
    assert_eq!(world.lock(), "nothing changed\n");
    assert_eq!(fs::read_to_string(world.lock_file()).unwrap(), text, "the same again");

    let output = world.toy.output();
    let mut run = world.program("run");
    let first = events(run.arg("--output").arg(&output));
    assert_eq!(ran(&first), from(&first, "source", &[]));
    let manifest = fs::read_to_string(output.join("manifest.json")).unwrap();
    assert!(manifest.contains("closure.txt"), "{manifest}");
    release::names_what_is_locked(&output, &lock);
    let mirror = world.folder.path().join("mirror");
    ends_with(0, world.program("lock").arg("--fetch").arg(&mirror));

    // Nobody serves anything any more, and the engine has lost its images.
    world.server = None;
    let report = world.radar().output().unwrap();
    assert_eq!(report.status.code(), Some(1));
    let report = String::from_utf8(report.stdout).unwrap();
    assert!(report.contains("ACT the environment could not be looked at: "), "{report}");
    forget_images(&world);
    let mut offline = world.environment();
    offline.args(["--offline", "--mirror"]).arg(&mirror);
    assert_eq!(ran(&events(&mut offline)), ["source", "environment"]);
    forget_images(&world);
    let error = refusal(2, world.environment().arg("--offline"));
    for missing in ["image 127.0.0.1:", "toy-libs-1.0-1.el7.noarch", "toy-devel-2.0"] {
        assert!(error.contains(missing), "{error}");
    }
}

#[test]
fn what_changes_on_the_server_is_refused_or_ignored() {
    let world = World::new("served-otherwise");
    world.lock();
    let good = fs::read(&world.libs).unwrap();

    // Made newer: nobody asked for it.
    let newer = world.centos.add("toy-libs", "1.1", "");
    events(&mut world.environment());

    // Altered.
    let mut altered = good.clone();
    let middle = altered.len() / 2;
    altered[middle] ^= 1;
    fs::write(&world.libs, altered).unwrap();
    let error = refusal(1, &mut world.environment());
    assert_snapshot!(stable(&error), @"
    error: stage `environment`: the locked package toy-libs-1.0-1.el7.noarch: `toy-libs-1.0-1.el7.noarch` is not what the pipeline pins: sha256 SHA256, pinned SHA256
    help: get the pinned file; change the pin only if you know why it differs
    help: if it was withdrawn or altered, a mirror may have it as it was; `vgpu-pipeline lock` resolves anew
    ");

    // Signed again, by another key.
    fs::write(&world.libs, &good).unwrap();
    world.vendor.key().sign(&world.libs);
    let error = refusal(1, &mut world.environment());
    assert_snapshot!(stable(&error), @"
    error: stage `environment`: the locked package toy-libs-1.0-1.el7.noarch: `toy-libs-1.0-1.el7.noarch` is not what the pipeline pins: sha256 SHA256, pinned SHA256
    help: get the pinned file; change the pin only if you know why it differs
    help: if it was withdrawn or altered, a mirror may have it as it was; `vgpu-pipeline lock` resolves anew
    ");

    // Withdrawn.
    world.centos.remove(&world.libs);
    let error = refusal(1, &mut world.environment());
    assert!(error.contains("returned error: 404"), "{error}");
    assert_snapshot!(stable(&error), @"
    error: stage `environment`: the locked package toy-libs-1.0-1.el7.noarch: cannot fetch `toy-libs-1.0-1.el7.noarch`: `curl` ended with exit code 22
    help: the whole output is in FOLDER/store/logs/served-otherwise/environment.log
    help: if it was withdrawn or altered, a mirror may have it as it was; `vgpu-pipeline lock` resolves anew
    ");

    // The radar sees it, and a new lock says what it changes before it takes it.
    let report = world.radar().output().unwrap();
    assert_eq!(report.status.code(), Some(1));
    let report = String::from_utf8(report.stdout).unwrap();
    assert!(report.contains("ACT toy-libs-1.0-1.el7.noarch was withdrawn"), "{report}");
    let changes = world.lock();
    assert_eq!(changes, "changed   toy-libs-1.0-1.el7.noarch -> toy-libs-1.1-1.el7.noarch\n");
    ends_with(0, &mut world.radar());

    // What another key signed is not resolved at all.
    world.vendor.key().sign(&newer);
    world.centos.index();
    let before = fs::read(world.lock_file()).unwrap();
    let error = refusal(1, &mut world.program("lock"));
    assert!(error.contains("toy-libs-1.1-1.el7.noarch.rpm is not installed"), "{error}");
    assert_snapshot!(stable(&error), @r#"
    error: yum cannot resolve the packages: `podman run` ended with exit code 1
    help: the whole output is in FOLDER/store/logs/served-otherwise/lock.log
    "#);
    assert_eq!(fs::read(world.lock_file()).unwrap(), before);
}

#[test]
fn what_nobody_vouches_for_is_not_locked() {
    let world = World::new("not-locked");
    world.vendor.add_unsigned("toy-unsigned", "1.0");
    world.toy.edit(
        "toy.yaml",
        "        - toy-devel\n",
        "        - toy-devel\n        - toy-unsigned\n",
    );
    let error = refusal(1, &mut world.program("lock"));
    assert!(error.contains("toy-unsigned-1.0-1.el7.noarch.rpm is not signed"), "{error}");
    assert_snapshot!(stable(&error), @r#"
    error: yum cannot resolve the packages: `podman run` ended with exit code 1
    help: the whole output is in FOLDER/store/logs/not-locked/lock.log
    "#);

    world.toy.edit("toy.yaml", "        - toy-unsigned\n", "        - no-such-package\n");
    let error = refusal(1, &mut world.program("lock"));
    assert!(error.contains("No match for argument: no-such-package"), "{error}");
    assert_snapshot!(stable(&error), @"
    error: yum cannot resolve the packages: `podman run` ended with exit code 1
    help: the whole output is in FOLDER/store/logs/not-locked/lock.log
    ");

    world.toy.edit("toy.yaml", "        - no-such-package\n", "");
    let fingerprint = &world.vendor.key().fingerprint;
    world.toy.edit("toy.yaml", fingerprint, &"AB".repeat(20));
    let error = refusal(1, &mut world.program("lock"));
    assert_snapshot!(stable(&error), @"
    error: the key of repository `vendor` at http://SERVER/vendor/KEY: it serves the key FINGERPRINT, and the pipeline pins FINGERPRINT
    help: find out who changed it and why before the pin follows
    ");
    assert!(!world.lock_file().exists());
    world.toy.edit("toy.yaml", &"AB".repeat(20), fingerprint);

    // Signed over SHA-1: taken only where the pipeline says so.
    world.centos.key().sign_over("sha1", &world.libs);
    world.centos.index();
    let error = refusal(1, &mut world.program("lock"));
    assert_snapshot!(stable(&error), @"
    error: package `toy-libs-1.0-1.el7.noarch.rpm`: package `FOLDER/taken/toy-libs-1.0-1.el7.noarch.rpm`: the key `FINGERPRINT` signed it by way of SHA1, which is too weak to prove anything
    help: where that is how its owner signs, `accept-sha1: true` beside the pinned fingerprint takes SHA-1
    ");
    let pinned = format!("fingerprint: {}\n", world.centos.key().fingerprint);
    let accepting = format!("{pinned}            accept-sha1: true\n");
    world.toy.edit("toy.yaml", &pinned, &accepting);
    world.lock();
}

#[test]
fn a_lock_that_is_not_the_pipelines_or_was_edited_is_refused() {
    let world = World::new("edited-lock");
    world.lock();
    let good = fs::read_to_string(world.lock_file()).unwrap();

    world.toy.edit(
        "toy.yaml",
        "        - toy-devel\n",
        "        - toy-devel\n        - unrelated\n",
    );
    let error = refusal(2, &mut world.environment());
    assert_snapshot!(stable(&error), @"
    error: `FOLDER/toy.lock` is older than the pipeline: the lock was resolved without `unrelated`
    help: `vgpu-pipeline lock FOLDER/toy.yaml` resolves it where there is a network
    ");
    let plan = String::from_utf8(ends_with(0, &mut world.program("plan")).stdout).unwrap();
    assert!(plan.contains("is older than the pipeline"), "{plan}");
    world.toy.edit("toy.yaml", "        - unrelated\n", "");

    // A package that is not there any more: the network is off, so yum cannot help itself.
    let at = good.find("- nevra: toy-libs-1.0").unwrap();
    fs::write(world.lock_file(), &good[..at]).unwrap();
    let error = refusal(1, &mut world.environment());
    assert!(error.contains("nothing provides toy-libs"), "{error}");
    assert_snapshot!(stable(&error), @r#"
    error: stage `environment`: `podman build` ended with exit code 1
    help: the whole output is in FOLDER/store/logs/edited-lock/environment.log
    "#);

    fs::write(world.lock_file(), good.replace("nevra: toy-libs-1.0-", "nevra: toy-libs-1.0.1-"))
        .unwrap();
    let error = refusal(1, &mut world.environment());
    assert_snapshot!(stable(&error), @"
    error: stage `environment`: the environment does not have toy-libs-1.0.1-1.el7.noarch, which the lock does
    help: the Containerfile has to install every file of its folder `packages`
    ");
}

/// However its test ends.
impl Drop for World {
    fn drop(&mut self) {
        forget_images(self);
    }
}

/// Removes every name of a world's base and of what was built on it, and so the images themselves.
fn forget_images(world: &World) {
    let label = format!("label=vgpu-pipeline-test={}", registry::label(&world.name));
    let began = Instant::now();
    // podman lists all images first, and fails where another test removes one of them then.
    while began.elapsed() < Duration::from_secs(60) {
        let listed = Command::new("podman")
            .args(["images", "--quiet", "--filter", &label])
            .output()
            .unwrap();
        let ids = String::from_utf8(listed.stdout).unwrap();
        if listed.status.success() && ids.is_empty() {
            return;
        }
        let _ = Command::new("podman").args(["rmi", "--force"]).args(ids.lines()).output();
    }
}

//! One way into the build environment: a container of podman or docker.
//!
//! A job runs as a normal user without capabilities or new privileges, on a read-only root with the
//! network off, within limits of memory and processes; what it may read and write is mounted by name.
//! Quirks of a host (another OCI runtime, ulimits) belong in that host's containers.conf, not here.

mod image;

use crate::cmd::{Call, Output, Runner, find};
use anyhow::Result;
pub use image::Image;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

/// The builder of our Containerfiles, whom root hands the work to.
const BUILDER: u32 = 1000;

/// A container engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    Podman,
    Docker,
}

impl Engine {
    pub const ALL: [Self; 2] = [Self::Podman, Self::Docker];

    pub fn program(self) -> &'static str {
        match self {
            Self::Podman => "podman",
            Self::Docker => "docker",
        }
    }

    /// The first engine that is on PATH.
    pub fn detect() -> Option<Self> {
        Self::ALL.into_iter().find(|engine| find(engine.program()).is_some())
    }

    pub(crate) fn call(self) -> Call {
        Call::new(self.program())
    }
}

/// What a job may see of the host.
#[derive(Debug, Clone)]
pub struct Mount {
    pub host: PathBuf,
    pub inside: &'static str,
    pub writable: bool,
}

impl Mount {
    pub fn read_only(host: impl Into<PathBuf>, inside: &'static str) -> Self {
        Self { host: host.into(), inside, writable: false }
    }

    /// A folder that the job may write to; it is handed to the job's user.
    pub fn writable(host: impl Into<PathBuf>, inside: &'static str) -> Self {
        Self { host: host.into(), inside, writable: true }
    }

    fn argument(&self) -> String {
        let access = if self.writable { "" } else { ",readonly" };
        format!("type=bind,source={},target={}{access}", self.host.display(), self.inside)
    }
}

/// One command inside.
#[derive(Debug, Clone)]
pub struct Job {
    /// What it is for; a part of the container's name.
    pub purpose: &'static str,
    pub argv: Vec<String>,
    pub mounts: Vec<Mount>,
    pub variables: Vec<(&'static str, String)>,
    /// As the engines write it, such as `8g`.
    pub memory: String,
    pub pids: u32,
}

/// Runs a job in an image to its end. An interrupted job's container is removed at once.
pub fn run(cmd: &Runner, image: &Image, job: &Job) -> Result<Output> {
    let engine = image.engine();
    let name = format!("vgpu-pipeline-{}-{}", job.purpose, std::process::id());
    for mount in job.mounts.iter().filter(|mount| mount.writable) {
        hand_over(&mount.host)?;
    }
    let mut call = engine
        .call()
        .args(["run", "--rm", "--pull=never", "--log-driver=none", "--name", &name])
        .args(["--network=none", "--read-only", "--cap-drop=all"])
        .args(["--security-opt=no-new-privileges", "--tmpfs=/tmp:rw,nosuid,nodev"])
        .args(user(engine))
        .arg(format!("--memory={}", job.memory))
        .arg(format!("--pids-limit={}", job.pids));
    for mount in &job.mounts {
        call = call.arg("--mount").arg(mount.argument());
    }
    for (variable, value) in &job.variables {
        call = call.arg("--env").arg(format!("{variable}={value}"));
    }
    let remove = match engine {
        Engine::Podman => engine.call().args(["rm", "--force", "--time=0", &name]),
        Engine::Docker => engine.call().args(["rm", "--force", &name]),
    };
    cmd.run(&call.arg(image.reference()).args(&job.argv).cleaned_up_by(remove).read())
}

/// Root works through the builder; anybody else stays who they are.
fn user(engine: Engine) -> Vec<String> {
    let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
    if uid.is_root() {
        return vec![format!("--user={BUILDER}:{BUILDER}")];
    }
    let mut args = vec![format!("--user={uid}:{gid}")];
    if engine == Engine::Podman {
        args.push("--userns=keep-id".to_owned());
    }
    args
}

fn hand_over(folder: &Path) -> Result<()> {
    if rustix::process::geteuid().is_root() {
        chown(folder, Some(BUILDER), Some(BUILDER))?;
    }
    Ok(())
}

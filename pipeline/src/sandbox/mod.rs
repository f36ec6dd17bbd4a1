// SPDX-License-Identifier: GPL-2.0-or-later
//! One way into the build environment: a container of podman or docker.
//!
//! A job runs without capabilities or new privileges, within limits of memory and processes; what it
//! may read and write is mounted by name. It is a normal user on a read-only root with the network off,
//! but for the one job that resolves packages.
//! Quirks of a host (another OCI runtime, ulimits) belong in that host's containers.conf, not here.

mod build;
mod failed_job;
mod image;
mod owner;
mod users;

use crate::error::{Help, find};
use crate::folders;
use crate::note::Note;
use crate::process::{Failure, Incomplete, Invocation, Output, Pipes, Runner, find_program};
use crate::store::owned::own_file;
use anyhow::{Context, Error, Result, ensure};
pub use build::{Base, tools};
pub use failed_job::FailedJob;
pub use image::Image;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::Duration;
pub use users::{builder, chown_to_builder};

/// Variables that a job with a network takes over as they are.
const PROXIES: [&str; 6] =
    ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];

/// rpm 4.11 and yum walk over every descriptor that they might have. docker may allow a billion, and
/// that takes hours; podman has a sane default, which this would undo together with the host's others.
const DESCRIPTORS: &str = "--ulimit=nofile=4096:4096";
/// The most bytes that a job may print whose output is read.
const MOST_OUTPUT: u64 = 16 << 20;
/// The longest that resolving packages may take.
const RESOLVER_LIMIT: Duration = Duration::from_secs(60 * 60);
/// When podman ends a container, whether a runner and its reaper still live or not. docker has no word
/// for it.
const DEADLINE: Duration = Duration::from_secs(24 * 60 * 60);

/// A container engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
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
        Self::ALL.into_iter().find(|engine| find_program(engine.program()).is_some())
    }

    pub(crate) fn call(self) -> Invocation {
        let call = Invocation::new(self.program());
        match self {
            Self::Podman => configured().map_or(call.clone(), |file| call.env(CONFIG, file)),
            Self::Docker => call,
        }
    }
}

/// The variable that names a configuration of podman's (containers.conf(5)).
const CONFIG: &str = "CONTAINERS_CONF";

/// The containers.conf that `pipeline/bootstrap.sh` wrote where this host needs one, unless somebody
/// named another.
fn configured() -> Option<PathBuf> {
    let named = std::env::var_os(CONFIG).is_some_and(|named| !named.is_empty());
    let file = folders::config()?.join("containers.conf");
    (!named && own_file(&file).is_ok()).then_some(file)
}

/// What a job may see of the host.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Mount {
    pub host: PathBuf,
    pub inside: Cow<'static, str>,
    pub writable: bool,
}

impl Mount {
    pub fn read_only(host: impl Into<PathBuf>, inside: &'static str) -> Self {
        Self { host: host.into(), inside: inside.into(), writable: false }
    }

    /// A folder that the job may write to; it is handed to the job's user.
    pub fn writable(host: impl Into<PathBuf>, inside: &'static str) -> Self {
        Self { host: host.into(), inside: inside.into(), writable: true }
    }

    /// Both engines read the fields as CSV does (Go's encoding/csv), so that a path may hold a comma, a
    /// quote or a colon. Of two characters that end a line CSV makes one.
    fn argument(&self) -> Result<String> {
        let shown = self.host.display();
        let host =
            self.host.to_str().with_context(|| format!("the path `{shown}` is not UTF-8"))?;
        ensure!(!host.contains('\r'), "the path `{shown}` holds a carriage return");
        let mut source = format!("source={host}");
        if source.contains([',', '"', '\n']) {
            source = format!("\"{}\"", source.replace('"', "\"\""));
        }
        let access = if self.writable { "" } else { ",readonly" };
        Ok(format!("type=bind,{source},target={}{access}", self.inside))
    }
}

/// How much a job is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Confinement {
    /// A normal user, a read-only root, no network.
    Sealed,
    /// The image's root user, a root filesystem that is thrown away, and the host's network: what a
    /// package manager needs to find out what it would install.
    Resolver,
}

/// One command inside.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    /// What it is for; a part of the container's name.
    pub purpose: Cow<'static, str>,
    pub argv: Vec<String>,
    pub confinement: Confinement,
    pub mounts: Vec<Mount>,
    pub variables: Vec<(Cow<'static, str>, String)>,
    /// As the engines write it, such as `8g`.
    pub memory: String,
    pub pids: u32,
}

/// What a job's program is told and may answer, where the program is not trusted to end or to be brief.
#[derive(Debug, Clone)]
pub struct Interaction {
    /// All that it is told; with nothing, it has no standard input.
    pub input: String,
    /// The line of its answers after which it is asked to end; without one, it ends by itself.
    pub until: Option<&'static str>,
    /// The longest that it may take.
    pub limit: Duration,
    /// The most bytes that it may print.
    pub max_output: u64,
}

/// Runs a job in an image to its end. An interrupted job's container is removed at once. `under` is a
/// folder of the work that this is a part of.
pub fn run(runner: &Runner, image: &Image, job: &Job, under: &Path) -> Result<()> {
    start(runner, image, job, under, "", |call| call)?;
    Ok(())
}

/// Runs a job whose output is judged, and returns that.
pub fn ask(runner: &Runner, image: &Image, job: &Job, under: &Path) -> Result<String> {
    let answer =
        start(runner, image, job, under, "", |call| call.capture_stdout().max_output(MOST_OUTPUT))?;
    Ok(answer.stdout)
}

/// Runs a job and talks to it.
pub fn run_with_input(
    runner: &Runner,
    image: &Image,
    job: &Job,
    under: &Path,
    interaction: &Interaction,
) -> Result<String> {
    let Interaction { input, until, limit, max_output } = interaction;
    let answer = start(runner, image, job, under, input, |call| {
        let call = call.capture_stdout().limit(*limit).max_output(*max_output);
        until.iter().fold(call, |call, line| call.stop_after_line(line))
    })?;
    Ok(answer.stdout)
}

/// `with` adds to the call before its image is named.
fn start(
    runner: &Runner,
    image: &Image,
    job: &Job,
    under: &Path,
    input: &str,
    with: impl Fn(Invocation) -> Invocation,
) -> Result<Output> {
    let engine = image.engine();
    owner::sweep(runner, engine)?;
    let name = owner::container_name(&job.purpose);
    let once = || {
        let pipes = Pipes::make(under)?;
        for mount in job.mounts.iter().filter(|mount| mount.writable) {
            users::chown_to(&mount.host, engine, job.confinement)?;
        }
        for pipe in pipes.paths() {
            users::chown_to(&pipe, engine, job.confinement)?;
        }
        let mut call = arguments(engine, &name, job, runner)?;
        if engine == Engine::Podman {
            call = call.arg(format!("--timeout={}", DEADLINE.as_secs()));
        }
        let call = with(call).stdin(input);
        // Not the engine's own way for a container's output, which loses some under load.
        let call = call.arg("--mount");
        let call = call.arg(Mount::read_only(pipes.folder(), Pipes::INSIDE).argument()?);
        let stdin = if input.is_empty() { "/dev/null" } else { Pipes::STDIN };
        let call = call.pipes(pipes).arg(image.reference());
        let call = call.args(["/bin/sh", "-c", Pipes::RUN, "sh", stdin]).args(&job.argv);
        runner.run(&call.on_kill(removal(engine, &name)))
    };
    let done = match once() {
        Err(error) if may_run_again(&error, job) => {
            let first = error.to_string();
            let first = first.lines().next().unwrap_or_default();
            runner
                .note(Note::AskedAgain { purpose: job.purpose.to_string(), why: first.to_owned() });
            let _ = runner.run(&removal(engine, &name));
            once()
        }
        other => other,
    };
    done.map_err(with_help_for_host)
}

/// What podman says where it asks for more than this host grants, with what to try.
fn with_help_for_host(error: Error) -> Error {
    let incomplete = find::<Incomplete>(&error).map(|it| &it.failure);
    let failure = incomplete.or_else(|| find::<Failure>(&error));
    match failure {
        Some(failure) if failure.tail.iter().any(|line| line.contains("rlimit")) => error.help(
            "this host grants less than podman's defaults: `pipeline/start` writes a containers.conf that fits \
             it, or set `default_ulimits` in one of your own (containers.conf(5))",
        ),
        _ => error,
    }
}

/// Whether an answer that is not whole leaves everything as it was.
fn may_run_again(error: &Error, job: &Job) -> bool {
    find::<Incomplete>(error).is_some_and(|incomplete| {
        !incomplete.begun || job.mounts.iter().all(|mount| !mount.writable)
    })
}

/// What ends a container, and all that runs in it, at once.
fn removal(engine: Engine, name: &str) -> Invocation {
    let call = engine.call().args(["rm", "--force"]);
    match engine {
        Engine::Podman => call.args(["--time=0", name]),
        Engine::Docker => call.arg(name),
    }
}

/// Everything between the engine's name and the image's.
fn arguments(engine: Engine, name: &str, job: &Job, runner: &Runner) -> Result<Invocation> {
    let mut call = engine
        .call()
        .args(["run", "--rm", "--pull=never", "--log-driver=none", "--name", name])
        .args(owner::labels(runner))
        .args(users::options(engine, job.confinement)?)
        .args(["--cap-drop=all", "--security-opt=no-new-privileges"])
        // The image's own may be none that a job can enter.
        .arg("--workdir=/")
        .arg(format!("--memory={}", job.memory))
        .arg(format!("--pids-limit={}", job.pids));
    call = match engine {
        Engine::Docker => call.arg(DESCRIPTORS),
        // The host's proxies, and the passwords in them, are none of a build's business.
        Engine::Podman => call.arg("--http-proxy=false"),
    };
    call = match job.confinement {
        Confinement::Sealed => {
            call.args(["--network=none", "--read-only", "--tmpfs=/tmp:rw,nosuid,nodev"])
        }
        Confinement::Resolver => {
            let call = call.args(["--network=host", "--cap-add=DAC_OVERRIDE"]);
            PROXIES.iter().fold(call, |call, name| call.args(["--env", name])).limit(RESOLVER_LIMIT)
        }
    };
    for mount in &job.mounts {
        call = call.arg("--mount").arg(mount.argument()?);
    }
    for (variable, value) in &job.variables {
        call = call.arg("--env").arg(format!("{variable}={value}"));
    }
    Ok(call)
}

#[cfg(test)]
mod tests;

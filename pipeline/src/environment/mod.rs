//! Stage 2, `environment`: the container image in which QEMU is built, and its exact identity.
//!
//! There is one road: a Containerfile on a base. The store keeps the base and the closure, which is
//! the list of what was really installed; images in an engine are made from it whenever they are
//! missing. Since Debian has no archive of all its states that every machine can reach, the same
//! declaration may give another closure another day: a different identity, and so other keys.

mod debian;

use crate::cmd::Runner;
use crate::config;
use crate::plan::Key;
use crate::sandbox::{self, Engine, Image, Job};
use crate::store::{Store, Stored};
use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use std::path::Path;

const BASE: &str = "base.tar";
const CLOSURE: &str = "closure.txt";
const CONTAINERFILE: &str = "Containerfile";
/// The files of a result that say what the environment is; the manifest lists them.
pub const INPUTS: [&str; 2] = [CLOSURE, CONTAINERFILE];

/// What the store knows of an environment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Identity {
    /// blake3 over the closure and the Containerfile.
    pub digest: String,
    /// How many packages the closure has.
    pub packages: usize,
}

/// An environment that jobs can run in.
#[derive(Debug)]
pub struct Environment {
    stored: Stored,
    image: Image,
}

impl Environment {
    /// The environment of a result in the store. The engine is not asked for its image yet.
    pub fn recall(stored: Stored, key: &Key, engine: Engine) -> Self {
        Self { stored, image: Image::of(engine, key.short()) }
    }

    pub fn stored(&self) -> &Stored {
        &self.stored
    }

    /// The image, made from what the store has where the engine has lost it.
    pub fn image(&self, store: &Store, cmd: &Runner) -> Result<&Image> {
        if self.image.id(cmd)?.is_none() {
            if !self.stored.intact() {
                bail!(
                    "the base of the environment is damaged in the store\n\
                     help: remove {} and run again",
                    self.stored.path("").display()
                );
            }
            let (base, containerfile) = (self.stored.path(BASE), self.stored.path(CONTAINERFILE));
            let work = store.work()?;
            self.image.build(cmd, &base, &containerfile, &work.scratch("empty")?)?;
        }
        Ok(&self.image)
    }
}

/// The identity that the store has for an environment's result.
pub fn identity(stored: &Stored) -> Result<Identity> {
    stored.facts()
}

/// Builds the environment and writes down what is in it.
pub fn run(
    environment: &config::Environment,
    containerfile: &Path,
    key: &Key,
    engine: Engine,
    store: &Store,
    cmd: &Runner,
) -> Result<Environment> {
    let work = store.work()?;
    let base = work.files().join(BASE);
    match &environment.base {
        config::Base::Debian(debian) => debian::bootstrap(debian, &base, cmd)?,
    }
    let kept_containerfile = work.files().join(CONTAINERFILE);
    std::fs::copy(containerfile, &kept_containerfile)?;
    let image = Image::of(engine, key.short());
    image.build(cmd, &base, &kept_containerfile, &work.scratch("empty")?)?;
    let closure = closure(cmd, &image)?;
    std::fs::write(work.files().join(CLOSURE), &closure)?;
    let mut digest = blake3::Hasher::new();
    digest.update(closure.as_bytes()).update(&std::fs::read(&kept_containerfile)?);
    let identity = Identity {
        digest: digest.finalize().to_hex().to_string(),
        packages: closure.lines().count(),
    };
    let stored = store.keep(work, "environment", key.as_str(), &identity)?;
    Ok(Environment { stored, image })
}

/// The installed packages, one a line, sorted.
fn closure(cmd: &Runner, image: &Image) -> Result<String> {
    let job = Job {
        purpose: "closure",
        argv: ["dpkg-query", "--show", "--showformat=${Package} ${Version} ${Architecture}\\n"]
            .map(str::to_owned)
            .to_vec(),
        mounts: Vec::new(),
        variables: Vec::new(),
        memory: "512m".to_owned(),
        pids: 64,
    };
    let output = sandbox::run(cmd, image, &job)?;
    let mut lines: Vec<&str> = output.stdout.lines().collect();
    lines.sort_unstable();
    Ok(lines.join("\n") + "\n")
}

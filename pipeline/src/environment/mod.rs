// SPDX-License-Identifier: GPL-2.0-or-later
//! The stage `environment`: the container image in which QEMU is built, and its exact identity.
//!
//! There is one road: a Containerfile on a base, built with the network off. What differs is the base.
//! A Debian one is made by mmdebstrap; since Debian has no archive of all its states that every machine
//! can reach, the same declaration may give another closure another day: a different identity, and so
//! other keys. A locked one is an image by digest and package files by sha256, and never differs.
//! Images in an engine are made again from what the store has whenever they are missing.

mod archive;
mod containerfile;
mod debian;
mod locked;
mod package_list;
mod step;

use crate::config::{Base, Lock, LockedImage};
use crate::error::Help;
use crate::fetch::Fetch;
use crate::files;
use crate::process::Runner;
use crate::sandbox::{self, Confinement, Engine, Image, Job};
use crate::stage::Context;
use crate::store::{Store, Stored, layout};
use anyhow::{Context as _, Result, anyhow, bail};
pub use archive::is_archive_of;
pub use containerfile::check as check_containerfile;
pub use locked::{package_file, save_base};
pub use package_list::EnvironmentPackage;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
pub use step::EnvironmentStep;

const BASE: &str = "base.tar";
const CLOSURE: &str = "closure.txt";
const CONTAINERFILE: &str = "Containerfile";
/// The package files, as [`EnvironmentPackage`].
const PACKAGES: &str = "packages.json";
/// What the Containerfile may copy from.
const CONTEXT: &str = "context";
/// The files of a result that say what the environment is; the manifest lists them.
const INPUTS: [&str; 3] = [CLOSURE, CONTAINERFILE, PACKAGES];

/// What the store knows of an environment.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Identity {
    /// blake3 over the closure and the Containerfile.
    digest: String,
    /// How many packages the closure has.
    packages: usize,
    /// The hosts that were asked.
    contacted: BTreeSet<String>,
}

/// An environment that jobs can run in.
#[derive(Debug)]
pub struct Environment {
    stored: Stored,
    identity: Identity,
    /// The lock of an image base.
    lock: Option<Lock>,
}

impl Environment {
    fn of(stored: Stored, lock: Option<&Lock>) -> Result<Self> {
        let identity = stored.facts()?;
        Ok(Self { stored, identity, lock: lock.cloned() })
    }

    /// The digest of what was really installed.
    pub fn closure(&self) -> &str {
        &self.identity.digest
    }

    /// The files of its packages; of a locked one without those of the base image, which the image's id names.
    pub fn packages(&self) -> Result<Vec<EnvironmentPackage>> {
        let path = self.stored.path(PACKAGES);
        if !self.stored.is_intact(PACKAGES) {
            return Err(self.stored.what_changed());
        }
        serde_json::from_str(&files::read_text(&path, &files::INSTALLED)?).context(PACKAGES)
    }

    /// The text of its Containerfile.
    pub fn containerfile(&self) -> Result<String> {
        files::read_text(&self.stored.path(CONTAINERFILE), &files::CONTAINERFILE)
    }

    /// The base image and its digest, where it was not made here.
    pub fn base_image(&self) -> Option<&LockedImage> {
        self.lock.as_ref().map(|lock| &lock.image)
    }

    /// The image that was made of this result, made again from what the store has where the engine has
    /// lost it.
    pub fn image(&self, cx: &Context) -> Result<Image> {
        let (fetch, lock) = (cx.fetch, self.lock.as_ref());
        let made = Made::of(self.stored.key(), cx.engine()?, cx.store())?;
        if let Some(image) = made.recall()
            && image.exists(cx.runner())?
        {
            return Ok(image);
        }
        if !self.stored.intact() {
            let folder = self.stored.path("");
            return Err(anyhow!("the base of the environment is damaged in the store")
                .help(format!("remove {} and run again", folder.display())));
        }
        let work = cx.store().work()?;
        let context = match lock {
            Some(_) => self.stored.path(CONTEXT),
            None => work.scratch(CONTEXT)?,
        };
        make(&made, &self.stored.path(""), &context, work.path(), lock, fetch)
    }
}

/// Where the store says which image an engine made of a result, by its id: the engine's names are
/// everybody's, and another store's run or a person's `tag` gives one to something else.
struct Made {
    image: Image,
    place: PathBuf,
}

impl Made {
    fn of(key: &str, engine: Engine, store: &Store) -> Result<Self> {
        let place = store.folder_for(layout::IMAGES)?.join(format!("{key}-{}", engine.program()));
        Ok(Self { image: Image::of(engine, key.get(..16).unwrap_or(key)), place })
    }

    fn recall(&self) -> Option<Image> {
        let id = fs_err::read_to_string(&self.place).ok()?.try_into().ok()?;
        Some(Image::by_id(self.image.engine(), &id))
    }

    fn remember(&self, made: &Image) -> Result<()> {
        Ok(fs_err::write(&self.place, made.reference())?)
    }
}

/// Builds the environment and writes down what is in it.
fn make_environment(
    base: &Base,
    lock: Option<&Lock>,
    containerfile: &str,
    cx: &Context,
) -> Result<Environment> {
    let (store, runner, fetch) = (cx.store(), cx.runner(), cx.fetch);
    let work = store.work()?;
    fs_err::write(work.files().join(CONTAINERFILE), containerfile)?;
    let made = Made::of(cx.key.as_str(), cx.engine()?, store)?;
    let (files, under) = (work.files(), work.path());
    let (closure, packages) = match (base, lock) {
        (Base::Debian(base), _) => {
            fetch.network("the packages of the environment")?;
            let tar = files.join(BASE);
            let records = debian::bootstrap(base, &tar, &work.scratch("bootstrap")?, fetch)?;
            let context = work.scratch(CONTEXT)?;
            let image = make(&made, &files, &context, under, None, fetch)?;
            let closure = debian::closure(runner, &image, under)?;
            let packages = package_list::of_debian(&records, &closure, base.suite.as_str())?;
            (closure, packages)
        }
        (Base::Image(_), Some(lock)) => {
            let context = files.join(CONTEXT);
            locked::lay_out(lock, &context, fetch)?;
            let image = make(&made, &files, &context, under, Some(lock), fetch)?;
            (locked::closure(lock, &image, under, runner)?, package_list::of_lock(lock))
        }
        (Base::Image(_), None) => bail!("the environment has no lock"),
    };
    fs_err::write(work.files().join(CLOSURE), &closure)?;
    fs_err::write(work.files().join(PACKAGES), serde_json::to_string_pretty(&packages)? + "\n")?;
    let mut digest = blake3::Hasher::new();
    digest.update(closure.as_bytes()).update(containerfile.as_bytes());
    let identity = Identity {
        digest: digest.finalize().to_hex().to_string(),
        packages: closure.lines().filter(|line| !line.starts_with("image ")).count(),
        contacted: fetch.contacted(),
    };
    Environment::of(cx.keep(work, &identity)?, lock)
}

/// Makes the image from a result's files, and remembers which it is.
fn make(
    made: &Made,
    files: &Path,
    context: &Path,
    under: &Path,
    lock: Option<&Lock>,
    fetch: &Fetch,
) -> Result<Image> {
    let tar = files.join(BASE);
    let base = match lock {
        Some(lock) => {
            locked::base(lock, &made.image.base(), fetch)?;
            sandbox::Base::Image(&lock.image.id)
        }
        None => sandbox::Base::Tar(&tar),
    };
    let text = fs_err::read_to_string(files.join(CONTAINERFILE))?;
    let first = made.image.engine().first_instruction();
    let text = first.map_or(text.clone(), |first| containerfile::led_by(&text, &first));
    let image = made.image.build(fetch.runner(), &text, base, context, under)?;
    made.remember(&image)?;
    Ok(image)
}

/// Asks an image something.
fn inspect(runner: &Runner, image: &Image, under: &Path, argv: &[&str]) -> Result<String> {
    let job = Job {
        purpose: "closure".into(),
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        confinement: Confinement::Sealed,
        mounts: Vec::new(),
        variables: Vec::new(),
        memory: "512m".to_owned(),
        pids: 64,
    };
    sandbox::ask(runner, image, &job, under)
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! What a pipeline's environment is made of, resolved once and written down; and what moved since.
//!
//! The base image's own yum decides what is installed. What it downloads is then read here: every
//! package has to be one that a declared repository lists, and signed by that repository's key. Nothing
//! is installed in this room, and nothing that it finds is taken by a run before it stands in the lock.

mod bump;
mod diff;
mod mirror;
mod report;
mod resolve;
mod upstream;

use crate::config::Lock;
use crate::error::Help;
use crate::fetch::{Fetch, Network, Origins};
use crate::files::write::{self, SHARED};
use crate::note::Note;
use crate::process::{self, Runner};
use crate::project::Project;
use crate::sandbox::Engine;
use crate::source::SourceStep;
use crate::stage::Step;
use crate::store::Store;
use anyhow::{Context, Result, anyhow};
pub use bump::Bump;
pub use mirror::examine as examine_mirror;
pub use report::UpstreamReport;
use resolve::{Listing, Resolution};
use std::path::Path;

/// What `lock` works on.
pub struct LockContext<'a> {
    pub project: &'a Project,
    pub store: &'a Store,
    pub origins: &'a Origins,
    pub engine: Option<Engine>,
    /// Whom to tell what people should know while it goes.
    pub on_note: &'a dyn Fn(Note),
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    Resolve,
    Fill,
    Check,
    Bump,
}

/// A lock that was resolved and not written yet.
pub struct Resolved {
    lock: Lock,
    /// What is other than in the lock that stands, a line each.
    pub changes: Vec<String>,
    /// What is odd about the repositories and was in nobody's way.
    pub notes: Vec<String>,
}

impl LockContext<'_> {
    /// Refuses what cannot go well: a base that has no lock, a network that is off, tools that are missing, each named at once.
    pub fn preflight(&self, task: Task) -> Result<()> {
        if task != Task::Fill && self.origins.network == Network::Off {
            return Err(anyhow!("only `lock --fetch` can do without the network")
                .help("leave out `--offline`"));
        }
        if task == Task::Resolve && self.project.lockable().is_none() {
            return Err(anyhow!(
                "the environment of `{}` stands on Debian packages, which no lock can pin",
                self.project.name()
            )
            .help(
                "a run records what it installed; `lock --fetch` and `lock --check` work here too",
            ));
        }
        if task == Task::Fill
            && let Some(why) = self.project.lock_state()?.unusable()
        {
            return Err(why.clone().into());
        }
        let sources = SourceStep { project: self.project }.needs(Network::On)?;
        let engines = match self.engine {
            Some(engine) => vec![engine.program()],
            None => Engine::ALL.map(Engine::program).to_vec(),
        };
        let mut needs: Vec<&[&str]> = vec![&["curl"]];
        needs.extend(sources.tools.iter().map(Vec::as_slice));
        if task != Task::Check && self.project.lockable().is_some() {
            needs.push(&engines);
        }
        needs.sort_unstable();
        needs.dedup();
        process::require(&needs)
    }

    /// Resolves the environment anew.
    pub fn resolve(&self) -> Result<Resolved> {
        let declared = self.project.lockable().context("the environment needs no lock")?;
        let runner = self.runner()?;
        let fetch = Fetch::new(self.store, self.origins, &runner);
        let resolution = resolve::resolve(declared, self.engine()?, &fetch)?;
        self.compared(&resolution)
    }

    /// A lock beside the one that stands.
    fn compared(&self, resolution: &Resolution) -> Result<Resolved> {
        let lock = resolution.lock.clone();
        let changes = diff::between(self.project.lock_as_written()?.as_ref(), &lock);
        let notes = resolution.listings.iter().filter_map(Listing::note).collect();
        Ok(Resolved { lock, changes, notes })
    }

    /// Writes a resolved lock, whole or not at all.
    pub fn write(&self, resolved: &Resolved) -> Result<()> {
        write::write(&self.project.lock_file, resolved.lock.text()?.as_bytes(), SHARED)
    }

    /// Fills a mirror folder with everything that the pipeline and its lock pin. Returns how many
    /// pieces of content it holds for them.
    pub fn populate_mirror(&self, folder: &Path) -> Result<usize> {
        let lock = self.project.lock_state()?;
        let runner = self.runner()?;
        let fetch = Fetch::new(self.store, self.origins, &runner);
        mirror::populate(self, lock.current(), folder, &fetch)
    }

    /// What the pipeline and its lock would be with everything upstream that they follow. Nothing is
    /// written yet.
    pub fn bump(&self) -> Result<Bump> {
        let runner = self.runner()?;
        bump::bump(self, &Fetch::new(self.store, self.origins, &runner))
    }

    /// What moved upstream.
    pub fn check(&self) -> Result<UpstreamReport> {
        let runner = self.runner()?;
        let fetch = Fetch::new(self.store, self.origins, &runner);
        upstream::report(self, &fetch)
    }

    fn engine(&self) -> Result<Engine> {
        self.engine
            .or_else(Engine::detect)
            .context("no podman or docker on PATH")
            .help("apt-get install podman")
    }

    fn runner(&self) -> Result<Runner<'_>> {
        let runner = Runner::new(&self.store.log_file(self.project.name(), "lock")?, |_| {})?
            .working_for(self.store.root());
        Ok(runner.on_note(self.on_note))
    }
}

//! What a pipeline's environment is made of, resolved once and written down; and what moved since.
//!
//! The base image's own yum decides what is installed. What it downloads is then read here: every
//! package has to be one that a declared repository lists, and signed by that repository's key. Nothing
//! is installed in this room, and nothing that it finds is taken by a run before it stands in the lock.

mod changes;
mod mirror;
mod radar;
pub mod repodata;
mod resolve;

use crate::cmd::{Runner, missing};
use crate::config::{Base, ImageBase, Lock, Pipeline, Source};
use crate::fetch::{Fetch, Network, Origins};
use crate::files;
use crate::sandbox::Engine;
use crate::store::Store;
use anyhow::{Context, Result, bail};
use fs_err as fs;
pub use mirror::examine as examine_mirror;
pub use radar::Report;
use std::path::{Path, PathBuf};

/// What `lock` works on.
pub struct Subject<'a> {
    pub pipeline: &'a Pipeline,
    /// The folder that relative paths start from.
    pub beside: &'a Path,
    /// Where the lock is, or will be.
    pub file: &'a Path,
    pub store: &'a Store,
    pub origins: &'a Origins,
    pub engine: Option<Engine>,
    /// Whom to tell what people should know while it goes.
    pub on_note: &'a dyn Fn(&str),
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    Resolve,
    Fill,
    Check,
}

/// A lock that was resolved and not written yet.
pub struct Resolved {
    lock: Lock,
    /// What is other than in the lock that stands, a line each.
    pub changes: Vec<String>,
    /// What is odd about the repositories and was in nobody's way.
    pub notes: Vec<String>,
}

impl Subject<'_> {
    /// Refuses what cannot go well: a base that has no lock, a network that is off, tools that are missing, each named at once.
    pub fn preflight(&self, task: Task) -> Result<()> {
        if task != Task::Fill && self.origins.network == Network::Off {
            bail!("only `lock --fetch` can do without the network\nhelp: leave out `--offline`");
        }
        if task == Task::Resolve && self.declared().is_none() {
            bail!(
                "the environment of `{}` stands on Debian packages, which no lock can pin\n\
                 help: a run records what it installed; `lock --fetch` and `lock --check` work here too",
                self.pipeline.name
            );
        }
        if task == Task::Fill {
            self.current()?;
        }
        let mut needs: Vec<&[&str]> = vec![&["curl"]];
        for source in &self.pipeline.source {
            match source {
                Source::Git(_) => needs.extend([["git"].as_slice(), &["gzip"]]),
                Source::Debian(_) => needs.extend([["apt-get"].as_slice(), &["apt-cache"]]),
                Source::Archive(_) | Source::Path(_) => {}
            }
        }
        let engines = match self.engine {
            Some(engine) => vec![engine.program()],
            None => Engine::ALL.map(Engine::program).to_vec(),
        };
        if task != Task::Check && self.declared().is_some() {
            needs.push(&engines);
        }
        match missing(&needs) {
            Some(message) => bail!(message),
            None => Ok(()),
        }
    }

    /// Resolves the environment anew.
    pub fn resolve(&self) -> Result<Resolved> {
        let declared = self.declared().context("the environment needs no lock")?;
        let runner = self.runner()?;
        let fetch = Fetch::new(self.store, self.origins, &runner);
        let (lock, notes) = resolve::resolve(declared, self.engine()?, &fetch)?;
        let changes = changes::between(self.read()?.as_ref(), &lock);
        Ok(Resolved { lock, changes, notes })
    }

    /// Writes a resolved lock, whole or not at all.
    pub fn write(&self, resolved: &Resolved) -> Result<()> {
        // Where somebody keeps it behind a link, the link stays.
        let file = self.file.canonicalize().unwrap_or_else(|_| self.file.to_owned());
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        let staged = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
        fs::write(staged.path(), resolved.lock.text()?)?;
        readable(staged.path())?;
        staged.persist(&file).with_context(|| format!("lock `{}`", self.file.display()))?;
        Ok(())
    }

    /// Fills a mirror folder with everything that the pipeline and its lock pin. Returns how many
    /// pieces of content it holds for them.
    pub fn fill(&self, folder: &Path) -> Result<usize> {
        let lock = self.current()?;
        let runner = self.runner()?;
        let fetch = Fetch::new(self.store, self.origins, &runner);
        mirror::fill(self, lock.as_ref(), folder, &fetch)
    }

    /// What moved upstream.
    pub fn check(&self) -> Result<Report> {
        let runner = self.runner()?;
        let fetch = Fetch::new(self.store, self.origins, &runner);
        radar::report(self, &fetch)
    }

    /// The lock that a build would take: none where the base needs none.
    fn current(&self) -> Result<Option<Lock>> {
        let Some(declared) = self.declared() else { return Ok(None) };
        let lock = self.read()?.with_context(|| {
            format!("there is no lock `{}`\nhelp: `vgpu-pipeline lock` first", self.file.display())
        })?;
        match lock.stale(declared) {
            Some(why) => bail!(
                "`{}` is older than the pipeline: {why}\nhelp: `vgpu-pipeline lock` first",
                self.file.display()
            ),
            None => Ok(Some(lock)),
        }
    }

    fn declared(&self) -> Option<&ImageBase> {
        match &self.pipeline.environment.base {
            Base::Image(declared) => Some(declared),
            Base::Debian(_) => None,
        }
    }

    /// The lock as it stands, old or not.
    fn read(&self) -> Result<Option<Lock>> {
        let shown = self.file.display().to_string();
        let text = files::read_text_if_there(self.file, &files::LOCK)?;
        Ok(text.map(|text| Lock::parse(&text, &shown)).transpose()?)
    }

    fn engine(&self) -> Result<Engine> {
        self.engine
            .or_else(Engine::detect)
            .context("no podman or docker on PATH\nhelp: apt-get install podman")
    }

    fn runner(&self) -> Result<Runner<'_>> {
        let runner = Runner::new(&self.log()?, |_| {})?.working_for(self.store.root());
        Ok(runner.on_note(self.on_note))
    }

    fn log(&self) -> Result<PathBuf> {
        Ok(self.store.scratch(&format!("logs/{}", self.pipeline.name))?.join("lock.log"))
    }
}

/// A temporary file is its owner's alone; a lock is for everybody who builds.
fn readable(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, std::fs::Permissions::from_mode(0o644))?;
    Ok(())
}

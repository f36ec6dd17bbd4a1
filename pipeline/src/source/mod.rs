//! Stage 1, `source`: every file that rpmbuild will find in SOURCES, checked against its pin, and the
//! spec where it comes with them.
//!
//! Nothing is unpacked here and nothing is taken that the pipeline does not name.

mod debian;
mod git;
mod lfs;

use crate::config::{self, TreePath};
use crate::fetch::{Fetch, Pin, Wanted, check};
use crate::plan::Key;
use crate::store::{Store, Stored, Work, sha256};
use anyhow::{Context, Result, bail};
pub use debian::served;
use fs_err as fs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The folder of a result that holds the spec of a git source.
const SPEC: &str = ".spec";

/// The fetched and checked sources.
#[derive(Debug)]
pub struct Sources {
    stored: Stored,
}

/// What the manifest says of one source file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SourceFact {
    pub file: String,
    pub sha256: String,
    pub origin: String,
}

/// What the store keeps with the files.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Facts {
    pub files: Vec<SourceFact>,
    /// The hosts that were asked.
    pub contacted: BTreeSet<String>,
}

impl SourceFact {
    fn of(name: &str, path: &Path, origin: String) -> Result<Self> {
        Ok(Self { file: name.to_owned(), sha256: sha256(path)?, origin })
    }
}

impl Sources {
    pub fn recall(stored: Stored) -> Self {
        Self { stored }
    }

    pub fn stored(&self) -> &Stored {
        &self.stored
    }

    /// The files of rpmbuild's SOURCES, by name.
    pub fn files(&self) -> impl Iterator<Item = (&str, PathBuf)> {
        let plain = self.stored.names().filter(|name| !name.contains('/'));
        plain.map(|name| (name, self.stored.path(name)))
    }

    /// The spec that came with the sources.
    pub fn spec(&self) -> Option<PathBuf> {
        let inside = |name: &&str| name.split('/').next() == Some(SPEC) && name.contains('/');
        self.stored.names().find(inside).map(|name| self.stored.path(name))
    }

    pub fn facts(&self) -> Result<Facts> {
        self.stored.facts()
    }
}

/// Fetches and checks every source. `beside` is the folder that relative paths start from, `spec` the
/// spec's place in the git source.
pub fn run(
    sources: &[config::Source],
    spec: Option<&TreePath>,
    beside: &Path,
    key: &Key,
    store: &Store,
    fetch: &Fetch,
) -> Result<Sources> {
    let work = store.work()?;
    let files = bring(sources, spec, beside, &work, fetch)?;
    let facts = Facts { files, contacted: fetch.contacted() };
    Ok(Sources { stored: store.keep(work, "source", key.as_str(), &facts)? })
}

/// Brings every source into a work folder's files, by way of the cache.
pub fn bring(
    sources: &[config::Source],
    spec: Option<&TreePath>,
    beside: &Path,
    work: &Work,
    fetch: &Fetch,
) -> Result<Vec<SourceFact>> {
    let mut files = Vec::new();
    for source in sources {
        match source {
            config::Source::Git(source) => files.extend(git::fetch(source, spec, work, fetch)?),
            config::Source::Archive(archive) => {
                let name = archive.file_name();
                let to = work.files().join(name);
                let wanted =
                    Wanted { shown: name, sha256: &archive.sha256, size: Some(archive.size) };
                place(&fetch.web(&wanted, &archive.url)?, &to)?;
                files.push(SourceFact::of(name, &to, archive.url.to_string())?);
            }
            config::Source::Path(path) => {
                let from = beside.join(&path.file);
                let name = path.file.file_name().unwrap_or_default().to_string_lossy();
                let to = work.files().join(&*name);
                fs::copy(&from, &to).with_context(|| format!("source `{}`", from.display()))?;
                check::pinned(&to, &from.display().to_string(), &path.sha256, None)?;
                files.push(SourceFact::of(&name, &to, "path".to_owned())?);
            }
            config::Source::Debian(package) => files.extend(debian::fetch(package, work, fetch)?),
        }
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = files.iter().find(|fact| !seen.insert(&fact.file)) {
        bail!("`{}` comes from two of the sources", twice.file);
    }
    Ok(files)
}

/// The content that a pipeline pins, with a name for people: what a mirror has to hold. Files on this
/// machine are not in it.
pub fn pins(sources: &[config::Source]) -> Vec<(Pin, String)> {
    let mut pins = Vec::new();
    for source in sources {
        match source {
            config::Source::Git(git) => {
                let shown = format!("commit {} of {}", git.commit, git.url);
                pins.push((Pin::Commit(git.commit.clone()), shown));
                pins.extend(
                    git.lfs.iter().map(|object| {
                        (Pin::Sha256(object.sha256.clone()), object.file.to_string())
                    }),
                );
            }
            config::Source::Archive(archive) => {
                pins.push((Pin::Sha256(archive.sha256.clone()), archive.url.to_string()));
            }
            config::Source::Debian(package) => {
                pins.extend(
                    package
                        .files
                        .iter()
                        .map(|file| (Pin::Sha256(file.sha256.clone()), file.name.to_string())),
                );
            }
            config::Source::Path(_) => {}
        }
    }
    pins
}

/// A link costs nothing; across file systems it has to be a copy.
fn place(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        bail!("`{}` comes from two of the sources", to.display());
    }
    fs::hard_link(from, to)
        .or_else(|_| fs::copy(from, to).map(|_| ()))
        .with_context(|| format!("cannot put `{}` into place", from.display()))
}

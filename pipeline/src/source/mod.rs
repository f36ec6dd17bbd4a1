//! Stage 1, `source`: every file that rpmbuild will find in SOURCES, checked against its pin, and the
//! spec where it comes with them.
//!
//! Nothing is unpacked here and nothing is taken that the pipeline does not name.

mod debian;
mod git;
mod lfs;
mod lookaside;

use crate::config::{self, TreePath};
use crate::error::Reason;
use crate::fetch::{Fetch, Pin, Wanted, check};
use crate::files;
use crate::plan::Key;
use crate::store::{Store, Stored, Work, sha256};
use anyhow::{Context, Result, bail};
pub use debian::served;
use fs_err as fs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The folders of a result: the files, and the spec of a git source. No name of a file can be the other.
const SOURCES: &str = "SOURCES";
const SPECS: &str = "SPECS";

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

/// A file or folder of a git source that was not taken, and why. That is an error only where the spec
/// names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    pub name: String,
    pub why: Reason,
}

/// What to try where a file of a repository cannot be taken.
const OTHER_SOURCE: &str = "give the file itself as a further source, `path:` or `archive:`";

/// What the sources brought.
#[derive(Debug, Default)]
pub struct Brought {
    pub files: Vec<SourceFact>,
    pub skipped: Vec<Skipped>,
    /// The content that a commit pins, and not the pipeline file.
    pub pins: Vec<(Pin, String)>,
}

/// What the store keeps with the files.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Facts {
    pub files: Vec<SourceFact>,
    pub skipped: Vec<Skipped>,
    /// The hosts that were asked.
    pub contacted: BTreeSet<String>,
}

impl SourceFact {
    fn of(name: &str, path: &Path, origin: String) -> Result<Self> {
        Ok(Self { file: name.to_owned(), sha256: sha256(path)?, origin })
    }
}

/// What a result calls one of rpmbuild's SOURCES.
pub fn stored_name(file: &str) -> String {
    format!("{SOURCES}/{file}")
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
        self.inside(SOURCES)
    }

    /// The spec that came with the sources.
    pub fn spec(&self) -> Option<PathBuf> {
        self.inside(SPECS).next().map(|(_, path)| path)
    }

    fn inside<'s>(&'s self, folder: &'s str) -> impl Iterator<Item = (&'s str, PathBuf)> {
        let name = move |path: &'s str| path.strip_prefix(folder)?.strip_prefix('/');
        self.stored.names().filter_map(move |path| Some((name(path)?, self.stored.path(path))))
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
    let Brought { files, skipped, .. } = bring(sources, spec, beside, &work, fetch)?;
    let facts = Facts { files, skipped, contacted: fetch.contacted() };
    Ok(Sources { stored: store.keep(work, "source", key.as_str(), &facts)? })
}

/// Brings every source into a work folder's files, by way of the cache.
pub fn bring(
    sources: &[config::Source],
    spec: Option<&TreePath>,
    beside: &Path,
    work: &Work,
    fetch: &Fetch,
) -> Result<Brought> {
    let mut brought = Brought::default();
    let folder = work.files().join(SOURCES);
    fs::create_dir(&folder)?;
    for source in sources {
        match source {
            config::Source::Git(source) => git::fetch(source, spec, work, fetch, &mut brought)?,
            config::Source::Archive(archive) => {
                let name = archive.file_name();
                let to = folder.join(name);
                let wanted =
                    Wanted { shown: name, sha256: &archive.sha256, size: Some(archive.size) };
                place(&fetch.web(&wanted, &archive.url)?, &to)?;
                brought.files.push(SourceFact::of(name, &to, archive.url.to_string())?);
            }
            config::Source::Path(path) => {
                let from = beside.join(&path.file);
                let name = path.file.file_name().unwrap_or_default().to_string_lossy();
                let to = folder.join(&*name);
                files::copy(&from, &to, &files::SOURCE)?;
                check::pinned(&to, &from.display().to_string(), &path.sha256, None)?;
                brought.files.push(SourceFact::of(&name, &to, "path".to_owned())?);
            }
            config::Source::Debian(package) => {
                brought.files.extend(debian::fetch(package, work, fetch)?);
            }
        }
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = brought.files.iter().find(|fact| !seen.insert(&fact.file)) {
        bail!("`{}` comes from two of the sources", twice.file.escape_debug());
    }
    Ok(brought)
}

/// The content that a pipeline file pins, with a name for people: what a mirror has to hold. Files on
/// this machine are not in it, and what a commit pins itself is known once that is there.
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
        let name = to.file_name().unwrap_or_default().to_string_lossy();
        bail!("`{}` comes from two of the sources", name.escape_debug());
    }
    fs::hard_link(from, to)
        .or_else(|_| files::copy(from, to, &files::SOURCE))
        .with_context(|| format!("cannot put `{}` into place", from.display()))
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The stage `source`: every file that rpmbuild will find in SOURCES, checked against its pin, and the
//! spec where it comes with them.
//!
//! Nothing is unpacked here and nothing is taken that the pipeline does not name.

mod archive;
mod debian;
mod git;
mod kind;
mod lfs;
mod lookaside;
mod path;
mod step;

use crate::config::Source;
use crate::digest::sha256_file;
use crate::error::Reason;
use crate::fetch::Pin;
use crate::files::{self, write::link_or_copy};
use crate::store::Stored;
use anyhow::{Result, bail};
pub use debian::served;
use fs_err as fs;
pub use kind::BringContext;
use kind::SourceKind;
pub use lfs::{Pointer, pointers};
pub use lookaside::place_of_list;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
pub use step::SourceStep;

/// The folders of a result: the files, and the spec of a git source. No name of a file can be the other.
const SOURCES: &str = "SOURCES";
const SPECS: &str = "SPECS";

/// The fetched and checked sources.
#[derive(Debug)]
pub struct Sources {
    stored: Stored,
    facts: Facts,
}

/// What the manifest says of one source file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SourceFact {
    pub file: String,
    pub sha256: String,
    /// Where it comes from, as a URI; none for a file of this machine.
    pub origin: Option<String>,
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
struct Facts {
    files: Vec<SourceFact>,
    skipped: Vec<Skipped>,
    /// The hosts that were asked.
    contacted: BTreeSet<String>,
}

impl SourceFact {
    fn of(name: &str, path: &Path, origin: Option<String>) -> Result<Self> {
        Ok(Self { file: name.to_owned(), sha256: sha256_file(path)?, origin })
    }
}

/// What a result calls one of rpmbuild's SOURCES.
fn stored_name(file: &str) -> String {
    format!("{SOURCES}/{file}")
}

impl Sources {
    /// What was not taken.
    pub fn skipped(&self) -> &[Skipped] {
        &self.facts.skipped
    }

    /// The files of rpmbuild's SOURCES, by name.
    pub fn files(&self) -> impl Iterator<Item = (&str, PathBuf)> {
        self.inside(SOURCES)
    }

    /// The spec that came with the sources: its name in the result, and where it is.
    fn spec(&self) -> Option<(&str, PathBuf)> {
        let name = self.stored.names().find(|name| name.starts_with(SPECS))?;
        Some((name, self.stored.path(name)))
    }

    fn inside<'s>(&'s self, folder: &'s str) -> impl Iterator<Item = (&'s str, PathBuf)> {
        let name = move |path: &'s str| path.strip_prefix(folder)?.strip_prefix('/');
        self.stored.names().filter_map(move |path| Some((name(path)?, self.stored.path(path))))
    }
}

/// Who knows a source.
fn kind(source: &Source) -> &dyn SourceKind {
    match source {
        Source::Git(git) => git,
        Source::Archive(archive) => archive,
        Source::Debian(package) => package,
        Source::Path(path) => path,
    }
}

/// Brings every source into a work folder's files, by way of the cache.
pub fn bring(sources: &[Source], cx: &BringContext) -> Result<Brought> {
    let mut brought = Brought::default();
    fs::create_dir(cx.work.files().join(SOURCES))?;
    for source in sources {
        kind(source).bring(cx, &mut brought)?;
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = brought.files.iter().find(|fact| !seen.insert(&fact.file)) {
        bail!("`{}` comes from two of the sources", twice.file.escape_debug());
    }
    Ok(brought)
}

/// The content that a pipeline file pins, with a name for people.
pub fn pins(sources: &[Source]) -> Vec<(Pin, String)> {
    sources.iter().flat_map(|source| kind(source).pins()).collect()
}

fn place(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        let name = to.file_name().unwrap_or_default().to_string_lossy();
        bail!("`{}` comes from two of the sources", name.escape_debug());
    }
    link_or_copy(from, to, &files::SOURCE)
}

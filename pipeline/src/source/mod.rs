//! Stage 1, `source`: every file that rpmbuild will find in SOURCES, checked against its pin.
//!
//! Nothing is unpacked here and nothing is taken that the pipeline does not name.

mod check;
mod debian;

use crate::cmd::Runner;
use crate::config;
use crate::plan::Key;
use crate::store::{Store, Stored};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

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

impl Sources {
    pub fn recall(stored: Stored) -> Self {
        Self { stored }
    }

    pub fn stored(&self) -> &Stored {
        &self.stored
    }

    /// The files, by name.
    pub fn files(&self) -> impl Iterator<Item = (&str, PathBuf)> {
        self.stored.names().map(|name| (name, self.stored.path(name)))
    }

    pub fn facts(&self) -> Result<Vec<SourceFact>> {
        self.stored.facts()
    }
}

/// Fetches and checks every source. `beside` is the folder that relative paths start from.
pub fn run(
    sources: &[config::Source],
    beside: &Path,
    key: &Key,
    store: &Store,
    cmd: &Runner,
) -> Result<Sources> {
    let work = store.work()?;
    let mut facts = Vec::new();
    for source in sources {
        match source {
            config::Source::Path(path) => {
                let from = beside.join(&path.file);
                let name = path.file.file_name().unwrap_or_default();
                let to = work.files().join(name);
                fs::copy(&from, &to).with_context(|| format!("source `{}`", from.display()))?;
                check::pinned(&to, &from.display().to_string(), &path.sha256)?;
                facts.push(SourceFact {
                    file: name.to_string_lossy().into_owned(),
                    sha256: path.sha256.to_string(),
                    origin: "path".to_owned(),
                });
            }
            config::Source::Debian(package) => {
                debian::fetch(package, &work, cmd)?;
                for file in &package.files {
                    let to = work.files().join(file.name.as_str());
                    check::pinned(&to, file.name.as_str(), &file.sha256)?;
                    facts.push(SourceFact {
                        file: file.name.to_string(),
                        sha256: file.sha256.to_string(),
                        origin: format!(
                            "Debian source package {} {} of {}",
                            package.package, package.version, package.suite
                        ),
                    });
                }
            }
        }
    }
    Ok(Sources { stored: store.keep(work, "source", key.as_str(), &facts)? })
}

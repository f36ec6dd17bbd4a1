//! `manifest.json` and `SHA256SUMS`: what went in, what came out, by digest.

use super::listing;
use crate::store::{FileRecord, sha256};
use anyhow::Result;
use fs_err as fs;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

pub const MANIFEST: &str = "manifest.json";
pub const SUMS: &str = "SHA256SUMS";

/// Where a repository comes from. `run` gathers it; nothing in it names a machine or a moment, so
/// that the same inputs give the same manifest.
#[derive(Debug, Clone, Serialize)]
pub struct Provenance {
    pub pipeline: String,
    /// This program and its version.
    pub builder: String,
    /// The fingerprint of the signing key.
    pub signer: String,
    pub development_key: bool,
    /// The key of each stage.
    pub keys: Vec<crate::plan::Step>,
    pub inputs: Vec<Entry>,
    /// The hosts that were asked for inputs; what a mirror folder or the store had is not among them.
    pub contacted: BTreeSet<String>,
    /// What `verify` found.
    pub verified: serde_json::Value,
}

/// One file by its digests.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// What it is: `source`, `device`, `spec`, …, or `output`.
    pub role: &'static str,
    pub name: String,
    pub size: u64,
    pub blake3: String,
    pub sha256: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
}

impl Entry {
    pub fn of(role: &'static str, name: &str, path: &Path) -> Result<Self> {
        let FileRecord { size, blake3 } = FileRecord::of(path)?;
        let (name, sha256) = (name.to_owned(), sha256(path)?);
        Ok(Self { role, name, size, blake3, sha256, origin: None })
    }

    #[must_use]
    pub fn from(mut self, origin: &str) -> Self {
        self.origin = Some(origin.to_owned());
        self
    }
}

#[derive(Serialize)]
struct Manifest<'a> {
    format: u32,
    #[serde(flatten)]
    provenance: &'a Provenance,
    outputs: Vec<Entry>,
}

/// Writes both files. The manifest lists all others, the sums all but themselves.
pub fn write(tree: &Path, provenance: &Provenance) -> Result<()> {
    let mut outputs = Vec::new();
    for name in listing(tree)? {
        outputs.push(Entry::of("output", &name, &tree.join(&name))?);
    }
    let manifest = Manifest { format: 1, provenance, outputs };
    fs::write(tree.join(MANIFEST), serde_json::to_string_pretty(&manifest)? + "\n")?;
    let mut sums = String::new();
    for name in listing(tree)? {
        writeln!(sums, "{}  {name}", sha256(&tree.join(&name))?)?;
    }
    fs::write(tree.join(SUMS), sums)?;
    Ok(())
}

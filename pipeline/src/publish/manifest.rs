// SPDX-License-Identifier: GPL-2.0-or-later
//! `manifest.json` and `SHA256SUMS`: what went in, what came out, by digest.

use super::listing;
use crate::build::CompilerCache;
use crate::digest::sha256_file;
use crate::stage::{Material, PlannedStep};
use crate::store::FileRecord;
use anyhow::{Result, bail, ensure};
use fs_err as fs;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

pub const MANIFEST: &str = "manifest.json";
pub const SUMS: &str = "SHA256SUMS";

/// Where a repository comes from. The step gathers it; nothing in it names a machine or a moment, so
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
    pub keys: Vec<PlannedStep>,
    /// Whose compiler cache the devices were built with.
    pub compiler_cache: Option<CompilerCache>,
    pub inputs: Vec<Material>,
    /// The hosts that were asked for inputs; what a mirror folder or the store had is not among them.
    pub contacted: BTreeSet<String>,
    /// What `verify` found.
    pub verified: serde_json::Value,
}

#[derive(Serialize)]
struct Manifest<'a> {
    format: u32,
    #[serde(flatten)]
    provenance: &'a Provenance,
    outputs: Vec<Material>,
}

/// Writes both files. The manifest lists all others, the sums all but themselves. What was signed has
/// to be in the tree as it was signed.
pub fn write(
    tree: &Path,
    signed: &BTreeMap<String, FileRecord>,
    provenance: &Provenance,
) -> Result<()> {
    let mut outputs = Vec::new();
    for name in listing(tree)? {
        let entry = output(&name, &tree.join(&name))?;
        let as_signed = signed.get(&name).is_none_or(|signed| signed.blake3 == entry.blake3);
        ensure!(as_signed, "`{name}` is not what was signed");
        outputs.push(entry);
    }
    let manifest = Manifest { format: 1, provenance, outputs };
    fs::write(tree.join(MANIFEST), serde_json::to_string_pretty(&manifest)? + "\n")?;
    let mut sums = String::new();
    for name in listing(tree)? {
        sums.push_str(&sum(&sha256_file(&tree.join(&name))?, &name)?);
    }
    fs::write(tree.join(SUMS), sums)?;
    Ok(())
}

/// A file of the tree.
pub fn output(name: &str, path: &Path) -> Result<Material> {
    let FileRecord { size, blake3 } = FileRecord::of(path)?;
    let (name, sha256) = (name.to_owned(), sha256_file(path)?);
    Ok(Material { role: "output", name, size, blake3, sha256, origin: None })
}

/// A line of the sums, as `sha256sum --check` reads it. No name of ours needs to be escaped there, so
/// one that would is not ours.
fn sum(sha256: &str, name: &str) -> Result<String> {
    let odd = |c: char| c == '\\' || c.is_control();
    if name.is_empty() || name.contains(odd) {
        bail!("`{}` is no name of a file in a repository", name.escape_debug());
    }
    Ok(format!("{sha256}  {name}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Rendered;

    #[test]
    fn no_name_makes_two_lines_of_one() {
        assert_eq!(
            sum("0a", "Packages/a-1-1.noarch.rpm").unwrap(),
            "0a  Packages/a-1-1.noarch.rpm\n"
        );
        for bad in ["", "a\n0b  b", "a\rb", "a\\nb", "a\0", "a\u{85}b"] {
            let message = sum("0a", bad).unwrap_err().rendered();
            assert!(message.ends_with("is no name of a file in a repository"), "{message}");
            assert!(!message.contains(char::is_control), "{message}");
        }
    }
}

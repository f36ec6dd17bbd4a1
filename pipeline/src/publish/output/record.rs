// SPDX-License-Identifier: GPL-2.0-or-later
//! Our record in an output folder: which files there are ours, whose repository it is, who signed it,
//! and what has been published under which name.

use super::Output;
use crate::digest::sha256_file;
use crate::error::Help;
use crate::publish::manifest::{MANIFEST, SUMS};
use crate::store::owned::own_file;
use crate::store::{FileRecord, Stored};
use anyhow::{Context, Result, anyhow};
use rpm_inspect::Nevra;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Component, Path};

pub const RECORD: &str = ".vgpu-pipeline.json";
const FORMAT: u32 = 1;
/// No repository of ours needs more.
const LARGEST: u64 = 16 << 20;
const HELP: &str =
    "move that folder away, and run again: the repository is made anew from the store";

/// What a published repository is, as `publish` wrote it down in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    pub pipeline: String,
    pub signer: String,
    pub development_key: bool,
    /// By the full name of each package.
    pub packages: BTreeMap<String, Content>,
}

/// What a package is, whoever signed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    pub file: String,
    pub header_sha256: String,
    pub payload_sha256: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub format: u32,
    #[serde(flatten)]
    pub facts: Facts,
    pub files: BTreeMap<String, FileRecord>,
}

/// What has to be known of a record before anything else of it.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

/// What the manifest says of an output that has no record.
#[derive(Deserialize)]
struct Manifest {
    pipeline: String,
    builder: String,
    signer: String,
    development_key: bool,
    /// What versions that write records say besides, whatever it is.
    #[serde(default, deserialize_with = "is_there")]
    compiler_cache: bool,
}

fn is_there<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(value).map(|_| true)
}

impl Record {
    /// The record that a repository in the store will have.
    pub fn of(stored: &Stored) -> Result<Self> {
        Ok(Self { format: FORMAT, facts: stored.facts()?, files: stored.files().clone() })
    }

    /// With what was published before it: a name that a client has seen stays taken.
    pub fn after(mut self, before: Option<&Self>) -> Self {
        for (nevra, content) in before.iter().flat_map(|before| &before.facts.packages) {
            self.facts.packages.entry(nevra.clone()).or_insert_with(|| content.clone());
        }
        self
    }

    /// Each package that is older than one of its name that has been published before, and that one.
    pub fn overtaken(&self, before: &Self) -> Vec<(Nevra, Nevra)> {
        let of = |record: &Self| {
            record
                .facts
                .packages
                .keys()
                .filter_map(|name| name.parse().ok())
                .collect::<Vec<Nevra>>()
        };
        let published = of(before);
        let newest = |of: &Nevra| {
            let same = |it: &&Nevra| it.name == of.name && it.arch == of.arch;
            published.iter().filter(same).max_by(|one, other| one.evr().cmp(&other.evr())).cloned()
        };
        let with_newest = |it: Nevra| newest(&it).map(|newest| (it, newest));
        let older = |(it, newest): &(Nevra, Nevra)| it.evr() < newest.evr();
        of(self).into_iter().filter_map(with_newest).filter(older).collect()
    }

    /// The record in a folder, if there is one.
    pub fn read(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(RECORD);
        let shown = || format!("our record `{}` cannot be read", path.display());
        let mut text = Vec::new();
        match own_file(&path).and_then(|file| file.take(LARGEST).read_to_end(&mut text)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(shown).help(HELP),
        }
        let Format { format } = serde_json::from_slice(&text).with_context(shown).help(HELP)?;
        if format != FORMAT {
            return Err(anyhow!(
                "`{}` has the format {format}, and this program knows {FORMAT}",
                path.display()
            )
            .help(format!("use the version of vgpu-pipeline that wrote it, or {HELP}")));
        }
        let record: Self = serde_json::from_slice(&text).with_context(shown).help(HELP)?;
        match record.files.keys().find(|name| !is_plain(name)) {
            Some(name) => {
                Err(anyhow!("`{}` lists `{}`", path.display(), name.escape_debug()).help(HELP))
            }
            None => Ok(Some(record)),
        }
    }

    /// Refuses what belongs to another pipeline or was signed by another key.
    pub fn refuse_others(&self, output: &Output) -> Result<()> {
        let shown = output.folder.display();
        let Facts { pipeline, signer, .. } = &self.facts;
        if pipeline != output.pipeline {
            return Err(anyhow!(
                "the output `{shown}` holds the repository of the pipeline `{}`",
                pipeline.escape_debug()
            )
            .help("name another folder with `--output`"));
        }
        if output.signer.as_ref() == Some(signer) || output.consent.new_signer {
            return Ok(());
        }
        let new = output.signer.as_deref().unwrap_or("a development key, which is yet to be made");
        let development = if self.facts.development_key { "the development key " } else { "" };
        Err(anyhow!("the repository in `{shown}` is signed by {development}{}, and this run would sign it by \
             {new}", signer.escape_debug()).help("name that key with `--key`; `--accept-new-signer` hands the repository to the \
             new one, which every client then has to import"))
    }
}

/// The record in a folder; or one made from the sums of an output that an older version of this
/// program wrote, where every file is still what they say.
pub fn find(folder: &Path, pipeline: &str) -> Result<Option<Record>> {
    Ok(match Record::read(folder)? {
        None => adopt(folder, pipeline).unwrap_or_default(),
        found => found,
    })
}

fn adopt(folder: &Path, pipeline: &str) -> Result<Option<Record>> {
    let bounded = |name: &str| -> Result<String> {
        let mut text = String::new();
        own_file(&folder.join(name))?.take(LARGEST).read_to_string(&mut text)?;
        Ok(text)
    };
    let manifest: Manifest = serde_json::from_str(&bounded(MANIFEST)?)?;
    if manifest.pipeline != pipeline || !manifest.builder.starts_with("vgpu-pipeline ") {
        return Ok(None);
    }
    // Where a record was and is gone, nobody knows any more what was published before.
    if manifest.compiler_cache {
        return Ok(None);
    }
    let mut files = BTreeMap::new();
    let signature = format!("{SUMS}.asc");
    for line in bounded(SUMS)?.lines() {
        let (sum, name) = line.split_once("  ").context("a line of sums")?;
        let path = folder.join(name);
        if !is_plain(name) {
            return Ok(None);
        }
        own_file(&path)?;
        if sha256_file(&path)? != sum {
            return Ok(None);
        }
        files.insert(name.to_owned(), FileRecord::of_plain(&path)?);
    }
    if !files.contains_key(MANIFEST) {
        return Ok(None);
    }
    for name in [SUMS, &signature] {
        files.insert(name.to_owned(), FileRecord::of_plain(&folder.join(name))?);
    }
    let Manifest { pipeline, signer, development_key, .. } = manifest;
    let facts = Facts { pipeline, signer, development_key, packages: BTreeMap::new() };
    Ok(Some(Record { format: FORMAT, facts, files }))
}

/// Whether a name leads down from the folder, and nowhere else.
fn is_plain(name: &str) -> bool {
    let parts = Path::new(name).components();
    let plain = parts.clone().all(|part| matches!(part, Component::Normal(_)));
    plain && parts.count() == name.split('/').count() && name != RECORD
}

/// Refuses packages that were published with other content under the same name, or the same file name.
pub fn refuse_others(new: &Record, before: &Record, output: &Output) -> Result<()> {
    if output.consent.replace {
        return Ok(());
    }
    let mut wrong = Vec::new();
    for (nevra, content) in &new.facts.packages {
        let old = &before.facts.packages;
        let same = old.get(nevra);
        let differs = |what: &str, old: &str, new: &str| {
            format!(
                "`{}` ({nevra}): the SHA-256 of its {what} is {old} there and {new} here",
                content.file
            )
        };
        if let Some(same) = same {
            if same.header_sha256 != content.header_sha256 {
                wrong.push(differs("header", &same.header_sha256, &content.header_sha256));
            } else if same.payload_sha256 != content.payload_sha256 {
                wrong.push(differs("payload", &same.payload_sha256, &content.payload_sha256));
            }
        } else if let Some((other, old)) = old.iter().find(|(_, old)| old.file == content.file) {
            // An epoch is in no file's name.
            wrong.push(format!(
                "`{}` is {other} there and {nevra} here, with the header {} and {}",
                content.file, old.header_sha256, content.header_sha256
            ));
        } else if let (Some(there), Some(here)) =
            (before.files.get(&content.file), new.files.get(&content.file))
            && there != here
        {
            let (there, here) = (&there.blake3, &here.blake3);
            wrong.push(format!("`{}`: its blake3 is {there} there and {here} here", content.file));
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(anyhow!(
        "the repository in `{}` has published the same name and version with other content:\n  {}",
        output.folder.display(),
        wrong.join("\n  ")
    )
    .help(
        "raise `release-suffix` in the pipeline, so that clients see an update; `--replace` \
         publishes it over the other, which is for trying: who has the other one keeps it",
    ))
}

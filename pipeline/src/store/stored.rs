// SPDX-License-Identifier: GPL-2.0-or-later
//! One result: its record, and its files as they are now.

use super::{FILES, owned};
use crate::digest;
use crate::error::Help;
use crate::files;
use anyhow::{Context, Error, Result, anyhow, ensure};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// What to try about a file that was changed.
pub const WHO: &str = "find out who did; the next run makes it anew";

/// What the store wrote down about one result.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) stage: String,
    pub(super) key: String,
    /// The digests of the results that it was made of, by their stage.
    pub(super) made_of: BTreeMap<String, String>,
    pub(super) files: BTreeMap<String, FileRecord>,
    pub(super) facts: serde_json::Value,
}

/// A record in its file: one that was altered or damaged is none.
#[derive(Serialize, Deserialize)]
struct Sealed {
    blake3: String,
    record: serde_json::Value,
}

impl Record {
    pub(super) fn to_json(&self) -> Result<Vec<u8>> {
        let record = serde_json::to_value(self)?;
        let sealed = Sealed { blake3: digest::blake3(&canonical(&record)), record };
        Ok(serde_json::to_vec_pretty(&sealed)?)
    }

    /// The record that a file holds, if it is as it was written.
    pub(super) fn of_json(text: &[u8]) -> Option<Self> {
        let Sealed { blake3, record } = serde_json::from_slice(text).ok()?;
        (digest::blake3(&canonical(&record)) == blake3).then_some(())?;
        serde_json::from_value(record).ok()
    }
}

/// One file of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    pub size: u64,
    pub blake3: String,
}

/// A result in the store.
#[derive(Debug, Clone)]
pub struct Stored {
    pub(super) folder: PathBuf,
    pub(super) record: Record,
}

impl Stored {
    /// The stage and the key that it is kept under, as one word.
    pub fn name(&self) -> String {
        format!("{}-{}", self.record.stage, self.record.key)
    }

    pub fn key(&self) -> &str {
        &self.record.key
    }

    pub fn is_of(&self, stage: &str) -> bool {
        self.record.stage == stage
    }

    /// The digests of what it was made of, by stage.
    pub fn made_of(&self) -> &BTreeMap<String, String> {
        &self.record.made_of
    }

    /// The digest of its files, names and bytes.
    pub fn content(&self) -> String {
        self.content_of(|_| true)
    }

    /// The same of some of them.
    pub fn content_of(&self, wanted: impl Fn(&str) -> bool) -> String {
        let files: BTreeMap<_, _> =
            self.record.files.iter().filter(|(name, _)| wanted(name)).collect();
        digest::blake3(&canonical(&files))
    }

    /// The digest of its files and of what the stage wrote down.
    pub fn content_with_facts(&self) -> String {
        digest::blake3(&canonical(&(&self.record.files, &self.record.facts)))
    }

    pub fn has(&self, file: &str) -> bool {
        self.record.files.contains_key(file)
    }

    /// What was written down about a file.
    pub fn record_of(&self, file: &str) -> Result<&FileRecord> {
        self.record
            .files
            .get(file)
            .with_context(|| format!("`{}` has no file `{file}`", self.name()))
    }

    /// The sha256 of a file, as it was written.
    pub fn sha256(&self, file: &str) -> Result<String> {
        let expected = self.record_of(file)?;
        let mut reader = owned::plain_file(&self.path(file), OpenOptions::new().read(true))
            .with_context(|| self.path(file).display().to_string())?;
        let mut sha256 = Sha256::new();
        let found = FileRecord::of_read(&mut reader, &mut sha256)?;
        ensure!(
            found == *expected,
            anyhow!("`{file}` is damaged in the store")
                .help(format!("remove {} and run again", self.path("").display()))
        );
        Ok(digest::hex(&sha256.finalize()))
    }

    /// Whether a file is there with the bytes that were written.
    pub fn is_intact(&self, file: &str) -> bool {
        let expected = self.record.files.get(file);
        expected.is_some() && FileRecord::of_plain(&self.path(file)).ok().as_ref() == expected
    }

    /// The names of its files, `/` between folders.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.record.files.keys().map(String::as_str)
    }

    pub fn files(&self) -> &BTreeMap<String, FileRecord> {
        &self.record.files
    }

    /// What the stage wrote down about it.
    pub fn facts<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_value(self.record.facts.clone())
            .with_context(|| format!("record of `{}` in the store", self.record.stage))
    }

    /// Where a file is. Whoever calls this has had the result checked with [`Stored::intact`].
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(FILES).join(name)
    }

    /// What is said of a result that is not intact.
    pub fn what_changed(&self) -> Error {
        let name = self.names().find(|name| !self.is_intact(name)).unwrap_or_default();
        changed(&self.path(name), &self.record.stage)
    }

    /// Whether every file is there with the bytes that were written.
    pub fn intact(&self) -> bool {
        self.names().all(|name| self.is_intact(name))
    }
}

/// A record's parts in one form.
fn canonical(parts: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(parts)
        .unwrap_or_else(|problem| unreachable!("records are plain JSON: {problem}"))
}

impl FileRecord {
    /// The record of a file as it is now, wherever a link leads to it.
    pub fn of(path: &Path) -> Result<Self> {
        Self::of_open(files::open(path, &files::JUDGED)?)
            .with_context(|| path.display().to_string())
    }

    /// The record of a file that has to be one itself: no link, no FIFO.
    pub fn of_plain(path: &Path) -> Result<Self> {
        owned::plain_file(path, OpenOptions::new().read(true))
            .and_then(Self::of_open)
            .with_context(|| path.display().to_string())
    }

    fn of_open(mut file: File) -> io::Result<Self> {
        Self::of_read(&mut file, &mut io::sink())
    }

    /// The record of what is read, which goes on to somebody else.
    fn of_read(input: &mut impl Read, output: &mut impl Write) -> io::Result<Self> {
        let mut hasher = blake3::Hasher::new();
        let (mut size, mut buffer) = (0, vec![0; 1 << 16]);
        loop {
            let read = input.read(&mut buffer)?;
            if read == 0 {
                return Ok(Self { size, blake3: hasher.finalize().to_hex().to_string() });
            }
            hasher.update(&buffer[..read]);
            output.write_all(&buffer[..read])?;
            size += read as u64;
        }
    }
}

/// That a file is another one than its stage left.
pub fn changed(path: &Path, stage: &str) -> Error {
    anyhow!("`{}` was changed in the store after the stage `{stage}`", path.display()).help(WHO)
}

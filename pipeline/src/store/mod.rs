// SPDX-License-Identifier: GPL-2.0-or-later
//! The store: results under the key of the step that made them, with the blake3 of every file.
//!
//! A result is written beside its place and renamed into it, so it is there whole or not at all. A
//! file is checked when somebody is about to use it; a result that fails is dropped, and made again.
//! Its folder is its owner's alone, so that a record in it is this user's own word.
//! The store knows nothing of stages and starts no process.

mod clear;
mod copy;
mod keep;
pub mod layout;
pub mod owned;
mod work;

use crate::digest;
use crate::error::Help;
use crate::files;
use anyhow::{Context, Result, anyhow, ensure};
pub use clear::clear;
pub use copy::copy_new;
use fs_err as fs;
use rustix::fs::{Mode, fchmod, fstat};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;
pub use work::Work;

const RECORD: &str = "record.json";
const FILES: &str = "files";
/// What it is called in messages, and what to do about a folder that it does not take.
const WHAT: &str = "the store";
const HELP: &str =
    "choose another store with `--store`, a folder of your own or one that is not there yet";
/// The one folder in it that is handed to the user of a container.
const HANDED_OVER: &[&str] = &["ccache"];

/// The folder that holds everything this program keeps between runs, keys excepted.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

/// What the store wrote down about one result.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Record {
    stage: String,
    key: String,
    /// The digests of the results that it was made of, by their stage.
    made_of: BTreeMap<String, String>,
    files: BTreeMap<String, FileRecord>,
    facts: serde_json::Value,
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
    folder: PathBuf,
    record: Record,
}

impl Store {
    /// Opens the store, making it where there is none, and clears what killed runs left behind.
    pub fn open(root: &Path) -> Result<Self> {
        // By its components: behind a slash, a link would be followed all the same.
        let root: PathBuf = std::path::absolute(root)?.components().collect();
        // Its folders are mounted into containers, and the engines' options are text of lines.
        if root.to_str().is_none_or(|text| text.contains('\r')) {
            return Err(anyhow!("the path of the store `{}` is not UTF-8, or holds a carriage return, and no container \
                 engine can be told of it", root.display()).help("choose another store with `--store`"));
        }
        owned::private_folder(&root, WHAT, HELP)?;
        for folder in [layout::RESULTS, layout::WORK, layout::LOCKS, layout::LOGS] {
            let path = root.join(folder);
            if path.symlink_metadata().is_err() {
                fs::create_dir(&path).or_else(|error| match error.kind() {
                    // Another run was quicker.
                    io::ErrorKind::AlreadyExists => Ok(()),
                    _ => Err(error),
                })?;
            }
            let opened = owned::own_folder(&path, &format!("`{folder}` of {WHAT}"), HELP)?;
            if fstat(&opened)?.st_mode & 0o022 != 0 {
                // What an open one let others put there before is seen by its owner, record by record.
                fchmod(&opened, Mode::from_bits_truncate(0o755))?;
            }
        }
        owned::own_entries(&root, HANDED_OVER, WHAT, HELP)?;
        let store = Self { root };
        work::sweep(&store.root.join(layout::WORK))?;
        Ok(store)
    }

    /// The result of a step, if the store has one. Its files are not read yet.
    pub fn get(&self, stage: &str, key: &str) -> Result<Option<Stored>> {
        let folder = self.folder(stage, key);
        let record = folder.join(RECORD);
        let mut text = Vec::new();
        match owned::own_file(&record).and_then(|mut file| file.read_to_end(&mut text)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("cannot read `{}`", record.display()))
                    .help("remove that result's folder; it will be made anew");
            }
        }
        match serde_json::from_slice::<Record>(&text) {
            Ok(record) if record.key == key && record.stage == stage => {
                Ok(Some(Stored { folder, record }))
            }
            _ => {
                self.remove(&folder)?;
                Ok(None)
            }
        }
    }

    /// Drops a result.
    pub fn discard(&self, stored: &Stored) -> Result<()> {
        self.remove(&stored.folder)
    }

    /// Takes a folder out of sight at once, and then away.
    fn remove(&self, folder: &Path) -> Result<()> {
        let grave = self.work()?;
        match fs::rename(folder, grave.path().join("discarded")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// A folder to work in; it vanishes with the returned value unless it is kept.
    pub fn work(&self) -> Result<Work> {
        Work::begin(&self.root.join(layout::WORK))
    }

    /// Keeps what a stage left in its work folder's `files` as the result of a step, with the digests of
    /// what it was made of.
    #[expect(clippy::needless_pass_by_value, reason = "what is kept is worked on no more")]
    pub fn keep<T: Serialize>(
        &self,
        work: Work,
        stage: &str,
        key: &str,
        made_of: BTreeMap<String, String>,
        facts: &T,
    ) -> Result<Stored> {
        let staged = work.path().join("result");
        fs::create_dir(&staged)?;
        fs::rename(work.files(), staged.join(FILES))?;
        let mut files = BTreeMap::new();
        keep::settle(&staged.join(FILES), "", &mut files)?;
        let record = Record {
            stage: stage.to_owned(),
            key: key.to_owned(),
            made_of,
            files,
            facts: serde_json::to_value(facts)?,
        };
        fs::write(staged.join(RECORD), serde_json::to_vec_pretty(&record)?)?;
        let folder = self.folder(stage, key);
        self.remove(&folder)?;
        fs::rename(&staged, &folder)?;
        Ok(Stored { folder, record })
    }

    /// Sets the work of a failed stage aside under a name, in place of what was there, for somebody to
    /// look into.
    pub fn keep_failed(&self, work: Work, name: &str) -> Result<()> {
        self.drop_failed(name)?;
        self.scratch(layout::FAILED)?;
        work.move_to(&self.failed_folder(name))
    }

    /// Drops what was set aside under a name.
    pub fn drop_failed(&self, name: &str) -> Result<()> {
        self.remove(&self.failed_folder(name))
    }

    pub fn failed_folder(&self, name: &str) -> PathBuf {
        self.root.join(layout::FAILED).join(name)
    }

    /// Holds others off a step, or a pipeline's name, until the returned file is dropped. While
    /// somebody else holds it, `waiting` is asked again and again whether to go on.
    pub fn lock(&self, what: &str, name: &str, waiting: impl Fn() -> Result<()>) -> Result<File> {
        let path = self.root.join(layout::LOCKS).join(format!("{what}-{name}"));
        let file = owned::plain_file(
            &path,
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600),
        )
        .with_context(|| format!("cannot open the lock `{}`", path.display()))?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) => waiting()?,
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// A folder of the store that is not a result: caches that tools keep for themselves, logs.
    pub fn scratch(&self, name: &str) -> Result<PathBuf> {
        let mut path = self.root.clone();
        for part in Path::new(name).components() {
            ensure!(matches!(part, Component::Normal(_)), "`{name}` is no folder of the store");
            path.push(part);
            if path.symlink_metadata().is_err() {
                fs::create_dir(&path).or_else(|error| match error.kind() {
                    io::ErrorKind::AlreadyExists => Ok(()),
                    _ => Err(error),
                })?;
            }
            if path.is_symlink() {
                return Err(anyhow!("`{}` of {WHAT} is a symbolic link", path.display())
                    .help(format!("{HELP}")));
            }
        }
        Ok(path)
    }

    /// The log of a pipeline's stage or command.
    pub fn log_file(&self, pipeline: &str, what: &str) -> Result<PathBuf> {
        let folder = self.scratch(&format!("{}/{pipeline}", layout::LOGS))?;
        Ok(folder.join(format!("{what}.log")))
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    fn folder(&self, stage: &str, key: &str) -> PathBuf {
        self.root.join(layout::RESULTS).join(format!("{stage}-{key}"))
    }
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
        digest::blake3(&canonical(&self.record.files))
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

#[cfg(test)]
mod tests;

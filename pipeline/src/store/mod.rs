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
mod stored;
mod work;

use crate::error::Help;
use anyhow::{Context, Result, anyhow, ensure};
pub use clear::clear;
pub use copy::copy_new;
use fs_err as fs;
use rustix::fs::{Mode, fchmod, fstat};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;
use stored::Record;
pub use stored::{FileRecord, Stored};
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
        match Record::of_json(&text) {
            Some(record) if record.key == key && record.stage == stage => {
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
        fs::write(staged.join(RECORD), record.to_json()?)?;
        let folder = self.folder(stage, key);
        self.remove(&folder)?;
        fs::rename(&staged, &folder)?;
        Ok(Stored { folder, record })
    }

    /// Sets the work of a failed stage aside under a name, in place of what was there, for somebody to
    /// look into.
    pub fn keep_failed(&self, work: Work, name: &str) -> Result<()> {
        self.drop_failed(name)?;
        self.folder_for(layout::FAILED)?;
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

    /// A folder of the store that is no result, and stays: logs, caches that tools keep for themselves.
    pub fn folder_for(&self, name: &str) -> Result<PathBuf> {
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
                    .help(HELP.to_string()));
            }
        }
        Ok(path)
    }

    /// The log of a pipeline's stage or command.
    pub fn log_file(&self, pipeline: &str, what: &str) -> Result<PathBuf> {
        let folder = self.folder_for(&format!("{}/{pipeline}", layout::LOGS))?;
        Ok(folder.join(format!("{what}.log")))
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    fn folder(&self, stage: &str, key: &str) -> PathBuf {
        self.root.join(layout::RESULTS).join(format!("{stage}-{key}"))
    }
}

#[cfg(test)]
mod tests;

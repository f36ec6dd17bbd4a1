//! The store: results under the key of the step that made them, with the blake3 of every file.
//!
//! A result is written beside its place and renamed into it, so it is there whole or not at all. A
//! file is checked when somebody is about to use it; a result that fails is dropped, and made again.
//! The store knows nothing of stages and starts no process.

mod work;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::Digest;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
pub use work::Work;

const RECORD: &str = "record.json";
const FILES: &str = "files";

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
        let root = std::path::absolute(root)?;
        for folder in ["results", "work", "locks", "logs"] {
            let path = root.join(folder);
            fs::create_dir_all(&path).with_context(|| {
                format!(
                    "cannot make `{}`\nhelp: choose another store with `--store`",
                    path.display()
                )
            })?;
        }
        let store = Self { root };
        work::sweep(&store.root.join("work"))?;
        Ok(store)
    }

    /// The result of a step, if the store has one. Its files are not read yet.
    pub fn get(&self, stage: &str, key: &str) -> Result<Option<Stored>> {
        let folder = self.folder(stage, key);
        let text = match fs::read(folder.join(RECORD)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| folder.display().to_string()),
        };
        match serde_json::from_slice::<Record>(&text) {
            Ok(record) if record.key == key && record.stage == stage => {
                Ok(Some(Stored { folder, record }))
            }
            _ => {
                self.discard(stage, key)?;
                Ok(None)
            }
        }
    }

    /// Drops a result.
    pub fn discard(&self, stage: &str, key: &str) -> Result<()> {
        let grave = self.work()?;
        match fs::rename(self.folder(stage, key), grave.path().join("discarded")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// A folder to work in; it vanishes with the returned value unless it is kept.
    pub fn work(&self) -> Result<Work> {
        Work::begin(&self.root.join("work"))
    }

    /// Keeps what a stage left in its work folder's `files` as the result of a step.
    #[expect(clippy::needless_pass_by_value, reason = "what is kept is worked on no more")]
    pub fn keep<T: Serialize>(
        &self,
        work: Work,
        stage: &str,
        key: &str,
        facts: &T,
    ) -> Result<Stored> {
        let staged = work.path().join("result");
        fs::create_dir(&staged)?;
        fs::rename(work.files(), staged.join(FILES))?;
        let mut files = BTreeMap::new();
        record_files(&staged.join(FILES), "", &mut files)?;
        let record = Record {
            stage: stage.to_owned(),
            key: key.to_owned(),
            files,
            facts: serde_json::to_value(facts)?,
        };
        fs::write(staged.join(RECORD), serde_json::to_vec_pretty(&record)?)?;
        let folder = self.folder(stage, key);
        self.discard(stage, key)?;
        fs::rename(&staged, &folder).with_context(|| folder.display().to_string())?;
        Ok(Stored { folder, record })
    }

    /// Sets the work of a failed stage aside under a name, in place of what was there, for somebody to
    /// look into.
    pub fn set_aside(&self, work: Work, name: &str) -> Result<()> {
        self.drop_set_aside(name)?;
        self.scratch("failed")?;
        work.move_to(&self.set_aside_folder(name))
    }

    /// Drops what was set aside under a name.
    pub fn drop_set_aside(&self, name: &str) -> Result<()> {
        let grave = self.work()?;
        match fs::rename(self.set_aside_folder(name), grave.path().join("discarded")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    pub fn set_aside_folder(&self, name: &str) -> PathBuf {
        self.root.join("failed").join(name)
    }

    /// Holds others off a step, or a pipeline's name, until the returned file is dropped. While
    /// somebody else holds it, `waiting` is asked again and again whether to go on.
    pub fn lock(&self, what: &str, name: &str, waiting: impl Fn() -> Result<()>) -> Result<File> {
        let file = File::create(self.root.join("locks").join(format!("{what}-{name}")))?;
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
        let path = self.root.join(name);
        fs::create_dir_all(&path)?;
        Ok(path)
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    fn folder(&self, stage: &str, key: &str) -> PathBuf {
        self.root.join("results").join(format!("{stage}-{key}"))
    }
}

impl Stored {
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
        self.record.files.iter().all(|(name, expected)| {
            FileRecord::of(&self.path(name)).is_ok_and(|found| found == *expected)
        })
    }
}

impl FileRecord {
    /// The record of a file as it is now.
    pub fn of(path: &Path) -> Result<Self> {
        let mut hasher = blake3::Hasher::new();
        let mut file = File::open(path).with_context(|| path.display().to_string())?;
        let size = io::copy(&mut file, &mut hasher)?;
        Ok(Self { size, blake3: hasher.finalize().to_hex().to_string() })
    }
}

/// The sha256 of a file, as the world outside this program pins it.
pub fn sha256(path: &Path) -> Result<String> {
    digest::<sha2::Sha256>(path)
}

/// The sha512 of a file, as packaging repositories name what they keep elsewhere.
pub fn sha512(path: &Path) -> Result<String> {
    digest::<sha2::Sha512>(path)
}

fn digest<D: Digest + io::Write>(path: &Path) -> Result<String> {
    let mut hasher = D::new();
    let mut file = File::open(path).with_context(|| path.display().to_string())?;
    io::copy(&mut file, &mut hasher)?;
    Ok(hasher.finalize().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}

/// The sha256 of bytes.
pub fn sha256_of(bytes: &[u8]) -> String {
    format!("{:x}", sha2::Sha256::digest(bytes))
}

fn record_files(
    folder: &Path,
    prefix: &str,
    files: &mut BTreeMap<String, FileRecord>,
) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            bail!("`{}` is not UTF-8", entry.path().display());
        };
        let name = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            record_files(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.insert(name, FileRecord::of(&entry.path())?);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

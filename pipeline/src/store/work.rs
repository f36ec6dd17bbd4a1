// SPDX-License-Identifier: GPL-2.0-or-later
//! Work folders: where a result grows before it is one.

use super::clear::clear;
use super::owned::plain_file;
use anyhow::{Context, Result};
use fs_err as fs;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const ALIVE: &str = "alive";
/// How a folder is called that is being removed: whoever is killed at it leaves it to the next one.
const GONE: &str = ".gone-";

/// A folder of one run. The lock on its `alive` file says that the run still lives.
#[derive(Debug)]
pub struct Work {
    folder: TempDir,
    _alive: File,
}

impl Work {
    pub fn begin(parent: &Path) -> Result<Self> {
        // Until it is locked, so that nobody takes a beginning for an end.
        let beginning = lock_of(parent)?;
        beginning.lock_shared()?;
        let folder = TempDir::new_in(parent)
            .with_context(|| format!("cannot make a work folder in `{}`", parent.display()))?;
        let alive = fs::File::create(folder.path().join(ALIVE))?.into_file();
        alive.lock()?;
        fs::create_dir(folder.path().join("files"))?;
        Ok(Self { folder, _alive: alive })
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// What is put here becomes the result.
    pub fn files(&self) -> PathBuf {
        self.folder.path().join("files")
    }

    /// A further folder for the stage's own use, thrown away with the work.
    pub fn scratch(&self, name: &str) -> Result<PathBuf> {
        let path = self.folder.path().join(name);
        fs::create_dir_all(&path)?;
        Ok(path)
    }
}

impl Work {
    /// Lets the folder outlive this value, in another place.
    pub fn move_to(mut self, place: &Path) -> Result<()> {
        fs::rename(self.folder.path(), place)?;
        // What the guard would remove is gone from where it looks.
        self.folder.disable_cleanup(true);
        Ok(())
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        // What a build left may be deeper than the guard of the folder could remove.
        if self.folder.path().exists() {
            remove(self.folder.path());
        }
    }
}

/// Whose shared lock says that a work folder is about to be, and whose lock that none is.
fn lock_of(parent: &Path) -> Result<File> {
    Ok(fs::File::open(parent)?.into_file())
}

/// Removes work folders whose run is gone: a killed process could not do it itself.
pub fn sweep(parent: &Path) -> Result<()> {
    for path in abandoned(parent)? {
        remove(&path);
    }
    Ok(())
}

fn abandoned(parent: &Path) -> Result<Vec<PathBuf>> {
    let none_begins = lock_of(parent)?;
    none_begins.lock()?;
    let mut found = Vec::new();
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        let path = entry.path();
        let gone = entry.file_name().as_encoded_bytes().starts_with(GONE.as_bytes());
        let alive = plain_file(&path.join(ALIVE), OpenOptions::new().read(true));
        let lives = alive.is_ok_and(|it| matches!(it.try_lock(), Err(TryLockError::WouldBlock)));
        if gone || !lives {
            found.push(path);
        }
    }
    Ok(found)
}

/// Removes a folder. Another run may be at it too, and what cannot be cleared is in nobody's way.
fn remove(path: &Path) {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let gone = path.with_file_name(format!("{GONE}{}", name.trim_start_matches(GONE)));
    let moved = *gone == *path || fs::rename(path, &gone).is_ok();
    let at = if moved { &gone } else { path };
    let _ = clear(at).and_then(|()| rustix::fs::rmdir(at));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_killed_while_a_folder_is_removed_leaves_it_to_the_next() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        let live = Work::begin(place.path()).unwrap();
        let ended = Work::begin(place.path()).unwrap();
        fs::write(ended.files().join("a"), "a").unwrap();
        // One of a run that was killed, one that another sweep was at, and one that had only begun.
        fs::create_dir_all(at("killed/files")).unwrap();
        fs::write(at("killed").join(ALIVE), "").unwrap();
        fs::create_dir_all(at(".gone-half/files/deep")).unwrap();
        fs::create_dir(at("begun")).unwrap();
        drop(ended);
        sweep(place.path()).unwrap();
        let names: Vec<_> =
            fs::read_dir(place.path()).unwrap().map(|it| it.unwrap().path()).collect();
        assert_eq!(names, [live.path().to_owned()]);
    }
}

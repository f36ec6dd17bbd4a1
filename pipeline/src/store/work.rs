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
        let folder = TempDir::new_in(parent)
            .with_context(|| format!("cannot make a work folder in `{}`", parent.display()))?;
        // Locked before it has its name, so that nobody takes a beginning for an end.
        let unnamed = folder.path().join("unnamed");
        let alive = fs::File::create(&unnamed)?.into_file();
        alive.lock()?;
        fs::rename(&unnamed, folder.path().join(ALIVE))?;
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

/// Removes work folders whose run is gone: a killed process could not do it itself.
pub fn sweep(parent: &Path) -> Result<()> {
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        let path = entry.path();
        let gone = entry.file_name().as_encoded_bytes().starts_with(GONE.as_bytes());
        let dead = match plain_file(&path.join(ALIVE), OpenOptions::new().read(true)) {
            _ if gone => true,
            Ok(alive) => !matches!(alive.try_lock(), Err(TryLockError::WouldBlock)),
            // Between the folder and its `alive` file a run is a moment old: leave it alone.
            Err(_) => path
                .symlink_metadata()
                .and_then(|m| m.modified())
                .is_ok_and(|at| at.elapsed().is_ok_and(|age| age.as_secs() > 60)),
        };
        if dead {
            remove(&path);
        }
    }
    Ok(())
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
        // One of a run that was killed, one that another sweep was at, and one that begins just now.
        fs::create_dir_all(at("killed/files")).unwrap();
        fs::write(at("killed").join(ALIVE), "").unwrap();
        fs::create_dir_all(at(".gone-half/files/deep")).unwrap();
        fs::create_dir(at("begins")).unwrap();
        drop(ended);
        sweep(place.path()).unwrap();
        let mut names: Vec<_> =
            fs::read_dir(place.path()).unwrap().map(|it| it.unwrap().path()).collect();
        names.sort();
        let mut expected = [live.path().to_owned(), at("begins")];
        expected.sort();
        assert_eq!(names, expected);
    }
}

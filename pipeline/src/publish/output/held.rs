// SPDX-License-Identifier: GPL-2.0-or-later
//! Holds other runs off an output while its state changes.
//!
//! The lock is a file beside the output which its owner alone can open, so that nobody else can hold it:
//! a folder can be locked by whoever may read it. It is there for as long as somebody is at it; one that a
//! killed run left is taken over.

use super::switch::stem;
use crate::error::Help;
use crate::process::interrupt;
use crate::store::owned::plain_file;
use anyhow::{Context, Result, anyhow};
use rustix::fs::{Mode, fchmod};
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The longest that another run's switch is waited for.
const PATIENCE: Duration = Duration::from_secs(300);

pub struct Held {
    _file: File,
    path: PathBuf,
}

impl Drop for Held {
    fn drop(&mut self) {
        // While it is held: whoever waits for this file finds that it has no name any more.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Takes the lock of an output, which is in `folder` or will be below it.
pub fn hold(folder: &Path, output: &Path) -> Result<Held> {
    let path = folder.join(stem(output) + ".lock");
    let began = Instant::now();
    loop {
        let file = open(&path)?;
        match file.try_lock() {
            Ok(()) if is_named(&file, &path) => return Ok(Held { _file: file, path }),
            // Whoever held it has taken it away; the next one is another file.
            Ok(()) => continue,
            Err(TryLockError::WouldBlock) if began.elapsed() < PATIENCE => interrupt::check()?,
            Err(TryLockError::WouldBlock) => {
                return Err(anyhow!(
                    "another run has held `{}` for {} seconds",
                    path.display(),
                    PATIENCE.as_secs()
                )
                .help(format!(
                    "`fuser {}` says which; run again when it is done",
                    path.display()
                )));
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock `{}`", path.display()));
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn open(path: &Path) -> Result<File> {
    let mut how = OpenOptions::new();
    how.write(true).create(true).truncate(false).mode(0o600);
    let file = plain_file(path, &how).with_context(|| path.display().to_string())?;
    let found = file.metadata()?;
    let we = rustix::process::geteuid().as_raw();
    if found.uid() != we {
        return Err(anyhow!(
            "`{}` belongs to the user {}, and would be a lock of the user {we}",
            path.display(),
            found.uid()
        )
        .help("remove it, or name a folder that others cannot write to with `--output`"));
    }
    if found.mode() & 0o077 != 0 {
        fchmod(&file, Mode::RUSR | Mode::WUSR)?;
    }
    Ok(file)
}

/// Whether a file still has the name that it was opened by.
fn is_named(file: &File, path: &Path) -> bool {
    let same = |it: std::fs::Metadata, other: std::fs::Metadata| {
        (it.dev(), it.ino()) == (other.dev(), other.ino())
    };
    let named = path.symlink_metadata();
    file.metadata().is_ok_and(|file| named.is_ok_and(|named| same(file, named)))
}

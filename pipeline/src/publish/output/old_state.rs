// SPDX-License-Identifier: GPL-2.0-or-later
//! The state that was switched out: what is not ours in it goes into the new one, and then it ends.

use super::switch::sync;
use super::target::if_there;
use anyhow::{Context, Result};
use fs_err as fs;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// An old state that was switched out.
pub struct OldState<'a> {
    pub tree: &'a Path,
    pub output: &'a Path,
    pub ours: &'a BTreeSet<String>,
}

impl OldState<'_> {
    /// Ends it: first what is not ours, and only when it is safe what is; false where something has to stay.
    pub fn end(&self) -> Result<bool> {
        let given = self.give_back()?;
        sync(self.output)?;
        let clear = self.clear(self.tree, "")? && given;
        if clear {
            fs::remove_dir(self.tree)?;
        }
        Ok(clear)
    }

    /// Moves what is not ours into the new state; false where something has to stay.
    fn give_back(&self) -> Result<bool> {
        let mut clear = true;
        let tops: BTreeSet<&str> =
            self.ours.iter().filter_map(|name| name.split('/').next()).collect();
        for entry in fs::read_dir(self.tree)? {
            let name = entry?.file_name();
            if name.to_str().is_none_or(|name| !tops.contains(name)) {
                clear &= move_over(&self.tree.join(&name), &self.output.join(&name))?;
            }
        }
        Ok(clear)
    }

    /// Removes what is ours; what came in between is somebody's, and goes the same way.
    fn clear(&self, folder: &Path, prefix: &str) -> Result<bool> {
        let mut clear = true;
        // It is ours, whatever mode somebody gave it; what cannot be done about it shows below.
        let _ = fs::set_permissions(folder, PermissionsExt::from_mode(0o755));
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            let name = join(prefix, &entry.file_name());
            let kind = entry.file_type()?;
            let ours = name.to_str().is_some_and(|name| self.ours.contains(name));
            if kind.is_file() && ours {
                if_there(fs::remove_file(&path).map_err(Into::into))?;
            } else if kind.is_dir() && self.is_folder_of_ours(&name) {
                if self.clear(&path, &format!("{}/", name.display()))? {
                    fs::remove_dir(&path)?;
                } else {
                    clear = false;
                }
            } else {
                let to = self.output.join(&name);
                if let Some(folder) = to.parent() {
                    fs::create_dir_all(folder)?;
                }
                clear &= move_over(&path, &to)?;
            }
        }
        Ok(clear)
    }

    fn is_folder_of_ours(&self, name: &Path) -> bool {
        self.ours.iter().any(|file| Path::new(file).starts_with(name))
    }
}

fn join(prefix: &str, name: &OsStr) -> PathBuf {
    let mut joined = OsString::from(prefix);
    joined.push(name);
    joined.into()
}

/// Moves by name, and never onto something; false where something else has the name. What is not there
/// any more needs no move.
fn move_over(from: &Path, to: &Path) -> Result<bool> {
    if let (Ok(here), Ok(there)) = (from.symlink_metadata(), to.symlink_metadata()) {
        // Its second name, from before the switch.
        let same = !here.is_dir() && (here.dev(), here.ino()) == (there.dev(), there.ino());
        if same {
            if_there(fs::remove_file(from).map_err(Into::into))?;
        }
        return Ok(same);
    }
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::EXIST) => Ok(false),
        Err(rustix::io::Errno::NOENT)
            if if_there(from.symlink_metadata().map_err(Into::into))?.is_none() =>
        {
            Ok(true)
        }
        Err(error) => Err(io::Error::from(error))
            .with_context(|| format!("cannot move `{}` to `{}`", from.display(), to.display())),
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! Removes a folder that a build could write to, however deep it is.
//!
//! `std::fs::remove_dir_all` holds a descriptor for each folder that it is in, so that some thousand
//! folders in each other are there for ever. Here what is deep is lifted first: nothing lies deeper than two
//! folders when it is removed.

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, RenameFlags};
use rustix::fs::{fchmod, openat, renameat_with, statat, unlinkat};
use rustix::io::Result;
use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// Removes everything in a folder of ours.
pub fn clear(folder: &Path) -> Result<()> {
    let top = open(CWD, folder)?;
    let mut lifted = 0_u64;
    loop {
        let folders = remove_files(&top)?;
        if folders.is_empty() {
            return Ok(());
        }
        for name in folders {
            let inner = open(&top, &name)?;
            for deeper in remove_files(&inner)? {
                lifted += 1;
                let to = format!(".lifted-{lifted}");
                renameat_with(&inner, &deeper, &top, &to, RenameFlags::NOREPLACE)?;
            }
            unlinkat(&top, &name, AtFlags::REMOVEDIR)?;
        }
    }
}

/// Removes what is no folder, and says which folders there are.
fn remove_files(folder: &OwnedFd) -> Result<Vec<CString>> {
    let mut folders = Vec::new();
    for entry in Dir::read_from(folder)? {
        let name = entry?.file_name().to_owned();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let found = statat(folder, &name, AtFlags::SYMLINK_NOFOLLOW)?;
        if FileType::from_raw_mode(found.st_mode) == FileType::Directory {
            folders.push(name);
        } else {
            unlinkat(folder, &name, AtFlags::empty())?;
        }
    }
    Ok(folders)
}

fn open(parent: impl AsFd, name: impl rustix::path::Arg) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = openat(parent, name, flags, Mode::empty())?;
    // A build may have made it read-only, also for its owner; of a stranger's folder that is no matter.
    let _ = fchmod(&folder, Mode::RWXU);
    Ok(folder)
}

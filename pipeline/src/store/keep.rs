// SPDX-License-Identifier: GPL-2.0-or-later
//! What a work folder's files become when they are kept: plain files of this user with modes of ours.
//!
//! A stage may have them from a container, whose root would like to leave a setuid file behind.

use super::FileRecord;
use super::owned::{oddity, plain_file};
use crate::error::Help;
use anyhow::{Context, Result, anyhow, bail};
use fs_err as fs;
use rustix::fs::{FileType, Mode, fchmod, fstat};
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io;
use std::path::Path;

const FILE: Mode = Mode::from_bits_truncate(0o644);
const PROGRAM: Mode = Mode::from_bits_truncate(0o755);

/// Gives every file below a folder its fixed mode and records it. Anything else than files and folders
/// is refused: a link would be another file for whoever follows it.
pub fn settle(folder: &Path, prefix: &str, files: &mut BTreeMap<String, FileRecord>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let Ok(name) = entry.file_name().into_string() else {
            bail!("`{}` is not UTF-8", path.display());
        };
        let name = format!("{prefix}{name}");
        let kind = FileType::from_raw_mode(rustix::fs::lstat(&path)?.st_mode);
        match kind {
            FileType::Directory => settle(&path, &format!("{name}/"), files)?,
            FileType::RegularFile => {
                fix(&path).with_context(|| format!("cannot keep `{}`", path.display()))?;
                files.insert(name, FileRecord::of_plain(&path)?);
            }
            other => {
                return Err(anyhow!(
                    "`{}` is {}, and a result holds plain files alone",
                    name.escape_debug(),
                    oddity(other)
                )
                .help("put a file in its place"));
            }
        }
    }
    let folder_of_ours = super::owned::own_folder(folder, "the result", "run again")?;
    fchmod(&folder_of_ours, PROGRAM)?;
    Ok(())
}

/// One file. Where its inode is also somebody else's, by its owner or by another name of it, and would
/// have to change, it becomes a file of its own: a source that was linked in keeps the mode that its
/// user gave it.
fn fix(path: &Path) -> Result<()> {
    let file = plain_file(path, OpenOptions::new().read(true))?;
    let found = fstat(&file)?;
    let mode = Mode::from_raw_mode(found.st_mode);
    let wanted = if mode.contains(Mode::XUSR) { PROGRAM } else { FILE };
    let ours = found.st_uid == rustix::process::geteuid().as_raw();
    if ours && mode == wanted {
        return Ok(());
    }
    if ours && found.st_nlink == 1 {
        fchmod(&file, wanted)?;
        return Ok(());
    }
    let folder = path.parent().context("a file has a folder")?;
    let mut copy = tempfile::NamedTempFile::new_in(folder)?;
    io::copy(&mut &file, &mut copy)?;
    fchmod(copy.as_file(), wanted)?;
    copy.persist(path)?;
    Ok(())
}

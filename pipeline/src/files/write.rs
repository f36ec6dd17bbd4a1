// SPDX-License-Identifier: GPL-2.0-or-later
//! Files that are written whole or not at all, and files that are put into place.

use super::Kind;
use anyhow::{Context, Result};
use std::fs::{self, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::NamedTempFile;

/// The mode of a file that everybody may read.
pub const SHARED: u32 = 0o644;

/// Writes a file whole or not at all: whoever reads it sees the old bytes or the new ones. Where a link
/// leads to it, the link stays.
pub fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut staged = staged_for(&real)?;
    staged
        .write_all(bytes)
        .and_then(|()| staged.as_file().sync_data())
        .with_context(shown(path))?;
    persist(staged, &real, mode)
}

/// A file beside the one that it is to become.
pub fn staged_for(path: &Path) -> Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).with_context(shown(path))
}

/// Gives a staged file its mode and its name.
pub fn persist(staged: NamedTempFile, path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(staged.path(), Permissions::from_mode(mode)).with_context(shown(path))?;
    staged.persist(path).map_err(|error| error.error).with_context(shown(path))?;
    Ok(())
}

/// Puts a file into place under a name that is free. A link costs nothing; across file systems it has to
/// be a copy.
pub fn link_or_copy(from: &Path, to: &Path, kind: &Kind) -> Result<()> {
    let into_place = || format!("cannot put `{}` into place", from.display());
    match fs::hard_link(from, to) {
        Ok(()) => Ok(()),
        // A copy onto a link would write through it.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(error).with_context(into_place)
        }
        Err(_) => super::copy(from, to, kind).with_context(into_place),
    }
}

fn shown(path: &Path) -> impl FnOnce() -> String {
    let path = path.display().to_string();
    move || format!("cannot write `{path}`")
}

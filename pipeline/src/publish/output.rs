//! The output folder: a copy of the repository, switched in at once.

use super::manifest::MANIFEST;
use crate::store::{FileRecord, Stored};
use anyhow::{Context, Result, bail};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What became of an output folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It was already what it should be.
    Unchanged,
    /// It was made, or made again because something in it was missing or altered.
    Anew,
}

/// Brings an output folder to the state of the repository. Whoever reads it sees the old state or
/// the new one: the folders change places in one step of the kernel (`renameat2(2)`, `RENAME_EXCHANGE`).
pub fn write(stored: &Stored, output: &Path) -> Result<Written> {
    if is_current(stored, output) {
        return Ok(Written::Unchanged);
    }
    if !stored.intact() {
        bail!("the repository is damaged in the store\nhelp: run again; it will be made anew");
    }
    let output = std::path::absolute(output)?;
    let parent = output.parent().context("the output folder cannot be `/`")?;
    let shown = || format!("cannot write the output `{}`", output.display());
    refuse_strangers(&output)?;
    fs::create_dir_all(parent).with_context(shown)?;
    let staged = tempfile::Builder::new()
        .prefix(".vgpu-pipeline-")
        .tempdir_in(parent)
        .with_context(shown)?;
    for name in stored.names() {
        let to = staged.path().join(name);
        fs::create_dir_all(to.parent().unwrap_or(staged.path()))?;
        stored.copy_out(name, &to).with_context(shown)?;
    }
    // A temporary folder is its owner's alone; a web server has to read this one.
    fs::set_permissions(staged.path(), fs::Permissions::from_mode(0o755))?;
    let switch = if output.exists() { RenameFlags::EXCHANGE } else { RenameFlags::NOREPLACE };
    renameat_with(CWD, staged.path(), CWD, &output, switch).with_context(|| {
        format!(
            "cannot switch `{}` in\nhelp: its file system has to support renameat2, \
             as ext4, xfs, btrfs and tmpfs do",
            output.display()
        )
    })?;
    if switch == RenameFlags::NOREPLACE {
        // The folder is in its place; there is nothing left to remove.
        let _ = staged.keep();
    }
    Ok(Written::Anew)
}

/// Whether every file of the repository is there as it should be.
pub fn is_current(stored: &Stored, output: &Path) -> bool {
    stored.files().iter().all(|(name, expected)| {
        FileRecord::of(&output.join(name)).is_ok_and(|found| found == *expected)
    })
}

/// A folder that is not a repository of ours is somebody's, and is not replaced.
pub fn refuse_strangers(output: &Path) -> Result<()> {
    let mut entries = match fs::read_dir(output) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            return Err(error)
                .with_context(|| format!("cannot write the output `{}`", output.display()));
        }
    };
    if output.join(MANIFEST).exists()
        || output.join("repodata").exists()
        || entries.next().is_none()
    {
        return Ok(());
    }
    bail!(
        "`{}` holds something else than a repository of this program\n\
         help: name another folder with `--output`",
        output.display()
    )
}

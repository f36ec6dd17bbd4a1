//! Where an output folder may be. Everything here is found out before any work.

use super::Output;
use crate::store::owned::{own_folder, refuse_foreign_parents};
use anyhow::{Context, Result, bail};
use fs_err as fs;
use rustix::fs::{Access, AtFlags, CWD, StatxAttributes, StatxFlags, accessat, statx};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// What makes a folder the top of a work tree.
const WORK_TREES: [&str; 5] = [".git", ".hg", ".svn", ".jj", ".bzr"];
const HELP: &str = "name another folder with `--output`";

/// An output folder with no link left in its path.
pub struct Place {
    pub path: PathBuf,
    pub parent: PathBuf,
    /// Whether it is there yet.
    pub there: bool,
}

/// Finds where the output is, and refuses a place that no repository may take.
pub fn find(output: &Output) -> Result<Place> {
    let path = resolve(output.folder)?;
    // As it was named, and as it is: whoever owns a folder on the way, or a link, could lead elsewhere.
    let linked = output.folder.join("in it");
    let named = if output.folder.is_symlink() { &linked } else { output.folder };
    for way in [named, &path] {
        refuse_foreign_parents(way, "the output", HELP)?;
    }
    let shown = path.display();
    let Some(parent) = path.parent().map(Path::to_owned) else {
        bail!("the output `{shown}` is the top of the file system\nhelp: {HELP}");
    };
    for (folder, what) in &output.apart {
        if real(folder).starts_with(&path) {
            bail!("the output `{shown}` is or holds {what}\nhelp: {HELP}");
        }
    }
    let store = real(output.store);
    if store.starts_with(&path) || path.starts_with(&store) {
        bail!("the output `{shown}` is, holds or lies in the store\nhelp: {HELP}");
    }
    let there = match fs::symlink_metadata(&path) {
        Ok(found) => Some(found),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error.into()),
    };
    let Some(there) = there else { return Ok(Place { path, parent, there: false }) };
    // Its owner could put another folder in its place, or another record into it.
    own_folder(&path, "the output", HELP)?;
    for name in WORK_TREES {
        if path.join(name).symlink_metadata().is_ok() {
            bail!("the output `{shown}` is the top of a work tree, it has `{name}`\nhelp: {HELP}");
        }
    }
    if is_mount(&path)? || fs::symlink_metadata(&parent)?.dev() != there.dev() {
        bail!(
            "the output `{shown}` is a mount point, which cannot change places with another folder\n\
             help: name a folder inside of it with `--output`"
        );
    }
    Ok(Place { path, parent, there: true })
}

impl Place {
    /// Refuses a parent that cannot be written to.
    pub fn writable(&self) -> Result<()> {
        let mut folder = self.parent.as_path();
        while folder.symlink_metadata().is_err() {
            folder = folder.parent().context("the root folder is there")?;
        }
        accessat(CWD, folder, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS)
            .map_err(std::io::Error::from)
            .with_context(|| {
                format!(
                    "the output `{}` cannot be written: `{}`\nhelp: {HELP}",
                    self.path.display(),
                    folder.display()
                )
            })
    }
}

/// Follows what links there are, and what is not there yet stays as it is written.
fn resolve(output: &Path) -> Result<PathBuf> {
    let shown = output.display();
    let absolute = std::path::absolute(output)
        .with_context(|| format!("the output `{shown}` is no folder\nhelp: {HELP}"))?;
    let absolute: PathBuf = absolute.components().collect();
    let mut rest = Vec::new();
    let mut there = absolute.as_path();
    while there.symlink_metadata().is_err() {
        let part = there.components().next_back().context("the root folder is there")?;
        let Component::Normal(part) = part else {
            bail!("the output `{shown}` goes back out of a folder that is not there\nhelp: {HELP}");
        };
        rest.push(part);
        there = there.parent().context("the root folder is there")?;
    }
    let Ok(mut real) = there.canonicalize() else {
        bail!(
            "the output `{shown}`: `{}` is a link that leads nowhere\nhelp: {HELP}",
            there.display()
        );
    };
    if !real.is_dir() {
        bail!(
            "cannot write the output `{shown}`: `{}` is no folder\nhelp: {HELP}",
            there.display()
        );
    }
    real.extend(rest.iter().rev());
    Ok(real)
}

/// A folder by its real path, where it is there.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

/// Whether something is mounted there.
pub fn is_mount(path: &Path) -> Result<bool> {
    let found = statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::empty())
        .map_err(std::io::Error::from)
        .with_context(|| path.display().to_string())?;
    Ok(found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

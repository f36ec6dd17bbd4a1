//! A mirror folder, filled with everything that a pipeline and its lock pin.

use super::Subject;
use crate::config::{Lock, Sha256};
use crate::environment;
use crate::fetch::{Fetch, Pin, check};
use crate::sandbox::Image;
use crate::source;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use tempfile::NamedTempFile;

pub fn fill(subject: &Subject, lock: Option<&Lock>, folder: &Path, fetch: &Fetch) -> Result<usize> {
    let pipeline = subject.pipeline;
    // The stage's own way brings each into the cache, which is laid out as a mirror is.
    let work = fetch.store().work()?;
    source::bring(&pipeline.source, pipeline.spec.git.as_ref(), subject.beside, &work, fetch)?;
    let mut held = 0;
    for (pin, shown) in source::pins(&pipeline.source) {
        put(&fetch.place(&pin)?, &folder.join(pin.place()), &pin)
            .with_context(|| format!("cannot put {shown} into `{}`", folder.display()))?;
        held += 1;
    }
    let Some(lock) = lock else { return Ok(held) };
    for package in &lock.packages {
        let pin = Pin::Sha256(package.sha256.clone());
        put(&environment::package_file(package, fetch)?, &folder.join(pin.place()), &pin)?;
        held += 1;
    }
    let archive = folder.join(Pin::Image(lock.image.id.clone()).place());
    if !archive.exists() {
        let staged = staged_beside(&archive)?;
        let base = Image::of_id(subject.engine()?, &lock.image.id);
        // podman refuses to write over a file.
        fs::remove_file(staged.path())?;
        environment::save_base(lock, &base, staged.path(), fetch)?;
        persist(staged, &archive)?;
    }
    Ok(held + 1)
}

/// Copies a file, unless it is there already as it should be.
fn put(from: &Path, to: &Path, pin: &Pin) -> Result<()> {
    if to.exists() && !matches!(pin, Pin::Sha256(sha256) if is_other(to, sha256)) {
        return Ok(());
    }
    let staged = staged_beside(to)?;
    fs::copy(from, staged.path())?;
    persist(staged, to)
}

fn is_other(path: &Path, sha256: &Sha256) -> bool {
    check::pinned(path, "", sha256, None).is_err()
}

fn staged_beside(to: &Path) -> Result<NamedTempFile> {
    let folder = to.parent().context("a place in a mirror has a folder")?;
    fs::create_dir_all(folder)?;
    Ok(NamedTempFile::new_in(folder)?)
}

fn persist(staged: NamedTempFile, to: &Path) -> Result<()> {
    super::readable(staged.path())?;
    staged.persist(to)?;
    Ok(())
}

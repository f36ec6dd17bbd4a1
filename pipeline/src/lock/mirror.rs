//! A mirror folder, filled with everything that a pipeline and its lock pin.

use super::Subject;
use crate::config::Lock;
use crate::environment;
use crate::fetch::{Fetch, Pin};
use crate::files;
use crate::sandbox::Image;
use crate::source;
use crate::store::FileRecord;
use crate::wrapper;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use tempfile::NamedTempFile;

pub fn fill(subject: &Subject, lock: Option<&Lock>, folder: &Path, fetch: &Fetch) -> Result<usize> {
    let pipeline = subject.pipeline;
    // The stage's own way brings each into the cache, which is laid out as a mirror is.
    let work = fetch.store().work()?;
    source::bring(&pipeline.source, pipeline.spec.git.as_ref(), subject.beside, &work, fetch)?;
    let mut pins = source::pins(&pipeline.source);
    if let Some(declared) = &pipeline.wrapper {
        wrapper::bring(&declared.vendor, subject.beside, fetch)?;
        pins.extend(wrapper::pins(declared));
    }
    let mut held = 0;
    for (pin, shown) in pins {
        put(&fetch.place(&pin)?, &folder.join(pin.place()))
            .with_context(|| format!("cannot put {shown} into `{}`", folder.display()))?;
        held += 1;
    }
    let Some(lock) = lock else { return Ok(held) };
    for package in &lock.packages {
        let pin = Pin::Sha256(package.sha256.clone());
        put(&environment::package_file(package, fetch)?, &folder.join(pin.place()))?;
        held += 1;
    }
    let archive = folder.join(Pin::Image(lock.image.id.clone()).place());
    if environment::is_archive_of(&archive, &lock.image.id).is_err() {
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
fn put(from: &Path, to: &Path) -> Result<()> {
    let there =
        files::look(to, &files::SOURCE).is_ok() && FileRecord::of(to)? == FileRecord::of(from)?;
    if there {
        return Ok(());
    }
    let staged = staged_beside(to)?;
    fs::copy(from, staged.path())?;
    persist(staged, to)
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

//! A mirror folder, filled with everything that a pipeline and its lock pin.

use super::Subject;
use crate::config::Lock;
use crate::environment;
use crate::fetch::{Fetch, Pin};
use crate::files;
use crate::sandbox::Image;
use crate::source;
use crate::store::FileRecord;
use crate::store::owned::{own_entries, own_folders};
use crate::wrapper;
use anyhow::{Context, Result};
use fs_err as fs;
use std::path::Path;
use tempfile::NamedTempFile;

const WHAT: &str = "the mirror";
const HELP: &str = "name another folder with `--fetch`, or run this as its owner";

pub fn fill(subject: &Subject, lock: Option<&Lock>, folder: &Path, fetch: &Fetch) -> Result<usize> {
    let pipeline = subject.pipeline;
    examine(folder)?;
    // The stage's own way brings each into the cache, which is laid out as a mirror is.
    let work = fetch.store().work()?;
    let spec = pipeline.spec.git.as_ref();
    let brought = source::bring(&pipeline.source, spec, subject.beside, &work, fetch)?;
    let mut pins = source::pins(&pipeline.source);
    pins.extend(brought.pins);
    if let Some(declared) = &pipeline.wrapper {
        wrapper::bring(&declared.vendor, subject.beside, fetch)?;
        pins.extend(wrapper::pins(declared));
    }
    let mut held = 0;
    for (pin, shown) in pins {
        put(&fetch.place(&pin)?, folder, &pin)
            .with_context(|| format!("cannot put {shown} into `{}`", folder.display()))?;
        held += 1;
    }
    let Some(lock) = lock else { return Ok(held) };
    for package in &lock.packages {
        let pin = Pin::Sha256(package.sha256.clone());
        put(&environment::package_file(package, fetch)?, folder, &pin)?;
        held += 1;
    }
    let pin = Pin::Image(lock.image.id.clone());
    let archive = folder.join(pin.place());
    if environment::is_archive_of(&archive, &lock.image.id).is_err() {
        let staged = staged_beside(folder, &pin)?;
        let base = Image::of_id(subject.engine()?, &lock.image.id);
        // podman refuses to write over a file.
        fs::remove_file(staged.path())?;
        environment::save_base(lock, &base, staged.path(), fetch)?;
        persist(staged, &archive)?;
    }
    Ok(held + 1)
}

/// Refuses a mirror folder that somebody else could lead elsewhere.
pub fn examine(folder: &Path) -> Result<()> {
    own_folders(folder, Path::new(""), WHAT, HELP)?;
    own_entries(&folder.canonicalize()?, &[], WHAT, HELP)
}

/// Copies a file, unless it is there already as it should be.
fn put(from: &Path, folder: &Path, pin: &Pin) -> Result<()> {
    let to = folder.join(pin.place());
    let there =
        files::look(&to, &files::SOURCE).is_ok() && FileRecord::of(&to)? == FileRecord::of(from)?;
    if there {
        return Ok(());
    }
    let staged = staged_beside(folder, pin)?;
    fs::copy(from, staged.path())?;
    persist(staged, &to)
}

fn staged_beside(folder: &Path, pin: &Pin) -> Result<NamedTempFile> {
    let place = pin.place();
    let inside = Path::new(&place).parent().context("a place in a mirror has a folder")?;
    own_folders(folder, inside, WHAT, HELP)?;
    Ok(NamedTempFile::new_in(folder.join(inside))?)
}

fn persist(staged: NamedTempFile, to: &Path) -> Result<()> {
    super::readable(staged.path())?;
    staged.persist(to)?;
    Ok(())
}

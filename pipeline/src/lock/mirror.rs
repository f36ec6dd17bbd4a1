// SPDX-License-Identifier: GPL-2.0-or-later
//! A mirror folder, filled with everything that a pipeline and its lock pin.

use super::LockContext;
use crate::config::Lock;
use crate::dom0;
use crate::environment;
use crate::fetch::{Fetch, Pin};
use crate::files::{
    self,
    write::{self, SHARED},
};
use crate::project::Project;
use crate::sandbox::Image;
use crate::source::{self, BringContext};
use crate::store::FileRecord;
use crate::store::owned::{own_entries, own_folders};

use anyhow::{Context, Result};
use fs_err as fs;
use std::path::Path;
use tempfile::NamedTempFile;

const WHAT: &str = "the mirror";
const HELP: &str = "name another folder with `--fetch`, or run this as its owner";

pub fn populate(
    cx: &LockContext,
    lock: Option<&Lock>,
    folder: &Path,
    fetch: &Fetch,
) -> Result<usize> {
    let Project { pipeline, base_dir, .. } = cx.project;
    examine(folder)?;
    // The stage's own way brings each into the cache, which is laid out as a mirror is.
    let work = fetch.store().work()?;
    let spec = pipeline.spec.git.as_ref();
    let brought =
        source::bring(&pipeline.source, &BringContext { spec, base_dir, work: &work, fetch })?;
    let mut pins = source::pins(&pipeline.source);
    pins.extend(brought.pins);
    if let Some(declared) = &pipeline.wrapper {
        dom0::fetch_vendor(&declared.vendor, base_dir, fetch)?;
        pins.extend(dom0::pins(declared));
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
        let staged = staged(folder, &pin)?;
        let base = Image::of_id(cx.engine()?, &lock.image.id);
        // podman refuses to write over a file.
        fs::remove_file(staged.path())?;
        environment::save_base(lock, &base, staged.path(), fetch)?;
        write::persist(staged, &archive, SHARED)?;
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
    let staged = staged(folder, pin)?;
    fs::copy(from, staged.path())?;
    write::persist(staged, &to, SHARED)
}

/// A file beside the place of some content, in folders that are ours.
fn staged(folder: &Path, pin: &Pin) -> Result<NamedTempFile> {
    let place = pin.place();
    let inside = Path::new(&place).parent().context("a place in a mirror has a folder")?;
    own_folders(folder, inside, WHAT, HELP)?;
    write::staged_for(&folder.join(&place))
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The output folder: a copy of the repository, switched in at once.
//!
//! What in it is ours stands in our record there ([`record`]); anything else is somebody's. It is never
//! removed and never replaced: beside the repository's own folders it is carried over, inside of them
//! it is a reason to refuse. Where a folder may be at all is said in [`target`], how a new state gets
//! in, and how what a killed run left is put right, in [`switch`].

mod contents;
mod held;
mod old_state;
mod record;
mod switch;
mod target;
#[cfg(test)]
mod tests;

use crate::error::Help;
use crate::store::{FileRecord, Stored};
use anyhow::{Context, Result, anyhow, ensure};
use fs_err as fs;
use record::Record;
pub use record::{Content, Facts};
use rpm_inspect::Nevra;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use target::Target;

/// Bits of a mode: everybody may write; the group or everybody may, or a file runs as its owner.
const EVERYBODY: u32 = 0o002;
const OTHERS: u32 = 0o022;
const SPECIAL: u32 = 0o7000;

/// Where a repository goes, and what it has to be to go there.
#[derive(Debug)]
pub struct Output<'a> {
    pub folder: &'a Path,
    pub pipeline: &'a str,
    /// The fingerprint of the key; none while the development key was not made yet.
    pub signer: Option<String>,
    pub consent: Consent,
    /// Folders that the output may neither be nor hold, each with what it is.
    pub apart: Vec<(PathBuf, &'static str)>,
    /// The store: nothing else belongs in it.
    pub store: &'a Path,
}

/// What somebody said may happen to a published repository.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Consent {
    /// It may be signed by another key than before.
    pub new_signer: bool,
    /// Packages in it may be replaced by others of the same name and version.
    pub replace: bool,
}

/// What became of an output folder.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// It was made, or made again because something in it was missing or altered.
    pub anew: bool,
    /// What is not ours in it, and was carried over.
    pub kept: Vec<String>,
    /// Folders beside it with what a killed run could not carry over, as something has its name.
    pub left: Vec<PathBuf>,
    /// Packages that no client updates to, each with a newer one that has been published before.
    pub overtaken: Vec<(Nevra, Nevra)>,
}

/// Refuses an output folder that cannot be taken, before any work. `ready` is the repository, where
/// the store has it already.
pub fn examine(output: &Output, ready: Option<&Stored>) -> Result<()> {
    let target = target::find(output)?;
    let before = inspect(output, &target)?;
    if let Some(ready) = ready {
        if let Some(before) = &before.record {
            record::refuse_others(&Record::of(ready)?, before, output)?;
        }
        if is_current(ready, output.folder) {
            return Ok(());
        }
    }
    contents::refuse_fixed(&target, before.record.as_ref(), &before.foreign)?;
    target.writable()
}

/// What an output folder holds.
struct Before {
    record: Option<Record>,
    foreign: Vec<std::ffi::OsString>,
}

fn inspect(output: &Output, target: &Target) -> Result<Before> {
    if !target.there {
        return Ok(Before { record: None, foreign: Vec::new() });
    }
    let record = record::find(&target.path, output.pipeline)?;
    if let Some(record) = &record {
        record.refuse_others(output)?;
    }
    let foreign = contents::foreign(&target.path, record.as_ref(), output.pipeline)?;
    Ok(Before { record, foreign })
}

/// Brings an output folder to the state of the repository. Whoever reads it sees the old state or
/// the new one.
pub fn write(stored: &Stored, output: &Output) -> Result<Written> {
    let target = target::find(output)?;
    if is_current(stored, &target.path) && !switch::has_leftovers(&target) {
        return Ok(Written::default());
    }
    let shown = || format!("cannot write the output `{}`", target.path.display());
    fs::create_dir_all(&target.parent).with_context(shown)?;
    let _held = held::hold(&target.parent, &target.path).with_context(shown)?;
    let left = switch::sweep(&target)?;
    // Again, and under the lock: what was looked at before may be another thing by now.
    let again = target::find(output)?;
    ensure!(
        again.path == target.path,
        anyhow!("{}: it leads elsewhere now", shown()).help("run again")
    );
    let target = again;
    let before = inspect(output, &target)?;
    let new = Record::of(stored)?;
    if let Some(before) = &before.record {
        record::refuse_others(&new, before, output)?;
    }
    if is_current(stored, &target.path) {
        return Ok(Written { left, ..Written::default() });
    }
    if !stored.intact() {
        return Err(anyhow!("the repository is damaged in the store")
            .help("run again; it will be made anew"));
    }
    contents::refuse_fixed(&target, before.record.as_ref(), &before.foreign)?;
    let overtaken = before.record.as_ref().map(|it| new.overtaken(it)).unwrap_or_default();
    let new = new.after(before.record.as_ref());
    switch::switch(stored, &new, &before, &target)
        .with_context(|| format!("cannot write the output `{}`", target.path.display()))?;
    let kept = before.foreign.iter().map(|name| name.display().to_string()).collect();
    Ok(Written { anew: true, kept, left, overtaken })
}

/// Whether every file of the repository is there as it should be, and our record of it; and nobody else
/// may change it.
pub fn is_current(stored: &Stored, output: &Path) -> bool {
    let (Ok(Some(there)), Ok(wanted)) = (Record::read(output), Record::of(stored)) else {
        return false;
    };
    let we = rustix::process::geteuid().as_raw();
    let is_ours_alone = |path: &Path| {
        path.symlink_metadata().is_ok_and(|it| {
            let bits = if it.is_dir() { OTHERS } else { OTHERS | SPECIAL };
            it.uid() == we && it.mode() & bits == 0
        })
    };
    wanted.after(Some(&there)) == there
        && output.metadata().is_ok_and(|it| it.mode() & EVERYBODY == 0)
        && is_ours_alone(&output.join(record::RECORD))
        && stored.files().iter().all(|(name, expected)| {
            let path = output.join(name);
            path.ancestors().take_while(|up| *up != output).all(is_ours_alone)
                && FileRecord::of_plain(&path).is_ok_and(|found| found == *expected)
        })
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The git-lfs objects that a pipeline pins, as the pointers of another commit name them.

use crate::config::{GitSource, LfsObject, SourceFile, nearest};
use crate::error::Reason;
use crate::fetch::Fetch;
use crate::git::{Repository, Tip};
use crate::lock::report::UpstreamReport;
use crate::source::{self, Pointer};
use anyhow::Result;
use std::collections::BTreeMap;

/// The objects at the tip. A file that has another name there keeps its place in the list.
pub fn follow(
    git: &GitSource,
    tip: &Tip,
    repository: &Repository,
    fetch: &Fetch,
    report: &mut UpstreamReport,
) -> Result<Vec<LfsObject>> {
    let work = fetch.store().work()?;
    let mut pointers =
        source::pointers(repository, &tip.commit, &git.directory, &work.scratch("pointers")?)?;
    let mut take = |file: &SourceFile| -> Result<Option<LfsObject>, Reason> {
        let pointer = pointers.remove(file).transpose();
        let pointer = pointer.map_err(|why| {
            why.within(format_args!("`{file}` of commit {} ", tip.commit))
                .help("nothing was changed: nobody can build that commit; wait for the next one")
        })?;
        Ok(pointer.map(|pointer| pointer.object(file.clone())))
    };
    let mut found = Vec::new();
    for object in &git.lfs {
        found.push(take(&object.file)?);
    }
    let before: Vec<&SourceFile> = git.lfs.iter().map(|object| &object.file).collect();
    let mut new = new_ones(git, &before, pointers, repository, fetch)?;
    let mut objects = Vec::new();
    for (object, now) in git.lfs.iter().zip(found) {
        let now = now.or_else(|| {
            let renamed = successor(object, &new)?;
            report.note(format!("git-lfs: {} took the place of {}", renamed.file, object.file));
            new.retain(|it| *it != renamed);
            Some(renamed)
        });
        match now {
            None => report.note(format!("git-lfs: {} is no object any more", object.file)),
            Some(now) => objects.push(followed(object, now, report)),
        }
    }
    for object in &new {
        report.note(format!("git-lfs: {} is new, {} bytes", object.file, object.size));
    }
    objects.extend(new);
    Ok(objects)
}

/// Pointers that there were none of at the pinned commit. One that stood there unpinned is none that the
/// pipeline needs.
fn new_ones(
    git: &GitSource,
    known: &[&SourceFile],
    pointers: BTreeMap<SourceFile, Result<Pointer, Reason>>,
    repository: &Repository,
    fetch: &Fetch,
) -> Result<Vec<LfsObject>> {
    let work = fetch.store().work()?;
    let into = work.scratch("pointers")?;
    let before = source::pointers(repository, &git.commit, &git.directory, &into)?;
    let new = pointers
        .into_iter()
        .filter(|(file, _)| !known.contains(&file) && !before.contains_key(file));
    // One that leads to no file is the run's to refuse, where the spec wants it.
    Ok(new.filter_map(|(file, pointer)| Some(pointer.ok()?.object(file))).collect())
}

/// The new file that has the bytes of one that is gone, or nearly its name.
fn successor(gone: &LfsObject, new: &[LfsObject]) -> Option<LfsObject> {
    if let Some(same) = new.iter().find(|it| it.sha256 == gone.sha256 && it.size == gone.size) {
        return Some(same.clone());
    }
    let gone = &gone.file;
    let near = nearest(gone.as_str(), new.iter().map(|object| object.file.as_str()))?;
    new.iter().find(|object| object.file.as_str() == near).cloned()
}

/// An object as it is now. The archive that made the old bytes makes no new ones.
fn followed(before: &LfsObject, now: LfsObject, report: &mut UpstreamReport) -> LfsObject {
    if (&before.file, &before.sha256, before.size) == (&now.file, &now.sha256, now.size) {
        return before.clone();
    }
    if (&before.sha256, before.size) == (&now.sha256, now.size) {
        return LfsObject { same_as: before.same_as.clone(), ..now };
    }
    report.note(format!("git-lfs: {} has sha256 {}, {} bytes", now.file, now.sha256, now.size));
    if let Some(archive) = &before.same_as {
        report.act(format!(
            "git-lfs: {} has lost its `same-as`, which made other bytes, of commit {} of {}: it comes \
             from the git-lfs server alone until another one is written",
            now.file, archive.commit, archive.url
        ));
    }
    now
}

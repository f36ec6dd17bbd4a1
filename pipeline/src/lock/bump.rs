// SPDX-License-Identifier: GPL-2.0-or-later
//! The pins of a pipeline moved to what is upstream today: all that it follows, or nothing.
//!
//! A pin moves only where every edit of the spec still applies, so that what a device hangs on is there.
//! Whether it builds and holds what it promises, a run says: this room changes two files and judges
//! nothing more.

mod objects;
mod packaging;
mod vendor;

use super::report::{UpstreamReport, one_line};
use super::{LockContext, Resolved, resolve};
use crate::config::{Edit, Pipeline, ReleaseSuffix};
use crate::fetch::Fetch;
use crate::inject::{self, SpecInfo};
use crate::process::interrupt;
use anyhow::{Context, Result};
use packaging::Moved;
use std::path::Path;

/// What became of a pipeline's pins; nothing of it is written yet.
pub struct Bump {
    /// What moved, and what is left to a person.
    pub report: UpstreamReport,
    /// The text of the pipeline file, where it is another one.
    text: Option<String>,
    lock: Option<Resolved>,
}

impl Bump {
    /// Whether there is anything to write.
    pub fn changes(&self) -> bool {
        self.text.is_some() || self.lock.is_some()
    }

    /// Writes what is other. Each file is whole at any moment, and the lock fits both states of the other.
    /// Returns which were written.
    pub fn write<'p>(&self, cx: &LockContext<'p>) -> Result<Vec<&'p Path>> {
        let mut written = Vec::new();
        if let Some(text) = &self.text {
            written.push(cx.project.replace_text(text)?);
        }
        if let Some(lock) = &self.lock {
            cx.write(lock).with_context(|| match written.first() {
                Some(file) => format!("`{}` is written, and the lock is not", Path::display(file)),
                None => "the lock".to_owned(),
            })?;
            written.push(&cx.project.lock_file);
        }
        Ok(written)
    }
}

pub fn bump(cx: &LockContext, fetch: &Fetch) -> Result<Bump> {
    fetch.network("what is upstream")?;
    let project = cx.project;
    let before = project.as_written()?;
    let mut next = before.clone();
    let mut report = UpstreamReport::default();
    let moved = packaging::follow(&mut next, project, fetch, &mut report)?;
    // Before the long work.
    project.rewritten(&next)?;
    let mut other_content = moved.as_ref().is_some_and(|moved| moved.content);
    let mut lock = None;
    if let Some(declared) = project.lockable() {
        let resolution = resolve::resolve(declared, cx.engine()?, fetch)?;
        let resolved = cx.compared(&resolution)?;
        resolved.notes.iter().for_each(|note| report.note(note));
        resolved.changes.iter().for_each(|line| report.note(format!("lock: {line}")));
        if !resolved.changes.is_empty() {
            other_content |= project.lock_as_written()?.is_some();
            lock = Some(resolved);
        }
        let without = next.clone();
        let changed = vendor::follow(&mut next, &resolution, fetch, &mut report)?;
        match project.rewritten(&next) {
            Ok(_) => other_content |= changed,
            // An update of QEMU waits for no wrapper.
            Err(error) => {
                report.act(format!("`wrapper` stays as it is: {}", one_line(&error)));
                next = without;
            }
        }
    }
    let releases = moved.as_ref().map(|moved| Releases::of(moved, &before, &next)).transpose()?;
    if other_content && releases.as_ref().is_none_or(Releases::are_the_same) {
        raise(&mut next, &mut report);
    }
    if let Some(moved) = &moved {
        Releases::of(moved, &before, &next)?.tell(&mut report);
    }
    let text = if next == before { None } else { Some(project.rewritten(&next)?) };
    interrupt::check()?;
    Ok(Bump { report, text, lock })
}

/// Raises the suffix of the release: one release has one content, and hosts take what is newer alone.
fn raise(next: &mut Pipeline, report: &mut UpstreamReport) {
    let suffixes = next.spec.edits.iter_mut().filter_map(|edit| match edit {
        Edit::ReleaseSuffix(suffix) => Some(suffix),
        _ => None,
    });
    for suffix in suffixes {
        if let Some(raised) = raised(suffix) {
            report.note(format!(
                "release-suffix: {suffix} -> {raised}, since one release has one content"
            ));
            *suffix = raised;
            return;
        }
    }
    report.act(
        "the package has other content under the release that it had: no `release-suffix` of the \
         pipeline ends in a number that could be raised",
    );
}

/// The same suffix with the next number.
fn raised(suffix: &ReleaseSuffix) -> Option<ReleaseSuffix> {
    let stem = suffix.as_str().trim_end_matches(|c: char| c.is_ascii_digit());
    let number: u32 = suffix.as_str()[stem.len()..].parse().ok()?;
    format!("{stem}{}", number.checked_add(1)?).try_into().ok()
}

/// The vendor's package and ours, before and after.
struct Releases<'m> {
    theirs: (Option<&'m SpecInfo>, &'m SpecInfo),
    ours: (Option<SpecInfo>, SpecInfo),
}

impl<'m> Releases<'m> {
    fn of(moved: &'m Moved, before: &Pipeline, next: &Pipeline) -> Result<Self> {
        let Moved { spec_name, before: pinned, after, .. } = moved;
        let ours = |spec: &[u8], pipeline: &Pipeline| -> Result<SpecInfo> {
            let (edits, defines) = (&pipeline.spec.edits, &pipeline.build.define);
            let edited = inject::edit(spec, spec_name, edits, &pipeline.device, defines)?;
            inject::read_spec_info(&edited.spec, spec_name, defines)
        };
        // The spec that was pinned may be one that the edits of today no longer fit.
        let was = pinned.as_ref().and_then(|pinned| ours(&pinned.text, before).ok());
        Ok(Self {
            theirs: (pinned.as_ref().map(|pinned| &pinned.theirs), &after.theirs),
            ours: (was, ours(&after.text, next)?),
        })
    }

    fn are_the_same(&self) -> bool {
        self.ours.0.as_ref().is_some_and(|was| was.evr() == self.ours.1.evr())
    }

    fn tell(&self, report: &mut UpstreamReport) {
        let line = |whose: &str, was: Option<&SpecInfo>, is: &SpecInfo| {
            let was = was.map(|was| format!("{} -> ", was.evr())).unwrap_or_default();
            format!("{whose} package: {} {was}{}", is.name, is.evr())
        };
        report.note(line("the vendor's", self.theirs.0, self.theirs.1));
        let (was, is) = (self.ours.0.as_ref(), &self.ours.1);
        report.note(line("our", was, is));
        if was.is_some_and(|was| is.evr() < was.evr()) {
            report.act(
                "our package would be older than before: hosts that have it do not take it by an update",
            );
        }
    }
}

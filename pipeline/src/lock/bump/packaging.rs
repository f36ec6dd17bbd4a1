// SPDX-License-Identifier: GPL-2.0-or-later
//! The packaging repository: its pin moves to the newest commit of its branch.

use super::objects;
use crate::config::{Base, Commit, GitSource, Pipeline, RpmCapability, Source, TreeFolder};
use crate::error::Help;
use crate::fetch::{Fetch, retry};
use crate::git::{Remote, Repository, Tip, find};
use crate::inject::{self, Edited, Outcome, SpecInfo, Specs};
use crate::lock::report::UpstreamReport;
use crate::lock::upstream;
use anyhow::{Context, Result, anyhow};

/// The most commits that are listed.
const COMMITS: usize = 40;

/// What moved with the pin.
pub struct Moved {
    pub spec_name: String,
    pub spec_before: Vec<u8>,
    pub spec: Vec<u8>,
    pub theirs_before: SpecInfo,
    pub theirs: SpecInfo,
    /// Whether the spec or a source is another one.
    content: bool,
}

impl Moved {
    /// Whether the vendor changed something and called it what it was called before.
    pub fn is_other_content_of_one_release(&self) -> bool {
        self.content && self.theirs.evr() == self.theirs_before.evr()
    }
}

/// Moves the pin of the pipeline's git source, where it has one. Says what moved where a spec did.
pub fn follow(
    next: &mut Pipeline,
    fetch: &Fetch,
    report: &mut UpstreamReport,
) -> Result<Option<Moved>> {
    let git = next.source.iter().find_map(|source| match source {
        Source::Git(git) => Some(git.clone()),
        _ => None,
    });
    let Some(git) = git else {
        report.note("`source` has no `git:`, and no other pin there is moved by this command");
        return Ok(None);
    };
    let GitSource { url, commit, branch, tag, .. } = &git;
    let Some(branch) = branch else {
        report.act(format!("`source.git` of {url} names no branch, so its pin follows nothing"));
        return Ok(None);
    };
    let work = fetch.store().work()?;
    let repository = Repository::new(&work.scratch("git")?, commit, fetch.runner())?;
    let remote = Remote::new(url, fetch.runner())?;
    fetch.will_contact(remote.address());
    let tips = retry::run(fetch.runner(), || remote.tips())?;
    remote.check_pin(&tips, commit, tag.as_ref(), Some(branch))?;
    let tip = find(&tips, &format!("refs/heads/{branch}")).context("the branch is listed")?;
    if tip.commit == *commit {
        report.note(format!("`{branch}` of {url} is at the pinned commit"));
        return Ok(None);
    }
    retry::run(fetch.runner(), || remote.fetch(&repository, tip))?;
    let ahead = repository.distance(commit, &tip.commit)?.with_context(|| {
        format!("the history of `{branch}` of {url}, which is at {}, no longer has the pinned commit {commit}", tip.commit)
    });
    let ahead = ahead.help("it was rewritten: find out who did and why before the pin follows")?;
    if let Some(tag) = tag {
        return Err(anyhow!(
            "`{branch}` of {url} is at {}, and the pin is of the tag `{tag}`",
            tip.commit
        )
        .help("leave out `tag:` to follow the branch, or move the pin with its tag by hand"));
    }
    report.note(format!("`{branch}` of {url} has {ahead} more, {commit} -> {}", tip.commit));
    for line in repository.log(commit, &tip.commit, COMMITS)? {
        report.note(format!("commit: {line}"));
    }
    if let Some(more @ 1..) = ahead.checked_sub(COMMITS) {
        report.note(format!("commit: and {more} more"));
    }
    let before = next.clone();
    let lfs = objects::follow(&git, tip, &repository, fetch, report)?;
    for source in &mut next.source {
        if let Source::Git(git) = source {
            git.commit = tip.commit.clone();
            git.lfs.clone_from(&lfs);
        }
    }
    spec(&before, next, (&git, tip), &repository, fetch, report)
}

/// The spec, which every edit has to fit.
fn spec(
    before: &Pipeline,
    next: &Pipeline,
    (git, tip): (&GitSource, &Tip),
    repository: &Repository,
    fetch: &Fetch,
    report: &mut UpstreamReport,
) -> Result<Option<Moved>> {
    let Some(spec) = &next.spec.git else { return Ok(None) };
    let shown = format!("at {} of `{}`", tip.commit, tip.short());
    let pinned = upstream::read_spec(repository, &git.commit, spec, fetch)?;
    let newest = upstream::read_spec(repository, &tip.commit, spec, fetch)
        .with_context(|| format!("the spec {shown}"))?;
    let after = Specs::of(next, newest, spec.as_str())
        .with_context(|| format!("an edit no longer applies {shown}"))
        .help(
            "nothing was changed; write the edit so that it fits the newer spec, then `bump` again",
        )?;
    let edited = Specs::of(before, pinned.clone(), spec.as_str()).map(|specs| specs.edited);
    outcomes(&after.edited, edited.ok().as_ref(), report);
    let defines = &next.build.define;
    let info = |text: &[u8]| inject::read_spec_info(text, spec.as_str(), defines);
    let (theirs_before, theirs) = (info(&pinned)?, info(&after.text)?);
    let flaws = upstream::changed(&theirs_before, &theirs, report);
    if !flaws.is_empty() {
        report.note(format!("security: {}", flaws.join(", ")));
    }
    needs(next, &theirs_before, &theirs, report);
    let content = pinned != after.text || sources_differ(git, tip, repository)?;
    Ok(Some(Moved {
        spec_name: spec.to_string(),
        spec_before: pinned,
        spec: after.text,
        theirs_before,
        theirs,
        content,
    }))
}

/// An edit that the vendor made too may be one that is no longer needed.
fn outcomes(after: &Edited, before: Option<&Edited>, report: &mut UpstreamReport) {
    for (number, (edit, outcome)) in after.edits.iter().enumerate() {
        let was = before.and_then(|before| Some(before.edits.get(number)?.1));
        if *outcome == Outcome::AlreadySatisfied && was != Some(Outcome::AlreadySatisfied) {
            report.act(format!(
                "{edit}: is already satisfied there: look whether it is still needed"
            ));
        }
    }
}

/// What the spec needs for its build since, and no package of the environment has by its name.
fn needs(next: &Pipeline, before: &SpecInfo, after: &SpecInfo, report: &mut UpstreamReport) {
    let known: Vec<&str> = match &next.environment.base {
        Base::Image(image) => image.packages.iter().map(RpmCapability::as_str).collect(),
        Base::Debian(_) => return,
    };
    for need in after.build_requires.iter().filter(|need| !before.build_requires.contains(need)) {
        if !known.contains(&need.as_str()) {
            report.act(format!(
                "the spec needs {need} for its build now, and `environment.base.image.packages` does \
                 not name it"
            ));
        }
    }
}

fn sources_differ(git: &GitSource, tip: &Tip, repository: &Repository) -> Result<bool> {
    let objects = |commit: &Commit, directory: &TreeFolder| -> Result<Vec<(String, String)>> {
        let entries = repository.folder(commit, directory)?.into_iter();
        Ok(entries.map(|entry| (entry.path, entry.object)).collect())
    };
    Ok(objects(&git.commit, &git.directory)? != objects(&tip.commit, &git.directory)?)
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The packaging repository: its pin moves to the newest commit of its branch.

use super::objects;
use crate::config::{Base, Commit, GitSource, Pipeline, RpmCapability, Source};
use crate::error::Help;
use crate::fetch::{Fetch, retry};
use crate::git::{Remote, Repository, Tip, find};
use crate::inject::{self, Edited, Outcome, SpecInfo, Specs};
use crate::lock::report::UpstreamReport;
use crate::lock::upstream;
use crate::process::interrupted;
use crate::project::Project;
use crate::source;
use anyhow::{Context, Result, anyhow, bail};
use std::collections::BTreeMap;

/// The most commits that are listed.
const COMMITS: usize = 40;

/// What moved with the pin.
pub struct Moved {
    pub spec_name: String,
    /// What the spec says and is at the pin that was, where it can be told: it may be one that nobody can
    /// read, for which there is a newer one now.
    pub before: Option<State>,
    pub after: State,
    /// Whether the spec or a source is another one.
    pub content: bool,
}

/// A spec at one commit.
pub struct State {
    pub text: Vec<u8>,
    /// What it says of the vendor's package.
    pub theirs: SpecInfo,
}

/// Moves the pin of the pipeline's git source, where it has one that can move.
pub fn follow(
    next: &mut Pipeline,
    project: &Project,
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
        format!(
            "the pinned commit {commit} is not in the history of `{branch}` of {url}, which is at {}",
            tip.commit
        )
    });
    let ahead = ahead.help(
        "is it mistyped, or of another branch? where the history was rewritten, find out who did and why \
         before the pin follows",
    )?;
    if let Some(tag) = tag {
        return Err(anyhow!(
            "`{branch}` of {url} is at {}, and the pin is of the tag `{tag}`",
            tip.commit
        )
        .help("leave out `tag:` to follow the branch, or move the pin with its tag by hand"));
    }
    report.note(format!("`{branch}` of {url} has {ahead} more, {commit} -> {}", tip.commit));
    let commits = repository.log(commit, &tip.commit, COMMITS)?;
    for line in &commits {
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
    let pins = Pins { git: &git, tip, repository: &repository, fetch };
    lookaside(&pins, report)?;
    let moved = pins.spec(&before, next, project, report)?;
    let flaws: Vec<String> = inject::flaws(&commits);
    let mut all = moved.1;
    all.extend(flaws.into_iter().filter(|flaw| !all.contains(flaw)).collect::<Vec<_>>());
    if !all.is_empty() {
        report.note(format!("security: {}", all.join(", ")));
    }
    Ok(Some(moved.0))
}

/// The pin that was, and the commit that takes its place.
struct Pins<'a> {
    git: &'a GitSource,
    tip: &'a Tip,
    repository: &'a Repository<'a>,
    fetch: &'a Fetch<'a>,
}

impl Pins<'_> {
    /// The spec, which every edit has to fit; with the flaws that it names.
    fn spec(
        &self,
        before: &Pipeline,
        next: &Pipeline,
        project: &Project,
        report: &mut UpstreamReport,
    ) -> Result<(Moved, Vec<String>)> {
        let name = next.spec.git.as_ref().map_or_else(|| project.spec_shown(), ToString::to_string);
        let defines = &next.build.define;
        let shown = format!("at {} of `{}`", self.tip.commit, self.tip.short());
        let (pinned, newest) = match (&next.spec.git, project.local_spec()?) {
            (Some(spec), _) => {
                let read = |commit| upstream::read_spec(self.repository, commit, spec, self.fetch);
                let newest = read(&self.tip.commit).with_context(|| format!("the spec {shown}"))?;
                (read(&self.git.commit), newest)
            }
            (None, Some(local)) => (Ok(local.clone()), local),
            (None, None) => bail!("`spec` names no file"),
        };
        let after = Specs::of(next, newest, &name)
            .with_context(|| format!("an edit no longer applies {shown}"))
            .help(
                "nothing was changed; write the edit so that it fits the newer spec, then `bump` again",
            )?;
        let state = |text: Vec<u8>| -> Result<State> {
            let theirs = inject::read_spec_info(&text, &name, defines)?;
            Ok(State { text, theirs })
        };
        let pinned = match pinned {
            Err(error) if interrupted(&error).is_some() => return Err(error),
            pinned => pinned.and_then(state).ok(),
        };
        let edited = pinned.as_ref().and_then(|it| Specs::of(before, it.text.clone(), &name).ok());
        outcomes(&after.edited, edited.as_ref().map(|specs| &specs.edited), report);
        let after = state(after.text)?;
        let mut flaws = Vec::new();
        match &pinned {
            Some(pinned) => {
                flaws = upstream::changed(&pinned.theirs, &after.theirs, report);
                needs(next, &pinned.theirs, &after.theirs, report);
            }
            None => report
                .act("the spec at the pinned commit cannot be read: what moved since is not told"),
        }
        let same_sources = self.nothing_missing(&after.theirs)?;
        let content = !same_sources || pinned.as_ref().is_none_or(|it| it.text != after.text);
        Ok((Moved { spec_name: name, before: pinned, after, content }, flaws))
    }

    /// Refuses a commit that lacks what its spec names and the pinned one had. Whether both have the same.
    fn nothing_missing(&self, spec: &SpecInfo) -> Result<bool> {
        let directory = &self.git.directory;
        let objects = |commit: &Commit| -> Result<BTreeMap<String, String>> {
            let entries = self.repository.folder(commit, directory)?.into_iter();
            Ok(entries
                .map(|it| (it.path.rsplit('/').next().unwrap_or_default().to_owned(), it.object))
                .collect())
        };
        let (before, after) = (objects(&self.git.commit)?, objects(&self.tip.commit)?);
        let mut named = spec.sources.iter().chain(&spec.patches);
        if let Some(missing) = named.find(|it| before.contains_key(*it) && !after.contains_key(*it))
        {
            return Err(anyhow!(
                "`{missing}`, which the spec names, is gone from `{directory}` at {} of `{}`",
                self.tip.commit,
                self.tip.short()
            )
            .help("nothing was changed: nobody can build that commit; wait for the next one"));
        }
        Ok(before == after)
    }
}

/// Pins of a lookaside cache by names that nothing has any more.
fn lookaside(pins: &Pins, report: &mut UpstreamReport) -> Result<()> {
    let Some(lookaside) = &pins.git.lookaside else { return Ok(()) };
    let place = source::place_of_list(&pins.git.directory);
    let Some(list) = pins.repository.entry(&pins.tip.commit, &place)? else { return Ok(()) };
    let list = pins.repository.text(&list)?;
    for pin in lookaside.pins.iter().filter(|pin| !list.contains(pin.name.as_str())) {
        report.act(format!(
            "`lookaside.pins` has {}, which `{place}` of that commit does not name: pin what took its place",
            pin.name
        ));
    }
    Ok(())
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
    for need in after.build_requires.difference(&before.build_requires) {
        if !known.contains(&need.as_str()) {
            report.act(format!(
                "the spec needs {need} for its build now, and `environment.base.image.packages` does \
                 not name it"
            ));
        }
    }
}

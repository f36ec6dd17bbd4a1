// SPDX-License-Identifier: GPL-2.0-or-later
//! What moved upstream since the pins were set, and whether somebody has to act.
//!
//! It changes nothing and decides nothing: each finding says what is so, and whether it can wait.

use super::LockContext;
use super::report::{UpstreamReport, one_line};
use super::resolve::{self, Listing};
use crate::config::{Base, Commit, DebianSource, GitSource, Lock, Source, TreePath, VendorPackage};
use crate::error::Help;
use crate::fetch::{Fetch, retry};
use crate::files;
use crate::git::{Kind, Remote, Repository, Tip, find};
use crate::inject::{self, Outcome, SpecDiff, SpecInfo};
use crate::repodata::Odd;
use crate::source;
use crate::text::piece;
use anyhow::{Context, Result, anyhow, bail};
use rpm_inspect::Evr;

/// No spec comes near this.
const LARGEST_SPEC: u64 = 4 << 20;
/// The most lines of a changelog that findings show.
const CHANGELOG_LINES: usize = 24;
/// What is shown of one line that a vendor wrote.
const LONGEST_LINE: usize = 200;

pub fn report(cx: &LockContext, fetch: &Fetch) -> Result<UpstreamReport> {
    fetch.network("what moved upstream")?;
    let mut report = UpstreamReport::default();
    let mut ours = None;
    for source in &cx.project.pipeline.source {
        match source {
            Source::Git(git) => {
                let looked = upstream(cx, git, fetch, &mut report);
                ours = report.record_error(looked, "the git source")?.flatten();
            }
            Source::Debian(package) => {
                let looked = debian(package, fetch, &mut report);
                report.record_error(looked, "the Debian source")?;
            }
            Source::Archive(_) | Source::Path(_) => {}
        }
    }
    let looked = environment(cx, ours.as_ref(), fetch, &mut report);
    report.record_error(looked, "the environment")?;
    Ok(report)
}

fn debian(package: &DebianSource, fetch: &Fetch, report: &mut UpstreamReport) -> Result<()> {
    let (served, newest) = source::served(package, fetch)?;
    let (name, pinned) = (&package.package, &package.version);
    if newest == pinned.as_str() {
        report.note(format!("{name} {pinned} is the newest that Debian serves"));
    } else {
        let gone = if served { "" } else { ", and the pinned version is gone" };
        report.act(format!("Debian serves {name} {newest}; the pin is {pinned}{gone}"));
    }
    Ok(())
}

/// What became of the packaging repository. Returns what its spec says of our package as built.
fn upstream(
    cx: &LockContext,
    git: &GitSource,
    fetch: &Fetch,
    report: &mut UpstreamReport,
) -> Result<Option<SpecInfo>> {
    let GitSource { url, commit, branch, tag, .. } = git;
    let work = fetch.store().work()?;
    let repository = Repository::new(&work.scratch("git")?, commit, fetch.runner())?;
    let remote = Remote::new(url, fetch.runner())?;
    fetch.will_contact(remote.address());
    let tips = retry::run(fetch.runner(), || remote.tips())?;
    if let Err(problem) = remote.check_pin(&tips, commit, tag.as_ref(), branch.as_ref()) {
        report.act(one_line(&problem));
    }
    retry::run(fetch.runner(), || remote.fetch_all(&repository))?;
    newer_tags(&repository, commit, &tips, report)?;
    let Some(tip) = branch.as_ref().and_then(|name| find(&tips, &format!("refs/heads/{name}")))
    else {
        report.act(format!(
            "`source.git` of {url} names no branch, so nothing can be said of its spec"
        ));
        return Ok(None);
    };
    let name = tip.short();
    match repository.distance(commit, &tip.commit)? {
        Some(0) => report.note(format!("`{name}` of {url} is at the pinned commit")),
        Some(ahead) => report.note(format!(
            "`{name}` of {url} is {ahead} commits ahead, at {}",
            tip.commit
        )),
        None => report.act(format!(
            "the history of `{name}` of {url} no longer has the pinned commit {commit}; it is at {}",
            tip.commit
        )),
    }
    let Some(spec) = cx.project.pipeline.spec.git.as_ref().filter(|_| repository.has(commit))
    else {
        return Ok(None);
    };
    let read = |commit: &Commit| read_spec(&repository, commit, spec, fetch);
    let pinned = read(commit)?;
    let defines = &cx.project.pipeline.build.define;
    let devices = &cx.project.pipeline.device;
    let edits = &cx.project.pipeline.spec.edits;
    let edited = inject::edit(&pinned, spec.as_str(), edits, devices, defines)?;
    let ours = inject::read_spec_info(&edited.spec, spec.as_str(), defines)?;
    if tip.commit != *commit {
        let next =
            read(&tip.commit).with_context(|| format!("the spec at {} of `{name}`", tip.commit))?;
        match inject::edit(&next, spec.as_str(), edits, devices, defines) {
            Ok(next) => {
                for ((edit, now), (_, before)) in next.edits.into_iter().zip(&edited.edits) {
                    match (now, before) {
                        (Outcome::Applied, _) => report.note(format!("{edit}: still applies")),
                        (Outcome::AlreadySatisfied, Outcome::AlreadySatisfied) => {
                            report.note(format!("{edit}: is already satisfied there"));
                        }
                        // The vendor did the same, or what it was for has another name by now.
                        (Outcome::AlreadySatisfied, Outcome::Applied) => report.act(format!(
                            "{edit}: is already satisfied there, and applies to the pinned spec: look \
                             whether it is still needed"
                        )),
                    }
                }
            }
            Err(problem) => {
                report.act(format!("an edit no longer applies: {}", one_line(&problem)));
            }
        }
        let before = inject::read_spec_info(&pinned, spec.as_str(), defines)?;
        moved(&before, &ours, &inject::read_spec_info(&next, spec.as_str(), defines)?, report);
    }
    Ok(Some(ours))
}

/// What the newer spec brings, and whether its package would win over ours.
fn moved(before: &SpecInfo, ours: &SpecInfo, next: &SpecInfo, report: &mut UpstreamReport) {
    let cves = changed(before, next, report);
    if !cves.is_empty() {
        report.act(format!("security: {}", cves.join(", ")));
    }
    judge(&next.evr(), "the package of the newer spec", ours, report);
}

/// What came and went with a newer spec. Returns the flaws that it names.
pub(super) fn changed(
    before: &SpecInfo,
    next: &SpecInfo,
    report: &mut UpstreamReport,
) -> Vec<String> {
    let SpecDiff { came, went, cves, lost, changelog } = inject::spec_diff(before, next);
    for patch in &came {
        report.note(format!("patch came: {}", piece(patch, LONGEST_LINE)));
    }
    for patch in &went {
        report.note(format!("patch went: {}", piece(patch, LONGEST_LINE)));
    }
    for line in changelog.iter().take(CHANGELOG_LINES) {
        report.note(format!("changelog: {}", piece(line, LONGEST_LINE)));
    }
    if let Some(more @ 1..) = changelog.len().checked_sub(CHANGELOG_LINES) {
        report.note(format!("changelog: and {more} lines more"));
    }
    if !lost.is_empty() {
        report
            .act(format!("patches went that name {}: are they fixed otherwise?", lost.join(", ")));
    }
    cves
}

/// Whether yum would put a stock package in the place of ours.
pub(super) fn judge(theirs: &Evr, what: &str, ours: &SpecInfo, report: &mut UpstreamReport) {
    if *theirs > ours.evr() {
        report.act(format!(
            "{what}, {} {theirs}, would win over ours, {}: an update would drop the device",
            ours.name,
            ours.evr()
        ));
    } else {
        report.note(format!(
            "{what}, {} {theirs}, does not win over ours, {}",
            ours.name,
            ours.evr()
        ));
    }
}

fn newer_tags(
    repository: &Repository,
    commit: &Commit,
    tips: &[Tip],
    report: &mut UpstreamReport,
) -> Result<()> {
    for tip in tips.iter().filter(|tip| tip.name.starts_with("refs/tags/")) {
        if repository.distance(commit, &tip.commit)?.is_some_and(|ahead| ahead > 0) {
            report.note(format!("newer tag: {} at {}", tip.short(), tip.commit));
        }
    }
    Ok(())
}

pub(super) fn read_spec(
    repository: &Repository,
    commit: &Commit,
    spec: &TreePath,
    fetch: &Fetch,
) -> Result<Vec<u8>> {
    let found = repository.entry(commit, spec.as_str())?;
    if found.is_none_or(|entry| entry.kind != Kind::File) {
        return Err(anyhow!("`{spec}` is not a file of commit {commit}").help(
            "was it renamed, or is it a link there? `spec.git` names it from the top of the repository",
        ));
    }
    let work = fetch.store().work()?;
    let tree = work.scratch("tree")?;
    repository.check_out(commit, [spec.as_str()], &tree)?;
    let path = tree.join(spec.as_str());
    let size = path.metadata()?.len();
    if size > LARGEST_SPEC {
        bail!("`{spec}` of commit {commit} has {size} bytes, more than any spec");
    }
    files::read_any_text(&path, &files::SPEC)
}

/// What became of the locked packages, and of the stock package in their repositories.
fn environment(
    cx: &LockContext,
    ours: Option<&SpecInfo>,
    fetch: &Fetch,
    report: &mut UpstreamReport,
) -> Result<()> {
    let Base::Image(declared) = &cx.project.pipeline.environment.base else { return Ok(()) };
    let work = fetch.store().work()?;
    let listings = resolve::listings(declared, &work, fetch)?;
    listings.iter().filter_map(Listing::note).for_each(|note| report.note(note));
    if let Some(ours) = ours {
        for listing in &listings {
            // Whatever architecture it is for: it could win over ours.
            if let Some(odd) = listing.odd(&ours.name, "noarch") {
                report.act(unreadable(listing, odd));
            }
        }
        let stock = listings.iter().flat_map(|listing| listing.named(&ours.name));
        if let Some(newest) = stock.map(|it| it.nevra.evr()).max() {
            judge(&newest, "the newest stock package", ours, report);
        }
    }
    if let Some(package) = cx.project.pipeline.wrapper.as_ref().and_then(|it| it.package.as_ref()) {
        wrapper(package, &listings, report);
    }
    match cx.project.lock_as_written()? {
        None => report.act("the environment has no lock"),
        Some(lock) => {
            if let Some(why) = lock.stale(declared) {
                report.act(format!("the lock is older than the pipeline: {why}"));
            }
            packages(&lock, &listings, report);
        }
    }
    Ok(())
}

/// Whether the hosts' qemu-wrapper may be another one by now.
fn wrapper(package: &VendorPackage, listings: &[Listing], report: &mut UpstreamReport) {
    let VendorPackage { name, version } = package;
    let listed = listings.iter().flat_map(|listing| listing.named(name.as_str()));
    let newest = listed.map(|listed| listed.nevra.evr()).max();
    let what = format!("the vendor's qemu-wrapper is that of {name} {version}");
    match (newest, Evr::parse(version.as_str())) {
        (Some(newest), Some(ours)) if newest > ours => {
            report.act(format!("{what}, and {newest} is served: look whether it changed"));
        }
        (Some(newest), _) => report.note(format!("{what}; {newest} is served")),
        (None, _) => report.act(format!("{what}, which no repository lists")),
    }
}

fn packages(lock: &Lock, listings: &[Listing], report: &mut UpstreamReport) {
    let (mut newer, mut unchanged) = (Vec::new(), 0);
    for package in &lock.packages {
        // Two repositories may have the same package, each signed by a key of its own.
        let own =
            |listing: &&Listing| package.url.as_str().starts_with(listing.repository.url.as_str());
        let listed = || listings.iter().filter(own).flat_map(|listing| &listing.packages);
        let same = listed().find(|listed| listed.nevra.to_string() == package.nevra);
        let odd = listings.iter().filter(own).find_map(|listing| {
            Some(unreadable(listing, listing.odd(package.name(), package.arch())?))
        });
        match same.map(|listed| listed.sha256.as_deref()) {
            None if odd.is_some() => {}
            None => report.act(format!(
                "{} was withdrawn from its repository: only the store and mirrors have it",
                package.nevra
            )),
            Some(Some(sha256)) if sha256 != package.sha256.as_str() => report.act(format!(
                "{} has other bytes in its repository: signed again, or altered",
                package.nevra
            )),
            Some(_) => unchanged += 1,
        }
        if let Some(finding) = odd {
            report.act(finding);
        }
        let rivals = listed().filter(|listed| {
            listed.nevra.name == package.name() && package.arch() == listed.nevra.arch
        });
        if let (Some(newest), Some(same)) = (rivals.map(|it| it.nevra.evr()).max(), same)
            && newest > same.nevra.evr()
        {
            newer.push(format!("{} {newest}", package.name()));
        }
    }
    report.note(format!("{unchanged} of {} locked packages stand as locked", lock.packages.len()));
    if !newer.is_empty() {
        report.note(format!("newer in the repositories: {}", newer.join(", ")));
    }
}

fn unreadable(listing: &Listing, odd: &Odd) -> String {
    format!("repository `{}` has an entry that cannot be read for {odd}", listing.repository.id)
}

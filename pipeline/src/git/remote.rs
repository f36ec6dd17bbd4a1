// SPDX-License-Identifier: GPL-2.0-or-later
//! What a remote has: its branches and tags, and commits fetched from it within bounded time.

use super::{Repository, git};
use crate::config::{Commit, GitRef, GitUrl};
use crate::error::{self, Help};
use crate::process::{Failure, Runner};
use anyhow::{Result, anyhow, bail};
use std::time::Duration;

/// A remote that answers at all says what it has within this time.
const LIST_LIMIT: Duration = Duration::from_secs(45);
/// A fetch that goes on may take this long.
const FETCH_LIMIT: Duration = Duration::from_secs(30 * 60);

/// A repository elsewhere.
pub struct Remote<'a> {
    url: &'a GitUrl,
    /// The address after the user's `insteadOf`.
    address: String,
    runner: &'a Runner<'a>,
}

/// What a branch or a tag names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    /// `refs/heads/…` or `refs/tags/…`.
    pub name: String,
    pub commit: Commit,
}

impl Tip {
    /// Its name as people use it.
    pub fn short(&self) -> &str {
        self.name.trim_start_matches("refs/heads/").trim_start_matches("refs/tags/")
    }
}

impl<'a> Remote<'a> {
    /// Asks nobody yet.
    pub fn new(url: &'a GitUrl, runner: &'a Runner<'a>) -> Result<Self> {
        let call =
            git("ls-remote").args(["--get-url", url.as_str()]).capture_stdout().secret_output();
        let address = runner.run(&call)?.stdout.trim().to_owned();
        Ok(Self { url, address, runner })
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// The branches and tags that it has. A tag that is an object of its own names its commit.
    pub fn tips(&self) -> Result<Vec<Tip>> {
        let call = git("ls-remote").args(["--heads", "--tags", "--", self.url.as_str()]);
        let output = self.runner.run(&call.capture_stdout().limit(LIST_LIMIT))?;
        Ok(tips(&output.stdout))
    }

    /// Brings a ref with its history.
    pub fn fetch(&self, into: &Repository, tip: &Tip) -> Result<()> {
        self.fetch_refs(into, &[&format!("+{0}:{0}", tip.name)], &[])
    }

    /// Brings every branch and tag.
    pub fn fetch_all(&self, into: &Repository) -> Result<()> {
        self.fetch_refs(into, &["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"], &[])
    }

    /// Brings one commit, with its history or alone.
    pub fn fetch_commit(&self, into: &Repository, commit: &Commit, alone: bool) -> Result<()> {
        let depth: &[&str] = if alone { &["--depth=1"] } else { &[] };
        self.fetch_refs(into, &[commit.as_str()], depth).map_err(|error| {
            let refused = |line: &String| {
                ["not our ref", "no such remote ref", "couldn't find remote ref", "unadvertised object"]
                    .iter()
                    .any(|known| line.contains(known))
            };
            match error::find::<Failure>(&error) {
                Some(failure) if failure.tail.iter().any(refused) => anyhow!("{} does not have the commit {commit}", self.url).help("was it pushed, or was the history rewritten? a mirror that has it serves as well"),
                _ => error,
            }
        })
    }

    fn fetch_refs(&self, into: &Repository, refspecs: &[&str], options: &[&str]) -> Result<()> {
        let call = into.call("fetch").args(["--quiet", "--no-tags", "--no-write-fetch-head"]);
        let call = call.args(options).args(["--", self.url.as_str()]).args(refspecs);
        self.runner.run(&call.limit(FETCH_LIMIT)).map(|_| ())
    }

    /// What the pipeline pins, against what the remote says today. None of it is a reason to take
    /// another commit.
    pub fn check_pin(
        &self,
        tips: &[Tip],
        commit: &Commit,
        tag: Option<&GitRef>,
        branch: Option<&GitRef>,
    ) -> Result<()> {
        if let Some(tag) = tag {
            match find(tips, &format!("refs/tags/{tag}")) {
                Some(tip) if tip.commit == *commit => {}
                Some(tip) => {
                    return Err(anyhow!(
                        "the tag `{tag}` of {} moved: it names {}, and the pipeline pins {commit}",
                        self.url,
                        tip.commit
                    )
                    .help("find out who moved it and why before the pin follows"));
                }
                None => bail!("{} has no tag `{tag}`", self.url),
            }
        }
        if let Some(branch) = branch
            && find(tips, &format!("refs/heads/{branch}")).is_none()
        {
            return Err(anyhow!("{} has no branch `{branch}`", self.url)
                .help(format!("it has: {}", named(tips, "refs/heads/").join(", "))));
        }
        Ok(())
    }
}

/// The tip of a ref.
pub fn find<'t>(tips: &'t [Tip], name: &str) -> Option<&'t Tip> {
    tips.iter().find(|tip| tip.name == name)
}

fn named<'t>(tips: &'t [Tip], under: &str) -> Vec<&'t str> {
    tips.iter().filter_map(|tip| tip.name.strip_prefix(under)).collect()
}

/// Reads `git ls-remote`: an object, a tab, a name; `name^{}` is the commit behind a tag's object.
fn tips(listing: &str) -> Vec<Tip> {
    let mut tips: Vec<Tip> = Vec::new();
    for line in listing.lines() {
        let Some((object, name)) = line.split_once('\t') else { continue };
        let Ok(commit) = Commit::try_from(object.to_owned()) else { continue };
        if let Some(tag) = name.strip_suffix("^{}") {
            tips.retain(|tip| tip.name != tag);
        }
        let name = name.trim_end_matches("^{}").to_owned();
        tips.push(Tip { name, commit });
    }
    tips
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotated_tag_is_the_commit_behind_it() {
        let (a, b, c) = ("a".repeat(40), "b".repeat(40), "c".repeat(40));
        let tips = tips(&format!(
            "{a}\trefs/heads/master\n{b}\trefs/tags/v1\n{c}\trefs/tags/v1^{{}}\nnonsense\n"
        ));
        assert_eq!(tips.len(), 2);
        assert_eq!(find(&tips, "refs/tags/v1").unwrap().commit.as_str(), c);
    }
}

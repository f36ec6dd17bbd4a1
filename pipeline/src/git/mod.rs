// SPDX-License-Identifier: GPL-2.0-or-later
//! Git repositories, through the git program, so that proxies, credentials and `insteadOf` mean what
//! they mean to the user.
//!
//! A repository here is bare, in a work folder, and goes with it. Nothing that a repository says is
//! run or obeyed: hooks, filters, submodules and the conversion of line endings are off, so what is
//! taken out is byte for byte what was committed.

mod remote;
mod tree;

use crate::config::{Commit, TreeFolder, TreePath};
use crate::error;
use crate::process::{Failure, Invocation, Runner};
use anyhow::{Context, Result, bail};
use fs_err as fs;
pub use remote::{Remote, Tip, find};
use std::path::{Path, PathBuf};
use std::time::Duration;
pub use tree::{Kind, TreeEntry};

/// The name that the commit of interest has in a bundle.
const PINNED: &str = "refs/vgpu-pipeline/pinned";

/// A bundle may be anybody's, and a small one may unpack to whatever it likes.
const BUNDLE_LIMIT: Duration = Duration::from_secs(10 * 60);

/// Paths of this many names fit into one call.
const PATHS_AT_ONCE: usize = 400;

/// A bare repository in a work folder.
pub struct Repository<'a> {
    folder: PathBuf,
    runner: &'a Runner<'a>,
}

/// What a repository, or a user's configuration for other work, could hook in is off.
const SETTINGS: &[(&str, &str)] = &[
    ("core.hooksPath", "/dev/null"),
    ("core.attributesFile", "/dev/null"),
    ("core.autocrlf", "false"),
    ("core.fsmonitor", "false"),
    // The output of a call is lines of UTF-8: a name that would break them comes quoted.
    ("core.quotePath", "true"),
    ("fetch.recurseSubmodules", "false"),
    ("submodule.recurse", "false"),
    ("protocol.ext.allow", "never"),
    ("tar.umask", "0002"),
    ("gc.auto", "0"),
    ("log.showSignature", "false"),
    // Over HTTP, git gives up when nothing comes for so many seconds.
    ("http.lowSpeedLimit", "1"),
    ("http.lowSpeedTime", "20"),
];

/// git with these settings on top of the user's (git-config, `GIT_CONFIG_COUNT`).
fn git(subcommand: &str) -> Invocation {
    let mut call = Invocation::new("git").arg(subcommand).env("GIT_TERMINAL_PROMPT", "0");
    call = call.env("GIT_CONFIG_COUNT", SETTINGS.len().to_string());
    for (number, (name, value)) in SETTINGS.iter().enumerate() {
        call = call.env(&format!("GIT_CONFIG_KEY_{number}"), name);
        call = call.env(&format!("GIT_CONFIG_VALUE_{number}"), value);
    }
    call
}

impl<'a> Repository<'a> {
    /// An empty one.
    pub fn new(folder: &Path, commit: &Commit, runner: &'a Runner<'a>) -> Result<Self> {
        let format = if commit.as_str().len() == 40 { "sha1" } else { "sha256" };
        let init = git("init").args(["--quiet", "--bare", "--template="]);
        runner.run(&init.arg(format!("--object-format={format}")).arg(folder))?;
        // Stronger than any .gitattributes of the tree.
        let info = folder.join("info");
        fs::create_dir_all(&info)?;
        fs::write(info.join("attributes"), "* -filter -text -ident -working-tree-encoding\n")?;
        Ok(Self { folder: folder.to_owned(), runner })
    }

    fn call(&self, subcommand: &str) -> Invocation {
        git(subcommand).env("GIT_DIR", &self.folder)
    }

    /// Whether it has a commit.
    pub fn has(&self, commit: &Commit) -> bool {
        let call = self.call("cat-file").arg("-e").arg(format!("{commit}^{{commit}}"));
        self.runner.run(&call).is_ok()
    }

    /// Takes a commit with its history from a bundle.
    pub fn unbundle(&self, bundle: &Path, commit: &Commit) -> Result<()> {
        let refspec = format!("+{PINNED}:{PINNED}");
        let call = self.call("fetch").args(["--quiet", "--no-tags"]).arg(bundle).arg(refspec);
        self.runner.run(&call.limit(BUNDLE_LIMIT))?;
        // git has checked that everything behind this ref is there.
        let found =
            self.runner.run(&self.call("rev-parse").args(["--verify", PINNED]).capture_stdout())?;
        if found.stdout.trim() != commit.as_str() {
            bail!("the bundle has another commit than {commit}");
        }
        Ok(())
    }

    /// Writes a commit with its history as a bundle.
    pub fn bundle(&self, commit: &Commit, to: &Path) -> Result<()> {
        self.runner.run(&self.call("update-ref").args([PINNED, commit.as_str()]))?;
        let call = self.call("bundle").args(["create", "--quiet"]).arg(to).arg(PINNED);
        self.runner.run(&call.limit(BUNDLE_LIMIT))?;
        Ok(())
    }

    /// What a commit has in a folder, without what is in the folders of that.
    pub fn folder(&self, commit: &Commit, folder: &TreeFolder) -> Result<Vec<TreeEntry>> {
        match folder.as_str() {
            "." => self.tree(commit, &[]),
            // With the slash, git lists what is in it.
            folder => self.tree(commit, &[&format!("{folder}/")]),
        }
    }

    /// What a commit has at a path.
    pub fn entry(&self, commit: &Commit, path: &str) -> Result<Option<TreeEntry>> {
        let found = self.tree(commit, &[path])?;
        Ok(found.into_iter().find(|entry| entry.path == path))
    }

    fn tree(&self, commit: &Commit, paths: &[&str]) -> Result<Vec<TreeEntry>> {
        let call = self.call("ls-tree").args(["--full-tree", "--long", commit.as_str(), "--"]);
        let listed = self.runner.run(&call.args(paths).capture_stdout())?.stdout;
        Ok(listed.lines().filter_map(TreeEntry::read).collect())
    }

    /// The text of a file in a commit, such as what a link leads to.
    pub fn text(&self, entry: &TreeEntry) -> Result<String> {
        Ok(self
            .runner
            .run(&self.call("cat-file").args(["blob", &entry.object]).capture_stdout())?
            .stdout)
    }

    /// The settings in a file of a commit that is written as git's own are: name and value. Nothing
    /// that such a file would include is read.
    pub fn settings(&self, entry: &TreeEntry) -> Result<Vec<(String, String)>> {
        let call = self.call("config").arg(format!("--blob={}", entry.object));
        let listed =
            self.runner.run(&call.args(["--no-includes", "--list"]).capture_stdout())?.stdout;
        let pair = |line: &str| {
            line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()))
        };
        Ok(listed.lines().filter_map(pair).collect())
    }

    /// Puts files of a commit into a folder, under their paths in the tree.
    pub fn check_out<'p>(
        &self,
        commit: &Commit,
        paths: impl IntoIterator<Item = &'p str>,
        into: &Path,
    ) -> Result<()> {
        let paths: Vec<&str> = paths.into_iter().collect();
        for paths in paths.chunks(PATHS_AT_ONCE) {
            let call = self.call("checkout").env("GIT_WORK_TREE", into);
            // A name is a name, whatever a pathspec would make of its characters.
            let call = call.env("GIT_LITERAL_PATHSPECS", "1");
            self.runner.run(&call.args(["--quiet", commit.as_str(), "--"]).args(paths))?;
        }
        Ok(())
    }

    /// Writes `git archive | gzip -n` of a commit. gzip is the program: other encoders make other
    /// bytes, and these are pinned.
    pub fn archive(&self, commit: &Commit, prefix: &TreePath, to: &Path) -> Result<()> {
        let tar = to.with_extension("tar");
        let call = self.call("archive").arg("--format=tar");
        let call = call.arg(format!("--prefix={prefix}/")).arg("--output").arg(&tar);
        self.runner.run(&call.arg(commit.as_str()))?;
        self.runner.run(&Invocation::new("gzip").args(["--no-name", "--force"]).arg(&tar))?;
        fs::rename(tar.with_extension("tar.gz"), to).context("the archive")
    }

    /// The commits of `to` that are not in `from`, the newest first, in a line each, which git cuts where it
    /// is long.
    pub fn log(&self, from: &Commit, to: &Commit, most: usize) -> Result<Vec<String>> {
        let range = format!("{from}..{to}");
        let call = self.call("log").args([
            "--no-decorate",
            "--no-color",
            "--format=%h %cs %<(160,trunc)%s",
        ]);
        let call = call.arg(format!("--max-count={most}")).arg(&range).capture_stdout();
        let listed = self.runner.run(&call)?.stdout;
        Ok(listed.lines().map(|line| line.trim_end().to_owned()).collect())
    }

    /// How many commits of `to` are not in `from`, and whether `from` is in the history of `to`.
    pub fn distance(&self, from: &Commit, to: &Commit) -> Result<Option<usize>> {
        if !self.has(from) {
            return Ok(None);
        }
        let ancestor = ["--is-ancestor", from.as_str(), to.as_str()];
        if let Err(error) = self.runner.run(&self.call("merge-base").args(ancestor)) {
            return match error::find::<Failure>(&error) {
                Some(failure) if failure.status.code() == Some(1) => Ok(None),
                _ => Err(error),
            };
        }
        let range = format!("{from}..{to}");
        let counted =
            self.runner.run(&self.call("rev-list").args(["--count", &range]).capture_stdout())?;
        Ok(Some(counted.stdout.trim().parse()?))
    }
}

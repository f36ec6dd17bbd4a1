// SPDX-License-Identifier: GPL-2.0-or-later
//! The stage `build`: rpmbuild in the environment, with the network off; what it wrote, and its log.
//!
//! The build is not judged here beyond rpmbuild's own word: whether the device is in the result is
//! for `verify` to say. What the log shows of it is reported.

mod build_log;
mod cache;
mod compile_error;
mod log_lines;
mod step;

use crate::config::{self, TestBinary};
use crate::error::Help;
use crate::files::{self, write::link_or_copy};
use crate::intake::{self, Folder, Limits};
use crate::process::{Runner, interrupted};
use crate::sandbox::{self, Confinement, FailedJob, Image, Job, Mount};
use crate::stage::{CacheKey, Context as StageContext};
use crate::store::{Store, Stored, Work, copy_new};
use anyhow::{Result, anyhow};
use build_log::BuildLog;
pub use build_log::progress;
use cache::Cache;
use cache::Opened;
use compile_error::DevicePath;
use fs_err as fs;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
#[cfg(test)]
pub use step::own_cache_of;
pub use step::{BuildStep, StockStep};

/// The folder that holds the binary packages of a result, and the one of the source package.
const RPMS: &str = "RPMS";
const SRPMS: &str = "SRPMS";
const LOG: &str = "build.log";
/// The folder of the test binary.
const TEST: &str = "test";
/// rpmbuild's own folder, in the work.
const TOP: &str = "rpmbuild";

/// What a build may unpack its sources to, and how large a QEMU with all its symbols is, four times.
const TREES: Limits = Limits { entries: 1000, depth: 0, bytes: 1 << 30 };

/// What goes in.
struct Inputs<'a> {
    /// What is only this pipeline's is kept under this name.
    name: &'a str,
    /// The sources and the devices' C files, by name.
    sources: Vec<(&'a str, PathBuf)>,
    /// The edited spec.
    spec: PathBuf,
    /// The one that the test binary is built by. Where the cache is filled, it is built for its objects
    /// alone.
    test_spec: Option<PathBuf>,
    /// The sources that this one must not have beside it: patches that its own edits dropped.
    not_for_tests: Vec<&'a str>,
    /// The devices' files in QEMU's tree, and where their author knows them.
    names: Vec<DevicePath>,
    cache: Cache<'a>,
}

/// The built packages.
#[derive(Debug)]
pub struct Built {
    stored: Stored,
    facts: Facts,
}

/// What the store keeps with the files.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Facts {
    log: LogSummary,
    /// The cache that the devices were built with.
    compiler_cache: Option<CompilerCache>,
}

/// The compiler cache that the devices are built with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CompilerCache {
    /// What the build of the stock package left, under this key; nobody writes to it any more.
    Stock(CacheKey),
    /// One that this pipeline alone writes and reads.
    Own(CacheKey),
}

/// What the log showed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct LogSummary {
    /// The compilation of each device, where the log shows it.
    compiled: Vec<String>,
    /// The devices whose compilation the log does not show.
    not_compiled: Vec<String>,
    /// The links of QEMU's system emulators.
    linked: Vec<String>,
    /// What rpmbuild wrote.
    wrote: Vec<String>,
}

impl Built {
    fn of(stored: Stored) -> Result<Self> {
        let facts = stored.facts()?;
        Ok(Self { stored, facts })
    }

    pub fn compiler_cache(&self) -> Option<&CompilerCache> {
        self.facts.compiler_cache.as_ref()
    }

    /// The binary packages, as the store names them.
    pub fn rpms(&self) -> impl Iterator<Item = &str> {
        self.within(RPMS)
    }

    /// The source package.
    pub fn srpms(&self) -> impl Iterator<Item = &str> {
        self.within(SRPMS)
    }

    /// The binary that is in no package.
    pub fn test_binary(&self) -> Option<&str> {
        self.within(TEST).next()
    }

    fn within(&self, folder: &str) -> impl Iterator<Item = &str> {
        self.stored.names().filter(move |name| name.split('/').next() == Some(folder))
    }
}

/// Runs rpmbuild. Where it fails, its tree is kept under the pipeline's name.
fn run(
    inputs: &Inputs,
    build: &config::Build,
    image: &Image,
    compiler_cache: Option<CompilerCache>,
    cx: &StageContext,
) -> Result<Built> {
    let (store, runner) = (cx.store(), cx.runner());
    let cache = inputs.cache.open(inputs.name, store)?;
    let top = rpmbuild(&BuildTarget::Packages, inputs, &cache, build, image, store, runner)?;
    let log = BuildLog::of(log_lines::log_lines(runner.log())?, &inputs.names).summary();
    if log.wrote.is_empty() {
        return Err(anyhow!("rpmbuild ended well and its log has no `Wrote:` line")
            .help(format!("see {}", runner.log().display())));
    }
    let work = store.work()?;
    intake::packages(&top.path(), &work.files())?;
    let whole = files::open(runner.log(), &files::LOG)?;
    copy_new(whole, &work.files().join(LOG), false, files::LOG.most)?;
    drop(top);
    if let (Some(spec), Some(binary)) = (&inputs.test_spec, &build.test_binary) {
        let tree = rpmbuild(&BuildTarget::Tree(spec), inputs, &cache, build, image, store, runner);
        match (tree, &inputs.cache) {
            (Ok(_), Cache::Fill) => {}
            // Whether this tree is good is for the build with the devices to say.
            (Err(error), Cache::Fill) if interrupted(&error).is_none() => {
                runner.write(&format!(
                    "the cache has not all of the test binary's objects: {error:#}"
                ));
                store.drop_failed(inputs.name)?;
            }
            (tree, _) => {
                test_binary(&tree?.path().join("BUILD"), binary, &work.files().join(TEST))?;
            }
        }
    }
    cache.keep(&work.files())?;
    Built::of(cx.keep(work, &Facts { log, compiler_cache })?)
}

/// How far rpmbuild goes, and by which spec.
enum BuildTarget<'a> {
    /// All the way, by the pipeline's spec.
    Packages,
    /// To the end of %build, by this one.
    Tree(&'a Path),
}

/// What rpmbuild left of a goal that it reached.
struct BuildTree {
    work: Work,
}

impl BuildTree {
    fn path(&self) -> PathBuf {
        self.work.path().join(TOP)
    }
}

fn rpmbuild(
    goal: &BuildTarget,
    inputs: &Inputs,
    cache: &Opened,
    build: &config::Build,
    image: &Image,
    store: &Store,
    runner: &Runner,
) -> Result<BuildTree> {
    let work = store.work()?;
    let sources = work.scratch("sources")?;
    let (spec, without) = match goal {
        BuildTarget::Packages => (&*inputs.spec, &[][..]),
        BuildTarget::Tree(spec) => (*spec, &*inputs.not_for_tests),
    };
    for (name, path) in inputs.sources.iter().filter(|(name, _)| !without.contains(name)) {
        place(path, &sources.join(name))?;
    }
    let name = spec.file_name().unwrap_or_default();
    let folder = work.scratch("spec")?;
    place(spec, &folder.join(name))?;
    let job = Job {
        purpose: "build".into(),
        argv: command(goal, build, &name.to_string_lossy()),
        confinement: Confinement::Sealed,
        mounts: vec![
            Mount::read_only(sources, "/sources"),
            Mount::read_only(folder, "/spec"),
            Mount::writable(work.scratch(TOP)?, "/build"),
            cache.mount(),
        ],
        variables: [("HOME".into(), "/build".to_owned())]
            .into_iter()
            .chain(cache.variables())
            .collect(),
        memory: build.limits.memory.engine_notation(),
        pids: build.limits.pids,
    };
    if let Err(error) = sandbox::run(runner, image, &job, work.path()) {
        if interrupted(&error).is_none() {
            FailedJob::save(&cache::without(job), image, work.path())?;
            store.keep_failed(work, inputs.name)?;
        }
        return Err(compile_error::explain(error, runner.log(), &inputs.names));
    }
    Ok(BuildTree { work })
}

fn command(goal: &BuildTarget, build: &config::Build, spec: &str) -> Vec<String> {
    let extent = match goal {
        BuildTarget::Packages => "-ba",
        BuildTarget::Tree(_) => "-bc",
    };
    let mut argv = vec!["rpmbuild".to_owned(), extent.to_owned()];
    if build.nodeps {
        argv.push("--nodeps".to_owned());
    }
    // What a package says of when and where it was built has to be the same everywhere
    // (rpm 4.18, macros.in; rpm 4.11 ignores all of these but the folders).
    let fixed = [
        ("_topdir", "/build"),
        ("_sourcedir", "/sources"),
        ("_tmppath", "/build/tmp"),
        ("_buildhost", "vgpu-pipeline"),
        // The files of a mount belong to nobody in the container, and in a source package to root.
        ("_srcdefattr", "(-,root,root)"),
        ("source_date_epoch_from_changelog", "1"),
        ("use_source_date_epoch_as_buildtime", "1"),
        ("clamp_mtime_to_source_date_epoch", "1"),
    ];
    let own = build.define.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in fixed.into_iter().chain(own) {
        argv.extend(["--define".to_owned(), format!("{name} {value}")]);
    }
    argv.push(format!("/spec/{spec}"));
    argv
}

/// Takes the one file of its path out of the trees that were built.
fn test_binary(trees: &Path, binary: &TestBinary, to: &Path) -> Result<()> {
    let trees = Folder::open(trees, "BUILD", TREES)?;
    let found = trees.below(Path::new(binary.file.as_str()))?;
    let [path] = &found[..] else {
        return Err(anyhow!("%build left {} files `{}`", found.len(), binary.file)
            .help("`build.test-binary.file` is a path in the tree that %prep unpacks"));
    };
    fs::create_dir(to)?;
    trees.take(path, &to.join(path.file_name().unwrap_or_default()), true)?;
    Ok(())
}

fn place(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        return Err(anyhow!(
            "`{}` is the name of a source and of a device's file",
            to.file_name().unwrap_or_default().display()
        )
        .help("rename the device's file"));
    }
    link_or_copy(from, to, &files::SOURCE)
}

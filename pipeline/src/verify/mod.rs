//! Stage 6, `verify`: judges what was built before anything of it may be signed.
//!
//! Only this room can make a [`Verified`], from a fresh judgement or from the store's record of one
//! about the very same bytes. It reads packages and binaries as a stranger would: nothing here trusts
//! what the build said of itself.

mod dom0;
mod elf;
mod package;
mod probe;
mod target;

use crate::build::Built;
use crate::cmd::Runner;
use crate::config::{self, ExpectedType};
use crate::plan::Key;
use crate::sandbox::{Confinement, Image, Job, Mount, Scene};
use crate::store::{FileRecord, Store, Stored};
use crate::wrapper::Wrapped;
use anyhow::{Context, Result, bail};
use elf::Census;
pub use elf::QomType;
pub use package::PackageFacts;
use probe::Probed;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What was made, and is to be judged.
#[derive(Debug)]
pub struct Made {
    pub built: Built,
    pub wrapped: Option<Wrapped>,
}

/// What may leave.
#[derive(Debug)]
pub struct Verified {
    stored: Stored,
    packages: Vec<PathBuf>,
    sources: Vec<PathBuf>,
    wrapper: Vec<PathBuf>,
    report: Report,
}

/// The judgement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// What was judged, by its place in the results.
    pub judged: BTreeMap<String, FileRecord>,
    pub packages: Vec<PackageFacts>,
    /// What the binaries said of themselves when they ran.
    pub probed: Vec<Probed>,
}

impl Report {
    /// What people want to see of it.
    pub fn summary(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for package in &self.packages {
            for binary in &package.binaries {
                for found in &binary.types {
                    lines.push(format!(
                        "{} in {}: {}, {}; properties {}",
                        found.name,
                        binary.path.display(),
                        found.parent,
                        found.interfaces.join(", "),
                        joined(found.properties.iter().flatten())
                    ));
                }
            }
        }
        for probed in &self.probed {
            lines.extend(probed.devices.iter().map(|line| format!("{}: {line}", probed.version)));
        }
        lines
    }
}

/// What `vgpu-pipeline verify` says of one file.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Audit {
    Package(PackageFacts),
    Binary { types: Vec<QomType> },
}

impl Verified {
    /// The binary packages.
    pub fn packages(&self) -> &[PathBuf] {
        &self.packages
    }

    /// The source packages.
    pub fn sources(&self) -> &[PathBuf] {
        &self.sources
    }

    /// The patched qemu-wrapper and its difference.
    pub fn wrapper(&self) -> &[PathBuf] {
        &self.wrapper
    }

    pub fn report(&self) -> &Report {
        &self.report
    }

    pub fn stored(&self) -> &Stored {
        &self.stored
    }

    /// The record of an earlier judgement, if it is one of these bytes.
    pub fn recall(stored: Stored, made: &Made) -> Result<Self> {
        let report: Report = stored.facts()?;
        if report.judged != made.files() {
            bail!(
                "the store's judgement is of other packages\nhelp: remove the store and run again"
            );
        }
        Self::new(stored, made, report)
    }

    fn new(stored: Stored, made: &Made, report: Report) -> Result<Self> {
        let wrapper = made.wrapped.iter().flat_map(Wrapped::files).collect();
        let (packages, sources) = (made.packages()?, made.built.srpms().collect());
        Ok(Self { stored, packages, sources, wrapper, report })
    }
}

/// Judges the built packages: first as files, then by running what is in them.
pub fn run(
    made: &Made,
    pipeline: &config::Pipeline,
    image: &Image,
    key: &Key,
    store: &Store,
    cmd: &Runner,
) -> Result<Verified> {
    let verify = &pipeline.verify;
    let files = made.packages()?;
    let mut packages = Vec::new();
    for path in &files {
        packages.push(package::read(path, &verify.types)?);
    }
    judge(&packages, verify)?;
    if let Some(target) = verify.target {
        for path in made.built.rpms() {
            target::check(&rpm::PackageMetadata::open(&path)?, target)?;
        }
    }
    if let (Some(wrapped), Some(wrapper)) = (&made.wrapped, &pipeline.wrapper) {
        dom0::check(wrapped, wrapper)?;
    }
    let work = store.work()?;
    let mut probed = Vec::new();
    for (path, facts) in files.iter().zip(&packages) {
        for binary in &facts.binaries {
            let folder = work.scratch("probe")?;
            let name = package::extract(path, &binary.path, &folder)?;
            probed.push(probe::run(&folder, &name, &verify.types, image, cmd)?);
        }
    }
    let report = Report { judged: made.files(), packages, probed };
    // The probed binary is the package's; only the judgement is kept.
    let stored = store.keep(work, "verify", key.as_str(), &report)?;
    Verified::new(stored, made, report)
}

/// Sets packages that were refused aside under the pipeline's name, for somebody to look into.
pub fn set_aside(built: &Built, image: &Image, name: &str, store: &Store) -> Result<()> {
    let work = store.work()?;
    let packages = work.scratch("packages")?;
    for path in built.rpms().chain(built.srpms()) {
        fs::copy(&path, packages.join(path.file_name().unwrap_or_default()))?;
    }
    let job = Job {
        purpose: "shell".into(),
        argv: Vec::new(),
        confinement: Confinement::Sealed,
        mounts: vec![
            Mount::read_only(packages, "/packages"),
            Mount::writable(work.scratch("build")?, "/build"),
        ],
        variables: vec![("HOME".into(), "/build".to_owned())],
        memory: "4g".to_owned(),
        pids: 1024,
    };
    Scene::leave(&job, image, work.path())?;
    store.set_aside(work, name)
}

/// Judges one file alone: an RPM, or a QEMU binary.
pub fn audit(path: &Path, expected: &[ExpectedType]) -> Result<Audit> {
    if package::is_rpm(path)? {
        let facts = package::read(path, expected)?;
        if facts.binaries.is_empty() {
            bail!("{}", package::no_emulator(&[&facts.nevra]));
        }
        return Ok(Audit::Package(facts));
    }
    let shown = || format!("`{}`", path.display());
    let size = path.metadata().with_context(shown)?.len();
    if size > package::LARGEST_BINARY {
        bail!("`{}` has {size} bytes, more than any QEMU", path.display());
    }
    let image = fs::read(path).with_context(shown)?;
    let types = types(&image, expected).with_context(shown)?;
    Ok(Audit::Binary { types })
}

fn judge(packages: &[PackageFacts], verify: &config::Verify) -> Result<()> {
    if packages.iter().all(|facts| facts.binaries.is_empty()) {
        let names: Vec<&str> = packages.iter().map(|facts| facts.nevra.as_str()).collect();
        bail!("{}", package::no_emulator(&names));
    }
    for provide in &verify.provides {
        let provided = |facts: &PackageFacts| facts.provides.iter().any(|p| p == provide.as_str());
        if !packages.iter().any(provided) {
            bail!(
                "no built package provides `{provide}`\n\
                 help: the spec needs the edit `provide: {provide}`"
            );
        }
    }
    Ok(())
}

/// The expected types as the binary registers them; an error says what is missing of one.
fn types(image: &[u8], expected: &[ExpectedType]) -> Result<Vec<QomType>> {
    let census = Census::read(image)?;
    expected.iter().map(|expected| expect(&census, expected)).collect()
}

fn expect(census: &Census, expected: &ExpectedType) -> Result<QomType> {
    let name = expected.name.as_str();
    let Some(found) = census.find(name)? else {
        let near = match config::nearest(name, census.names()) {
            Some(near) => format!("; the nearest is `{near}`"),
            None => String::new(),
        };
        bail!(
            "the binary registers no QOM type `{name}` among its {}{near}\n\
             help: the device was not built in; does an edit of the spec register it in QEMU's build?",
            census.names().len()
        );
    };
    let parent = expected.parent.as_str();
    if found.parent != parent {
        bail!("type `{name}` derives from `{}`, expected `{parent}`", found.parent);
    }
    if let Some(interfaces) = &expected.interfaces {
        let wanted = interfaces.iter().map(|interface| interface.as_str().to_owned()).collect();
        same_set(name, "interface", wanted, found.interfaces.iter().cloned().collect())?;
    }
    if let Some(properties) = &expected.properties {
        let wanted = properties.iter().map(|(name, kind)| format!("{name}=<{kind}>")).collect();
        let present = found.properties.iter().flatten().map(ToString::to_string).collect();
        same_set(name, "property", wanted, present)?;
    }
    Ok(found)
}

/// Refuses what is missing of a type, and what it has too much.
fn same_set(
    name: &str,
    what: &str,
    wanted: BTreeSet<String>,
    present: BTreeSet<String>,
) -> Result<()> {
    let has = if present.is_empty() { "none".to_owned() } else { joined(&present) };
    if let Some(missing) = wanted.difference(&present).next() {
        bail!("type `{name}` has no {what} `{missing}`; it has: {has}");
    }
    if let Some(more) = present.difference(&wanted).next() {
        bail!("type `{name}` has the {what} `{more}`, which is not expected; it has: {has}");
    }
    Ok(())
}

fn joined<T: ToString>(things: impl IntoIterator<Item = T>) -> String {
    things.into_iter().map(|thing| thing.to_string()).collect::<Vec<_>>().join(", ")
}

impl Made {
    /// Every binary package.
    fn packages(&self) -> Result<Vec<PathBuf>> {
        let mut packages: Vec<PathBuf> = self.built.rpms().collect();
        if let Some(wrapped) = &self.wrapped {
            packages.push(wrapped.package()?);
        }
        Ok(packages)
    }

    /// Every file that would leave.
    fn files(&self) -> BTreeMap<String, FileRecord> {
        let is_package = |name: &&String| Path::new(name).extension().is_some_and(|e| e == "rpm");
        let built = self.built.stored().files().iter().filter(|(name, _)| is_package(name));
        let wrapped = self.wrapped.iter().flat_map(|wrapped| wrapped.stored().files());
        built.chain(wrapped).map(|(name, record)| (name.clone(), record.clone())).collect()
    }
}

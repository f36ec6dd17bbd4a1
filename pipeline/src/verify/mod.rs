//! Stage 6, `verify`: judges what was built before anything of it may be signed.
//!
//! Only this room can make a [`Verified`], from a fresh judgement or from the store's record of one
//! about the very same bytes. It reads packages and binaries as a stranger would: nothing here trusts
//! what the build said of itself.

mod audit;
mod difference;
mod dom0;
mod elf;
mod expect;
mod packages;
mod probe;
mod report;
mod rpm;

use crate::build::Built;
use crate::cmd::Runner;
use crate::config;
use crate::plan::Key;
use crate::sandbox::{Confinement, Image, Job, Mount, Scene};
use crate::store::{FileRecord, Store, Stored};
use crate::wrapper::Wrapped;
use anyhow::{Context, Result, bail};
pub use audit::{Asked, Audit, Found, audit, keys};
use difference::Portrait;
pub use difference::{Allowed, Change, difference, only_adds};
pub use elf::{ElfFacts, Property, Qom, QomType};
use fs_err as fs;
use packages::Reader;
pub use probe::digest as guest_digest;
use report::Compared;
pub use report::Report;
pub use rpm::{Finding, Installed, PackageFacts, Policy, Signing};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What was made, and is to be judged.
#[derive(Debug)]
pub struct Made {
    pub built: Built,
    /// The same packages without the devices, to compare with.
    pub stock: Option<Built>,
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
    installed: Option<&Installed>,
    image: &Image,
    key: &Key,
    store: &Store,
    cmd: &Runner,
) -> Result<Verified> {
    let verify = &pipeline.verify;
    let files = made.packages()?;
    let mut reader = Reader::new(&verify.types, &[]);
    let packages: Vec<PackageFacts> =
        files.iter().map(|path| reader.read(path)).collect::<Result<_>>()?;
    let all: Vec<&PackageFacts> = packages.iter().collect();
    reader.demand_emulator(&all)?;
    demand_provides(&all, verify)?;
    let stock = made.stock()?;
    let (built, carried) = packages.split_at(made.built.rpms().count());
    let warnings =
        packages::hold(built, carried, stock.as_deref().unwrap_or_default(), pipeline, installed)?;
    for path in made.built.srpms() {
        packages::hold_source(&reader.read(&path)?)?;
    }
    if let (Some(wrapped), Some(wrapper)) = (&made.wrapped, &pipeline.wrapper) {
        dom0::check(wrapped, wrapper, carried.first().context("no package for dom0")?)?;
    }
    let compared = stock.map(|stock| compare(built, &stock, verify)).transpose()?;
    let work = store.work()?;
    let test_binary = made.built.test_binary();
    let mut probed = Vec::new();
    for (path, facts) in files.iter().zip(&packages) {
        for binary in packages::emulators(facts) {
            let folder = work.scratch("probe")?;
            let all = binary.qom.types.iter().map(|found| found.name.clone());
            let subject = probe::Subject {
                name: &rpm::extract(path, &binary.path, &folder)?,
                folder: &folder,
                types: &report::expected(binary, &verify.types),
                census: &all.collect::<Vec<_>>(),
                expected: &verify.types,
                test_binary: test_binary.as_deref(),
                guest: verify.guest.as_ref(),
            };
            probed.extend(probe::run(&subject, image, cmd)?);
        }
    }
    let packages = packages.iter().map(|facts| report::Package::of(facts, &verify.types));
    let packages = packages.collect();
    let report = Report { judged: made.files(), packages, warnings, compared, probed };
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

/// How the built packages differ from the stock ones.
fn compare(
    built: &[PackageFacts],
    stock: &[PackageFacts],
    verify: &config::Verify,
) -> Result<Compared> {
    let painted = |all: &[PackageFacts]| {
        Portrait::of_packages(all.iter().filter(|facts| !packages::is_for_debuggers(facts)))
    };
    let difference = difference(&painted(stock), &painted(built));
    if verify.only_adds.is_some() {
        only_adds(&difference, &Allowed::by(verify))?;
    }
    Ok(Compared { only_adds: verify.only_adds.clone(), difference })
}

/// Refuses packages of which none has a capability that is asked for.
pub fn demand_provides(packages: &[&PackageFacts], verify: &config::Verify) -> Result<()> {
    for provide in &verify.provides {
        let provided = |facts: &PackageFacts| facts.provides.iter().any(|p| p == provide.as_str());
        if !packages.iter().copied().any(provided) {
            bail!(
                "no built package provides `{provide}`\n\
                 help: the spec needs the edit `provide: {provide}`"
            );
        }
    }
    Ok(())
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

    /// The stock packages, where there are some.
    fn stock(&self) -> Result<Option<Vec<PackageFacts>>> {
        let mut reader = Reader::new(&[], &[]);
        let read = |stock: &Built| stock.rpms().map(|path| reader.read(&path)).collect();
        self.stock.as_ref().map(read).transpose()
    }

    /// Every file that would leave.
    fn files(&self) -> BTreeMap<String, FileRecord> {
        let is_package = |name: &&String| Path::new(name).extension().is_some_and(|e| e == "rpm");
        let built = self.built.stored().files().iter().filter(|(name, _)| is_package(name));
        let wrapped = self.wrapped.iter().flat_map(|wrapped| wrapped.stored().files());
        built.chain(wrapped).map(|(name, record)| (name.clone(), record.clone())).collect()
    }
}

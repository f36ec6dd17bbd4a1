// SPDX-License-Identifier: GPL-2.0-or-later
//! The stage `verify`: judges what was built before anything of it may be signed.
//!
//! Only this room can make a [`Verified`], from a fresh judgement or from the store's record of one
//! about the very same bytes. It reads packages and binaries as a stranger would: nothing here trusts
//! what the build said of itself.

mod copies;
mod cut;
mod difference;
mod dom0;
mod expect;
mod host;
mod inspect;
mod package;
mod packages;
mod probe;
mod report;
mod samples;
mod source;
mod step;

use crate::build::{Built, CompilerCache};
use crate::config;
use crate::dom0::{DIFFERENCE, Dom0, PATCHED, ServedDevices};
use crate::error::Help;
use crate::files;
use crate::rules::{InspectedPackage, Installed};
use crate::sandbox::{Confinement, FailedJob, Image, Job, Mount};
use crate::stage::{Context as StageContext, Value};
use crate::store::{FileRecord, Store, Stored};
use anyhow::{Context, Result, anyhow};
use copies::Copies;
pub use copies::Leaving;
pub use cut::Cut;
use difference::Snapshot;
pub use difference::{Allowed, Change, difference, only_adds};
pub use inspect::{Inspection, Request, Subject, inspect, keys};
use packages::Reader;
pub use probe::digest as guest_digest;
pub use qom_census::{ElfInfo, Property, Qom, QomType};
use report::Compared;
pub use report::Report;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
pub use step::VerifyStep;

/// Reads the list of what is on the hosts.
pub fn read_installed(path: &Path) -> Result<Installed> {
    let text = files::read_text(path, &files::INSTALLED)?;
    let shown = || format!("{} `{}`", files::INSTALLED.name, path.display());
    Installed::parse(text).with_context(shown)
}

/// What was made, and is to be judged.
#[derive(Debug)]
struct Made<'v> {
    built: &'v Built,
    /// The same packages without the devices, to compare with.
    stock: Option<&'v Built>,
    dom0: Option<&'v Dom0>,
    /// What went in, by name: the spec, the devices and the sources, and nothing else.
    given: BTreeMap<String, PathBuf>,
}

/// What may leave.
#[derive(Debug)]
pub struct Verified {
    stored: Stored,
    packages: Vec<Leaving>,
    sources: Vec<Leaving>,
    wrapper: Vec<Leaving>,
    report: Report,
    compiler_cache: Option<CompilerCache>,
}

impl Verified {
    /// The binary packages.
    pub fn packages(&self) -> &[Leaving] {
        &self.packages
    }

    /// The source packages.
    pub fn sources(&self) -> &[Leaving] {
        &self.sources
    }

    /// The patched qemu-wrapper and its difference.
    pub fn wrapper(&self) -> &[Leaving] {
        &self.wrapper
    }

    /// Whose compiler cache the packages were built with.
    pub fn compiler_cache(&self) -> Option<&CompilerCache> {
        self.compiler_cache.as_ref()
    }

    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The record of an earlier judgement, if it is one of these bytes.
    fn recall(stored: Stored, made: &Made) -> Result<Self> {
        let report: Report = stored.facts()?;
        if report.judged != made.files() {
            return Err(anyhow!("the store's judgement is of other packages")
                .help("remove the store and run again"));
        }
        Self::new(stored, made, report)
    }

    fn new(stored: Stored, made: &Made, report: Report) -> Result<Self> {
        let leaving = |of: &Stored, name: &str| Leaving::new(of, name, &report.judged);
        let built = |names: &mut dyn Iterator<Item = &str>| {
            names.map(|name| leaving(made.built.stored(), name)).collect::<Result<Vec<_>>>()
        };
        let mut packages = built(&mut made.built.rpms())?;
        let sources = built(&mut made.built.srpms())?;
        let mut wrapper = Vec::new();
        if let Some(wrapped) = made.dom0 {
            packages.push(leaving(wrapped.stored(), wrapped.package())?);
            for name in [PATCHED, DIFFERENCE] {
                wrapper.push(leaving(wrapped.stored(), name)?);
            }
        }
        copies::each_once(packages.iter().map(Leaving::file_name))?;
        let compiler_cache = made.built.compiler_cache().cloned();
        Ok(Self { stored, packages, sources, wrapper, report, compiler_cache })
    }
}

/// Judges the built packages: first as files, then by running what is in them.
fn judge(
    made: &Made,
    pipeline: &config::Pipeline,
    installed: Option<&Installed>,
    image: &Image,
    cx: &StageContext,
) -> Result<Verified> {
    let (verify, runner) = (&pipeline.verify, cx.runner());
    let work = cx.store().work()?;
    let copies = Copies::of(made, &work.scratch("copies")?)?;
    let mut reader = Reader::new(&verify.types, &[]);
    let files: Vec<&PathBuf> = copies.built.iter().chain(&copies.carried).collect();
    let packages: Vec<InspectedPackage> =
        files.iter().map(|path| reader.read(path)).collect::<Result<_>>()?;
    let all: Vec<&InspectedPackage> = packages.iter().collect();
    reader.require_emulator(&all)?;
    require_provides(&all, verify)?;
    let mut without_devices = Reader::new(&[], &[]);
    let mut read_stock = |paths: Vec<PathBuf>| {
        paths.iter().map(|path| without_devices.read(path)).collect::<Result<Vec<_>>>()
    };
    let stock = copies.stock.map(&mut read_stock).transpose()?;
    let (built, carried) = packages.split_at(copies.built.len());
    packages::each_name_once(&packages)?;
    let mut sources = Vec::new();
    for path in &copies.sources {
        sources.push(reader.read(path)?);
    }
    let devices: Vec<&str> = pipeline.device.iter().map(config::Device::file_name).collect();
    let spec = pipeline.spec.file_name();
    sources
        .iter()
        .try_for_each(|facts| source::require_given(facts, &made.given, spec, &devices))?;
    let judged = packages::Judged {
        built,
        carried,
        sources: &sources,
        stock: stock.as_deref().unwrap_or_default(),
    };
    let warnings = packages::enforce(&judged, pipeline, installed)?;
    sources.iter().try_for_each(|facts| source::require_name(facts, &judged, verify))?;
    if let (Some(wrapped), Some(wrapper)) = (&copies.wrapper, &pipeline.wrapper) {
        let package = copies.carried.first().zip(carried.first());
        let package = package.context("no package for dom0")?;
        let served = ServedDevices::of(pipeline);
        dom0::check(wrapped, wrapper, &served, package)?;
        host::check(&verify.types, (wrapper, &served), &work.scratch("host")?, image, runner)?;
    }
    let compared = stock.map(|stock| compare(built, &stock, verify)).transpose()?;
    let mut probed = Vec::new();
    for (path, facts) in files.iter().zip(&packages) {
        for binary in packages::emulators(facts) {
            let folder = work.scratch("probe")?;
            let all = binary.qom.types.iter().map(|found| found.name.clone());
            let input = probe::ProbeInput {
                name: &package::extract(path, &binary.path, &folder)?,
                folder: &folder,
                types: &report::expected(binary, &verify.types),
                census: &all.collect::<Vec<_>>(),
                expected: &verify.types,
                test_binary: copies.test_binary.as_deref(),
                guest: verify.guest.as_ref(),
            };
            probed.extend(probe::run(&input, image, runner)?);
        }
    }
    let packages = packages.iter().map(|facts| report::Package::of(facts, &verify.types));
    let packages = packages.collect();
    let report = Report { judged: made.files(), packages, warnings, compared, probed };
    // The probed binary is the package's; only the judgement is kept.
    let stored = cx.keep(work, &report)?;
    Verified::new(stored, made, report)
}

/// Keeps packages that were refused under the pipeline's name, for somebody to look into.
fn keep_failed(built: &Built, image: &Image, name: &str, store: &Store) -> Result<()> {
    let work = store.work()?;
    let packages = work.scratch("packages")?;
    for name in built.rpms().chain(built.srpms()) {
        let file_name = Path::new(name).file_name().unwrap_or_default();
        // The refusal is what matters: one that is damaged by now is not among them.
        let _ = built.stored().copy_out(name, &packages.join(file_name));
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
    FailedJob::save(&job, image, work.path())?;
    store.keep_failed(work, name)
}

/// How the built packages differ from the stock ones.
fn compare(
    built: &[InspectedPackage],
    stock: &[InspectedPackage],
    verify: &config::Verify,
) -> Result<Compared> {
    let difference = difference(&Snapshot::of_packages(stock), &Snapshot::of_packages(built));
    if verify.only_adds.is_some() {
        only_adds(&difference, &Allowed::by(verify))?;
    }
    Ok(Compared { only_adds: verify.only_adds.clone(), difference })
}

/// Refuses packages of which none has a capability that is asked for.
pub fn require_provides(packages: &[&InspectedPackage], verify: &config::Verify) -> Result<()> {
    for provide in &verify.provides {
        let provided =
            |facts: &InspectedPackage| facts.provides.iter().any(|p| p == provide.as_str());
        if !packages.iter().copied().any(provided) {
            return Err(anyhow!("no built package provides `{provide}`")
                .help(format!("the spec needs the edit `provide: {provide}`")));
        }
    }
    Ok(())
}

impl Made<'_> {
    /// Every file that would leave.
    fn files(&self) -> BTreeMap<String, FileRecord> {
        let is_package = |name: &&String| Path::new(name).extension().is_some_and(|e| e == "rpm");
        let built = self.built.stored().files().iter().filter(|(name, _)| is_package(name));
        let wrapped = self.dom0.iter().flat_map(|wrapped| wrapped.stored().files());
        built.chain(wrapped).map(|(name, record)| (name.clone(), record.clone())).collect()
    }
}

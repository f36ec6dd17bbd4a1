//! One file judged alone: any RPM, or any ELF binary, ours or not.

use super::difference::Portrait;
use super::elf::{self, Census, ElfFacts, Qom};
use super::expect;
use super::rpm::{self, Finding, Installed, PackageFacts, Policy};
use crate::config::{self, Level};
use crate::openpgp::Certificate;
use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What a file is held to.
pub struct Asked<'a> {
    pub verify: &'a config::Verify,
    /// What the hosts have, where the section names a list.
    pub installed: Option<&'a Installed>,
    /// The keys of which one must have signed a package; none, where that is not asked.
    pub keys: &'a [Certificate],
}

/// Everything that was found out.
#[derive(Debug, Serialize)]
pub struct Audit {
    pub file: PathBuf,
    #[serde(flatten)]
    pub found: Found,
    pub seconds: Seconds,
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Found {
    Package {
        #[serde(flatten)]
        facts: Box<PackageFacts>,
        /// What broke a rule.
        findings: Vec<Finding>,
    },
    Binary {
        size: u64,
        #[serde(flatten)]
        qom: Qom,
        elf: ElfFacts,
    },
}

/// Where the time went.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Seconds {
    /// From the disk, unpacked and digested.
    pub read: f64,
    /// In the binaries.
    pub census: f64,
    pub rules: f64,
}

impl Audit {
    pub fn portrait(&self) -> Portrait {
        match &self.found {
            Found::Package { facts, .. } => Portrait::of_package(facts),
            Found::Binary { elf, qom, .. } => Portrait::of_binary(elf, qom),
        }
    }

    pub fn is_package(&self) -> bool {
        matches!(self.found, Found::Package { .. })
    }

    /// Everything for which the file is refused.
    pub fn refused(&self) -> impl Iterator<Item = &Finding> {
        let findings = match &self.found {
            Found::Package { findings, .. } => findings.as_slice(),
            Found::Binary { .. } => &[],
        };
        findings.iter().filter(|finding| finding.level == Level::Require)
    }
}

/// Reads and judges a file. What a type is expected to be and is not is an error; what breaks a rule is
/// found.
pub fn audit(path: &Path, asked: &Asked) -> Result<Audit> {
    let shown = || format!("`{}`", path.display());
    let meta = path.metadata().with_context(shown)?;
    // A pipe or a device may never end.
    ensure!(meta.is_file(), "`{}` is not a file", path.display());
    ensure!(meta.len() > 0, "`{}` is empty", path.display());
    let (found, seconds) = if rpm::is_rpm(path)? {
        package(path, asked)?
    } else {
        binary(path, meta.len(), asked).with_context(shown)?
    };
    Ok(Audit { file: path.to_owned(), found, seconds })
}

fn package(path: &Path, asked: &Asked) -> Result<(Found, Seconds)> {
    let expected = &asked.verify.types;
    let (began, mut census) = (Instant::now(), 0.0);
    let mut emulators = Emulators::new(expected);
    let facts = rpm::read(path, asked.keys, &mut |path, bytes| {
        let began = Instant::now();
        let qom = emulators.look(path, bytes);
        census += began.elapsed().as_secs_f64();
        qom
    })?;
    let read = began.elapsed().as_secs_f64() - census;
    emulators.demand(&[&facts.nevra])?;
    let began = Instant::now();
    let policy = Policy { signed: !asked.keys.is_empty(), ..policy(asked.verify, asked.installed) };
    let findings = rpm::judge(&facts, &policy);
    let rules = began.elapsed().as_secs_f64();
    Ok((Found::Package { facts: Box::new(facts), findings }, Seconds { read, census, rules }))
}

fn binary(path: &Path, size: u64, asked: &Asked) -> Result<(Found, Seconds)> {
    let began = Instant::now();
    ensure!(size <= rpm::LARGEST_BINARY, "it has {size} bytes, more than any QEMU");
    let bytes = fs::read(path)?;
    ensure!(bytes.starts_with(b"\x7fELF"), "it is neither an RPM nor an ELF file");
    let read = began.elapsed().as_secs_f64();
    let began = Instant::now();
    let facts = elf::facts(&bytes)?;
    let census = Census::read(&bytes)?;
    for expected in &asked.verify.types {
        expect::assert(&census, expected)?;
    }
    let found = Found::Binary { size, qom: census.report()?, elf: facts };
    let census = began.elapsed().as_secs_f64();
    Ok((found, Seconds { read, census, rules: 0.0 }))
}

/// Looks for system emulators among the ELF files that pass by, and holds them to what is expected.
pub struct Emulators<'a> {
    expected: &'a [config::ExpectedType],
    found: usize,
    /// Why the first file that could not be read was not.
    unread: Option<String>,
}

impl<'a> Emulators<'a> {
    pub fn new(expected: &'a [config::ExpectedType]) -> Self {
        Self { expected, found: 0, unread: None }
    }

    /// The types of a program that has some. QEMU's other programs have types and no devices.
    pub fn look(&mut self, path: &Path, bytes: &[u8]) -> Result<Option<Qom>> {
        let census = match Census::read(bytes) {
            Ok(census) => census,
            // Firmware, or a module of another kind; an emulator among them is missed by `demand`.
            Err(error) => {
                self.unread.get_or_insert_with(|| format!("`{}`: {error:#}", path.display()));
                return Ok(None);
            }
        };
        if census.names().any(|name| name == "device") {
            self.found += 1;
            for expected in self.expected {
                expect::assert(&census, expected).with_context(|| format!("`{}`", path.display()))?;
            }
        }
        let qom = census.report()?;
        Ok((!qom.types.is_empty()).then_some(qom))
    }

    /// Refuses packages without an emulator, where types are expected of one.
    pub fn demand(&self, packages: &[&str]) -> Result<()> {
        if self.expected.is_empty() || self.found > 0 {
            return Ok(());
        }
        let packages = packages.join(", ");
        match &self.unread {
            Some(why) => bail!("no QEMU that can be read is in {packages}: {why}"),
            None => bail!(
                "no program with QEMU's devices is in {packages}\n\
                 help: is it the package with QEMU's binary?"
            ),
        }
    }
}

/// The rules as the section `verify` has them.
pub fn policy<'a>(verify: &'a config::Verify, installed: Option<&'a Installed>) -> Policy<'a> {
    Policy {
        target: verify.target,
        rules: Some(&verify.rules),
        paths: verify.paths.as_deref(),
        installed,
        stock: None,
        signed: false,
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! One file judged alone: any RPM, or any ELF binary, ours or not.

use super::difference::Snapshot;
use super::expect;
use super::package;
use super::packages::Reader;
use crate::config::ExpectedType;
use crate::error::Help;
use crate::files;
use crate::openpgp::{Certificate, Keys};
use crate::rules::{Finding, InspectedPackage, Level, Policy, judge, shared_folders};
use anyhow::{Context, Result, anyhow, ensure};
use qom_census::{Census, ElfInfo, Qom};
use rpm_inspect::{LARGEST_ELF_FILE, Nevra};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What a file is held to.
#[derive(Default)]
pub struct Request<'a> {
    pub types: &'a [ExpectedType],
    /// The keys of which one must have signed a package, where that is request.
    pub keys: &'a [Certificate],
    pub policy: Policy<'a>,
}

/// Everything that was found out.
#[derive(Debug, Serialize)]
pub struct Inspection {
    pub file: PathBuf,
    #[serde(flatten)]
    pub found: Subject,
    pub seconds: Seconds,
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Subject {
    Package(Box<Package>),
    Binary(Box<Program>),
}

/// A package, and what breaks a rule.
#[derive(Debug, Serialize)]
pub struct Package {
    #[serde(flatten)]
    pub facts: InspectedPackage,
    pub findings: Vec<Finding>,
}

/// A binary alone.
#[derive(Debug, Serialize)]
pub struct Program {
    pub size: u64,
    #[serde(flatten)]
    pub qom: Qom,
    pub elf: ElfInfo,
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

impl Inspection {
    pub fn snapshot(&self) -> Snapshot {
        match &self.found {
            Subject::Package(package) => Snapshot::of_package(&package.facts),
            Subject::Binary(program) => Snapshot::of_binary(&program.elf, &program.qom),
        }
    }

    /// What a package calls itself.
    pub fn id(&self) -> Option<&Nevra> {
        match &self.found {
            Subject::Package(package) => Some(&package.facts.id),
            Subject::Binary(_) => None,
        }
    }

    /// The sticky folders of a package that everybody may write to.
    pub fn shared(&self) -> BTreeSet<String> {
        match &self.found {
            Subject::Package(package) => shared_folders([&package.facts]),
            Subject::Binary(_) => BTreeSet::new(),
        }
    }

    pub fn is_package(&self) -> bool {
        matches!(self.found, Subject::Package(_))
    }

    /// Everything for which the file is refused.
    pub fn refused(&self) -> impl Iterator<Item = &Finding> {
        let findings = match &self.found {
            Subject::Package(package) => package.findings.as_slice(),
            Subject::Binary(_) => &[],
        };
        findings.iter().filter(|finding| finding.level == Level::Require)
    }
}

/// The public keys in a file that count; and of each other one why it does not.
pub fn keys(file: &Path) -> Result<(Vec<Certificate>, Vec<String>)> {
    let shown = || format!("the keys in `{}`", file.display());
    let bytes = files::read(file, &files::PUBLIC_KEYS)?;
    let usable = Certificate::read(&bytes).with_context(shown)?;
    let refused = Keys::read(&bytes).with_context(shown)?.refused;
    Ok((usable, refused.iter().map(ToString::to_string).collect()))
}

/// Reads and judges a file. What a type is expected to be and is not is an error; what breaks a rule is
/// found.
pub fn inspect(path: &Path, request: &Request) -> Result<Inspection> {
    let shown = || format!("`{}`", path.display());
    let meta = files::look(path, &files::JUDGED)?;
    ensure!(meta.len() > 0, "`{}` is empty", path.display());
    let (found, seconds) = if package::is_rpm(path)? {
        package(path, request)?
    } else {
        binary(path, meta.len(), request).with_context(shown)?
    };
    Ok(Inspection { file: path.to_owned(), found, seconds })
}

fn package(path: &Path, request: &Request) -> Result<(Subject, Seconds)> {
    let began = Instant::now();
    let mut reader = Reader::new(request.types, request.keys);
    let facts = reader.read(path)?;
    let census = reader.census.as_secs_f64();
    let read = began.elapsed().as_secs_f64() - census;
    reader.require_emulator(&[&facts])?;
    let began = Instant::now();
    let findings = judge(&facts, &request.policy);
    let rules = began.elapsed().as_secs_f64();
    Ok((Subject::Package(Box::new(Package { facts, findings })), Seconds { read, census, rules }))
}

fn binary(path: &Path, size: u64, request: &Request) -> Result<(Subject, Seconds)> {
    let began = Instant::now();
    ensure!(size <= LARGEST_ELF_FILE, "it has {size} bytes, more than any QEMU");
    let bytes = files::read(path, &files::Kind { most: LARGEST_ELF_FILE, ..files::JUDGED })?;
    ensure!(
        bytes.starts_with(b"\x7fELF"),
        anyhow!("it is neither an RPM nor an ELF file")
            .help("give a package, or a program such as a QEMU")
    );
    let read = began.elapsed().as_secs_f64();
    let began = Instant::now();
    let census = Census::read(&bytes)?;
    let facts = ElfInfo::read(&bytes)?;
    for expected in request.types {
        expect::check_type(&census, expected)?;
    }
    let program = Program { size, qom: census.report(), elf: facts };
    let census = began.elapsed().as_secs_f64();
    Ok((Subject::Binary(Box::new(program)), Seconds { read, census, rules: 0.0 }))
}

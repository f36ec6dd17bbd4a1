// SPDX-License-Identifier: GPL-2.0-or-later
//! `verify`: the audit alone, on any RPM or ELF binary, and the difference to another.

use super::inspection::{print, print_changes};
use super::{Classify, CommandError, Execute};
use crate::config::{self, ExpectedType, Line, PropertyKind, PropertyName, QomType};
use crate::error::Help;
use crate::files;
use crate::project::Project;
use crate::rules::{Policy, SignatureCheck, Target};
use crate::text;
use crate::verify::{self, Allowed, Change, Inspection, Request, Subject};
use anyhow::{Context, Result, anyhow, ensure};
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct Verify {
    /// An RPM, or an ELF binary such as a QEMU
    what: PathBuf,
    /// Show what WHAT has more, less or other than this one
    #[arg(long, value_name = "OLD")]
    against: Option<PathBuf>,
    /// A QOM type that is all that WHAT may have more than OLD; may be given several times
    #[arg(long = "only-adds", value_name = "NAME", requires = "against", value_parser = word::<QomType>)]
    only_adds: Vec<QomType>,
    /// A capability that a package must provide, and may more than OLD; may be given several times
    #[arg(long, value_name = "CAPABILITY", value_parser = word::<Line>)]
    provides: Vec<Line>,
    /// Hold it to the section `verify` of this pipeline file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["target", "installed", "paths", "device"])]
    pipeline: Option<PathBuf>,
    /// Hold a package to what these hosts take
    #[arg(long)]
    target: Option<Target>,
    /// What the hosts have: a file as `verify.installed` names one
    #[arg(long, value_name = "FILE")]
    installed: Option<PathBuf>,
    /// A folder that a package may have files in; may be given several times
    #[arg(long = "path", value_name = "FOLDER")]
    paths: Vec<String>,
    /// A QOM type that must be in every system emulator of it
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    /// The type that the device must derive from [default: pci-device]
    #[arg(long, value_name = "NAME", requires = "device")]
    parent: Option<String>,
    /// A property that the device must have; with one of them, it may have no others
    #[arg(long = "property", value_name = "NAME=KIND", requires = "device")]
    properties: Vec<String>,
    /// A file with public keys, of which one must have signed a package
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Print one JSON object on standard output
    #[arg(long)]
    json: bool,
}

/// A word of the pipeline file, on the command line.
fn word<T: TryFrom<String, Error = String>>(text: &str) -> Result<T, String> {
    T::try_from(text.to_owned())
}

/// What `--json` prints.
#[derive(Serialize)]
struct Said<'a> {
    #[serde(flatten)]
    audit: &'a Inspection,
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<&'a PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<&'a [Change]>,
}

impl Execute for Verify {
    fn run(&self) -> Result<(), CommandError> {
        let section = self.section().usage()?;
        let installed =
            section.installed.as_deref().map(verify::read_installed).transpose().usage()?;
        let keys = self.key.as_deref().map(verify::keys).transpose().usage()?;
        let (keys, others) = keys.unwrap_or_default();
        for other in others {
            tell!("passed over: {}", text::visible(&other));
        }
        for file in [Some(&self.what), self.against.as_ref()].into_iter().flatten() {
            files::look(file, &files::JUDGED).usage()?;
        }
        let paths: Option<Vec<String>> =
            section.paths.as_ref().map(|paths| paths.iter().map(ToString::to_string).collect());
        let compared = self.against.as_deref().map(|old| verify::inspect(old, &Request::default()));
        let compared = compared.transpose().failed()?;
        let stock = compared.as_ref().filter(|_| section.only_adds.is_some());
        let shared = stock.map(Inspection::shared);
        let policy = Policy {
            shared: shared.as_ref(),
            target: section.target,
            levels: Some(&section.rules),
            paths: paths.as_deref(),
            installed: installed.as_ref(),
            stock: stock.and_then(Inspection::id),
            signature: if self.key.is_some() {
                SignatureCheck::Required
            } else {
                SignatureCheck::Skip
            },
            ..Policy::default()
        };
        let asked = Request { types: &section.types, keys: &keys, policy };
        let audit = verify::inspect(&self.what, &asked).failed()?;
        self.fits(&audit).usage()?;
        let changes = compared.map(|old| compare(&audit, &old)).transpose().usage()?;
        if self.json {
            let said = Said {
                audit: &audit,
                against: self.against.as_ref(),
                difference: changes.as_deref(),
            };
            super::print_json(&serde_json::to_string(&said).map_err(anyhow::Error::from).failed()?);
        } else {
            print(&audit, &section.types);
            print_changes(changes.as_deref());
        }
        self.judge(&audit, changes.as_deref(), &section).failed()
    }

    fn prints_json(&self) -> bool {
        self.json
    }
}

impl Verify {
    /// What the file is held to.
    fn section(&self) -> Result<config::Verify> {
        if let Some(file) = &self.pipeline {
            let Project { pipeline, base_dir, .. } = Project::read(file)?;
            let mut section = pipeline.verify;
            section.installed = section.installed.map(|list| base_dir.join(list));
            if !self.only_adds.is_empty() {
                section.only_adds.get_or_insert_default().extend(self.only_adds.iter().cloned());
            }
            section.provides.extend(self.provides.iter().cloned());
            return Ok(section);
        }
        let paths = self.paths.iter().map(|path| path.clone().try_into());
        let paths = paths.collect::<Result<Vec<_>, String>>().map_err(anyhow::Error::msg)?;
        let types = self.device.iter().map(|name| self.expected(name)).collect::<Result<_>>()?;
        Ok(config::Verify {
            target: self.target,
            paths: (!paths.is_empty()).then_some(paths),
            installed: self.installed.clone(),
            only_adds: (!self.only_adds.is_empty()).then(|| self.only_adds.clone()),
            provides: self.provides.clone(),
            types,
            ..config::Verify::default()
        })
    }

    fn expected(&self, name: &str) -> Result<ExpectedType> {
        let word = |text: &str| text.to_owned().try_into().map_err(anyhow::Error::msg);
        let property = |text: &String| {
            let (name, kind) = text
                .split_once('=')
                .with_context(|| format!("`{text}` is not NAME=KIND"))
                .help("such as `pool_id=str`")?;
            let name = PropertyName::try_from(name.to_owned()).map_err(anyhow::Error::msg)?;
            let kind = PropertyKind::try_from(kind.to_owned()).map_err(anyhow::Error::msg)?;
            Ok((name, kind))
        };
        let properties = self.properties.iter().map(property).collect::<Result<_>>()?;
        Ok(ExpectedType {
            name: word(name)?,
            parent: word(self.parent.as_deref().unwrap_or("pci-device"))?,
            interfaces: None,
            properties: (!self.properties.is_empty()).then_some(properties),
            pci: None,
            starts: Vec::new(),
            settings: None,
        })
    }

    /// Refuses to be silent about what is asked of packages alone.
    fn fits(&self, audit: &Inspection) -> Result<()> {
        let asked = [
            ("--target", self.target.is_some()),
            ("--installed", self.installed.is_some()),
            ("--path", !self.paths.is_empty()),
            ("--provides", !self.provides.is_empty()),
            ("--key", self.key.is_some()),
        ];
        match asked.into_iter().find(|(_, given)| *given && !audit.is_package()) {
            Some((option, _)) => Err(anyhow!(
                "`{option}` is asked of packages, and `{}` is a binary",
                self.what.display()
            )
            .help("give the package that it is in")),
            None => Ok(()),
        }
    }

    /// Fails where a rule is broken that is more than a warning, and where more changed than was asked.
    fn judge(
        &self,
        audit: &Inspection,
        changes: Option<&[Change]>,
        section: &config::Verify,
    ) -> Result<()> {
        if let (Some(changes), Some(_)) = (changes, &section.only_adds) {
            verify::only_adds(changes, &Allowed::by(section))?;
        }
        if let Subject::Package(package) = &audit.found {
            verify::require_provides(&[&package.facts], section)?;
        }
        let broken = audit.refused().count();
        let rules = if broken == 1 { "a rule" } else { "rules" };
        ensure!(broken == 0, "`{}` breaks {rules}", self.what.display());
        Ok(())
    }
}

/// The difference of two files of one kind.
fn compare(audit: &Inspection, old: &Inspection) -> Result<Vec<Change>> {
    if old.is_package() != audit.is_package() {
        return Err(anyhow!(
            "`{}` is {} and `{}` is {}: there is nothing to compare",
            audit.file.display(),
            kind(audit),
            old.file.display(),
            kind(old)
        )
        .help("give two packages, or two binaries"));
    }
    Ok(verify::difference(&old.snapshot(), &audit.snapshot()))
}

fn kind(audit: &Inspection) -> &'static str {
    if audit.is_package() { "a package" } else { "a binary" }
}

//! `verify`: the audit alone, on any RPM or ELF binary, and the difference to another.

use super::audit::{print, print_changes};
use super::{Failed, IntoFailed};
use crate::config::{self, ExpectedType, PropertyKind, PropertyName, Target};
use crate::openpgp::Certificate;
use crate::run::Loaded;
use crate::verify::{self, Allowed, Asked, Audit, Change, Installed};
use anyhow::{Context, Result, bail};
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
    #[arg(long = "only-adds", value_name = "NAME", requires = "against")]
    only_adds: Vec<String>,
    /// Judge it by the section `verify` of this pipeline file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["target", "device"])]
    pipeline: Option<PathBuf>,
    /// Judge it for these hosts
    #[arg(long)]
    target: Option<Target>,
    /// A QOM type that must be in it
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    /// The type that the device must derive from
    #[arg(long, value_name = "NAME", default_value = "pci-device", requires = "device")]
    parent: String,
    /// A property that the device must have; with one of them, it may have no others
    #[arg(long = "property", value_name = "NAME=KIND", requires = "device")]
    properties: Vec<String>,
    /// A file with public keys, of which one must have signed the package
    #[arg(long, value_name = "FILE")]
    signed_by: Option<PathBuf>,
    /// Print one JSON object on standard output
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Said<'a> {
    #[serde(flatten)]
    audit: &'a Audit,
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<&'a PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<&'a [Change]>,
}

impl Verify {
    pub fn run(&self) -> Result<(), Failed> {
        let (verify, installed) = self.section().input()?;
        let keys = self.keys().input()?;
        for file in [Some(&self.what), self.against.as_ref()].into_iter().flatten() {
            std::fs::metadata(file).with_context(|| format!("`{}`", file.display())).input()?;
        }
        let asked = Asked { verify: &verify, installed: installed.as_ref(), keys: &keys };
        let audit = verify::audit(&self.what, &asked).work()?;
        let changes = self.against.as_ref().map(|old| compare(&audit, old)).transpose().work()?;
        if self.json {
            let said = Said {
                audit: &audit,
                against: self.against.as_ref(),
                difference: changes.as_deref(),
            };
            say!("{}", serde_json::to_string(&said).map_err(anyhow::Error::from).work()?);
        } else {
            print(&audit, &verify.types);
            if let Some(changes) = &changes {
                print_changes(changes);
            }
        }
        if let Some(changes) = &changes {
            self.assert(changes, &verify).work()?;
        }
        verify::refuse(audit.refused()).with_context(|| format!("`{}`", self.what.display())).work()
    }

    /// What the file is held to, and the list of what is installed on the hosts.
    fn section(&self) -> Result<(config::Verify, Option<Installed>)> {
        let Some(file) = &self.pipeline else {
            let types = self.device.iter().map(|name| self.expected(name));
            let types = types.collect::<Result<_>>()?;
            return Ok((config::Verify { target: self.target, types, ..Default::default() }, None));
        };
        let loaded = Loaded::read(file)?;
        let installed = loaded.pipeline.verify.installed.as_ref();
        let installed = installed.map(|path| Installed::read(&loaded.beside.join(path)));
        Ok((loaded.pipeline.verify, installed.transpose()?))
    }

    fn expected(&self, name: &str) -> Result<ExpectedType> {
        let word = |text: &str| text.to_owned().try_into().map_err(anyhow::Error::msg);
        let property = |text: &String| {
            let (name, kind) = text.split_once('=').with_context(|| {
                format!("`{text}` is not NAME=KIND\nhelp: such as `pool_id=str`")
            })?;
            let name = PropertyName::try_from(name.to_owned()).map_err(anyhow::Error::msg)?;
            let kind = PropertyKind::try_from(kind.to_owned()).map_err(anyhow::Error::msg)?;
            Ok((name, kind))
        };
        let properties = self.properties.iter().map(property).collect::<Result<_>>()?;
        Ok(ExpectedType {
            name: word(name)?,
            parent: word(&self.parent)?,
            interfaces: None,
            properties: (!self.properties.is_empty()).then_some(properties),
            pci: None,
            starts: Vec::new(),
        })
    }

    fn keys(&self) -> Result<Vec<Certificate>> {
        let Some(file) = &self.signed_by else { return Ok(Vec::new()) };
        let shown = || format!("the keys in `{}`", file.display());
        Certificate::read(&std::fs::read(file).with_context(shown)?).with_context(shown)
    }

    /// Holds the difference to `--only-adds`, or to what the pipeline file says.
    fn assert(&self, changes: &[Change], verify: &config::Verify) -> Result<()> {
        let mut allowed = Allowed::by(verify);
        allowed.types.extend(self.only_adds.iter().map(String::as_str));
        if self.only_adds.is_empty() && verify.only_adds.is_none() {
            return Ok(());
        }
        verify::only_adds(changes, &allowed)
    }
}

/// The difference of two files of one kind.
fn compare(audit: &Audit, old: &PathBuf) -> Result<Vec<Change>> {
    let nothing = config::Verify::default();
    let old_audit =
        verify::audit(old, &Asked { verify: &nothing, installed: None, keys: &[] })?;
    if old_audit.is_package() != audit.is_package() {
        bail!(
            "`{}` is {} and `{}` is {}: there is nothing to compare\n\
             help: give two packages, or two binaries",
            audit.file.display(),
            kind(audit),
            old.display(),
            kind(&old_audit)
        );
    }
    Ok(verify::difference(&old_audit.portrait(), &audit.portrait()))
}

fn kind(audit: &Audit) -> &'static str {
    if audit.is_package() { "a package" } else { "a binary" }
}

//! `verify`: the audit alone, on any RPM or QEMU binary.

use super::{Failed, IntoFailed};
use crate::config::{ExpectedType, Level, PropertyKind, PropertyName, Target};
use crate::verify::{self, Audit, Finding, Installed, Policy, QomType, Signing};
use anyhow::Context;
use clap::Args;
use std::collections::BTreeMap;
use std::path::PathBuf;

const DEFAULT: &str = "vgpu-stub";

#[derive(Debug, Args)]
pub struct Verify {
    /// An RPM, or a QEMU binary
    what: PathBuf,
    /// The QOM type that must be in it; without it, `vgpu-stub` in every system emulator
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    /// The type that it must derive from
    #[arg(long, value_name = "NAME", default_value = "pci-device")]
    parent: String,
    /// A property that it must have, as all that are given; may be given several times
    #[arg(long = "property", value_name = "NAME=KIND")]
    properties: Vec<String>,
    /// Hold a package to what these hosts take: `el7`, `el8` or `el9`
    #[arg(long, value_name = "HOSTS", value_parser = target)]
    target: Option<Target>,
    /// A public key, or several, of which one must have signed a package
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// What the hosts have: a file as `verify.installed` names one
    #[arg(long, value_name = "FILE")]
    installed: Option<PathBuf>,
    /// A folder that a package may have files in, as all that are given
    #[arg(long = "path", value_name = "FOLDER")]
    paths: Vec<String>,
    /// Print one JSON object on standard output
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub fn run(&self) -> Result<(), Failed> {
        let expected = self.expected().input()?;
        std::fs::metadata(&self.what)
            .map_err(|error| anyhow::anyhow!("`{}`: {error}", self.what.display()))
            .input()?;
        let installed = self.installed.as_deref().map(Installed::read).transpose().input()?;
        let policy = Policy {
            target: self.target,
            paths: (!self.paths.is_empty()).then_some(self.paths.as_slice()),
            installed: installed.as_ref(),
            signing: if self.key.is_some() { Signing::Demanded } else { Signing::Unasked },
            ..Policy::default()
        };
        let demanded = self.device.is_some();
        let audit = verify::audit(&self.what, &[expected], demanded, self.key.as_deref(), &policy)
            .work()?;
        if self.json {
            say!("{}", serde_json::to_string(&audit).map_err(anyhow::Error::from).work()?);
        } else {
            print(&audit);
        }
        refuse(&audit).work()
    }

    fn expected(&self) -> anyhow::Result<ExpectedType> {
        let word = |text: &String| text.clone().try_into().map_err(anyhow::Error::msg);
        let property = |text: &String| {
            let (name, kind) = text.split_once('=').with_context(|| {
                format!("`{text}` is not NAME=KIND\nhelp: such as `pool_id=str`")
            })?;
            let name = PropertyName::try_from(name.to_owned()).map_err(anyhow::Error::msg)?;
            let kind = PropertyKind::try_from(kind.to_owned()).map_err(anyhow::Error::msg)?;
            Ok((name, kind))
        };
        let properties: BTreeMap<_, _> =
            self.properties.iter().map(property).collect::<anyhow::Result<_>>()?;
        Ok(ExpectedType {
            name: word(self.device.as_ref().unwrap_or(&DEFAULT.to_owned()))?,
            parent: word(&self.parent)?,
            interfaces: None,
            properties: (!properties.is_empty()).then_some(properties),
            pci: None,
            starts: Vec::new(),
        })
    }
}

fn target(text: &str) -> Result<Target, String> {
    serde_json::from_value(text.into()).map_err(|error| error.to_string())
}

/// Fails where a package breaks a rule that is more than a warning.
fn refuse(audit: &Audit) -> anyhow::Result<()> {
    let Audit::Package(audit) = audit else { return Ok(()) };
    let count = audit.findings.iter().filter(|one| one.level == Level::Require).count();
    let rules = if count == 1 { "a rule" } else { "rules" };
    anyhow::ensure!(count == 0, "{} breaks {rules}", audit.facts.nevra);
    Ok(())
}

fn print(audit: &Audit) {
    match audit {
        Audit::Binary { types } => types.iter().for_each(print_type),
        Audit::Package(audit) => {
            say!("{}", audit.facts.nevra);
            for binary in &audit.facts.binaries {
                say!("{} ({} bytes)", binary.path.display(), binary.size);
                binary.types.iter().for_each(print_type);
            }
            for of_rule in audit.findings.chunk_by(|one, next| one.rule == next.rule) {
                let mut help = "";
                for Finding { rule, level, what, help: told } in of_rule {
                    let level = if *level == Level::Require { "broken" } else { "warning" };
                    say!("{level} {rule}: {what}");
                    help = told;
                }
                say!("help: {help}");
            }
        }
    }
}

fn print_type(found: &QomType) {
    say!("  type       {}", found.name);
    say!("  parent     {}", found.parent);
    say!("  interfaces {}", found.interfaces.join(", "));
    let properties: Vec<String> = found.properties.iter().map(ToString::to_string).collect();
    say!("  properties {}", properties.join(", "));
}

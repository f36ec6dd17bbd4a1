//! `verify`: the audit alone, on any RPM or QEMU binary.

use super::{Failed, IntoFailed};
use crate::config::{ExpectedType, PropertyKind, PropertyName};
use crate::verify::{self, Audit, PackageFacts, QomType};
use anyhow::Context;
use clap::Args;
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct Verify {
    /// An RPM, or a QEMU binary
    what: PathBuf,
    /// The QOM type that must be in it
    #[arg(long, value_name = "NAME", default_value = "vgpu-stub")]
    device: String,
    /// The type that it must derive from
    #[arg(long, value_name = "NAME", default_value = "pci-device")]
    parent: String,
    /// A property that it must have, as all that are given; may be given several times
    #[arg(long = "property", value_name = "NAME=KIND")]
    properties: Vec<String>,
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
        let audit = verify::audit(&self.what, &[expected]).work()?;
        if self.json {
            say!("{}", serde_json::to_string(&audit).map_err(anyhow::Error::from).work()?);
        } else {
            print(&audit);
        }
        Ok(())
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
            name: word(&self.device)?,
            parent: word(&self.parent)?,
            interfaces: None,
            properties: (!properties.is_empty()).then_some(properties),
            pci: None,
            starts: Vec::new(),
        })
    }
}

fn print(audit: &Audit) {
    match audit {
        Audit::Binary { types } => types.iter().for_each(print_type),
        Audit::Package(PackageFacts { nevra, binaries, .. }) => {
            say!("{nevra}");
            for binary in binaries {
                say!("{} ({} bytes)", binary.path.display(), binary.size);
                binary.types.iter().for_each(print_type);
            }
        }
    }
}

fn print_type(found: &QomType) {
    say!("  type       {}", found.name);
    say!("  parent     {}", found.parent);
    say!("  interfaces {}", found.interfaces.join(", "));
    let properties: Vec<String> =
        found.properties.iter().flatten().map(ToString::to_string).collect();
    say!("  properties {}", properties.join(", "));
}

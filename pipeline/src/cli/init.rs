// SPDX-License-Identifier: GPL-2.0-or-later
//! `init`: a first device of one's own.

use super::{Classify, CommandError, Execute};
use crate::init::{self, Target};
use clap::{Args, ValueEnum};
use std::path::Path;

#[derive(Debug, Args)]
pub struct Init {
    /// The device's name: its QOM type, and the platform key that VMs get it by
    name: String,
    /// The distribution whose QEMU gets it
    #[arg(long = "for", value_name = "DISTRIBUTION", default_value = "workstation")]
    target: Distribution,
}

/// A [`Target`], as it is written on a command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Distribution {
    /// QEMU 7.2 of Debian 12, which runs on this machine
    Workstation,
    #[value(name = "xcp-ng-8.3")]
    XcpNg83,
    #[value(name = "xcp-ng-9-dev")]
    XcpNg9Dev,
}

impl From<Distribution> for Target {
    fn from(distribution: Distribution) -> Self {
        match distribution {
            Distribution::Workstation => Self::Workstation,
            Distribution::XcpNg83 => Self::XcpNg83,
            Distribution::XcpNg9Dev => Self::XcpNg9Dev,
        }
    }
}

impl Execute for Init {
    fn run(&self) -> Result<(), CommandError> {
        let target = Target::from(self.target);
        let written = init::write(&self.name, target, Path::new("")).usage()?;
        for file in &written.files {
            tell!("wrote {}", file.display());
        }
        for file in &written.kept {
            tell!("left {} as it is", file.display());
        }
        let pipeline = written.pipeline.display();
        let product = written.pipeline.file_stem().unwrap_or_default().display();
        tell!("next:");
        if target.wants_lock() {
            say!("vgpu-pipeline lock {pipeline}");
        }
        say!("vgpu-pipeline run {pipeline}");
        tell!("and on a host that knows the repository out/{product}, as root:");
        tell!("  yum --enablerepo={product} install qemu qemu-device-dom0");
        tell!("  qemu-device attach VM {}", self.name);
        Ok(())
    }
}

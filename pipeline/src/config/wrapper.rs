// SPDX-License-Identifier: GPL-2.0-or-later
//! The section `wrapper`.

use super::scalars::{RpmCapability, RpmVersion, Sha256};
use super::source::{ArchiveSource, PathSource};
use super::spec::Replacement;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What a dom0 gets beside QEMU: the package `qemu-device-dom0`, and the vendor's qemu-wrapper with the
/// device's lines in it, for hosts that cannot use the package's drop-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Wrapper {
    /// The vendor's qemu-wrapper.
    pub vendor: VendorWrapper,
    /// What the distribution changes in it.
    #[serde(default)]
    pub replace: Vec<Replacement>,
    /// The sha256 of the file that its hosts have, where `replace` makes that another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipped: Option<Sha256>,
    /// The distribution's package that it comes with. `bump` takes over the wrapper of a newer one, whose version
    /// then stands in the address too; `lock --check` says that there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<VendorPackage>,
    /// How the package takes part in the start of a VM.
    #[serde(default)]
    pub integration: Integration,
    /// The Python of the hosts, which patches the wrapper here too.
    #[serde(default)]
    pub python: Python,
}

/// Where the vendor's qemu-wrapper comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum VendorWrapper {
    /// A file from the web.
    Web(ArchiveSource),
    /// A file on this machine.
    Path(PathSource),
}

/// A package of the distribution's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VendorPackage {
    pub name: RpmCapability,
    /// Its version and release.
    pub version: RpmVersion,
}

/// How the package takes part in the start of a VM.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Integration {
    /// A file in `/etc/xenopsd.conf.d` points xenopsd at a wrapper of ours. No vendor file is touched.
    #[default]
    DropIn,
    /// The vendor's wrapper is patched, and again after each update: for XCP-ng 8.2, whose xenopsd
    /// reads no such folder.
    Patch,
}

/// A Python.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Python {
    #[default]
    Python3,
    Python2,
}

impl VendorWrapper {
    /// The file's name; [`super::validate`] has seen that it is a plain one.
    pub fn file_name(&self) -> &str {
        match self {
            Self::Web(web) => web.file_name(),
            Self::Path(path) => path.file.file_name().and_then(|n| n.to_str()).unwrap_or_default(),
        }
    }

    pub fn sha256(&self) -> &Sha256 {
        match self {
            Self::Web(web) => &web.sha256,
            Self::Path(path) => &path.sha256,
        }
    }

    /// The file, where it is one of this machine.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Web(_) => None,
            Self::Path(path) => Some(&path.file),
        }
    }
}

impl Wrapper {
    /// The digest of the file that hosts have.
    pub fn shipped(&self) -> &Sha256 {
        self.shipped.as_ref().unwrap_or(self.vendor.sha256())
    }
}

impl Python {
    /// The program's name, which is its place in `/usr/bin` too.
    pub fn program(self) -> &'static str {
        match self {
            Self::Python3 => "python3",
            Self::Python2 => "python2",
        }
    }
}

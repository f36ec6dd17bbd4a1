//! The section `environment`.

use super::words::{DebianPackage, Suite};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A Containerfile on a base. The image is built with the network off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// The Containerfile, relative to the pipeline file; it begins with `ARG BASE` and `FROM ${BASE}`.
    pub containerfile: PathBuf,
    /// What it stands on.
    pub base: Base,
}

/// What a Containerfile stands on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Base {
    /// A Debian root filesystem that mmdebstrap makes.
    Debian(DebianBase),
}

/// A Debian root filesystem, made from the apt sources of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DebianBase {
    /// The suite; its `-updates` and `-security` suites are taken with it where the machine has them.
    pub suite: Suite,
    /// The packages besides the essential ones.
    pub packages: Vec<DebianPackage>,
}

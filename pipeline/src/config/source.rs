//! The section `source`.

use super::words::{DebianPackage, DebianVersion, FileName, Sha256, Suite};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One source. All of them together are what rpmbuild finds in its SOURCES folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Source {
    /// The files of a Debian source package, from the apt sources of this machine.
    Debian(DebianSource),
    /// A file on this machine.
    Path(PathSource),
}

/// A Debian source package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DebianSource {
    /// The source package's name.
    pub package: DebianPackage,
    /// Its exact version; another one is never taken in its place.
    pub version: DebianVersion,
    /// The suite that serves it; its `-updates` and `-security` suites are looked at too.
    pub suite: Suite,
    /// Each file that is taken, with its pin. Files of the package that are not named are dropped.
    pub files: Vec<PinnedFile>,
}

/// A file by its name and the sha256 that it must have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PinnedFile {
    pub name: FileName,
    pub sha256: Sha256,
}

/// A file on this machine, relative to the pipeline file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PathSource {
    pub file: PathBuf,
    pub sha256: Sha256,
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The section `environment`.

use super::scalars::{
    DebianPackage, Fingerprint, ImageReference, LocalPath, Name, RpmCapability, Suite, WebUrl,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A Containerfile on a base. The image is built with the network off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// The Containerfile, relative to the pipeline file; it begins with `ARG BASE` and `FROM ${BASE}`.
    #[schemars(with = "LocalPath")]
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
    /// A container image with yum in it, and the packages that `lock` pins for it.
    Image(ImageBase),
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

/// A container image, and what its yum installs. `lock` resolves both once: the image to a digest, the
/// packages and all that they need to files by sha256. A build takes exactly those.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageBase {
    /// The image by registry, name and tag.
    pub reference: ImageReference,
    /// Where packages come from. The image's own repositories are not used.
    pub repositories: Vec<Repository>,
    /// What the environment needs.
    pub packages: Vec<RpmCapability>,
}

/// A yum repository, and the one key that its packages are signed with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// Its name in yum.
    pub id: Name,
    /// The folder that holds `repodata`.
    pub url: WebUrl,
    pub key: RepositoryKey,
    /// The only packages that it may give; all of them where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<RpmCapability>,
}

/// A public key: where it is published, and the fingerprint that it has to have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RepositoryKey {
    pub url: WebUrl,
    pub fingerprint: Fingerprint,
    /// Take packages that it signed over SHA-1 too; without this, they are refused.
    #[serde(default, rename = "accept-sha1", skip_serializing_if = "std::ops::Not::not")]
    pub accept_sha1: bool,
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The pipeline file: its types with their docs and defaults, and what makes a value a good one.
//!
//! A text is read twice. A parser of events makes a tree in which each value knows its place
//! ([`yaml`]), and all of it is held to the schema of its format ([`structure`]), which is made of the
//! types here and of the rules of their scalars ([`scalars`]); what only two fields together can show is
//! asked where both are sound ([`validate`]). A text with nothing wrong is then read into the types by
//! serde, which has the last word. So all mistakes of a file are known at once, each with its place
//! ([`mistake`]).
//!
//! No I/O ever enters this room: it is given the text and the name to use in errors, and reading a file
//! never runs anything.

mod build;
mod contract;
mod device;
mod environment;
mod file;
mod formats;
mod local;
mod lock;
mod mistake;
mod nearest;
mod operator;
mod path;
mod pattern;
mod platform_key;
mod publish;
mod rewrite;
mod scalars;
mod settings;
mod sign;
mod snippet;
mod source;
mod spec;
mod structure;
mod table;
mod validate;
mod verify;
mod wrapper;
mod yaml;

use file::File;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use build::{Build, TestBinary};
pub use contract::parse as parse_contract;
pub use device::Device;
pub use environment::{Base, DebianBase, Environment, ImageBase, Repository};
pub use local::{LocalFile, LocalRole, Unusable, unusable_files};
pub use lock::{Lock, LockedImage, LockedKey, LockedPackage};
pub use mistake::Mistakes;
pub use nearest::nearest;
pub use operator::{Admitted, PropertySetting};
pub use platform_key::is_taken as is_platform_key;
pub use publish::{Client, Publish};
pub use rewrite::rewrite;
pub use scalars::{
    Commit, DebianPackage, FileName, Fingerprint, GitRef, GitUrl, ImageDigest, ImageReference,
    Line, MacroName, Name, PackagePattern, PropertyKind, PropertyName, PropertyValue, QomType,
    ReleaseSuffix, RpmCapability, Sha256, Sha512, SourceFile, TreeFolder, TreePath, WebUrl,
};
pub use settings::Settings;
pub use sign::{KeySource, Sign};
pub use source::*;
#[cfg(test)]
pub use spec::{Definition, Replacement};
pub use spec::{Edit, Insert, Insertion, Spec};
pub use verify::{Bar, BarKind, ExpectedType, Guest, Pci, Start, Stock, Verify};
pub use wrapper::{Integration, Python, VendorPackage, VendorWrapper, Wrapper};

/// The format that this program reads. A file of another version is refused before anything else.
pub const FORMAT: u32 = 1;

/// A pipeline: one product, from pinned sources to a signed repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pipeline {
    /// The version of this format: 1.
    #[schemars(extend("const" = FORMAT))]
    pub version: u32,
    /// The name of the product; it names the output folder, the image and the repository.
    pub name: Name,
    /// What is built, every byte of it pinned.
    #[serde(with = "serde_yaml::with::singleton_map_recursive")]
    #[schemars(with = "Vec<Source>", length(min = 1))]
    pub source: Vec<Source>,
    /// The container in which it is built and probed.
    #[serde(with = "serde_yaml::with::singleton_map_recursive")]
    #[schemars(with = "Environment")]
    pub environment: Environment,
    /// The devices that are put in.
    #[schemars(length(min = 1))]
    pub device: Vec<Device>,
    /// The spec file and the edits that carry the devices.
    #[serde(with = "serde_yaml::with::singleton_map_recursive")]
    #[schemars(with = "Spec")]
    pub spec: Spec,
    /// How rpmbuild is called.
    #[serde(default, with = "serde_yaml::with::singleton_map_recursive")]
    #[schemars(with = "Build")]
    pub build: Build,
    /// What a dom0 gets beside QEMU.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "serde_yaml::with::singleton_map_recursive"
    )]
    #[schemars(with = "Option<Wrapper>")]
    pub wrapper: Option<Wrapper>,
    /// What the built package must prove before it may be signed.
    #[serde(with = "serde_yaml::with::singleton_map_recursive")]
    #[schemars(with = "Verify")]
    pub verify: Verify,
    /// The key that signs; a development key where none is named.
    #[serde(default, with = "serde_yaml::with::singleton_map_recursive")]
    #[schemars(with = "Sign")]
    pub sign: Sign,
    /// The yum repository that comes out.
    #[serde(default)]
    pub publish: Publish,
}

/// Reads a pipeline from its text. `name` is what errors call the file.
pub fn parse(text: &str, name: &str) -> Result<Pipeline, Mistakes> {
    let mut file = File::read(text, name, formats::pipeline());
    let violations = validate::check(&file);
    file.report(violations);
    let help =
        format!("this program reads `version: {FORMAT}`; a newer vgpu-pipeline may read yours");
    file.refuse_version(FORMAT, "pipeline", help);
    file.finish()
}

/// The JSON schema of the format, for editors; `pipeline/schema.json` is this.
pub fn schema() -> serde_json::Value {
    formats::pipeline().schema.clone()
}

#[cfg(test)]
mod tests;

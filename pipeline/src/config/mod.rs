//! The pipeline file: its types with their docs and defaults, and what makes a value a good one.
//!
//! A field's type says what it accepts, so that a refusal carries line and column; what only two
//! fields together can show is checked in [`check`]. No I/O ever enters this room: it is given the
//! text and the name to use in errors, and reading a file never runs anything.

mod build;
mod check;
mod contract;
mod device;
mod environment;
mod error;
mod lock;
mod publish;
mod settings;
mod sign;
mod source;
mod spec;
mod verify;
mod words;
mod wrapper;
mod yaml;

use anyhow::{Result, bail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use build::{Build, TestBinary};
pub use contract::parse as parse_contract;
pub use device::Device;
pub use environment::{Base, DebianBase, Environment, ImageBase, Repository};
pub use error::nearest;
pub use lock::{Lock, LockedImage, LockedKey, LockedPackage};
pub use publish::Publish;
pub use settings::Settings;
pub use sign::{KeySource, Sign};
pub use source::{CommitArchive, DebianSource, GitSource, LfsObject, Lookaside, Source};
#[cfg(test)]
pub use spec::{Definition, Replacement};
pub use spec::{Edit, Insert, Insertion, Spec};
pub use verify::{Bar, BarKind, ExpectedType, Guest, Pci, Start, Stock, Verify};
pub use words::{
    Commit, DebianPackage, FileName, Fingerprint, GitRef, GitUrl, ImageDigest, ImageReference,
    Line, MacroName, Name, PropertyKind, PropertyName, QomType, RpmCapability, Sha256, Sha512,
    SourceFile, TreeFolder, TreePath, WebUrl,
};
pub use wrapper::{Integration, Python, VendorWrapper, Wrapper};

/// The format that this program reads. A file of another version is refused before anything else.
pub const FORMAT: u32 = 1;

/// A pipeline: one product, from pinned sources to a signed repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pipeline {
    /// The version of this format: 1.
    pub version: u32,
    /// The name of the product; it names the output folder, the image and the repository.
    pub name: Name,
    /// What is built, every byte of it pinned.
    #[serde(with = "serde_yaml::with::singleton_map_recursive")]
    #[schemars(with = "Vec<Source>")]
    pub source: Vec<Source>,
    /// The container in which it is built and probed.
    #[serde(with = "serde_yaml::with::singleton_map_recursive")]
    #[schemars(with = "Environment")]
    pub environment: Environment,
    /// The devices that are put in.
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

/// Reads a pipeline from its text. `file` is the name that errors carry.
pub fn parse(text: &str, file: &str) -> Result<Pipeline> {
    let value: serde_yaml::Value = yaml::read(text, file)?;
    match value.get("version").map(serde_yaml::Value::as_u64) {
        Some(Some(found)) if found != u64::from(FORMAT) => bail!(
            "{file}: pipeline format version {found} is not known\n\
             help: this program reads `version: {FORMAT}`; a newer vgpu-pipeline may read yours"
        ),
        _ => {}
    }
    let pipeline: Pipeline = yaml::read(text, file)?;
    check::check(&pipeline).map_err(|problem| problem.at(text, file))?;
    Ok(pipeline)
}

/// The JSON schema of the format, for editors; `pipeline/schema.json` is this.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Pipeline).to_value()
}

#[cfg(test)]
mod tests;

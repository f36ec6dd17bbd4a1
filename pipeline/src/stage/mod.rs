// SPDX-License-Identifier: GPL-2.0-or-later
//! What a stage is: a step with a name, a revision, a recipe of its key, typed inputs, needs, a run, and
//! notes about its result.
//!
//! Each stage's room has one type that is a [`Step`]. `run` composes them. What a step takes is one
//! tuple: its members are what its key depends on and what its run is given, so there is no second list.

mod context;
mod key;
mod needs;
mod slot;

use crate::digest;
use crate::note::Note;
use crate::store::Stored;
use anyhow::Result;
pub use context::{Context, made_of};
pub use key::{CacheKey, KeyBuilder};
pub use needs::{Needs, Network};
use serde::{Deserialize, Serialize};
pub use slot::{Edge, Slot, Takes};
use std::collections::BTreeSet;

/// The stages, in the order in which they run.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    Source,
    Environment,
    Inject,
    Stock,
    Build,
    Dom0,
    Verify,
    Sign,
    Publish,
}

impl Stage {
    pub fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Environment => "environment",
            Self::Inject => "inject",
            Self::Stock => "stock",
            Self::Build => "build",
            Self::Dom0 => "dom0",
            Self::Verify => "verify",
            Self::Sign => "sign",
            Self::Publish => "publish",
        }
    }
}

/// One step of a plan. Its key is unknown while it depends on an environment or a signing key that is not
/// there yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedStep {
    pub stage: Stage,
    pub key: Option<CacheKey>,
}

/// What a stage hands to others: a result in the store, as a type of its own.
pub trait Value: Sized + 'static {
    /// Whether keys depend on what is in it instead of on its own key: the same declaration may give
    /// another environment on another day.
    const KEYED_BY_CONTENT: bool = false;

    fn stored(&self) -> &Stored;

    /// The digest of what is in it, as others see it: what is made of it is no longer good when that
    /// changes. Of its files, unless somebody is told what is in its facts.
    fn content(&self) -> Result<String> {
        Ok(self.stored().content())
    }

    /// The results in the store of which something that others read by it is not as it was kept.
    fn damaged(&self) -> Vec<Stored> {
        let stored = self.stored();
        if stored.intact() { Vec::new() } else { vec![stored.clone()] }
    }

    /// What provenance says of it.
    fn materials(&self) -> Result<Materials> {
        Ok(Materials::default())
    }
}

/// The values of all that a stage takes.
pub type Taken<'s, S> = <<S as Step>::Takes<'s> as Takes>::Values;

/// A stage's part in the composition.
pub trait Step {
    const STAGE: Stage;
    /// The version of what it makes of the same inputs: raised with every change of that.
    const REVISION: u32;
    type Value: Value;
    type Takes<'s>: Takes;

    /// Adds what the result depends on besides what it takes; none while something of it is not known.
    fn recipe(&self, key: KeyBuilder, takes: &Self::Takes<'_>) -> Option<KeyBuilder>;

    /// What has to be there before any work, where it has to run.
    fn needs(&self, network: Network) -> Result<Needs>;

    fn run(&self, cx: &Context, taken: Taken<'_, Self>) -> Result<Self::Value>;

    /// The value of a result in the store.
    fn recall(&self, stored: Stored, taken: Taken<'_, Self>) -> Result<Self::Value>;

    /// What people want to see of a result that was made now.
    fn notes(&self, value: &Self::Value) -> Result<Vec<Note>>;

    /// What they want to see of one that the store had.
    fn notes_when_cached(&self, _value: &Self::Value) -> Result<Vec<Note>> {
        Ok(Vec::new())
    }
}

/// What went into a result, for its provenance.
#[derive(Debug, Default)]
pub struct Materials {
    pub files: Vec<Material>,
    /// The hosts that were asked; what a mirror folder or the store had is not among them.
    pub contacted: BTreeSet<String>,
}

/// One file by its digests.
#[derive(Debug, Clone, Serialize)]
pub struct Material {
    /// What it is: `source`, `device`, `spec`, …, or `output`.
    pub role: &'static str,
    pub name: String,
    pub size: u64,
    pub blake3: String,
    pub sha256: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
}

impl Material {
    /// A file of a result, by its name there.
    pub fn of(role: &'static str, stored: &Stored, file: &str) -> Result<Self> {
        let record = stored.record_of(file)?;
        let sha256 = stored.sha256(file)?;
        let (size, blake3) = (record.size, record.blake3.clone());
        Ok(Self { role, name: file.to_owned(), size, blake3, sha256, origin: None })
    }

    /// Bytes that a person wrote.
    pub fn of_text(role: &'static str, name: &str, text: &str) -> Self {
        let (blake3, sha256) = (digest::blake3(text.as_bytes()), digest::sha256(text.as_bytes()));
        let (name, size) = (name.to_owned(), text.len() as u64);
        Self { role, name, size, blake3, sha256, origin: None }
    }

    /// By the name that people know.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    #[must_use]
    pub fn from(mut self, origin: Option<&str>) -> Self {
        self.origin = origin.map(str::to_owned);
        self
    }
}

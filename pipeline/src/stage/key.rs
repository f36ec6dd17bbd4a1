// SPDX-License-Identifier: GPL-2.0-or-later
//! A step's key: blake3 of a canonical record in which every field carries its name and length, so that
//! no two different records read alike.

use super::{Edge, Stage};
use crate::store::Stored;
use serde::{Deserialize, Serialize};

/// The version of the store's layout and of this record's form.
const FORMAT: u32 = 2;

/// The content address of a step's result.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CacheKey(String);

impl CacheKey {
    /// The one that a result is kept under.
    pub fn of(stored: &Stored) -> Self {
        Self(stored.key().to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Enough of it for people and for names that have a limit.
    pub fn short(&self) -> &str {
        self.0.get(..16).unwrap_or(&self.0)
    }
}

/// Collects what a step's result depends on.
pub struct KeyBuilder(blake3::Hasher);

impl KeyBuilder {
    pub fn new(stage: Stage, revision: u32) -> Self {
        Self(blake3::Hasher::new())
            .field("format", &FORMAT.to_le_bytes())
            .text("stage", stage.name())
            .field("revision", &revision.to_le_bytes())
    }

    pub fn text(self, name: &str, value: &str) -> Self {
        self.field(name, value.as_bytes())
    }

    /// A part of the validated pipeline; serde writes struct fields in order and maps sorted.
    pub fn config<T: Serialize>(self, name: &str, value: &T) -> Self {
        let canonical = serde_json::to_vec(value)
            .unwrap_or_else(|problem| unreachable!("config types are plain JSON: {problem}"));
        self.field(name, &canonical)
    }

    /// What the step takes of others; none while one of them is not known.
    pub fn takes(self, edges: &[Edge]) -> Option<Self> {
        edges
            .iter()
            .try_fold(self, |key, edge| Some(key.text(edge.stage.name(), edge.id.as_deref()?)))
    }

    pub fn key(self) -> CacheKey {
        CacheKey(self.0.finalize().to_hex().to_string())
    }

    fn field(mut self, name: &str, value: &[u8]) -> Self {
        for part in [name.as_bytes(), value] {
            self.0.update(&(part.len() as u64).to_le_bytes());
            self.0.update(part);
        }
        self
    }
}

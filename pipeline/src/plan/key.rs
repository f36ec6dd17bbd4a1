//! A step's key: blake3 of a canonical record in which every field carries its name and length, so
//! that no two different records read alike.

use super::Stage;
use serde::{Deserialize, Serialize};

/// The version of the store's layout and of this record's form.
const FORMAT: u32 = 1;

/// The content address of a step's result.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Key(String);

impl Key {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Enough of it for people and for names that have a limit.
    pub fn short(&self) -> &str {
        self.0.get(..16).unwrap_or(&self.0)
    }
}

/// Collects what a step's result depends on.
pub struct Recipe(blake3::Hasher);

impl Recipe {
    pub fn new(stage: Stage) -> Self {
        Self(blake3::Hasher::new())
            .field("format", &FORMAT.to_le_bytes())
            .text("stage", stage.name())
            .field("rule", &stage.rule().to_le_bytes())
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

    pub fn takes(self, key: &Key) -> Self {
        self.text("takes", key.as_str())
    }

    pub fn key(self) -> Key {
        Key(self.0.finalize().to_hex().to_string())
    }

    fn field(mut self, name: &str, value: &[u8]) -> Self {
        for part in [name.as_bytes(), value] {
            self.0.update(&(part.len() as u64).to_le_bytes());
            self.0.update(part);
        }
        self
    }
}

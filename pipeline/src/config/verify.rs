//! The section `verify`.

use super::words::{Line, QomType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the built package must prove.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// The types that the package's QEMU must register.
    pub types: Vec<ExpectedType>,
    /// Capabilities that the package must provide, as rpm writes them.
    #[serde(default)]
    pub provides: Vec<Line>,
}

/// A QOM type as it must stand in the binary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectedType {
    pub name: QomType,
    /// The type that it derives from.
    #[serde(default = "pci_device")]
    pub parent: QomType,
    /// Interfaces that it must implement.
    #[serde(default)]
    pub interfaces: Vec<QomType>,
    /// Properties that it must have, by name.
    #[serde(default)]
    pub properties: Vec<Line>,
}

fn pci_device() -> QomType {
    QomType::try_from("pci-device".to_owned())
        .unwrap_or_else(|problem| unreachable!("default: {problem}"))
}

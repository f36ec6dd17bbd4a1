//! The section `verify`.

use super::words::{Line, QomType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the built package must prove.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// The hosts that the package is for: what their rpm or libraries would refuse is refused here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// The types that the package's QEMU must register.
    pub types: Vec<ExpectedType>,
    /// Capabilities that the package must provide, as rpm writes them.
    #[serde(default)]
    pub provides: Vec<Line>,
}

/// A family of hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// CentOS 7 and what stands on it, such as XCP-ng 8.3's dom0: rpm 4.11, glibc 2.17.
    El7,
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

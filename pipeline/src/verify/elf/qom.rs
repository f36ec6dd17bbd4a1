//! What the census says: plain values, which the rest of the crate may keep, compare and print.

use super::properties::Layout as PropertyLayout;
use super::types::Layout;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The QOM types of one binary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Qom {
    /// The form of `TypeInfo`; none where the binary has no types.
    pub layout: Option<Layout>,
    /// The form of `Property`; none where it could not be settled.
    pub property_layout: Option<PropertyLayout>,
    /// By name.
    pub types: Vec<QomType>,
    /// What loadable modules would add.
    pub modules: Vec<Module>,
    /// What is known to be outside of `types`, in numbers.
    pub outside: Outside,
}

impl Qom {
    /// How many bytes its words take.
    pub fn text(&self) -> usize {
        self.types.iter().map(QomType::text).sum()
    }
}

/// What a binary says of one QOM type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QomType {
    pub name: String,
    /// Empty in the two roots.
    pub parent: String,
    /// As the structure says; QEMU makes interfaces abstract later.
    #[serde(rename = "abstract")]
    pub is_abstract: bool,
    /// Its own; those of its parents come on top.
    pub interfaces: Vec<String>,
    /// The type's own table, in its order; the parent's properties come on top of it. None where
    /// it could not be settled.
    pub properties: Option<Vec<Property>>,
    /// Why `properties` is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsettled: Option<String>,
    /// In bytes; 0 where it is the parent's, or set when the program runs.
    pub instance_size: u64,
    /// In bytes; 0 where it is the parent's, or set when the program runs.
    pub class_size: u64,
    /// Whether it has a `class_init`.
    pub class_init: bool,
    /// The table that the program makes this type from; none for a `TypeInfo` of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<Family>,
    /// Why a running program may not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditional: Option<String>,
}

impl QomType {
    /// How many bytes its words take, with a little for each.
    pub fn text(&self) -> usize {
        const EACH: usize = 32;
        let properties = self.properties.iter().flatten();
        let properties = properties.map(|property| property.name.len() + 2 * EACH);
        let interfaces = self.interfaces.iter().map(|interface| interface.len() + EACH);
        self.name.len() + self.parent.len() + 4 * EACH + properties.chain(interfaces).sum::<usize>()
    }
}

/// The tables that types are made from when the program starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// `VirtioPCIDeviceTypeInfo`.
    VirtioPci,
    /// `X86CPUDefinition` and its versions.
    X86Cpu,
    /// `ARMCPUInfo`.
    ArmCpu,
    /// An array whose elements begin with a name, and a loop over it: `e1000`, `i82550`, …
    Table,
}

/// An entry of a type's property table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Property {
    pub name: String,
    /// As `-device TYPE,help` has it: `str`, `uint32`, … None where it is made at run time.
    pub kind: Option<String>,
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=<{}>", self.name, self.kind.as_deref().unwrap_or("?"))
    }
}

/// A loadable module, as the list in the binary has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Module {
    /// `hw-display-qxl`, …
    pub name: String,
    /// The QOM types that it brings.
    pub types: Vec<String>,
}

/// What the census knows to be outside of itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outside {
    /// Calls that register a type which the program makes first, and of which no table is known.
    pub made_at_run_time: usize,
    /// What has the form of a type, but a line of parents that leads nowhere in this binary.
    pub without_root: usize,
}

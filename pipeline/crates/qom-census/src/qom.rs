// SPDX-License-Identifier: GPL-2.0-or-later
//! What the census says: plain values, which a caller may keep, compare and print.

use crate::{PropertyLayout, TypeInfoLayout};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The QOM types of one binary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Qom {
    /// The form of `TypeInfo`; none where the binary has no types.
    pub layout: Option<TypeInfoLayout>,
    /// The form of `Property`; none where it could not be told.
    pub property_layout: Option<PropertyLayout>,
    /// By name.
    pub types: Vec<QomType>,
    /// What loadable modules would add.
    pub modules: Vec<Module>,
    /// What is known to be missing in `types`, in numbers; `outside` where it is serialised.
    #[serde(rename = "outside")]
    pub uncounted: Uncounted,
}

impl Qom {
    /// About how many bytes the names in it take: what a caller may hold to a bound.
    #[must_use]
    pub fn text(&self) -> usize {
        self.types.iter().map(QomType::text).sum()
    }
}

/// What a binary says of one QOM type (`struct TypeInfo` in QEMU's `include/qom/object.h`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QomType {
    /// As `-device` and `qom-list-types` have it.
    pub name: String,
    /// Empty in the two roots.
    pub parent: String,
    /// As the structure says; QEMU makes interfaces abstract later.
    #[serde(rename = "abstract")]
    pub is_abstract: bool,
    /// Its own; those of its parents come on top.
    pub interfaces: Vec<String>,
    /// The type's own table, in its order; the parent's properties come on top of it. None where
    /// it could not be resolved.
    pub properties: Option<Vec<Property>>,
    /// Why `properties` is none; `unsettled` where it is serialised.
    #[serde(rename = "unsettled", default, skip_serializing_if = "Option::is_none")]
    pub unresolved: Option<String>,
    /// In bytes; 0 where it is the parent's, or set when the program runs.
    pub instance_size: u64,
    /// In bytes; 0 where it is the parent's, or set when the program runs.
    pub class_size: u64,
    /// Whether it has a `class_init`.
    pub class_init: bool,
    /// The table that the program makes this type from; none for a `TypeInfo` of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<Family>,
    /// Why a running program may not know it, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditional: Option<String>,
}

impl QomType {
    /// About how many bytes its names take, with a little for each.
    #[must_use]
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

/// An entry of a type's property table (`struct Property` in QEMU's `hw/qdev-properties.h`), shown as
/// `name=<kind>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Property {
    /// As `-device TYPE,NAME=` has it.
    pub name: String,
    /// As `-device TYPE,help` has it: `str`, `uint32`, … None where it is made at run time.
    pub kind: Option<String>,
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=<{}>", self.name, self.kind.as_deref().unwrap_or("?"))
    }
}

/// A loadable module, as the list in the binary has it (`struct QemuModinfo`, since QEMU 6.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Module {
    /// `hw-display-qxl`, …
    pub name: String,
    /// The QOM types that it brings.
    pub types: Vec<String>,
}

/// What the census knows that it did not count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uncounted {
    /// Calls that register a type which the program makes first, and of which no table is known.
    pub made_at_run_time: usize,
    /// What has the form of a type, but a line of parents that leads nowhere in this binary.
    pub without_root: usize,
}

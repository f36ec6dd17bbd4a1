// SPDX-License-Identifier: GPL-2.0-or-later
//! The section `verify`.

use super::operator::DeviceSettings;
use super::scalars::{
    HostPath, Line, LocalPath, PropertyKind, PropertyName, PropertyValue, QomType, Register,
};
use super::spec::Edit;
use super::table::Table;
use crate::rules::{Level, Rule, Target};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What the built package must prove.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// The hosts that the package is for: what their rpm or libraries would refuse is refused here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// Levels of rules that are other than their own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "Table<Rule, Level>")]
    pub rules: BTreeMap<Rule, Level>,
    /// The folders that packages may have files in, at least one; without it, those that packages commonly have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub paths: Option<Vec<HostPath>>,
    /// A list of what is installed on the hosts, of which no file may be replaced: the output of
    /// `rpm -qa --qf '[%{=NAME} %{FILEMODES:octal} %{FILENAMES}\n]'`. A path relative to this file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<LocalPath>")]
    pub installed: Option<PathBuf>,
    /// Files that each say of one type what it must be, in the form of an entry of `types`. Paths
    /// relative to this file. What they say counts, and not where they are.
    #[serde(default, skip_serializing)]
    #[schemars(with = "Vec<LocalPath>")]
    pub contracts: Vec<PathBuf>,
    /// The types that the package's QEMU must register, besides those of the contracts.
    #[serde(default)]
    pub types: Vec<ExpectedType>,
    /// Capabilities that the package must provide, as rpm writes them.
    #[serde(default)]
    pub provides: Vec<Line>,
    /// The same package without the devices, to compare with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stock: Option<Stock>,
    /// The QOM types that are all that ours may have more than the stock package; nothing else of its
    /// QEMU, its files, dependencies and scriptlets may differ.
    #[serde(default, rename = "only-adds", skip_serializing_if = "Option::is_none")]
    pub only_adds: Option<Vec<QomType>>,
    /// Boots a Linux guest with each device, where the machine has a kernel for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest: Option<Guest>,
}

/// Where the stock package comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Stock {
    /// It is built, once, in the same environment.
    Build(StockBuild),
}

/// A build of the spec as it came.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StockBuild {
    /// Edits without which not even the stock spec would build here.
    #[serde(default)]
    pub edits: Vec<Edit>,
}

/// A QOM type as it must stand in the binary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectedType {
    pub name: QomType,
    /// The type that it derives from.
    #[serde(default = "pci_device")]
    pub parent: QomType,
    /// The interfaces that it must implement, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interfaces: Option<Vec<QomType>>,
    /// The properties of its own table, all of them, with their kinds as `-device TYPE,help` has
    /// them: `str`, `uint32`, `bool`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Table<PropertyName, PropertyKind>>")]
    pub properties: Option<BTreeMap<PropertyName, PropertyKind>>,
    /// What its PCI configuration space must say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pci: Option<Pci>,
    /// How it must start, with which properties.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub starts: Vec<Start>,
    /// What an operator may set of it for a VM. Without it, no VM is given the device by the package for
    /// dom0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<DeviceSettings>,
}

/// The header of a PCI function (PCI Local Bus Specification 3.0, 6.1), after reset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pci {
    pub vendor: u16,
    pub device: u16,
    pub revision: u8,
    /// Base class and subclass.
    pub class: u16,
    pub subsystem_vendor: u16,
    pub subsystem: u16,
    /// 0 where it claims none.
    #[schemars(range(max = 4))]
    pub interrupt_pin: u8,
    /// Its base address registers; it may have no other.
    pub bars: Vec<Bar>,
}

/// A base address register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bar {
    #[schemars(range(max = 5))]
    pub index: u8,
    pub kind: BarKind,
    /// In bytes.
    pub size: u64,
    #[serde(default)]
    pub prefetchable: bool,
}

/// What a BAR maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BarKind {
    Io,
    Memory32,
    Memory64,
}

/// One start of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// The properties that it is given; none of those that say where it is plugged in.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "Table<PropertyName, PropertyValue>")]
    pub with: BTreeMap<PropertyName, PropertyValue>,
    /// It must not start, and QEMU's message is this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Line>,
    /// 32-bit registers of BAR 0 and what they read.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "Table<Register, u32>")]
    pub reads: BTreeMap<u64, u32>,
    /// Registers that are then written, in the order of their offsets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "Table<Register, u32>")]
    pub writes: BTreeMap<u64, u32>,
    /// What registers read after that.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "Table<Register, u32>")]
    pub then: BTreeMap<u64, u32>,
}

/// The boot of a guest. Only the machine's own files are used, and what it lacks is said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Guest {
    /// The kernel, relative to this file; without it, the newest in `/boot`. What it is counts, and not
    /// where it is.
    #[serde(default, skip_serializing)]
    #[schemars(with = "Option<LocalPath>")]
    pub kernel: Option<PathBuf>,
}

fn pci_device() -> QomType {
    QomType::try_from("pci-device".to_owned())
        .unwrap_or_else(|problem| unreachable!("default: {problem}"))
}

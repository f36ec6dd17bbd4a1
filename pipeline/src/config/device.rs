// SPDX-License-Identifier: GPL-2.0-or-later
//! The section `device`.

use super::scalars::{CFile, CMacro, CValue, ConfigSymbol, QomType, TreePath};
use super::table::Table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A device: one C file, and how QEMU's build takes it in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// The QOM type that it registers.
    #[serde(rename = "type")]
    pub qom_type: QomType,
    /// Its C file, relative to the pipeline file.
    #[schemars(with = "CFile")]
    pub source: PathBuf,
    /// The folder of QEMU's tree that it is copied to.
    #[serde(default = "default_directory")]
    pub directory: TreePath,
    /// The symbol under which it is built. `CONFIG_PCI` survives `--without-default-devices`.
    #[serde(default = "default_condition")]
    pub condition: ConfigSymbol,
    /// Macros that are defined before its first line, such as `VGPU_STUB_VENDOR_ID: "0x1af4"`. The file
    /// has to take them in place of its own, by `#ifndef`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "Table<CMacro, CValue>")]
    pub defines: BTreeMap<CMacro, CValue>,
}

impl Device {
    /// The name of its C file; its rule has seen that it is a plain one.
    pub fn file_name(&self) -> &str {
        self.source.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }
}

fn literal<T: TryFrom<String, Error = String>>(text: &str) -> T {
    T::try_from(text.to_owned()).unwrap_or_else(|problem| unreachable!("default: {problem}"))
}

fn default_directory() -> TreePath {
    literal("hw/misc")
}

fn default_condition() -> ConfigSymbol {
    literal("CONFIG_PCI")
}

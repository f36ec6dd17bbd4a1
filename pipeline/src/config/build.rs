// SPDX-License-Identifier: GPL-2.0-or-later
//! The section `build`.

use super::Edit;
use super::scalars::{Line, MacroName, MacroValue, Memory, TreePath};
use super::table::Table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How rpmbuild is called.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Build {
    /// Macros for rpmbuild's `--define`.
    #[schemars(with = "Table<MacroName, MacroValue>")]
    pub define: BTreeMap<MacroName, Line>,
    /// Whether rpmbuild leaves `BuildRequires` unchecked: needed where the environment's packages are
    /// not rpm's own, as on Debian.
    pub nodeps: bool,
    /// What the build may use.
    pub limits: Limits,
    /// One more binary of the same sources, built in another way, for tests. It is in no package.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_binary: Option<TestBinary>,
}

/// A binary that shows what the shipped one cannot: XCP-ng's QEMU starts no machine without Xen, and
/// with one more line of configuration it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestBinary {
    /// The file in the tree that %build leaves, such as `i386-softmmu/qemu-system-i386`.
    pub file: TreePath,
    /// Edits of the spec, over those of `spec`.
    pub edits: Vec<Edit>,
}

/// Limits of the container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Memory, such as `8GiB`.
    pub memory: Memory,
    /// Processes and threads at one time.
    #[schemars(range(min = 1))]
    pub pids: u32,
}

impl Default for Limits {
    fn default() -> Self {
        let memory = Memory::try_from("8GiB".to_owned());
        Self {
            memory: memory.unwrap_or_else(|problem| unreachable!("default: {problem}")),
            pids: 4096,
        }
    }
}

//! The section `build`.

use super::words::{Line, MacroName, Memory};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How rpmbuild is called.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Build {
    /// Macros for rpmbuild's `--define`.
    pub define: BTreeMap<MacroName, Line>,
    /// Whether rpmbuild leaves `BuildRequires` unchecked: needed where the environment's packages are
    /// not rpm's own, as on Debian.
    pub nodeps: bool,
    /// What the build may use.
    pub limits: Limits,
}

/// Limits of the container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Memory, such as `8GiB`.
    pub memory: Memory,
    /// Processes and threads at one time.
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

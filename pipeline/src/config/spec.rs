// SPDX-License-Identifier: GPL-2.0-or-later
//! The section `spec`: the spec file and its typed edits.

use super::scalars::{
    FileName, Line, MacroName, MacroValue, PlainFile, QomType, ReleaseSuffix, TreePath,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A spec and what is changed in it. Either `file` or `git` says where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The spec on this machine, relative to the pipeline file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<PlainFile>")]
    pub file: Option<PathBuf>,
    /// The spec in the pipeline's git source, relative to the top of that tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<TreePath>,
    /// The edits, applied in this order.
    pub edits: Vec<Edit>,
}

impl Spec {
    /// The name of its file; [`super::validate`] has seen that there is one, and a plain one.
    pub fn file_name(&self) -> &str {
        let in_tree = self.git.as_ref().map(|path| Path::new(path.as_str()));
        let path = self.file.as_deref().or(in_tree);
        path.and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default()
    }
}

/// An edit of the spec. Its anchor must stand in exactly one line; an edit that the spec already
/// satisfies changes nothing and is reported so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Edit {
    /// Declare a device's C file as the source after the highest one in use.
    AddSource(FileName),
    /// Insert behind the line that holds the anchor.
    InsertAfter(Insertion),
    /// Insert before the line that holds the anchor.
    InsertBefore(Insertion),
    /// Replace one piece of text by another.
    Replace(Replacement),
    /// Drop a patch: its `PatchN:` line and the `%patch` that applies it.
    DropPatch(FileName),
    /// Set a macro at the top of the spec.
    Define(Definition),
    /// Put a suffix behind the Release, after the dist tag, so that it sorts above the stock package.
    ReleaseSuffix(ReleaseSuffix),
    /// Let the main package provide a capability.
    Provide(Line),
}

impl Edit {
    /// The patches that some edits drop. No build has them beside its spec, so that nothing there can apply
    /// one by another road.
    pub fn dropped_patches(edits: &[Self]) -> Vec<&str> {
        let dropped = edits.iter().filter_map(|edit| match edit {
            Self::DropPatch(file) => Some(file.as_str()),
            _ => None,
        });
        dropped.collect()
    }
}

/// Where something is inserted, and what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Insertion {
    /// Text that stands in exactly one line of the spec.
    pub anchor: Line,
    /// What is inserted.
    pub insert: Insert,
}

/// What is inserted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Insert {
    /// These lines.
    Lines(Vec<Line>),
    /// The lines of %prep that copy a device into the tree and register it as that tree does.
    Device(QomType),
}

/// One piece of text for another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Replacement {
    /// Text that stands in exactly one line of the spec, once.
    pub find: Line,
    /// What stands there afterwards.
    pub with: Line,
}

/// A macro and its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    pub name: MacroName,
    #[schemars(with = "MacroValue")]
    pub value: Line,
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The user's own settings: what is particular to a machine or a company, and not to a product.

use super::file::File;
use super::formats;
use super::mistake::Mistakes;
use super::scalars::AnyText;
use schemars::JsonSchema;
use serde::Deserialize;

/// `vgpu-pipeline/config.yaml` in the user's configuration folder.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Folders and URLs that are asked for content before its origin is, in this order.
    #[schemars(with = "Vec<AnyText>")]
    pub mirrors: Vec<String>,
}

impl Settings {
    /// Reads settings from their text. `name` is what errors call the file.
    pub fn parse(text: &str, name: &str) -> Result<Self, Mistakes> {
        let file = File::read(text, name, formats::settings());
        // A file of nothing but comments is no mapping.
        if file.is_empty() { Ok(Self::default()) } else { file.finish() }
    }
}

//! The user's own settings: what is particular to a machine or a company, and not to a product.

use super::yaml;
use anyhow::Result;
use serde::Deserialize;

/// `vgpu-pipeline/config.yaml` in the user's configuration folder.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Folders and URLs that are asked for content before its origin is, in this order.
    pub mirrors: Vec<String>,
}

impl Settings {
    /// Reads settings from their text. `file` is the name that errors carry.
    pub fn parse(text: &str, file: &str) -> Result<Self> {
        // A file of nothing but comments is no mapping.
        let settings: Option<Self> = yaml::read(text, file)?;
        Ok(settings.unwrap_or_default())
    }
}

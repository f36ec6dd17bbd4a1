// SPDX-License-Identifier: GPL-2.0-or-later
//! The section `publish`.

use super::scalars::Url;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The yum repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Publish {
    /// Where it will be served; the `.repo` file and its `gpgkey=` are written for this address.
    #[serde(rename = "base-url")]
    pub base_url: Url,
}

impl Default for Publish {
    fn default() -> Self {
        let url = Url::try_from("http://localhost:8000".to_owned());
        Self { base_url: url.unwrap_or_else(|problem| unreachable!("default: {problem}")) }
    }
}

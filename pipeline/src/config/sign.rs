// SPDX-License-Identifier: GPL-2.0-or-later
//! The section `sign`. A pipeline file names where a key is; it never holds one.

use super::scalars::{KeyFingerprint, Line, LocalPath, VariableName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The key that signs packages and metadata.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sign {
    /// Where the ASCII-armoured RSA key is; without it, a development key is made once.
    pub key: Option<KeySource>,
    /// The environment variable that holds the key's passphrase.
    pub passphrase_env: Option<VariableName>,
    /// The fingerprint that the key must have; any other key is refused.
    #[schemars(with = "Option<KeyFingerprint>")]
    pub fingerprint: Option<Line>,
}

/// Where a key is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum KeySource {
    /// A file, relative to the pipeline file.
    File(#[schemars(with = "LocalPath")] PathBuf),
    /// An environment variable that holds the armoured key itself, as CI systems hand secrets over.
    Env(VariableName),
}

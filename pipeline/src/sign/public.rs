// SPDX-License-Identifier: GPL-2.0-or-later
//! What is public of a signing key.

use super::key::SigningKey;
use serde::{Deserialize, Serialize};

/// What `key show --json` prints of a key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Public {
    pub fingerprint: String,
    pub user_id: String,
    /// In seconds since 1970.
    pub expires: Option<u32>,
    /// The public key, ASCII-armoured.
    pub armored: String,
    /// The other keys in its file, each with the reason why it is not the one.
    pub others: Vec<String>,
}

impl Public {
    pub fn of(key: &SigningKey) -> Self {
        Self {
            fingerprint: key.fingerprint(),
            user_id: key.user_id().to_owned(),
            expires: key.expires(),
            armored: key.public_armored().to_owned(),
            others: key.others().to_vec(),
        }
    }
}

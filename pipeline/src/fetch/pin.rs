// SPDX-License-Identifier: GPL-2.0-or-later
//! What content is, so that anybody may serve it.

use crate::config::{Commit, ImageDigest, Sha256, Sha512};

/// A name that follows from the content alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pin {
    /// A file.
    Sha256(Sha256),
    /// A file that a packaging repository names so.
    Sha512(Sha512),
    /// A git commit with its history, as a bundle.
    Commit(Commit),
    /// A container image, as `podman save` writes it, by the digest of its configuration.
    Image(ImageDigest),
}

impl Pin {
    /// Where it lies in a mirror, and in the store's cache, which is laid out alike.
    pub fn place(&self) -> String {
        match self {
            Self::Sha256(sha256) => format!("sha256/{sha256}"),
            Self::Sha512(sha512) => format!("sha512/{sha512}"),
            Self::Commit(commit) => format!("git/{commit}.bundle"),
            Self::Image(id) => {
                format!("image/{}.tar", id.as_str().trim_start_matches("sha256:"))
            }
        }
    }
}

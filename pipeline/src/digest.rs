// SPDX-License-Identifier: GPL-2.0-or-later
//! Digests in hexadecimal, of bytes and of files.

use crate::files;
use anyhow::Result;
use sha2::{Digest, Sha256, Sha512};
use std::fmt::Write;
use std::io;
use std::path::Path;

/// The blake3 of bytes: what this program's own records name things by.
pub fn blake3(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// The sha256 of bytes, as the world outside this program pins them.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The sha256 of a file.
pub fn sha256_file(path: &Path) -> Result<String> {
    of_file::<Sha256>(path)
}

/// The sha512 of a file, as packaging repositories name what they keep elsewhere.
pub fn sha512_file(path: &Path) -> Result<String> {
    of_file::<Sha512>(path)
}

/// A file's digest.
pub fn of_file<D: Digest + io::Write>(path: &Path) -> Result<String> {
    let mut hasher = D::new();
    io::copy(&mut files::open(path, &files::JUDGED)?, &mut hasher)?;
    Ok(hex(&hasher.finalize()))
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

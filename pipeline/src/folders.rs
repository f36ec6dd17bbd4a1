// SPDX-License-Identifier: GPL-2.0-or-later
//! The user's folders, as the XDG Base Directory Specification names them.

use std::path::PathBuf;

/// What is kept under it is called so.
const NAME: &str = "vgpu-pipeline";

/// Where the user's settings are.
pub fn config() -> Option<PathBuf> {
    folder("XDG_CONFIG_HOME", ".config")
}

/// Where what cannot be made again is kept.
pub fn data() -> Option<PathBuf> {
    folder("XDG_DATA_HOME", ".local/share")
}

/// Where what can be made again is kept.
pub fn cache() -> Option<PathBuf> {
    folder("XDG_CACHE_HOME", ".cache")
}

/// A relative path there is to be ignored, says the specification.
fn folder(variable: &str, default: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = named.or_else(|| std::env::home_dir().map(|home| home.join(default)))?;
    Some(folder.join(NAME))
}

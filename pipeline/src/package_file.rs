// SPDX-License-Identifier: GPL-2.0-or-later
//! The door to RPM files: opened as every file that somebody names, and read by `rpm-inspect`.

use crate::files;
use anyhow::{Context, Result};
use rpm_inspect::PackageFile;
use std::path::Path;

/// Opens a package, and reads its headers.
pub fn open(path: &Path) -> Result<PackageFile> {
    let file = files::open(path, &files::JUDGED).context("cannot open it")?;
    Ok(PackageFile::new(file)?)
}

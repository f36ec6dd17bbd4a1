// SPDX-License-Identifier: GPL-2.0-or-later
//! The pipeline that this program carries, with the files that it names.

use crate::files::{
    self,
    write::{self, SHARED},
};
use crate::store::{Store, layout};
use anyhow::{Context, Result};
use fs_err as fs;
use std::path::PathBuf;

/// The default pipeline and the files that it names, as they lie in this program's source tree.
pub const DEFAULT: &str = "pipeline/workstation.yaml";
pub const CARRIED: &[(&str, &str)] = &[
    (DEFAULT, include_str!("../../workstation.yaml")),
    ("pipeline/workstation/qemu.spec", include_str!("../../workstation/qemu.spec")),
    ("device/vgpu-stub.c", include_str!("../../../device/vgpu-stub.c")),
    ("device/vgpu-stub.yaml", include_str!("../../../device/vgpu-stub.yaml")),
    ("wrapper/sample/qemu-wrapper", include_str!("../../../wrapper/sample/qemu-wrapper")),
    (
        "containers/debian-12.Containerfile",
        include_str!("../../../containers/debian-12.Containerfile"),
    ),
];

/// Lays them out, and says where the pipeline is.
pub fn lay_out(store: &Store) -> Result<PathBuf> {
    let mut digest = blake3::Hasher::new();
    for (name, text) in CARRIED {
        digest.update(name.as_bytes()).update(text.as_bytes());
    }
    let folder =
        store.folder_for(&format!("{}/{}", layout::DEFAULT, &digest.finalize().to_hex()[..16]))?;
    for (name, text) in CARRIED {
        let path = folder.join(name);
        if files::read(&path, &files::PIPELINE).is_ok_and(|found| found == text.as_bytes()) {
            continue;
        }
        fs::create_dir_all(path.parent().context("a carried file has a folder")?)?;
        write::write(&path, text.as_bytes(), SHARED)?;
    }
    Ok(folder.join(DEFAULT))
}

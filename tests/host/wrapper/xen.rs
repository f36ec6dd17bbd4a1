// SPDX-License-Identifier: GPL-2.0-or-later
//! Debian's Xen, unpacked and not installed: its `XenStore` daemons, libraries and Python bindings.

use crate::support;
use crate::support::debian_archive;
use crate::support::requirements::run;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

/// All of one suite, so that they fit each other.
const PACKAGES: &[&str] = &[
    "libxencall1",
    "libxendevicemodel1",
    "libxenevtchn1",
    "libxenforeignmemory1",
    "libxengnttab1",
    "libxenmisc4.17",
    "libxenstore4",
    "libxentoolcore1",
    "libxentoollog1",
    "xen-utils-4.17",
];

pub fn unpacked() -> PathBuf {
    static UNPACKED: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = support::kept("wrapper/xen");
        if !folder.exists() {
            // Whole or not at all.
            let part = folder.with_extension("part");
            fs::create_dir_all(&part).unwrap();
            for name in PACKAGES {
                let package = debian_archive::package("bookworm", name);
                run(Command::new("dpkg-deb").arg("--extract").arg(package).arg(&part));
            }
            fs::rename(part, &folder).unwrap();
        }
        folder
    });
    UNPACKED.clone()
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! Which programs are there, found without starting any.

use crate::error::Help;
use anyhow::{Result, anyhow, ensure};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Programs, and the Debian package that brings each.
const PACKAGES: &[(&str, &str)] = &[
    ("apt-get", "apt"),
    ("createrepo_c", "createrepo-c"),
    ("curl", "curl"),
    ("docker", "docker.io"),
    ("git", "git"),
    ("gzip", "gzip"),
    ("mmdebstrap", "mmdebstrap"),
    ("mount", "mount"),
    ("podman", "podman"),
    ("setpriv", "util-linux"),
    ("unshare", "util-linux"),
];

/// Where a program is on PATH.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| runnable(file))
}

/// Refuses, in one message, whatever is missing. Each need is met by any one of its programs.
pub fn require(needs: &[&[&str]]) -> Result<()> {
    let absent: Vec<&&[&str]> =
        needs.iter().filter(|any| any.iter().all(|program| find(program).is_none())).collect();
    let names: Vec<String> = absent
        .iter()
        .map(|any| any.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or "))
        .collect();
    // The first alternative is the one that is recommended.
    let packages: BTreeSet<&str> = absent.iter().filter_map(|any| package(any.first()?)).collect();
    ensure!(
        absent.is_empty(),
        anyhow!("not on this machine: {}", names.join(", "))
            .help(format!("apt-get install {}", Vec::from_iter(packages).join(" ")))
    );
    Ok(())
}

fn package(program: &str) -> Option<&'static str> {
    PACKAGES.iter().find(|(name, _)| *name == program).map(|(_, package)| *package)
}

fn runnable(file: &Path) -> bool {
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

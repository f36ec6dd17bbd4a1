// SPDX-License-Identifier: GPL-2.0-or-later
//! A Debian root filesystem, where no container registry is at hand.

use crate::apt;
use crate::config::{DebianBase, DebianPackage};
use crate::fetch::Fetch;
use crate::files;
use crate::process::{Invocation, Runner};
use crate::sandbox::Image;
use anyhow::{Context, Result};
use std::path::Path;

const MMDEBSTRAP: &str = "mmdebstrap";

/// Asks apt, while it still knows, of what files the packages were that it installed, and takes what it says out
/// of the root. mmdebstrap itself fetches it, as whoever started it: in the namespaces of a user who is not
/// root, a hook may write nowhere else.
const ASK_APT: [&str; 3] = [
    "dpkg-query --admindir=\"$1/var/lib/dpkg\" --show --showformat='${Package}:${Architecture}=${Version}\\n' \
     | APT_CONFIG=\"$MMDEBSTRAP_APT_CONFIG\" xargs apt-cache show --no-all-versions >\"$1/tmp/records\"",
    "download /tmp/records records",
    "rm \"$1/tmp/records\"",
];

/// Makes the root filesystem as a tar; the same packages give the same bytes. `under` is a folder for
/// what is made on the way. Returns what apt says of each package in it.
pub fn bootstrap(base: &DebianBase, tar: &Path, under: &Path, fetch: &Fetch) -> Result<String> {
    let (runner, under) = (fetch.runner(), &std::path::absolute(under)?);
    let suite = base.suite.as_str();
    let packages: Vec<&str> = base.packages.iter().map(DebianPackage::as_str).collect();
    // Whoever is not root has them in namespaces already, in which root is somebody who cannot enter the store.
    let call = if rustix::process::geteuid().is_root() {
        Invocation::alone_in(under, MMDEBSTRAP)
    } else {
        Invocation::new(MMDEBSTRAP).env("TMPDIR", std::env::temp_dir())
    };
    let mut call = call
        .current_dir(under)
        .args(ASK_APT.map(|hook| format!("--customize-hook={hook}")))
        .args(["--variant=essential", "--format=tar"])
        .arg(format!("--include={}", packages.join(",")))
        .args(["--aptopt=Acquire::Languages \"none\"", "--aptopt=Acquire::Retries \"3\""])
        // Manuals and translations are a third of the size, and no build reads them.
        .args([
            "--dpkgopt=path-exclude=/usr/share/man/*",
            "--dpkgopt=path-exclude=/usr/share/locale/*",
        ])
        .args(["--dpkgopt=path-exclude=/usr/share/doc/*"])
        .env("SOURCE_DATE_EPOCH", "0")
        .limit(apt::LIMIT);
    if let Some(keyring) = apt::keyring() {
        call = call.arg(format!("--keyring={}", keyring.display()));
    }
    let origins = apt::origins(runner, suite)?;
    for origin in &origins {
        fetch.will_contact(origin.uri());
    }
    let lines = origins.iter().map(apt::Origin::binary_line);
    runner.run(&call.arg(suite).arg(std::path::absolute(tar)?).args(lines))?;
    files::read_text(&under.join("records"), &files::INSTALLED)
        .context("what apt says of the packages")
}

/// The installed packages, one a line, sorted.
pub fn closure(runner: &Runner, image: &Image, under: &Path) -> Result<String> {
    let format = "--showformat=${Package} ${Version} ${Architecture}\\n";
    let output = super::inspect(runner, image, under, &["dpkg-query", "--show", format])?;
    let mut lines: Vec<&str> = output.lines().collect();
    lines.sort_unstable();
    Ok(lines.join("\n") + "\n")
}

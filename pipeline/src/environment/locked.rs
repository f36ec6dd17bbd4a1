// SPDX-License-Identifier: GPL-2.0-or-later
//! An environment that a lock pins: its base image by id, its packages by sha256.

use super::archive::is_archive_of;
use crate::config::{Lock, LockedPackage};
use crate::error::Help;
use crate::fetch::{Fetch, FileRequest, Pin, retry};
use crate::files::{self, write::link_or_copy};
use crate::process::Runner;
use crate::sandbox::Image;
use anyhow::{Context, Result, anyhow, bail};
use fs_err as fs;
use std::collections::BTreeSet;
use std::path::Path;

/// The folders of the build's context, as the Containerfile copies them.
const PACKAGES: &str = "packages";
const KEYS: &str = "keys";

/// The content that a lock pins, with a name for people.
pub fn pins(lock: &Lock) -> Vec<(Pin, String)> {
    let image = (Pin::Image(lock.image.id.clone()), format!("image {}", lock.image.reference));
    let packages = lock.packages.iter();
    let packages =
        packages.map(|package| (Pin::Sha256(package.sha256.clone()), package.nevra.clone()));
    std::iter::once(image).chain(packages).collect()
}

/// Lays out what the Containerfile copies: the locked packages, and the keys that signed them.
pub fn lay_out(lock: &Lock, context: &Path, fetch: &Fetch) -> Result<()> {
    let (packages, keys) = (context.join(PACKAGES), context.join(KEYS));
    fs::create_dir_all(&packages)?;
    fs::create_dir_all(&keys)?;
    for package in &lock.packages {
        let from = package_file(package, fetch)?;
        let to = packages.join(package.file_name());
        if to.exists() {
            bail!("the lock has two packages in files of the name `{}`", package.file_name());
        }
        link_or_copy(&from, &to, &files::SOURCE)?;
    }
    for key in &lock.keys {
        fs::write(keys.join(format!("{}.asc", key.fingerprint)), &key.armored)?;
    }
    Ok(())
}

/// A locked package's file.
pub fn package_file(package: &LockedPackage, fetch: &Fetch) -> Result<std::path::PathBuf> {
    let LockedPackage { nevra, sha256, size, url, .. } = package;
    fetch.web(&FileRequest { display_name: nevra, sha256, size: Some(*size) }, url).with_context(|| format!("the locked package {nevra}")).help("if it was withdrawn or altered, a mirror may have it as it was; `vgpu-pipeline lock` resolves anew")
}

/// Gives the engine the base image under its name: its own copy, a mirror's, or the registry's.
pub fn base(lock: &Lock, base: &Image, fetch: &Fetch) -> Result<()> {
    let runner = fetch.runner();
    let image = &lock.image;
    if base.tag(runner, &image.id)? {
        return Ok(());
    }
    let shown = format!("image {}", image.reference);
    let pin = Pin::Image(image.id.clone());
    let work = fetch.store().work()?;
    let tmp = work.path();
    // An archive that is the image and nothing else: an engine takes whatever names it gives.
    let validate = |archive: &Path| {
        is_archive_of(archive, &image.id)?;
        base.load(runner, archive, &image.id, tmp)
    };
    if fetch.cached_or_mirrored(&pin, &shown, None, &validate)?.is_some() {
        return Ok(());
    }
    fetch.network(&shown)?;
    fetch.will_contact(image.reference.as_str());
    retry::run(runner, || base.pull(runner, &image.reference, &image.digest, &image.id, tmp))
}

/// Puts the base image into a mirror folder.
pub fn save_base(lock: &Lock, image: &Image, to: &Path, fetch: &Fetch) -> Result<()> {
    base(lock, image, fetch)?;
    Image::save(fetch.runner(), image.engine(), &lock.image.id, to)?;
    is_archive_of(to, &lock.image.id)
}

/// Refuses an image that has anything else installed than its base and the lock. Returns what is
/// installed, with the sha256 of what the lock brought.
pub fn closure(lock: &Lock, image: &Image, under: &Path, runner: &Runner) -> Result<String> {
    let base = &Image::by_id(image.engine(), &lock.image.id);
    let (before, after) = (installed(runner, base, under)?, installed(runner, image, under)?);
    let locked: BTreeSet<&str> = lock.packages.iter().map(|p| p.nevra.as_str()).collect();
    if let Some(nevra) = locked.iter().find(|nevra| !after.contains(**nevra)) {
        return Err(anyhow!("the environment does not have {nevra}, which the lock does").help(
            format!("the Containerfile has to install every file of its folder `{PACKAGES}`"),
        ));
    }
    let known = |nevra: &&String| locked.contains(nevra.as_str()) || before.contains(*nevra);
    if let Some(nevra) = after.iter().find(|nevra| !known(nevra)) {
        return Err(anyhow!(
            "the environment has {nevra}, which is neither in its base nor in the lock"
        )
        .help(format!(
            "the Containerfile must install nothing but the files of its folder `{PACKAGES}`"
        )));
    }
    let mut lines = vec![format!("image {}", lock.image.id)];
    for nevra in &after {
        let pin = lock.packages.iter().find(|package| package.nevra == *nevra);
        let sha256 = pin.map_or(String::new(), |package| format!(" {}", package.sha256));
        lines.push(format!("{nevra}{sha256}"));
    }
    Ok(lines.join("\n") + "\n")
}

/// The installed packages by NEVRA. Imported keys stand in the same database and are no packages.
fn installed(runner: &Runner, image: &Image, under: &Path) -> Result<BTreeSet<String>> {
    let format = "%{NAME}-%{EPOCHNUM}:%{VERSION}-%{RELEASE}.%{ARCH}\\n";
    let query = ["rpm", "--query", "--all", "--queryformat", format];
    let output = super::inspect(runner, image, under, &query)?;
    let packages = output.lines().filter(|line| !line.starts_with("gpg-pubkey-"));
    // As the lock has it, an epoch of 0 goes without saying.
    Ok(packages.map(|nevra| nevra.replacen("-0:", "-", 1)).collect())
}

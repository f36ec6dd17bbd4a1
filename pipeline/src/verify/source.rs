// SPDX-License-Identifier: GPL-2.0-or-later
//! The source package: what was built from is what went in, file by file.
//!
//! A spec can say one thing of its sources and do another: take its own file for a device's, or apply a
//! patch that was dropped. What it packs as its source is then not what it was given.

mod named;

use crate::digest::sha256_file;
use crate::error::Help;
use crate::rules::InspectedPackage;
use anyhow::{Result, anyhow, bail, ensure};
pub use named::require_name;
use rpm_inspect::mode;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Refuses a source package that is not sound, or holds anything but what was `given` to the build. It
/// need not hold all of that, for a packaging repository has files that no spec names; but the spec and the
/// devices.
pub fn require_given(
    facts: &InspectedPackage,
    given: &BTreeMap<String, PathBuf>,
    spec: &str,
    devices: &[&str],
) -> Result<()> {
    let id = &facts.nevra;
    if let Some(fault) = facts.faults.first() {
        bail!("{id}: {}", fault.what);
    }
    ensure!(facts.format == 4, "{id} is a package of the format {}, not 4", facts.format);
    let runs = facts.scriptlets.len() + facts.triggers.len();
    ensure!(runs == 0, "{id} is a source package that would run something");
    for file in &facts.files {
        let shown = file.path.escape_debug();
        if !file.is_regular() || file.mode & mode::SETUID_SETGID != 0 || file.capabilities.is_some()
        {
            bail!("{id}: `{shown}` is no plain file");
        }
        // So rpm writes a source that `NoSource` leaves out: its digest is there, and it is not.
        ensure!(!file.has("ghost"), anyhow!("{id} only lists `{shown}`, and does not hold it: whoever gets the package has to get its sources").help("the spec's `NoSource` or `NoPatch` leaves it out: take that out with `replace`"));
        ensure!(
            file.has("spec") == (file.path == spec),
            "{id} says that another file than `{spec}` is its spec: `{shown}`"
        );
        let Some(given) = given.get(&file.path) else {
            return Err(anyhow!(
                "{id} holds `{shown}`, which is none of the files that the build was given"
            )
            .help(
                "the spec declares it in a way that no edit saw: look for what defines it there",
            ));
        };
        // Of what it packs: its header may give the MD5 of that, which another file has too.
        ensure!(
            file.sha256.as_deref() == Some(&*sha256_file(given)?),
            anyhow!("{id} holds another `{shown}` than the one that the build was given")
                .help("something in the spec changes its sources before they are packed")
        );
    }
    let held = |name: &str| facts.files.iter().any(|file| file.path == name);
    ensure!(held(spec), "{id} does not hold the spec `{spec}`: nobody can build it");
    if let Some(device) = devices.iter().find(|name| !held(name)) {
        return Err(anyhow!("{id} does not hold the device's `{device}`: whoever gets the package has to get its source").help(format!("the edit `add-source: {device}` declares it, unless the spec has a source of that name")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;

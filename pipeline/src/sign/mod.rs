// SPDX-License-Identifier: GPL-2.0-or-later
//! The stage `sign`: the only room that reads secret keys.
//!
//! It takes only what `verify` let through, and hands `publish` a [`Signer`] for metadata. A secret
//! is in no argv, no child's environment, no log, no store and no message.

mod key;
mod keyring;
mod package;
mod public;
mod remembered;
mod step;
mod vault;

use crate::error::Help;
use crate::package_file;
use crate::stage::Context as StageContext;
use crate::store::Stored;
use crate::verify::Verified;
use anyhow::{Context, Result, anyhow, ensure};
use fs_err as fs;
pub use key::SigningKey;
pub use keyring::{
    Signer, development_place, in_ci, load, make_development_key, make_place, now, open, write_new,
};
pub use public::Public;
use serde::{Deserialize, Serialize};
use std::path::Path;
pub use step::SignStep;
pub use vault::{put_away, take_over, wipe};

/// How far a build's time may be ahead, for clocks and time zones: a changelog has days.
const LATEST: u32 = 2 * 24 * 60 * 60;

/// The folder of a result that holds the binary packages, and the one of the source packages.
const PACKAGES: &str = "Packages";
const SOURCES: &str = "SRPMS";
/// The folder of the patched qemu-wrapper, which the repository's signed sums cover.
const WRAPPER: &str = "wrapper";

/// Signed packages.
#[derive(Debug)]
pub struct Signed {
    stored: Stored,
    facts: Facts,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Facts {
    fingerprint: String,
    /// The newest build time of the packages, which is every signature's time too.
    time: u32,
    packages: Vec<SignedPackage>,
}

/// A package, by what it is called and what it holds whoever signed it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SignedPackage {
    pub nevra: String,
    /// Its place in a repository.
    pub file: String,
    pub header_sha256: String,
    pub payload_sha256: String,
}

impl SignedPackage {
    fn of(path: &Path, file: String) -> Result<Self> {
        let package = package_file::open(path)?;
        let digests = package.content()?.finish()?;
        Ok(Self {
            nevra: package.nevra()?.to_string(),
            file,
            header_sha256: digests.header_sha256,
            payload_sha256: digests.payload_sha256,
        })
    }
}

impl Signed {
    fn of(stored: Stored) -> Result<Self> {
        let facts = stored.facts()?;
        Ok(Self { stored, facts })
    }

    pub fn packages(&self) -> &[SignedPackage] {
        &self.facts.packages
    }

    /// The time that all metadata carries.
    pub fn time(&self) -> u32 {
        self.facts.time
    }
}

/// Signs every package: the bytes that were judged, copied out of reach first.
fn sign_all(verified: &Verified, signer: &Signer, cx: &StageContext) -> Result<Signed> {
    let work = cx.store().work()?;
    let unsigned = work.scratch("unsigned")?.join("package");
    let packages = verified.packages().iter().map(|file| (file, PACKAGES));
    let sources = verified.sources().iter().map(|file| (file, SOURCES));
    let mut newest = 0;
    let secret = signer.unlock()?;
    let mut signed = Vec::new();
    for (file, place) in packages.chain(sources) {
        let folder = work.files().join(place);
        fs::create_dir_all(&folder)?;
        file.copy_out(&unsigned)?;
        let shown = || format!("cannot sign `{}`", file.file_name());
        let time = build_time(&unsigned, now()?).with_context(shown)?;
        newest = newest.max(time);
        let to = folder.join(file.file_name());
        package::sign_package(&unsigned, &to, &secret, time)
            .with_context(|| format!("{} to `{}`", shown(), to.display()))?;
        signed.push(SignedPackage::of(&to, format!("{place}/{}", file.file_name()))?);
        fs::remove_file(&unsigned)?;
    }
    for file in verified.wrapper() {
        let folder = work.files().join(WRAPPER);
        fs::create_dir_all(&folder)?;
        file.copy_out(&folder.join(file.file_name()))?;
    }
    let facts = Facts { fingerprint: signer.fingerprint(), time: newest, packages: signed };
    let stored = cx.keep(work, &facts)?;
    Ok(Signed { stored, facts })
}

/// BUILDTIME (rpm tag 1006): rpmbuild took it from the changelog, so it is the same in every build. It
/// becomes the signature's time, and the repository's.
fn build_time(package: &Path, now: u32) -> Result<u32> {
    let time =
        package_file::open(package)?.header.number(rpm::IndexTag::RPMTAG_BUILDTIME as u32)?;
    let time = time.context("it does not say when it was built").help("build it with rpmbuild")?;
    ensure!(
        time <= now.saturating_add(LATEST),
        anyhow!("it was built in the future, by its own word ({time} seconds after 1970)").help(
            "the newest entry of the spec's %changelog has the time; clients refuse such signatures"
        )
    );
    Ok(time)
}

#[cfg(test)]
mod tests;

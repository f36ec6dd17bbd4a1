//! Stage 7, `sign`: the only room that reads secret keys.
//!
//! It takes only what `verify` let through, and hands `publish` a [`Signer`] for metadata. A secret
//! is in no argv, no child's environment, no log, no store and no message.

mod key;
mod keyring;
mod package;

use crate::plan::Key;
use crate::store::{Store, Stored};
use crate::verify::Verified;
use anyhow::{Context, Result};
pub use key::SigningKey;
pub use keyring::{Signer, load, make_development_key, now, write_new};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

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
}

impl Signed {
    pub fn recall(stored: Stored) -> Result<Self> {
        let facts = stored.facts()?;
        Ok(Self { stored, facts })
    }

    pub fn stored(&self) -> &Stored {
        &self.stored
    }

    /// The time that all metadata carries.
    pub fn time(&self) -> u32 {
        self.facts.time
    }
}

/// Signs every package: the bytes that were judged, copied out of reach first.
pub fn run(verified: &Verified, signer: &Signer, key: &Key, store: &Store) -> Result<Signed> {
    let work = store.work()?;
    let unsigned = work.scratch("unsigned")?.join("package");
    let packages = verified.packages().iter().map(|file| (file, PACKAGES));
    let sources = verified.sources().iter().map(|file| (file, SOURCES));
    let mut newest = 0;
    for (file, folder) in packages.chain(sources) {
        let folder = work.files().join(folder);
        fs::create_dir_all(&folder)?;
        file.copy_out(&unsigned)?;
        let shown = || format!("cannot sign `{}`", file.file_name());
        let time = build_time(&unsigned).with_context(shown)?;
        newest = newest.max(time);
        signer.package(&unsigned, &folder.join(file.file_name()), time).with_context(shown)?;
        fs::remove_file(&unsigned)?;
    }
    for file in verified.wrapper() {
        let folder = work.files().join(WRAPPER);
        fs::create_dir_all(&folder)?;
        file.copy_out(&folder.join(file.file_name()))?;
    }
    let facts = Facts { fingerprint: signer.fingerprint(), time: newest };
    let stored = store.keep(work, "sign", key.as_str(), &facts)?;
    Ok(Signed { stored, facts })
}

/// BUILDTIME (rpm tag 1006): rpmbuild took it from the changelog, so it is the same in every build.
fn build_time(package: &Path) -> Result<u32> {
    let time = rpm::PackageMetadata::open(package)?.get_build_time()?;
    u32::try_from(time).context("the package's build time does not fit an OpenPGP signature")
}

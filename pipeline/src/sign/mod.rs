//! Stage 7, `sign`: the only room that reads secret keys.
//!
//! It takes only what `verify` let through, and hands `publish` a [`Signer`] for metadata. A secret
//! is in no argv, no child's environment, no log, no store and no message.

mod key;
mod keyring;
mod package;
mod vault;

use crate::files;
use crate::plan::Key;
use crate::store::{Store, Stored};
use crate::verify::Verified;
use anyhow::{Context, Result};
pub use key::SigningKey;
pub use keyring::{Public, Signer, load, make_development_key, make_place, now, open, write_new};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
pub use vault::{put_away, take_over, wipe};

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

    /// The packages and what lies beside them, each by its place in a repository.
    pub fn files(&self) -> impl Iterator<Item = (&str, PathBuf)> {
        self.stored.names().map(|name| (name, self.stored.path(name)))
    }

    /// The time that all metadata carries.
    pub fn time(&self) -> u32 {
        self.facts.time
    }
}

/// Signs every package.
pub fn run(verified: &Verified, signer: &Signer, key: &Key, store: &Store) -> Result<Signed> {
    let work = store.work()?;
    let packages = verified.packages().iter().map(|path| (path, PACKAGES));
    let sources = verified.sources().iter().map(|path| (path, SOURCES));
    let mut newest = 0;
    let secret = signer.unlock()?;
    for (path, folder) in packages.chain(sources) {
        let folder = work.files().join(folder);
        std::fs::create_dir_all(&folder)?;
        let time = build_time(path)?;
        newest = newest.max(time);
        let to = folder.join(path.file_name().unwrap_or_default());
        package::sign_package(path, &to, &secret, time)
            .with_context(|| format!("cannot sign `{}`", path.display()))?;
    }
    for path in verified.wrapper() {
        let folder = work.files().join(WRAPPER);
        std::fs::create_dir_all(&folder)?;
        let to = folder.join(path.file_name().unwrap_or_default());
        files::copy(path, &to, &files::WRAPPER)?;
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

// SPDX-License-Identifier: GPL-2.0-or-later
//! The lock file: what `lock` resolved for an environment. It is written by that command alone.

use super::file::File;
use super::mistake::Mistakes;
use super::scalars::{
    AnyText, Fingerprint, ImageDigest, ImageReference, Line, RpmUrl, Sha256, WebUrl,
};
use super::{FORMAT, ImageBase, formats};
use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An environment's exact content: an image, and each package file that is installed on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// The version of the format, which is the pipeline file's.
    #[schemars(extend("const" = FORMAT))]
    pub version: u32,
    /// What was resolved. A pipeline that declares anything else needs a new lock.
    pub declaration: ImageBase,
    pub image: LockedImage,
    pub keys: Vec<LockedKey>,
    /// Sorted by name.
    pub packages: Vec<LockedPackage>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LockedImage {
    pub reference: ImageReference,
    /// The digest of its manifest, by which a registry serves it.
    pub digest: ImageDigest,
    /// The digest of its configuration, by which an engine knows it: it names the content of every
    /// layer, however that was packed.
    pub id: ImageDigest,
}

/// A key that repositories of the declaration name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LockedKey {
    pub fingerprint: Fingerprint,
    /// The public key as it was published.
    #[schemars(with = "AnyText")]
    pub armored: String,
}

/// One package file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LockedPackage {
    /// `name-epoch:version-release.arch`, without an epoch of 0.
    #[schemars(with = "Line")]
    pub nevra: String,
    #[schemars(with = "RpmUrl")]
    pub url: WebUrl,
    pub size: u64,
    pub sha256: Sha256,
    /// The key that signed it.
    pub key: Fingerprint,
}

impl ImageDigest {
    /// The digest alone.
    pub fn sha256(&self) -> &str {
        self.as_str().trim_start_matches("sha256:")
    }
}

impl LockedPackage {
    /// The last part of its address, as yum wants a file to be named.
    pub fn file_name(&self) -> &str {
        self.url.as_str().rsplit('/').next().unwrap_or_default()
    }

    /// The architecture that it is for.
    pub fn arch(&self) -> &str {
        self.nevra.rsplit('.').next().unwrap_or_default()
    }

    /// Its name, without epoch, version, release and architecture.
    pub fn name(&self) -> &str {
        self.nevra.rsplitn(3, '-').nth(2).unwrap_or(&self.nevra)
    }
}

impl Lock {
    /// Reads a lock from its text. `name` is what errors call the file.
    pub fn parse(text: &str, name: &str) -> Result<Self, Mistakes> {
        let mut file = File::read(text, name, formats::lock());
        file.refuse_version(FORMAT, "lock", "run `vgpu-pipeline lock` again".to_owned());
        file.finish()
    }

    pub fn text(&self) -> Result<String> {
        let yaml = serde_yaml::to_string(self)?;
        Ok(format!("# Written by `vgpu-pipeline lock`. To change it, run that again.\n{yaml}"))
    }

    /// What the pipeline declares and the lock does not have, or has otherwise; none if it is current.
    pub fn stale(&self, declared: &ImageBase) -> Option<String> {
        let locked = &self.declaration;
        if locked == declared {
            return None;
        }
        if locked.reference != declared.reference {
            return Some(format!(
                "the lock is of `{}`, the pipeline wants `{}`",
                locked.reference, declared.reference
            ));
        }
        let added = declared.packages.iter().find(|package| !locked.packages.contains(package));
        let dropped = locked.packages.iter().find(|package| !declared.packages.contains(package));
        Some(match (added, dropped) {
            (Some(package), _) => format!("the lock was resolved without `{package}`"),
            (None, Some(package)) => format!("the lock was resolved with `{package}`"),
            (None, None) => "the lock was resolved from other repositories".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(url: &str) -> String {
        let (digest, key) = ("0".repeat(64), "A".repeat(40));
        format!(
            "version: 1\ndeclaration: {{ reference: 'h/c:7', repositories: [], packages: [] }}\n\
             image: {{ reference: 'h/c:7', digest: 'sha256:{digest}', id: 'sha256:{digest}' }}\n\
             keys: []\npackages:\n- {{ nevra: gcc-c++-4.8.5-28.el7.x86_64, url: '{url}', size: 1, \
             sha256: '{digest}', key: '{key}' }}\n"
        )
    }

    #[test]
    fn a_name_may_have_dashes() {
        let text = lock("http://h/Packages/gcc-c++-4.8.5-28.el7.x86_64.rpm");
        let lock = Lock::parse(&text, "l").unwrap();
        assert_eq!(lock.packages[0].name(), "gcc-c++");
        assert_eq!(lock.packages[0].file_name(), "gcc-c++-4.8.5-28.el7.x86_64.rpm");
        assert_eq!(Lock::parse(&lock.text().unwrap(), "l").unwrap(), lock);
    }

    #[test]
    fn an_address_that_names_no_file_is_refused() {
        for url in ["http://h/..", "http://h/-x.rpm", "http://h/"] {
            let error = Lock::parse(&lock(url), "l").unwrap_err().to_string();
            assert!(error.contains("that ends in the name of an RPM"), "{url}: {error}");
        }
        let error = Lock::parse(&lock("http://h/a.rpm?token=CANARY"), "l").unwrap_err().to_string();
        assert!(error.contains("a query") && !error.contains("CANARY"), "{error}");
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! Private copies of everything that is judged. What is read and run here are these bytes, which were
//! found to be those of the store's records while they were copied; whoever swaps a file in the store
//! meanwhile changes nothing of what is judged, and `sign` refuses what he put there.

use super::Made;
use crate::dom0::PATCHED;
use crate::stage::Value;
use crate::store::{FileRecord, Stored};
use anyhow::{Result, bail, ensure};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the copies are.
pub struct Copies {
    pub built: Vec<PathBuf>,
    /// The package for dom0, where there is one.
    pub carried: Vec<PathBuf>,
    pub sources: Vec<PathBuf>,
    pub stock: Option<Vec<PathBuf>>,
    pub test_binary: Option<PathBuf>,
    /// The patched qemu-wrapper.
    pub wrapper: Option<PathBuf>,
}

impl Copies {
    pub fn of(made: &Made, folder: &Path) -> Result<Self> {
        let copy = |what: &str, stored: &Stored, names: &mut dyn Iterator<Item = &str>| {
            let folder = folder.join(what);
            fs::create_dir(&folder)?;
            let copied = names.map(|name| {
                let to = folder.join(file_name(name));
                stored.copy_out(name, &to)?;
                Ok(to)
            });
            copied.collect::<Result<Vec<PathBuf>>>()
        };
        let Made { built, stock, dom0: wrapped, .. } = made;
        let stored = built.stored();
        let (mut carried, mut wrapper) = (Vec::new(), None);
        if let Some(wrapped) = wrapped {
            let package = wrapped.package();
            carried = copy("carried", wrapped.stored(), &mut std::iter::once(package))?;
            wrapper = copy("wrapper", wrapped.stored(), &mut std::iter::once(PATCHED))?.pop();
        }
        let stock = stock.as_ref();
        Ok(Self {
            built: copy("built", stored, &mut built.rpms())?,
            carried,
            sources: copy("sources", stored, &mut built.srpms())?,
            stock: stock
                .map(|stock| copy("stock", stock.stored(), &mut stock.rpms()))
                .transpose()?,
            test_binary: copy("test", stored, &mut built.test_binary().into_iter())?.pop(),
            wrapper,
        })
    }
}

/// A file that may leave: as it was judged, and in no other state.
#[derive(Debug, Clone)]
pub struct Leaving {
    stored: Stored,
    name: String,
}

impl Leaving {
    pub(super) fn stored(&self) -> &Stored {
        &self.stored
    }

    pub(super) fn is_intact(&self) -> bool {
        self.stored.is_intact(&self.name)
    }

    /// A file of a result, which has to be one that was judged.
    pub(super) fn new(
        stored: &Stored,
        name: &str,
        judged: &BTreeMap<String, FileRecord>,
    ) -> Result<Self> {
        let of_result = stored.files().get(name);
        ensure!(of_result.is_some() && of_result == judged.get(name), "`{name}` was not judged");
        Ok(Self { stored: stored.clone(), name: name.to_owned() })
    }

    pub fn file_name(&self) -> &str {
        file_name(&self.name)
    }

    /// Copies it out of the store; a file that is not the one which was judged is refused.
    pub fn copy_out(&self, to: &Path) -> Result<()> {
        self.stored.copy_out(&self.name, to)
    }
}

fn file_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// Refuses two files that would have one place in a repository.
pub fn each_once<'a>(names: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            bail!("two packages are called `{name}`");
        }
    }
    Ok(())
}

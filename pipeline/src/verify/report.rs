// SPDX-License-Identifier: GPL-2.0-or-later
//! The judgement as it is kept and published: what was asked for and what was seen, and not every file
//! and type of a package, which anybody finds in the package itself.

use super::cut::Cut;
use super::difference::Change;
use super::packages::emulators;
use super::probe::Probed;
use crate::config::{self, ExpectedType};
use crate::note::Note;
use crate::rules::{Binary, Finding, InspectedPackage};
use crate::store::FileRecord;
use qom_census::{ElfInfo, QomType, TypeInfoLayout};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The judgement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// What was judged, by its place in the results.
    pub(super) judged: BTreeMap<String, FileRecord>,
    pub(super) packages: Vec<Package>,
    /// What breaks a rule that only warns, by the package.
    pub(super) warnings: BTreeMap<String, Vec<Finding>>,
    /// What differs from the stock packages, where there are some.
    pub(super) compared: Option<Compared>,
    /// What the binaries said of themselves when they ran.
    pub(super) probed: Vec<Probed>,
}

/// Ours against stock.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Compared {
    /// The types that are all that ours adds, where that was asserted.
    pub only_adds: Option<Vec<config::QomType>>,
    pub difference: Vec<Change>,
}

/// A package that was judged.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Package {
    pub nevra: String,
    pub files: usize,
    pub emulators: Vec<Emulator>,
}

/// A system emulator that was judged.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Emulator {
    pub path: PathBuf,
    pub size: u64,
    /// The form of `TypeInfo`, and how many types there are.
    pub layout: Option<TypeInfoLayout>,
    pub types: usize,
    /// The expected ones among them, as they are.
    pub expected: Vec<QomType>,
    pub elf: Option<ElfInfo>,
}

impl Package {
    pub fn of(facts: &InspectedPackage, expected: &[ExpectedType]) -> Self {
        let emulators = emulators(facts).map(|binary| Emulator {
            path: binary.path.clone(),
            size: binary.size,
            layout: binary.qom.layout,
            types: binary.qom.types.len(),
            expected: self::expected(binary, expected),
            elf: facts.elf_of(&binary.path).cloned(),
        });
        Self {
            nevra: facts.nevra.clone(),
            files: facts.files.len(),
            emulators: emulators.collect(),
        }
    }
}

/// The expected types of a binary, as they are in it.
pub fn expected(binary: &Binary, expected: &[ExpectedType]) -> Vec<QomType> {
    let find = |expected: &ExpectedType| {
        binary.qom.types.iter().find(|found| found.name == expected.name.as_str()).cloned()
    };
    expected.iter().filter_map(find).collect()
}

impl Report {
    /// What people want to see of it.
    pub fn notes(&self) -> Vec<Note> {
        let mut notes = Vec::new();
        for emulator in self.packages.iter().flat_map(|package| &package.emulators) {
            notes.extend(emulator.expected.iter().map(|found| Note::TypeFound {
                name: found.name.clone(),
                binary: emulator.path.clone(),
                parent: found.parent.clone(),
                interfaces: found.interfaces.clone(),
                properties: found.properties.iter().flatten().map(ToString::to_string).collect(),
            }));
        }
        for (package, findings) in &self.warnings {
            let mut cut = Cut::default();
            for all in findings.chunk_by(|one, next| one.rule == next.rule) {
                let (package, rule) = (package.clone(), all[0].rule.to_string());
                let what = cut.lines(all, |one| one.what.clone()).into_iter();
                notes.extend(what.map(|what| Note::RuleWarning {
                    package: package.clone(),
                    rule: rule.clone(),
                    what,
                }));
            }
        }
        if let Some(Compared { only_adds, difference }) = &self.compared {
            let only_adds = only_adds.as_ref();
            let only_adds = only_adds.map(|types| types.iter().map(ToString::to_string).collect());
            notes.push(Note::Compared { only_adds, changes: difference.len() });
            let lines = Cut::default().lines(difference, ToString::to_string).into_iter();
            notes.extend(lines.map(|what| Note::Difference { what }));
        }
        for probed in &self.probed {
            let version = &probed.version;
            notes.extend(
                probed.devices.iter().map(|line| Note::DeviceListed {
                    version: version.clone(),
                    line: line.clone(),
                }),
            );
            notes.extend(probed.notes());
        }
        notes
    }
}

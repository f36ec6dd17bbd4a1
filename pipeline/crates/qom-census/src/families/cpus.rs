// SPDX-License-Identifier: GPL-2.0-or-later
//! CPU models of x86 and ARM.
//!
//! | table | source | what is read |
//! | --- | --- | --- |
//! | `X86CPUDefinition` | `target/i386/cpu.c` | `name` at 0, the 12 letters of `vendor` at 16; among the pointers behind them `versions`, whose first word is 1 |
//! | `X86CPUVersionDefinition` | the same | `version`, `alias`; its length differs, and is the one that makes all lists count 1, 2, 3 up to 0 |
//! | `ARMCPUInfo` | `target/arm/cpu.h`, `cpu-qom.h` | `name`, since 9.0 `deprecation_note`, `initfn`, `class_init` |
//!
//! `FeatureWordArray` grows with every release, so the length of a definition is the distance to
//! the next one that has a vendor where it must have one.

use super::super::image::Word;
use super::{Code, CodeSummary, Family, HashSet, Known, MOST_NAMES, Makers, QomType, made};

/// What `CPUID` says, in 12 letters.
const VENDORS: [&[u8]; 6] = [
    b"GenuineIntel",
    b"AuthenticAMD",
    b"HygonGenuine",
    b"CentaurHauls",
    b"  Shanghai  ",
    b"GenuineTMx86",
];
const VENDOR: u64 = 16;
/// A definition had 272 bytes in 4.2 and 464 in 10.2.
const LONGEST_DEFINITION: u64 = 2048;
/// Lengths of a version: with `props`, with `note`, with `cache_info`.
const VERSION_LENGTHS: [u64; 4] = [24, 32, 40, 48];
const MOST_VERSIONS: u64 = 64;
const MOST_MODELS: usize = 1024;

const X86: [&str; 2] = ["x86_64-cpu", "i386-cpu"];
const ARM: [&str; 2] = ["aarch64-cpu", "arm-cpu"];

impl Makers<'_, '_, '_> {
    /// The models of the table that a function goes through.
    pub(super) fn cpus(
        &self,
        code: &mut Code,
        summary: &CodeSummary,
        known: &Known,
    ) -> Vec<QomType> {
        let mut parent = None;
        for &(table, _) in summary.named.iter().take(MOST_NAMES) {
            let found = if self.is_x86(table) {
                self.x86(table, known)
            } else if self.is_arm(table, known) {
                let parent = *parent.get_or_insert_with(|| self.arm_parent(code, summary));
                parent.map(|parent| self.arm(table, parent)).unwrap_or_default()
            } else {
                Vec::new()
            };
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }

    fn is_x86(&self, address: u64) -> bool {
        let named = self.image.pointer(address).and_then(|name| self.image.name(name)).is_some();
        let vendor = address.checked_add(VENDOR).and_then(|vendor| self.image.bytes(vendor));
        named
            && vendor.is_some_and(|bytes| {
                bytes.get(12) == Some(&0) && VENDORS.iter().any(|vendor| bytes.starts_with(vendor))
            })
    }

    fn x86(&self, table: u64, known: &Known) -> Vec<QomType> {
        let parents: Vec<&str> =
            X86.into_iter().filter(|name| known.names.contains(name)).collect();
        let [parent] = parents.as_slice() else { return Vec::new() };
        let next = |step: &u64| table.checked_add(*step).is_some_and(|next| self.is_x86(next));
        let Some(length) = (64..LONGEST_DEFINITION).step_by(8).find(next) else {
            return Vec::new();
        };
        let models: Vec<u64> = (0..MOST_MODELS as u64)
            .map_while(|index| table.checked_add(index * length))
            .take_while(|&model| self.is_x86(model))
            .collect();
        let words = usize::try_from(length / 8).unwrap_or(usize::MAX);
        if !self.may_look(models.len().saturating_mul(words)) {
            return Vec::new();
        }
        // The pointers stand behind the features, so the last that fits is it.
        let versions: Vec<Option<u64>> = models
            .iter()
            .map(|model| {
                let words = (4..length / 8).rev().map(|word| word * 8);
                let mut targets = words.filter_map(|at| self.image.pointer(model.checked_add(at)?));
                targets.find(|&target| self.image.word(target) == Some(Word::Plain(1)))
            })
            .collect();
        let count = |length: u64| -> usize {
            versions.iter().flatten().map(|&list| self.versions(list, length).len()).sum()
        };
        let Some(version) = VERSION_LENGTHS.into_iter().rev().max_by_key(|&length| count(length))
        else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let mut add = |name: String| {
            let model = made(Family::X86Cpu, format!("{name}-{parent}"), parent);
            found.push(QomType { class_init: true, ..model });
        };
        for (model, list) in models.into_iter().zip(versions) {
            let name = self.image.pointer(model).and_then(|name| self.image.name(name));
            let name = name.unwrap_or_default();
            add(name.to_owned());
            let versions = match list {
                Some(list) => self.versions(list, version),
                None => vec![(1, None)],
            };
            for (version, alias) in versions {
                add(format!("{name}-v{version}"));
                alias.map(&mut add);
            }
        }
        found
    }

    /// The versions of a list whose entries have this length, with their aliases.
    fn versions(&self, list: u64, length: u64) -> Vec<(u64, Option<String>)> {
        let mut found = Vec::new();
        for index in 0..MOST_VERSIONS {
            let Some(at) = list.checked_add(index * length) else { break };
            let Some([version, alias]) = self.image.words(at) else { break };
            if version != Word::Plain(index + 1) {
                break;
            }
            let alias = alias.target().and_then(|alias| self.image.name(alias));
            found.push((index + 1, alias.map(str::to_owned)));
        }
        found
    }

    fn is_arm(&self, table: u64, known: &Known) -> bool {
        known.names.contains(ARM[1])
            && [3, 4].into_iter().any(|words| self.arm_model(table, words).is_some())
    }

    /// The one of both parents that the function names, or what it calls.
    fn arm_parent(&self, code: &mut Code, summary: &CodeSummary) -> Option<&'static str> {
        let mut names: HashSet<&str> = self.strings(summary).into_iter().collect();
        for callee in self.callees(summary) {
            names.extend(self.strings(&code.summary(callee)));
        }
        let mut parents = ARM.into_iter().filter(|name| names.contains(name));
        parents.next().filter(|_| parents.next().is_none())
    }

    fn arm(&self, table: u64, parent: &str) -> Vec<QomType> {
        // With a note the initialiser comes third.
        let words = if self.arm_model(table, 3).is_some() { 3 } else { 4 };
        (0..MOST_MODELS as u64)
            .take_while(|_| self.may_look(1))
            .map_while(|index| self.arm_model(table.checked_add(index * words * 8)?, words))
            .map(|name| QomType {
                class_init: true,
                ..made(Family::ArmCpu, format!("{name}-{}", ARM[1]), parent)
            })
            .collect()
    }

    fn arm_model(&self, address: u64, words: u64) -> Option<&str> {
        let name = self.image.name(self.image.pointer(address)?)?;
        let last = address.checked_add((words - 2) * 8)?;
        let [init, class_init] = self.image.words(last)?;
        if words == 4 {
            let note = self.image.word(address.checked_add(8)?)?;
            let is_code = |to: u64| self.functions.is_start(to);
            if note != Word::NULL && note.target().is_none_or(is_code) {
                return None;
            }
        }
        let starts = |word: Word| word.target().is_some_and(|to| self.functions.is_start(to));
        (starts(init) && (class_init == Word::NULL || starts(class_init))).then_some(name)
    }
}

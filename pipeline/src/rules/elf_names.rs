// SPDX-License-Identifier: GPL-2.0-or-later
//! Under which names, and how, a package has its ELF files: of hard links, the payload has the bytes under
//! one name, and a host has them under all.

use super::{ElfFile, InspectedPackage};
use rpm_inspect::FileEntry;
use std::collections::HashMap;
use std::path::Path;

/// Where symbols are, apart from what they are of.
const SYMBOLS: &str = "/usr/lib/debug";

/// What all names of a file say together.
#[derive(Debug, Clone, Copy)]
struct Placed {
    /// Somebody may start it.
    executable: bool,
    /// Each is among symbols.
    aside: bool,
}

/// Every file of a package by its path, and what is said of its bytes under all names.
pub struct ElfNames<'a> {
    files: HashMap<&'a Path, &'a FileEntry>,
    by_sha256: HashMap<&'a str, Placed>,
}

impl<'a> ElfNames<'a> {
    pub fn of(package: &'a InspectedPackage) -> Self {
        let mut by_sha256 = HashMap::new();
        for file in package.files.iter().filter(|file| file.is_regular()) {
            let Some(sha256) = file.sha256.as_deref() else { continue };
            let placed = Placed::of(file);
            by_sha256
                .entry(sha256)
                .and_modify(|all: &mut Placed| {
                    all.executable |= placed.executable;
                    all.aside &= placed.aside;
                })
                .or_insert(placed);
        }
        let files = package.files.iter().map(|file| (Path::new(&file.path), file));
        Self { files: files.collect(), by_sha256 }
    }

    fn placed(&self, elf: &ElfFile) -> Placed {
        let Some(file) = self.files.get(elf.path.as_path()) else {
            return Placed { executable: true, aside: false };
        };
        let same = file.sha256.as_deref().and_then(|sha256| self.by_sha256.get(sha256));
        same.copied().unwrap_or_else(|| Placed::of(file))
    }

    /// Whether somebody may start it.
    pub fn is_executable(&self, elf: &ElfFile) -> bool {
        self.placed(elf).executable
    }

    /// Whether an ELF file is what its sections say of one for debuggers: it lies where nobody starts or
    /// loads it, under all of its names. What they say alone proves nothing.
    pub fn is_symbols(&self, elf: &ElfFile) -> bool {
        let placed = self.placed(elf);
        elf.for_debuggers && placed.aside && !placed.executable
    }
}

impl Placed {
    fn of(file: &FileEntry) -> Self {
        Self { executable: file.is_program(), aside: is_among_symbols(&file.path) }
    }
}

pub fn is_among_symbols(path: &str) -> bool {
    path.strip_prefix(SYMBOLS).is_some_and(|rest| rest.starts_with('/'))
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! A package as it was read, with what its ELF files say: everything that a rule asks about, and that two
//! packages can differ in.

use qom_census::{ElfInfo, Executable, Qom};
use rpm_inspect::Package;
use serde::Serialize;
use std::ops::Deref;
use std::path::{Path, PathBuf};

/// A package, read once.
#[derive(Debug, Clone, Serialize)]
pub struct InspectedPackage {
    /// What it says of itself, and what of that is not so.
    #[serde(flatten)]
    pub package: Package,
    /// Every ELF file in it.
    pub elf: Vec<ElfFile>,
    /// The programs in it that have QOM types.
    pub binaries: Vec<Binary>,
}

/// Most rules ask only what the package says.
impl Deref for InspectedPackage {
    type Target = Package;

    fn deref(&self) -> &Package {
        &self.package
    }
}

impl InspectedPackage {
    /// Whether it calls itself what rpmbuild makes besides, for debuggers: symbols, and the sources as they
    /// were compiled, ours too. The rule `debug-package` holds it to that.
    pub fn is_for_debuggers(&self) -> bool {
        let name = &self.id.name;
        !self.source && (name.ends_with("-debuginfo") || name.ends_with("-debugsource"))
    }

    /// The ELF files in it that were read. Firmware, which is for other machines, is not among them.
    pub fn read_elf(&self) -> impl Iterator<Item = (&Path, &ElfInfo)> {
        self.elf.iter().filter_map(|file| Some((file.path.as_path(), file.info.as_ref()?)))
    }

    /// What is known of one ELF file in it.
    pub fn elf_of(&self, path: &Path) -> Option<&ElfInfo> {
        self.elf.iter().find(|file| file.path == path)?.info.as_ref()
    }
}

/// An ELF file in a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ElfFile {
    pub path: PathBuf,
    #[serde(rename = "facts")]
    pub info: Option<ElfInfo>,
    /// Why there is no `info`: it is damaged, or for another kind of machine, as firmware is.
    pub unread: Option<String>,
    /// What a host does with it, where it would start or load it.
    pub starts: Option<Executable>,
    /// Whether its sections say that the code is in another file.
    pub for_debuggers: bool,
    /// Whether a debugger runs a script that is in it.
    pub scripts: bool,
}

/// A program in a package, with all its types.
#[derive(Debug, Clone, Serialize)]
pub struct Binary {
    pub path: PathBuf,
    pub size: u64,
    #[serde(flatten)]
    pub qom: Qom,
}

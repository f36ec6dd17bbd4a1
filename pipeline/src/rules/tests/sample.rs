// SPDX-License-Identifier: GPL-2.0-or-later
//! What is known of packages that only tests have.

use crate::rules::InspectedPackage;
use qom_census::ElfInfo;
use rpm_inspect::{Error, FileEntry, PackageFile, mode};
use std::path::Path;

pub const PLAIN: u16 = mode::REGULAR | 0o644;
pub const FOLDER: u16 = mode::DIRECTORY | 0o755;
pub const LINK: u16 = mode::LINK | 0o777;

/// A package without files, which requires nothing.
pub fn package(name: &str, arch: &str) -> InspectedPackage {
    let mut read = built(&mut rpm::PackageBuilder::new(name, "1", "MIT", arch, "A test"));
    // What the crate writes there, rpmbuild does in other words.
    read.package.requires.clear();
    read
}

/// What is read of a package without ELF files.
pub fn built(builder: &mut rpm::PackageBuilder) -> InspectedPackage {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.rpm");
    builder.build().unwrap().write_file(&path).unwrap();
    read(&path)
}

fn read(path: &Path) -> InspectedPackage {
    let package = PackageFile::open(path).unwrap().inspect::<Error>(&mut |_, _| Ok(())).unwrap();
    InspectedPackage { package, elf: Vec::new(), binaries: Vec::new() }
}

/// A file of root's.
pub fn file(path: &str, mode: u16, link: Option<&str>) -> FileEntry {
    FileEntry {
        path: path.to_owned(),
        size: 1,
        mode,
        user: "root".to_owned(),
        group: "root".to_owned(),
        flags: Vec::new(),
        link: link.map(str::to_owned),
        capabilities: None,
        sha256: Some("00".to_owned()),
        colour: 0,
    }
}

/// What a program of this machine says: this one.
pub fn program() -> ElfInfo {
    ElfInfo::read(&std::fs::read("/proc/self/exe").unwrap()).unwrap()
}

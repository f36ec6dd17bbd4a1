// SPDX-License-Identifier: GPL-2.0-or-later
//! The package that stands in for the Debian root.
//!
//! rpm finds out which libraries a program needs, and no package in an rpm database of Debian says
//! that it provides them. This one does, and is named as what it is: it carries no file, and vouches
//! only for what this machine's own libraries were seen to have.

use crate::support::requirements::{self, run};
use goblin::elf::Elf;
use rpm::{
    BuildConfig, CompressionType, Dependency, DependencyFlags, PackageBuilder, PackageMetadata,
};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const NAME: &str = "debian-root-stand-in";

/// Makes a repository of the stand-in for what a package requires.
pub fn make(folder: &Path, package: &Path) {
    fs::create_dir(folder).unwrap();
    let machine = Machine::look();
    let mut builder = PackageBuilder::new(NAME, "12", "Public Domain", "noarch", "What Debian has");
    builder
        .using_config(BuildConfig::v4().compression(CompressionType::None))
        .description("Declares libraries that the Debian root of a test has. It carries no file.");
    for wanted in PackageMetadata::open(package).unwrap().get_requires().unwrap() {
        // What rpm itself can do, it declares itself.
        if !wanted.flags.contains(DependencyFlags::RPMLIB) {
            machine.vouch_for(&wanted.name);
            builder.provides(Dependency::any(wanted.name));
        }
    }
    builder.build().unwrap().write_file(folder.join(format!("{NAME}.rpm"))).unwrap();
    run(Command::new(requirements::program("createrepo_c", "createrepo-c")).arg("-q").arg(folder));
}

/// The libraries that the dynamic loader of this machine finds.
struct Machine {
    libraries: BTreeMap<String, PathBuf>,
}

impl Machine {
    fn look() -> Self {
        let listing = run(Command::new(requirements::program("ldconfig", "libc-bin")).arg("-p"));
        // As in `libz.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libz.so.1`.
        let libraries = listing.lines().filter_map(|line| {
            let (name, path) = line.trim().split_once(" => ")?;
            let (name, kind) = name.split_once(' ')?;
            kind.contains("x86-64").then(|| (name.to_owned(), PathBuf::from(path)))
        });
        Self { libraries: libraries.collect() }
    }

    /// Fails where the machine lacks what a requirement names, such as `libz.so.1(ZLIB_1.2.0)(64bit)`.
    fn vouch_for(&self, requirement: &str) {
        if requirement == "rtld(GNU_HASH)" {
            // Every loader since glibc 2.5 reads that hash table.
            requirements::file("/lib64/ld-linux-x86-64.so.2", "libc6");
            return;
        }
        let parts = requirement.strip_suffix("(64bit)").and_then(|rest| rest.strip_suffix(')'));
        let Some((soname, version)) = parts.and_then(|rest| rest.split_once('(')) else {
            panic!("the test root has no answer to `{requirement}`: does the package need that?");
        };
        let Some(path) = self.libraries.get(soname) else {
            requirements::missing(&format!("the library `{soname}`"), debian_package(soname))
        };
        let bytes = fs::read(path).unwrap();
        let has = version.is_empty() || versions(&bytes).iter().any(|found| found == version);
        assert!(has, "`{}` has no symbols of version {version}", path.display());
    }
}

/// The symbol versions that a library defines.
fn versions(library: &[u8]) -> Vec<String> {
    let elf = Elf::parse(library).unwrap();
    let Some(section) = &elf.verdef else { return Vec::new() };
    // The first name of a definition is its own; those after it are its parents'.
    let names = section.iter().filter_map(|definition| definition.iter().next());
    names.filter_map(|name| elf.dynstrtab.get_at(name.vda_name)).map(str::to_owned).collect()
}

fn debian_package(soname: &str) -> &'static str {
    match soname {
        "libfdt.so.1" => "libfdt1",
        "libglib-2.0.so.0" => "libglib2.0-0",
        "libpixman-1.so.0" => "libpixman-1-0",
        "libz.so.1" => "zlib1g",
        _ => "libc6",
    }
}

#[test]
#[should_panic(expected = "has no symbols of version GLIBC_99.1")]
fn it_vouches_for_no_version_that_the_machine_lacks() {
    let machine = Machine::look();
    machine.vouch_for("libc.so.6(GLIBC_2.34)(64bit)");
    machine.vouch_for("libc.so.6(GLIBC_99.1)(64bit)");
}

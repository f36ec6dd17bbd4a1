// SPDX-License-Identifier: GPL-2.0-or-later
//! Reads a package for the rules: what it says and holds by `rpm-inspect`, its ELF files by `qom-census`, its signatures
//! by `openpgp`.

use crate::error::Help;
use crate::files;
use crate::openpgp::{Certificate, check_package};
use crate::package_file;
use crate::rules::{Binary, ElfFile, InspectedPackage};
use anyhow::{Context, Error, Result, ensure};
use fs_err as fs;
use qom_census::{ElfInfo, Qom};
use rpm_inspect::{ErrorKind, MAGIC, Package};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const HELP_COMPRESSOR: &str = "build it with xz, gzip or zstd (`_binary_payload`)";
const HELP_BOMB: &str =
    "no package of files that anybody reads is packed like this: look into what is in it";

/// Says of an ELF file which QOM types it has; nothing, where it has none.
pub type Judge<'a> = &'a mut dyn FnMut(&Path, &[u8]) -> Result<Option<Qom>>;

pub fn is_rpm(path: &Path) -> Result<bool> {
    let mut head = Vec::new();
    let file = files::open(path, &files::JUDGED)?;
    file.take(MAGIC.len() as u64).read_to_end(&mut head)?;
    Ok(head == MAGIC)
}

/// Reads a package. Every ELF file in it is handed to `judge` once, whole, one after the other.
pub fn read(path: &Path, certificates: &[Certificate], judge: Judge) -> Result<InspectedPackage> {
    let mut read = once(path, judge).with_context(|| format!("package `{}`", name(path)))?;
    if !certificates.is_empty() {
        let checked = check_package(path, certificates);
        read.package.note_signatures(checked.map(|checked| checked.fingerprint).map_err(|error| {
            let what = format!("{:#}", error.root_cause());
            what.lines().next().unwrap_or_default().to_owned()
        }));
    }
    Ok(read)
}

/// How many files a package lists, by its header alone.
pub fn count(path: &Path) -> Result<usize> {
    let count = || anyhow::Ok(package_file::open(path)?.file_count()?);
    count().with_context(|| format!("package `{}`", name(path)))
}

/// Takes one file out of a package, into a folder, and says its name there.
pub fn extract(package: &Path, wanted: &Path, folder: &Path) -> Result<String> {
    let name = name(wanted);
    let mut found = false;
    read(package, &[], &mut |path, content| {
        if path == wanted {
            let to = folder.join(&name);
            fs::write(&to, content)?;
            fs::set_permissions(&to, PermissionsExt::from_mode(0o755))?;
            found = true;
        }
        Ok(None)
    })?;
    ensure!(found, "`{}` is no longer in the package", wanted.display());
    Ok(name)
}

fn once(path: &Path, judge: Judge) -> Result<InspectedPackage> {
    let (mut elf, mut binaries) = (Vec::new(), Vec::new());
    let package = package_file::open(path)?.inspect(&mut |path, bytes| {
        let shown = || format!("`{}`", path.display().to_string().escape_debug());
        let types = judge(path, bytes).with_context(shown)?;
        elf.push(elf_file(path, bytes));
        if let Some(qom) = types {
            binaries.push(Binary { path: path.to_owned(), size: bytes.len() as u64, qom });
        }
        anyhow::Ok(())
    });
    let package: Package = package.map_err(with_help)?;
    Ok(InspectedPackage { package, elf, binaries })
}

/// What somebody who builds packages can do about it.
fn with_help(error: Error) -> Error {
    match error.downcast_ref::<rpm_inspect::Error>().map(rpm_inspect::Error::kind) {
        Some(ErrorKind::UnknownCompressor) => {
            Error::msg(format!("{error:#}")).help(HELP_COMPRESSOR)
        }
        Some(ErrorKind::Bomb) => Error::msg(format!("{error:#}")).help(HELP_BOMB),
        _ => error,
    }
}

fn elf_file(path: &Path, bytes: &[u8]) -> ElfFile {
    let (info, unread) = match ElfInfo::read(bytes) {
        Ok(info) => (Some(info), None),
        Err(error) => (None, Some(format!("{:#}", Error::from(error)))),
    };
    ElfFile {
        path: path.to_owned(),
        info,
        unread,
        starts: qom_census::executable(bytes),
        for_debuggers: qom_census::is_for_debuggers(bytes),
        scripts: qom_census::has_gdb_scripts(bytes),
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

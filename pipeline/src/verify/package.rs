//! An RPM, streamed: what it calls itself, what it provides, and the QEMU in it.

use super::elf::QomType;
use super::types;
use crate::config::ExpectedType;
use anyhow::{Context, Result, bail};
use rpm::{Dependency, DependencyFlags, PackageMetadata, PackageReader};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// How an RPM begins (rpm, `docs/manual/format_lead.md`).
const LEAD_MAGIC: [u8; 4] = [0xed, 0xab, 0xee, 0xdb];
/// No QEMU comes near this; a header that says more is not believed.
pub const LARGEST_BINARY: u64 = 512 << 20;

/// What a binary package says and holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PackageFacts {
    pub nevra: String,
    pub provides: Vec<String>,
    pub binaries: Vec<Binary>,
}

/// A system emulator in a package, with the expected types that it registers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Binary {
    pub path: PathBuf,
    pub size: u64,
    pub types: Vec<QomType>,
}

pub fn is_rpm(path: &Path) -> Result<bool> {
    let mut head = Vec::new();
    let file = File::open(path).with_context(|| format!("`{}`", path.display()))?;
    file.take(4).read_to_end(&mut head)?;
    Ok(head == LEAD_MAGIC)
}

/// Reads a package and demands the expected types of every system emulator in it.
pub fn read(path: &Path, expected: &[ExpectedType]) -> Result<PackageFacts> {
    let shown = || format!("package `{}`", name(path));
    let metadata = PackageMetadata::open(path).with_context(shown)?;
    let mut facts = PackageFacts {
        nevra: metadata.get_nevra().with_context(shown)?.to_string(),
        provides: metadata.get_provides().with_context(shown)?.iter().map(written).collect(),
        binaries: Vec::new(),
    };
    for_each_emulator(path, |path, content| {
        let shown = || format!("`{}` of {}", path.display(), facts.nevra);
        let types = types(content, expected).with_context(shown)?;
        facts.binaries.push(Binary { path: path.to_owned(), size: content.len() as u64, types });
        Ok(())
    })
    .with_context(shown)?;
    Ok(facts)
}

/// Takes one emulator out of a package, into a folder, and says its name there.
pub fn extract(package: &Path, wanted: &Path, folder: &Path) -> Result<String> {
    let name = name(wanted);
    let mut found = false;
    for_each_emulator(package, |path, content| {
        if path == wanted {
            let to = folder.join(&name);
            fs::write(&to, content)?;
            fs::set_permissions(&to, fs::Permissions::from_mode(0o755))?;
            found = true;
        }
        Ok(())
    })?;
    if !found {
        bail!("`{}` is no longer in the package", wanted.display());
    }
    Ok(name)
}

pub fn no_emulator(packages: &[&str]) -> String {
    format!(
        "no `qemu-system-*` in {}\nhelp: is it the package with QEMU's binary?",
        packages.join(", ")
    )
}

fn for_each_emulator(path: &Path, mut f: impl FnMut(&Path, &[u8]) -> Result<()>) -> Result<()> {
    let mut reader = PackageReader::open(path)?;
    while let Some(mut file) = reader.next_file()? {
        let path = file.metadata.path();
        let size = file.metadata.size() as u64;
        if !name(&path).starts_with("qemu-system-") || !file.has_payload() {
            continue;
        }
        if size > LARGEST_BINARY {
            bail!("`{}` claims {size} bytes", path.display());
        }
        let mut content = Vec::new();
        io::copy(&mut Read::take(&mut file, LARGEST_BINARY), &mut content)?;
        if content.starts_with(b"\x7fELF") {
            f(&path, &content)?;
        }
    }
    Ok(())
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A dependency as rpm writes it.
fn written(dependency: &Dependency) -> String {
    let flags = dependency.flags;
    let mut sense = String::new();
    for (flag, sign) in [
        (DependencyFlags::LESS, '<'),
        (DependencyFlags::GREATER, '>'),
        (DependencyFlags::EQUAL, '='),
    ] {
        if flags.contains(flag) {
            sense.push(sign);
        }
    }
    if sense.is_empty() {
        return dependency.name.clone();
    }
    format!("{} {sense} {}", dependency.name, dependency.version)
}

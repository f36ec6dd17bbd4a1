// SPDX-License-Identifier: GPL-2.0-or-later
//! What a guest boots from, of this machine's own: a kernel, a static busybox, firmware. Nothing is
//! fetched, and what is lacking is said, with the Debian package that brings it.

use crate::config::Guest;
use crate::files;
use crate::process::find_program as find;
use anyhow::Result;
use qom_census::ElfInfo;
use std::fs;
use std::path::{Path, PathBuf};

const BOOT: &str = "/boot";
/// Where distributions have firmware.
const FOLDERS: [&str; 4] =
    ["/usr/share/seabios", "/usr/share/qemu", "/usr/share/qemu-kvm", "/usr/share/seavgabios"];
/// What a machine cannot boot a kernel without, with the package; and what it would complain of.
const NEEDED: [(&str, &str); 2] =
    [("bios-256k.bin", "seabios"), ("linuxboot_dma.bin", "qemu-system-data")];
const WELCOME: [&str; 1] = ["kvmvapic.bin"];

/// Paths of files that are there and can be read.
#[derive(Debug)]
pub struct BootFiles {
    kernel: PathBuf,
    busybox: PathBuf,
    firmware: Vec<(&'static str, PathBuf)>,
}

/// The blake3 of all that a guest would boot from; nothing where something is lacking.
pub fn digest(guest: &Guest) -> Option<String> {
    let boot_files = BootFiles::look(guest).ok()?;
    let mut digest = blake3::Hasher::new();
    let busybox = boot_files.busybox().ok()?;
    for (name, bytes) in boot_files.files().ok()?.into_iter().chain([("busybox", busybox)]) {
        digest.update(name.as_bytes()).update(&(bytes.len() as u64).to_le_bytes()).update(&bytes);
    }
    // The version is told, and may stand in the name alone.
    digest.update(boot_files.version().as_bytes());
    Some(digest.finalize().to_hex().to_string())
}

impl BootFiles {
    /// Looks for everything; or says what is lacking first.
    pub fn look(guest: &Guest) -> Result<Self, String> {
        let kernel = match &guest.kernel {
            Some(kernel) if files::open(kernel, &files::KERNEL).is_ok() => kernel.clone(),
            Some(kernel) => {
                return Err(format!("the kernel `{}` cannot be read", kernel.display()));
            }
            None => newest(Path::new(BOOT)).ok_or_else(|| {
                lacking("a readable kernel `/boot/vmlinuz-*`", "linux-image-cloud-amd64")
            })?,
        };
        let busybox = find("busybox").filter(|busybox| is_static(busybox));
        let busybox = busybox.ok_or_else(|| lacking("a static `busybox`", "busybox-static"))?;
        let mut firmware = Vec::new();
        for (name, package) in NEEDED {
            let file = in_folders(name).ok_or_else(|| lacking(&format!("`{name}`"), package))?;
            firmware.push((name, file));
        }
        firmware.extend(WELCOME.into_iter().filter_map(|name| Some((name, in_folders(name)?))));
        Ok(Self { kernel, busybox, firmware })
    }

    /// What goes beside QEMU, by the name that it is looked for there.
    pub fn files(&self) -> Result<Vec<(&'static str, Vec<u8>)>> {
        let kernel = [("kernel", &self.kernel)];
        let firmware = self.firmware.iter().map(|(name, path)| (*name, path));
        kernel.into_iter().chain(firmware).map(|(name, path)| Ok((name, read(path)?))).collect()
    }

    pub fn busybox(&self) -> Result<Vec<u8>> {
        read(&self.busybox)
    }

    /// What the kernel's file calls itself.
    pub fn version(&self) -> String {
        let name = self.kernel.file_name().unwrap_or_default().to_string_lossy();
        name.strip_prefix("vmlinuz-").unwrap_or(&name).to_owned()
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    files::read(path, &files::KERNEL)
}

fn lacking(what: &str, package: &str) -> String {
    format!("this machine lacks {what}: apt-get install {package}")
}

fn in_folders(name: &str) -> Option<PathBuf> {
    FOLDERS
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|file| files::open(file, &files::KERNEL).is_ok())
}

/// The kernel of the highest version that can be read.
fn newest(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let readable = |name: &String| files::open(&folder.join(name), &files::KERNEL).is_ok();
    let kernels = names.filter(|name| name.starts_with("vmlinuz-") && readable(name));
    Some(folder.join(kernels.max_by_key(|name| version(name))?))
}

/// Numbers compare as numbers, and what stands between them as text.
fn version(name: &str) -> Vec<(u64, String)> {
    let mut parts = vec![(0_u64, String::new())];
    for c in name.chars() {
        match (parts.last_mut(), c.to_digit(10)) {
            (Some((number, text)), Some(digit)) if text.is_empty() => {
                *number = number.saturating_mul(10).saturating_add(digit.into());
            }
            (_, Some(digit)) => parts.push((digit.into(), String::new())),
            (Some((_, text)), None) => text.push(c),
            (None, None) => {}
        }
    }
    parts
}

/// Whether a program needs no loader and so no libraries.
fn is_static(program: &Path) -> bool {
    let Ok(bytes) = files::read(program, &files::KERNEL) else { return false };
    ElfInfo::read(&bytes).is_ok_and(|program| program.interpreter.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_kernel_is_the_one_of_the_highest_version() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(newest(folder.path()), None);
        for name in
            ["vmlinuz-6.1.0-9-amd64", "vmlinuz-6.1.0-56-amd64", "config-6.9", "vmlinuz-5.10"]
        {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(newest(folder.path()), Some(folder.path().join("vmlinuz-6.1.0-56-amd64")));
    }

    #[test]
    fn what_is_lacking_is_named_with_what_to_do() {
        let kernel = Some(PathBuf::from("/no/such/kernel"));
        let why = BootFiles::look(&Guest { kernel: kernel.clone() }).unwrap_err();
        assert_eq!(why, "the kernel `/no/such/kernel` cannot be read");
        assert_eq!(digest(&Guest { kernel }), None);
        let why = lacking("a static `busybox`", "busybox-static");
        assert_eq!(why, "this machine lacks a static `busybox`: apt-get install busybox-static");
    }

    #[test]
    fn another_kernel_is_another_digest() {
        let folder = tempfile::tempdir().unwrap();
        let kernel = folder.path().join("vmlinuz-1");
        let guest = Guest { kernel: Some(kernel.clone()) };
        let of = |content: &str| {
            fs::write(&kernel, content).unwrap();
            digest(&guest)
        };
        // Where this machine lacks firmware or busybox there is none for either.
        assert_eq!(of("a").is_some(), of("b").is_some());
        assert!(of("a").is_none() || of("a") != of("b"));
        assert_eq!(of("a"), of("a"));
    }
}

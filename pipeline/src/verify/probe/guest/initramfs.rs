// SPDX-License-Identifier: GPL-2.0-or-later
//! An initramfs: a cpio archive in the format `newc` (Linux, Documentation/driver-api/early-userspace/
//! buffer-format.rst), the same bytes for the same files: everything is root's and of no time.

use anyhow::{Context, Result};

const FOLDER: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
/// The name that ends an archive.
const TRAILER: &str = "TRAILER!!!";

/// An archive that is being written.
pub struct Archive {
    bytes: Vec<u8>,
    entries: u32,
}

impl Archive {
    pub fn new() -> Self {
        Self { bytes: Vec::new(), entries: 0 }
    }

    /// A folder, which comes before what is in it.
    pub fn folder(&mut self, name: &str) -> &mut Self {
        self.entry(name, FOLDER, &[], 0);
        self
    }

    /// A file that can be run.
    pub fn program(&mut self, name: &str, content: &[u8]) -> Result<&mut Self> {
        let size = u32::try_from(content.len()).with_context(|| format!("`{name}` in a cpio"))?;
        self.entry(name, PROGRAM, content, size);
        Ok(self)
    }

    /// The whole archive.
    pub fn finish(mut self) -> Vec<u8> {
        self.entry(TRAILER, 0, &[], 0);
        self.bytes
    }

    fn entry(&mut self, name: &str, mode: u32, content: &[u8], size: u32) {
        self.entries += 1;
        let links = if mode == FOLDER { 2 } else { 1 };
        let length = u32::try_from(name.len() + 1).unwrap_or(u32::MAX);
        // Inode, mode, owner, group, links, time, size, four numbers of devices, the name's length
        // with its end, and a sum that this format leaves at 0.
        let fields = [self.entries, mode, 0, 0, links, 0, size, 0, 0, 0, 0, length, 0];
        self.bytes.extend_from_slice(b"070701");
        for field in fields {
            self.bytes.extend_from_slice(format!("{field:08x}").as_bytes());
        }
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(0);
        self.align();
        self.bytes.extend_from_slice(content);
        self.align();
    }

    /// Names and contents end at a multiple of 4.
    fn align(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive() -> Vec<u8> {
        let mut archive = Archive::new();
        archive.folder("bin").program("bin/busybox", b"12345").unwrap();
        archive.program("init", b"#!/bin/sh\n").unwrap();
        archive.finish()
    }

    #[test]
    fn the_same_files_are_the_same_bytes() {
        assert_eq!(archive(), archive());
        assert_eq!(archive().len() % 4, 0);
    }

    mod tools {
        use super::archive;
        use crate::process::{Invocation, Runner};
        use std::fs;

        #[test]
        fn cpio_reads_what_is_written() {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("a"), archive()).unwrap();
            let runner = Runner::new(&folder.path().join("log"), |_| {}).unwrap();
            let cpio = |options: &str| {
                let script = format!("cpio --quiet {options} <a");
                let call = Invocation::new("sh")
                    .args(["-c", &script])
                    .current_dir(folder.path())
                    .capture_stdout();
                runner.run(&call).unwrap().stdout
            };
            assert_eq!(cpio("-t"), "bin\nbin/busybox\ninit\n");
            let listing = cpio("-tv --numeric-uid-gid");
            assert!(listing.starts_with("drwxr-xr-x   2 0        0"), "{listing}");
            assert!(
                listing
                    .contains("-rwxr-xr-x   1 0        0               5 Jan  1  1970 bin/busybox"),
                "{listing}"
            );
            cpio("-id --no-preserve-owner");
            assert_eq!(fs::read(folder.path().join("bin/busybox")).unwrap(), b"12345");
        }
    }
}

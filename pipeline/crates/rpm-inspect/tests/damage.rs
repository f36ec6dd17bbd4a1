// SPDX-License-Identifier: GPL-2.0-or-later
//! Packages with a byte changed, or cut off: an error, or a package with its faults, and never a panic.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use rpm_inspect::{Error, ErrorKind, Package, PackageFile};
use std::fs::File;
use std::io::{Seek, Write};

/// A package of a program and a link to it, packed by nothing, so that every byte says something.
fn package() -> Vec<u8> {
    let mut builder = rpm::PackageBuilder::new("damaged", "1", "MIT", "x86_64", "A test");
    let program = rpm::FileOptions::new("/usr/bin/a").mode(rpm::FileMode::regular(0o755));
    let link = rpm::FileOptions::symlink("/usr/bin/b", "a");
    let config = rpm::BuildConfig::default().compression(rpm::CompressionType::None);
    builder
        .using_config(config)
        .requires(rpm::Dependency::any("libc.so.6"))
        .with_file_contents("\x7fELF and no more", program)
        .and_then(|builder| builder.with_symlink(link))
        .unwrap();
    let mut bytes = Vec::new();
    builder.build().unwrap().write(&mut bytes).unwrap();
    bytes
}

fn inspect(bytes: &[u8]) -> Result<Package, Error> {
    let mut file: File = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    PackageFile::new(file)?.inspect(&mut |_, _| Ok(()))
}

#[test]
fn a_whole_package_has_no_faults() {
    let package = inspect(&package()).unwrap();
    assert_eq!(package.faults, []);
    assert_eq!(package.files[1].link.as_deref(), Some("a"));
}

#[test]
fn a_changed_byte_is_seen_or_says_nothing() {
    let whole = package();
    let sound = inspect(&whole).unwrap();
    for at in 0..whole.len() {
        for byte in [0, whole[at] ^ 1, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] = byte;
            let Ok(found) = inspect(&bytes) else { continue };
            // Whatever the header or the payload says otherwise is under a digest.
            let same = found.files == sound.files && found.requires == sound.requires;
            assert!(same || !found.faults.is_empty(), "{at}: {byte}");
        }
    }
}

#[test]
fn a_package_that_is_cut_off_is_an_error() {
    let whole = package();
    for end in 0..whole.len() {
        let error = inspect(&whole[..end]).unwrap_err();
        let expected = [ErrorKind::NotRpm, ErrorKind::Malformed, ErrorKind::Truncated];
        let io = error.kind() == ErrorKind::Io;
        assert!(expected.contains(&error.kind()) || io, "{end}: {:?} {error}", error.kind());
    }
}

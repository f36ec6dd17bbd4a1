// SPDX-License-Identifier: GPL-2.0-or-later
//! Files that are no ELF, that are cut off, that lie: each an error or a report, never a panic.

use super::super::Census;
use super::{FORMS, OLD, compile, error, find_type, program_header, word};

/// A file without the section headers, which otherwise end it: `sstrip` does this.
fn without_sections(file: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    file[0x28..0x30].fill(0);
    file[0x3c..0x3e].fill(0);
    file
}

#[test]
fn what_is_no_readable_elf_is_named() {
    let patched = |at: usize, bytes: &[u8]| {
        let mut file = OLD.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        error(&file, "vgpu-stub")
    };
    assert_eq!(error(b"", "x"), "not an ELF file");
    assert_eq!(error(b"#!/bin/sh\n", "x"), "not an ELF file");
    assert_eq!(error(b"\x7fELF", "x"), "the ELF file is truncated inside its header");
    assert_eq!(patched(4, &[1]), "the ELF file is not 64-bit (class 1)");
    assert_eq!(patched(5, &[2]), "the ELF file is not little-endian (data encoding 2)");
    let machine = patched(18, &21_u16.to_le_bytes());
    assert!(machine.contains("machine `PPC64`"), "{machine}");
    let object = patched(16, &1_u16.to_le_bytes());
    assert!(object.contains("type `REL`"), "{object}");
    let crowd = patched(56, &u16::MAX.to_le_bytes());
    assert!(crowd.contains("65535 program headers"), "{crowd}");
    let far = patched(32, &u64::MAX.to_le_bytes());
    assert!(far.contains("truncated inside its program headers"), "{far}");
}

#[test]
fn relocations_that_cannot_be_followed_are_named() {
    let changed = |file: &[u8], tag: u64, value: u64| {
        let mut file = file.to_vec();
        let dynamic = program_header(&file, 2);
        let entries = usize::try_from(word(&file, dynamic + 8)).unwrap();
        let entry = (entries..).step_by(16).find(|&at| word(&file, at) == tag).unwrap();
        file[entry + 8..entry + 16].copy_from_slice(&value.to_le_bytes());
        error(&file, "vgpu-stub")
    };
    let outside = "relocations lie outside its segments";
    assert!(changed(&OLD, 7, 1 << 40).contains(outside));
    assert!(changed(&OLD, 8, 1 << 40).contains(outside));
    let packed = compile(FORMS[1], 72, "-O2");
    assert!(changed(&packed, 36, 1 << 40).contains(outside));
    // The table of code or of names, read as packed relocations.
    let start = usize::try_from(word(&packed, program_header(&packed, 2) + 8)).unwrap();
    let entry = (start..).step_by(16).find(|&at| word(&packed, at) == 36).unwrap();
    let bitmap = changed(&packed, 36, word(&packed, entry + 8) + 8);
    assert!(bitmap.contains("packed relocations"), "{bitmap}");

    let without = |kind: u32| {
        let mut file = OLD.clone();
        file[program_header(&OLD, kind)..][..4].fill(0);
        file
    };
    // No relocation, no pointer, no type.
    assert_eq!(find_type(&without(2), "vgpu-stub").unwrap(), None);
    let unwound = error(&without(0x6474_e550), "vgpu-stub");
    assert!(unwound.contains("no unwind table"), "{unwound}");
}

#[test]
fn a_file_cut_off_anywhere_is_an_error() {
    for length in 0..OLD.len() {
        assert!(Census::read(&OLD[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn no_damage_panics() {
    let look = |file: &[u8]| drop(find_type(file, "vgpu-stub"));
    let whole = without_sections(&OLD);
    assert!(find_type(&whole, "vgpu-stub").unwrap().is_some());
    for length in 0..whole.len() {
        look(&whole[..length]);
    }
    let mut file = OLD.clone();
    // What lies between two zeros is padding, or the upper half of a number: a few will do.
    let worth = |at: &usize| OLD[at.saturating_sub(1)..=*at] != [0, 0] || at.is_multiple_of(31);
    for at in (0..OLD.len()).filter(worth) {
        for damaged in [0xff, OLD[at].wrapping_add(8)] {
            file[at] = damaged;
            look(&file);
        }
        file[at] = OLD[at];
    }
}

#[test]
fn the_fuzzers_seeds_and_past_crashes_are_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = std::fs::read(entry.unwrap().path()).unwrap();
        if let Ok(census) = Census::read(&file) {
            let names: Vec<String> = census.names().map(str::to_owned).collect();
            for name in names {
                drop(census.find(&name));
            }
            drop(census.report());
        }
        files += 1;
    }
    assert!(files >= 7, "{files}");
}

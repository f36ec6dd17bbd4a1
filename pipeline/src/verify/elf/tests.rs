//! The reader against real compiler and linker output, and against damage.
//!
//! `tests/fixtures/qom/qemu.c` is compiled in each shape that QEMU has had; gcc and ld write the
//! rest.

use super::{Census, Layout, Property, QomType};
use crate::cmd::{Call, Runner};
use std::sync::LazyLock;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/qom/qemu.c");

/// The shapes of 4.2, 5.2, 7.2 and 10.0, as the fixture knows them.
const SHAPES: [u32; 4] = [42, 52, 72, 100];

static OLD: LazyLock<Vec<u8>> = LazyLock::new(|| compile(42, "-O2"));

fn compile(shape: u32, flag: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("qemu");
    let shape = format!("-DQEMU={shape}");
    let call =
        Call::new("cc").args(["-fPIE", "-pie", "-s", flag, &shape, FIXTURE, "-o"]).arg(&binary);
    Runner::new(&folder.path().join("log"), |_| {}).unwrap().run(&call).unwrap();
    std::fs::read(&binary).unwrap()
}

fn property(name: &str, kind: &str) -> Property {
    Property { name: name.to_owned(), kind: Some(kind.to_owned()) }
}

fn names(found: &QomType) -> Vec<&str> {
    found.properties.iter().map(|property| property.name.as_str()).collect()
}

fn find_type(file: &[u8], name: &str) -> anyhow::Result<Option<QomType>> {
    Census::read(file)?.find(name)
}

fn error(file: &[u8], name: &str) -> String {
    format!("{:#}", find_type(file, name).unwrap_err())
}

/// A file without the section headers, which otherwise end it: `sstrip` does this.
fn without_sections(file: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    file[0x28..0x30].fill(0);
    file[0x3c..0x3e].fill(0);
    file
}

fn contains(file: &[u8], bytes: &[u8]) -> bool {
    file.windows(bytes.len()).any(|window| window == bytes)
}

fn word(file: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(*file[at..].first_chunk().unwrap())
}

/// Where the program header of this kind stands.
fn program_header(file: &[u8], kind: u32) -> usize {
    let first = usize::try_from(word(file, 0x20)).unwrap();
    (first..).step_by(56).find(|&at| file[at..].starts_with(&kind.to_le_bytes())).unwrap()
}

#[test]
fn a_type_is_read_in_every_shape_of_qemu_and_at_every_optimisation() {
    for shape in SHAPES {
        for optimisation in ["-O0", "-O2", "-Os"] {
            let file = compile(shape, optimisation);
            let expected = QomType {
                name: "vgpu-stub".to_owned(),
                parent: "pci-device".to_owned(),
                is_abstract: false,
                interfaces: vec![
                    "conventional-pci-device".to_owned(),
                    "hotplug-handler".to_owned(),
                ],
                properties: vec![
                    property("pool_id", "str"),
                    property("priority", "str"),
                    property("vm_id", "uint32"),
                ],
                layout: if shape == 42 { Layout::V4_2 } else { Layout::V5_2 },
            };
            let found = find_type(&file, "vgpu-stub").unwrap();
            assert_eq!(found, Some(expected), "{shape} {optimisation}");
            // Through a helper, with a PropertyInfo and an interface list that are blank in the
            // file.
            let late = find_type(&file, "late").unwrap().unwrap();
            assert_eq!(late.parent, "sys-bus-device");
            assert_eq!(names(&late), ["first", "second", "third"], "{shape} {optimisation}");
            assert!(late.interfaces.is_empty());
        }
    }
}

#[test]
fn a_name_that_is_the_tail_of_another_string_is_read() {
    assert!(contains(&OLD, b"interrupt-priority\0") && !contains(&OLD, b"\0priority\0"));
    let found = find_type(&OLD, "vgpu-stub").unwrap().unwrap();
    assert!(names(&found).contains(&"priority"));
}

#[test]
fn a_table_whose_address_comes_from_a_constant_pool_is_read() {
    let found = find_type(&OLD, "pooled").unwrap().unwrap();
    assert_eq!(names(&found), ["first", "second", "third"]);
    // In the form of 10.0 the table has no end of its own, and here no call says its length.
    let error = error(&compile(100, "-O2"), "pooled");
    assert!(error.contains("the end of the property table at"), "{error}");
}

#[test]
fn a_type_without_a_table_has_no_properties() {
    assert!(find_type(&OLD, "plain").unwrap().unwrap().properties.is_empty());
    let device = find_type(&OLD, "device").unwrap().unwrap();
    assert!(device.is_abstract && device.properties.is_empty());
}

#[test]
fn a_type_that_is_not_there_is_not_found() {
    // The last two are in the binary: the key of a pair, and the end of a longer string.
    for name in ["vgpu", "", "fake", "priority"] {
        assert_eq!(find_type(&OLD, name).unwrap(), None, "{name}");
    }
    let census = Census::read(&OLD).unwrap();
    let names: Vec<&str> = census.names().collect();
    let expected = [
        "choosy",
        "conventional-pci-device",
        "device",
        "hotplug-handler",
        "late",
        "pci-device",
        "plain",
        "pooled",
        "sys-bus-device",
        "twice",
        "twice",
        "vgpu-stub",
    ];
    assert_eq!(names, expected);
}

#[test]
fn a_program_without_types_has_none() {
    let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let census = Census::read(&own).unwrap();
    assert_eq!(census.names().len(), 0);
    assert_eq!(census.find("vgpu-stub").unwrap(), None);
}

#[test]
fn what_cannot_be_settled_is_refused() {
    let choosy = error(&OLD, "choosy");
    assert!(choosy.contains("of QOM type `choosy`"), "{choosy}");
    assert!(choosy.contains("names two property tables"), "{choosy}");
    let twice = error(&OLD, "twice");
    assert_eq!(twice, "the binary describes QOM type `twice` more than once, and differently");
    let mixed = error(&compile(52, "-DMIXED"), "vgpu-stub");
    let expected =
        "the layout of `TypeInfo` is ambiguous: 1 types have that of QEMU 4.2, 5 that of";
    assert!(mixed.starts_with(expected), "{mixed}");
    let orphan = error(&OLD, "orphan");
    assert!(orphan.contains("`orphan` derives from `nobody`"), "{orphan}");
}

#[test]
fn the_json_has_the_words_of_qom() {
    let found = find_type(&OLD, "vgpu-stub").unwrap().unwrap();
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(json["abstract"], false);
    assert_eq!(json["layout"], "4.2");
    assert_eq!(serde_json::from_value::<QomType>(json).unwrap(), found);
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
    let machine = patched(18, &183_u16.to_le_bytes());
    assert!(machine.contains("machine `AARCH64`"), "{machine}");
    let fixed = patched(16, &2_u16.to_le_bytes());
    assert!(fixed.contains("type `EXEC`"), "{fixed}");
    let crowd = patched(56, &u16::MAX.to_le_bytes());
    assert!(crowd.contains("65535 program headers"), "{crowd}");
    let far = patched(32, &u64::MAX.to_le_bytes());
    assert!(far.contains("truncated inside its program headers"), "{far}");
}

#[test]
fn relocations_that_cannot_be_followed_are_named() {
    let dynamic = program_header(&OLD, 2);
    let retagged = |tag: u64, other: u64| {
        let mut file = OLD.clone();
        let entries = usize::try_from(word(&file, dynamic + 8)).unwrap();
        let entry = (entries..).step_by(16).find(|&at| word(&file, at) == tag).unwrap();
        file[entry..entry + 8].copy_from_slice(&other.to_le_bytes());
        error(&file, "vgpu-stub")
    };
    // RELACOUNT, which nobody needs, becomes RELR; then RELA becomes it.
    let packed = retagged(0x6fff_fff9, 36);
    assert!(packed.contains("packs its relocations (DT_RELR)"), "{packed}");
    let none = retagged(7, 0x6fff_fff9);
    assert!(none.contains("has no relocations (DT_RELA)"), "{none}");

    let without = |kind: u32| {
        let mut file = OLD.clone();
        file[program_header(&OLD, kind)..][..4].fill(0);
        error(&file, "vgpu-stub")
    };
    let fixed = without(2);
    assert!(fixed.contains("no dynamic section"), "{fixed}");
    let unwound = without(0x6474_e550);
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

// SPDX-License-Identifier: GPL-2.0-or-later
//! What a host starts, and what its loader makes of it: real linkers' files, and such as none makes.

use super::super::dynamic::entries;
use super::super::header::{Executable, Header, executable};
use super::{ARM, FORMS, OLD, compile, error, program_header, word};

const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const PT_PHDR: u32 = 6;

fn set<const N: usize>(file: &mut [u8], at: usize, bytes: [u8; N]) {
    file[at..at + N].copy_from_slice(&bytes);
}

fn with(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut file = OLD.clone();
    change(&mut file);
    file
}

/// Where the program headers of this kind stand.
fn all(file: &[u8], kind: u32) -> Vec<usize> {
    let first = usize::try_from(word(file, 0x20)).unwrap();
    let count = usize::from(u16::from_le_bytes([file[56], file[57]]));
    let places = (0..count).map(|at| first + at * 56);
    places.filter(|&at| file[at..].starts_with(&kind.to_le_bytes())).collect()
}

#[test]
fn a_file_starts_by_what_the_kernel_reads_of_it_and_nothing_else() {
    assert_eq!(executable(&OLD), Some(Executable::Elf64));
    // Class, byte order, version, system and its version, padding: none of them is asked.
    for at in 4..16 {
        for byte in [0, 1, 2, 0xff] {
            let file = with(|file| file[at] = byte);
            assert_eq!(executable(&file), Some(Executable::Elf64), "{at} {byte}");
            // What starts is read, or refused.
            assert!(at > 6 || file == *OLD || Header::read(&file).is_err(), "{at} {byte}");
        }
    }
    for (at, half) in [(16, 1), (16, 4), (16, 0x0200), (18, 21), (18, 0x3e00), (54, 32), (56, 0)] {
        let file = with(|file| set(file, at, u16::to_le_bytes(half)));
        assert_eq!(executable(&file), None, "{at} {half}");
    }
    assert_eq!(executable(&with(|file| file[0] = 0)), None);
    assert_eq!(executable(&OLD[..57]), None);
    assert_eq!(executable(b"\x7fELF"), None);
    // Sections say nothing to the kernel: this is how one for debuggers looks.
    let file = with(|file| {
        let first = usize::try_from(word(file, 0x28)).unwrap();
        set(file, first + 4, u32::to_le_bytes(8));
        set(file, first + 8, u64::to_le_bytes(2 | 4));
    });
    assert_eq!(executable(&file), Some(Executable::Elf64));
    assert!(error(&file, "x").contains("holds symbols for a debugger"));
    let none = with(|file| set(file, 56, u16::to_le_bytes(0)));
    assert!(error(&none, "x").contains("nobody starts or loads it"));
    let sized = with(|file| set(file, 54, u16::to_le_bytes(64)));
    assert!(error(&sized, "x").contains("program headers have 64 bytes each"));
}

/// The first bytes of a file: class, byte order, type, machine.
fn begin(class: u8, order: u8, kind: u16, machine: u16) -> Vec<u8> {
    let mut file = vec![0; 128];
    set(&mut file, 0, [0x7f, b'E', b'L', b'F', class, order, 1]);
    let half = if order == 1 { u16::to_le_bytes } else { u16::to_be_bytes };
    let size = if class == 1 { (42, 32) } else { (54, 56) };
    for (at, number) in [(16, kind), (18, machine), size, (size.0 + 2, 1)] {
        set(&mut file, at, half(number));
    }
    file
}

/// What distributions' packages of QEMU have: openbios, s390-ccw, skiboot, palcode, hppa-firmware, opensbi.
#[test]
fn firmware_is_for_other_machines_and_is_started_by_none() {
    for (class, order, kind, machine) in [
        (1, 2, 2, 20),
        (1, 2, 2, 2),
        (2, 2, 2, 43),
        (2, 2, 3, 22),
        (2, 2, 2, 21),
        (2, 1, 2, 0x9026),
        (1, 2, 2, 15),
        (2, 1, 3, 243),
        (1, 1, 2, 243),
        (1, 1, 2, 8),
        // Objects, which nobody starts.
        (1, 1, 1, 3),
        (2, 1, 1, 62),
        // The other byte order of a machine that has both.
        (2, 2, 2, 183),
    ] {
        let file = begin(class, order, kind, machine);
        assert_eq!(executable(&file), None, "{class} {order} {kind} {machine}");
    }
}

#[test]
fn a_program_of_32_bits_is_told_and_whether_it_asks_for_a_loader() {
    for machine in [3, 6, 40, 62] {
        let mut file = begin(1, 1, 2, machine);
        assert_eq!(executable(&file), Some(Executable::Elf32 { loader: false }), "{machine}");
        // Whatever it says of its class.
        file[4] = 0;
        set(&mut file, 28, u32::to_le_bytes(64));
        set(&mut file, 64, u32::to_le_bytes(3));
        assert_eq!(executable(&file), Some(Executable::Elf32 { loader: true }), "{machine}");
        set(&mut file, 28, u32::to_le_bytes(u32::MAX));
        assert_eq!(executable(&file), Some(Executable::Elf32 { loader: false }), "{machine}");
    }
}

#[test]
fn what_linkers_make_can_be_mapped() {
    let forms: [(&str, &[&str]); 7] = [
        ("cc", &["-Wl,-z,noseparate-code"]),
        ("cc", &["-Wl,-z,separate-code,-z,max-page-size=0x200000"]),
        ("cc", &["-fuse-ld=gold"]),
        ("cc", &["-no-pie", "-fuse-ld=lld", "-Wl,-z,norelro"]),
        ("cc", &["-static-pie"]),
        ("cc", &["-static", "-no-pie"]),
        ("aarch64-linux-gnu-gcc", &["-DARM", "-Wl,-z,noseparate-code"]),
    ];
    for form in forms.into_iter().chain(FORMS) {
        let file = compile(form, 42, "-O2");
        assert_eq!(executable(&file), Some(Executable::Elf64), "{form:?}");
        Header::read(&file).unwrap();
    }
}

#[test]
fn segments_that_share_a_page_are_refused() {
    let overlap = "segments overlap or are out of order";
    let loads = all(&OLD, PT_LOAD);
    // Disjoint in bytes: the second begins in what is left of the first one's last page.
    let end = word(&OLD, loads[0] + 16) + word(&OLD, loads[0] + 40);
    let place = end.next_multiple_of(8);
    assert!(!place.is_multiple_of(4096), "the first segment fills its pages");
    let shared = with(|file| {
        set(file, loads[1] + 8, place.to_le_bytes());
        set(file, loads[1] + 16, place.to_le_bytes());
        set(file, loads[1] + 32, u64::to_le_bytes(8));
        set(file, loads[1] + 40, u64::to_le_bytes(8));
    });
    assert!(error(&shared, "x").contains(overlap), "{}", error(&shared, "x"));
    // One without bytes has the page that its address is in.
    let empty = with(|file| {
        set(file, loads[1] + 16, place.to_le_bytes());
        set(file, loads[1] + 32, u64::to_le_bytes(0));
        set(file, loads[1] + 40, u64::to_le_bytes(0));
    });
    assert!(error(&empty, "x").contains(overlap));
    let swapped = with(|file| {
        let first: Vec<u8> = file[loads[0]..loads[0] + 56].to_vec();
        file.copy_within(loads[1]..loads[1] + 56, loads[0]);
        file[loads[1]..loads[1] + 56].copy_from_slice(&first);
    });
    assert!(error(&swapped, "x").contains(overlap));
    let larger = with(|file| set(file, loads[0] + 40, u64::to_le_bytes(1)));
    assert!(error(&larger, "x").contains(overlap));
    let wraps = with(|file| set(file, loads[3] + 40, u64::MAX.to_le_bytes()));
    assert!(error(&wraps, "x").contains("wraps around"), "{}", error(&wraps, "x"));
    let moved = with(|file| set(file, loads[1] + 8, (word(&OLD, loads[1] + 8) + 8).to_le_bytes()));
    assert!(error(&moved, "x").contains("cannot be mapped"), "{}", error(&moved, "x"));
    // Kernels for this machine may have pages of 64 KiB.
    let arm = compile(ARM, 42, "-O2");
    let loads = all(&arm, PT_LOAD);
    let mut near = arm.clone();
    let place = (word(&arm, loads[0] + 16) + word(&arm, loads[0] + 40)).next_multiple_of(4096);
    set(&mut near, loads[1] + 16, place.to_le_bytes());
    assert!(error(&near, "x").contains("by pages of 65536 bytes"), "{}", error(&near, "x"));
}

/// The loader takes the program headers, and with them the dynamic section, from where these say.
#[test]
fn program_headers_that_its_loader_would_find_elsewhere_are_refused() {
    let elsewhere = "not where its loader would read them";
    let place = program_header(&OLD, PT_PHDR) + 16;
    let said = with(|file| set(file, place, (word(&OLD, place) + 4096).to_le_bytes()));
    assert!(error(&said, "x").contains(elsewhere), "{}", error(&said, "x"));
    // Before Linux 5.18 the kernel counted from the first segment, wherever the table is.
    let loads = all(&OLD, PT_LOAD);
    let unmapped = with(|file| {
        set(file, loads[0] + 8, u64::to_le_bytes(4096));
        set(file, loads[0] + 32, u64::to_le_bytes(8));
    });
    assert!(error(&unmapped, "x").contains(elsewhere), "{}", error(&unmapped, "x"));
    let twice = with(|file| {
        let to = program_header(file, 0x6474_e551);
        set(file, to, u32::to_le_bytes(PT_PHDR));
    });
    assert!(error(&twice, "x").contains("2 program headers `PT_PHDR`"));
}

#[test]
fn a_dynamic_section_is_read_to_its_end_and_says_each_thing_once() {
    let section = |tags: &[u64]| -> Vec<u8> {
        tags.iter().flat_map(|tag| [tag.to_le_bytes(), 7_u64.to_le_bytes()].concat()).collect()
    };
    assert_eq!(entries(&section(&[1, 1, 12, 0, 12])).unwrap(), [(1, 7), (1, 7), (12, 7)]);
    let error = |tags: &[u64]| entries(&section(tags)).unwrap_err().to_string();
    assert!(error(&[]).contains("has no end"));
    assert!(error(&[1, 1]).contains("has no end"));
    // ld.so would take the last.
    assert!(error(&[5, 1, 5, 0]).contains("has STRTAB twice"));
    assert!(error(&[0x6000_0000, 0x6000_0000, 0]).contains("has 0x60000000 twice"));
    let most = [vec![1; 4096], vec![0]].concat();
    assert_eq!(entries(&section(&most)).unwrap().len(), 4096);
    let more = [vec![1; 4097], vec![0]].concat();
    assert!(error(&more).contains("more than 4096 entries"));
    // Both who look for types and who look for libraries read it here.
    let file = with(|file| {
        let at = usize::try_from(word(file, program_header(file, PT_DYNAMIC) + 8)).unwrap();
        let tag = word(file, at + 16).to_le_bytes();
        set(file, at, tag);
    });
    let found = crate::ElfInfo::read(&file).unwrap_err().to_string();
    assert!(found.ends_with("twice"), "{found}");
    assert!(super::error(&file, "x").ends_with("twice"));
}

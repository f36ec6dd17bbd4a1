// SPDX-License-Identifier: GPL-2.0-or-later
//! What debuggers find in sections, in files of any class, byte order and machine.

use super::super::sections::{has_gdb_scripts, is_for_debuggers};
use super::OLD;

const NAME: &[u8] = b"\0.debug_gdb_scripts\0.other\0";

/// A file of three sections, of which the last has the names: `name` is where the second's begins in them. With
/// `first`, the counts are in the first section, as in a file of very many.
fn file(class: u8, order: u8, name: u32, first: bool) -> Vec<u8> {
    let mut file = vec![0; 512];
    file[..7].copy_from_slice(&[0x7f, b'E', b'L', b'F', class, order, 1]);
    let mut put = |at: usize, size: usize, number: u64| {
        let bytes = if order == 1 { number.to_le_bytes() } else { number.to_be_bytes() };
        let bytes = if order == 1 { &bytes[..size] } else { &bytes[8 - size..] };
        file[at..at + size].copy_from_slice(bytes);
    };
    // e_shoff, e_shentsize; of a section: its size, sh_offset, sh_size, sh_link.
    let (word, table, size, offset, length, link) =
        if class == 1 { (4, 32, 46, 16, 20, 24) } else { (8, 40, 58, 24, 32, 40) };
    let entry = if class == 1 { 40 } else { 64 };
    put(table, word, 128);
    put(size, 2, entry as u64);
    put(size + 2, 2, if first { 0 } else { 3 });
    put(size + 4, 2, if first { 0xffff } else { 2 });
    if first {
        put(128 + length, word, 3);
        put(128 + link, 4, 2);
    }
    put(128 + entry, 4, u64::from(name));
    put(128 + 2 * entry + offset, word, 400);
    file[400..400 + NAME.len()].copy_from_slice(NAME);
    file
}

#[test]
fn a_script_for_gdb_is_found_in_a_file_of_any_machine() {
    for (class, order) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
        for first in [false, true] {
            let has = |name: u32| has_gdb_scripts(&file(class, order, name, first));
            assert!(has(1), "{class} {order} {first}");
            assert!(!has(0) && !has(2) && !has(20) && !has(u32::MAX), "{class} {order} {first}");
        }
    }
    assert!(!has_gdb_scripts(&OLD) && !is_for_debuggers(&OLD));
}

#[test]
fn damaged_sections_are_none() {
    for (class, order) in [(1, 1), (2, 2)] {
        let whole = file(class, order, 1, true);
        for at in 0..whole.len() {
            for byte in [0, 0x7f, 0xff] {
                let mut file = whole.clone();
                file[at] = byte;
                let _ = (has_gdb_scripts(&file), is_for_debuggers(&file));
            }
            let _ = (has_gdb_scripts(&whole[..at]), is_for_debuggers(&whole[..at]));
        }
    }
}

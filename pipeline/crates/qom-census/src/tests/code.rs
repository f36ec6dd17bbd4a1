// SPDX-License-Identifier: GPL-2.0-or-later
//! Instructions, against the disassembler that everybody trusts.

use super::super::code::lengths;
use super::{PLAIN, compile, run};

#[test]
fn every_instruction_of_x86_64_is_as_long_as_objdump_says() {
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("program");
    let mut checked = 0;
    // Vectors too: a compiler that is told so uses VEX and EVEX.
    for flag in ["-O0", "-O2", "-O3"] {
        for architecture in ["x86-64", "x86-64-v3", "x86-64-v4"] {
            let march = format!("-march={architecture}");
            let file = compile((PLAIN.0, &["-fPIE", "-pie", &march]), 72, flag);
            std::fs::write(&binary, &file).unwrap();
            let arguments = ["-d", "--section=.text", binary.to_str().unwrap()];
            checked += compare(&run("objdump", &arguments));
        }
    }
    assert!(checked > 500, "{checked}");
}

/// Compares the lines of a disassembly: address, bytes, text, parted by tabs. Long instructions
/// have further lines without text.
fn compare(disassembly: &str) -> usize {
    let mut instructions: Vec<(Vec<u8>, &str)> = Vec::new();
    for line in disassembly.lines() {
        let mut columns = line.split('\t');
        let (Some(place), Some(bytes)) = (columns.next(), columns.next()) else { continue };
        if !place.trim_end().ends_with(':') {
            continue;
        }
        let bytes = bytes.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap());
        match (columns.next(), instructions.last_mut()) {
            (Some(text), _) => instructions.push((bytes.collect(), text)),
            (None, Some((last, _))) => last.extend(bytes),
            (None, None) => {}
        }
    }
    for (bytes, text) in &instructions {
        assert_eq!(lengths(bytes), [bytes.len()], "{text}: {bytes:02x?}");
    }
    instructions.len()
}

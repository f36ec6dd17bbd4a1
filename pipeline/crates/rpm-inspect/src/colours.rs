// SPDX-License-Identifier: GPL-2.0-or-later
//! The colour of a file: which machine words a program of it has. rpm sets it by what is in the file, and
//! where a host's colours are others, it leaves the file out without a word, or keeps that of another
//! package in its place.
//!
//! Source: `rpmfcColor` and `getElfColor` in `build/rpmfc.c` of rpm 4.11 to 6.0. The former asks libmagic,
//! which looks into packed files; the latter only looks at programs that somebody may start, and gives
//! machines without a host, such as BPF, none.

use crate::package::FileEntry;

/// How ELF files begin, and which byte tells their class (System V gABI, chapter 4).
const ELF_MAGIC: &[u8] = b"\x7fELF";
const CLASS: usize = 4;
const CLASS_32: u8 = 1;
const CLASS_64: u8 = 2;

/// As many bytes of a file as tell its colour.
pub const BEGIN: usize = 8;

/// How what libmagic looks into begins.
const PACKED: [&[u8]; 8] = [
    b"\x1f",
    b"BZh",
    b"\xfd7zXZ",
    b"PK\x03\x04",
    b"LZIP",
    b"\x28\xb5\x2f\xfd",
    b"\x5d\0\0",
    b"\x04\x22\x4d\x18",
];

const NONE: u32 = 0;
const OF_32_BITS: u32 = 1;
const OF_64_BITS: u32 = 2;

/// Whether a colour is one that rpm gives to what begins so.
pub fn fits(colour: u32, begin: &[u8]) -> bool {
    let class = begin.get(CLASS).filter(|_| begin.starts_with(ELF_MAGIC));
    match colour {
        NONE => true,
        OF_32_BITS | OF_64_BITS if PACKED.iter().any(|magic| begin.starts_with(magic)) => true,
        OF_32_BITS => class == Some(&CLASS_32),
        OF_64_BITS => class == Some(&CLASS_64),
        _ => false,
    }
}

/// The same of what the payload has no bytes of. A ghost may have been a program when it was built.
pub fn fits_without_bytes(file: &FileEntry) -> bool {
    file.colour == NONE
        || (file.is_regular()
            && file.has("ghost")
            && file.size > 0
            && [OF_32_BITS, OF_64_BITS].contains(&file.colour))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forged::Forged;
    use crate::forged::{FOLDER, LINK, PLAIN};
    use crate::package::FaultKind;

    #[test]
    fn a_colour_is_that_of_the_bytes() {
        let elf = |class: u8| [0x7f, b'E', b'L', b'F', class, 1, 1, 0];
        for (begin, fitting) in [
            (&elf(1)[..], &[0, 1][..]),
            (&elf(2), &[0, 2]),
            (&elf(3), &[0]),
            (&elf(2)[..4], &[0]),
            (b"#!/bin/sh", &[0]),
            (b"", &[0]),
            (b"\x1f\x8b\x08\0\0\0\0\0", &[0, 1, 2]),
        ] {
            let found: Vec<u32> = (0..20).filter(|colour| fits(*colour, begin)).collect();
            assert_eq!(found, fitting, "{begin:?}");
        }
    }

    #[test]
    fn a_file_of_another_colour_would_be_left_out() {
        let program: &[u8] = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0";
        let forged = Forged::of(&[
            ("/usr", FOLDER, b""),
            ("/usr/a", PLAIN, program),
            ("/usr/b", PLAIN, b"#!/bin/sh\n"),
            ("/usr/c", LINK, b"a"),
        ]);
        let faults = |colours: &[u32]| forged.numbers(1140, colours).faults(FaultKind::Payload);
        let none: [String; 0] = [];
        assert_eq!(faults(&[0; 4]), none);
        assert_eq!(faults(&[0, 2, 0, 0]), none);
        for (colours, path) in [
            ([1, 0, 0, 0], "/usr"),
            ([0, 1, 0, 0], "/usr/a"),
            ([0, 4, 0, 0], "/usr/a"),
            ([0, 3, 0, 0], "/usr/a"),
            ([0, 2, 2, 0], "/usr/b"),
            ([0, 2, 0, 2], "/usr/c"),
        ] {
            let colour = colours.iter().max().unwrap();
            let expected =
                format!("`{path}` has the colour {colour}, which rpm gives no such file");
            let said = faults(&colours);
            assert!(
                said.contains(&expected) || said[0].starts_with(&expected[..path.len() + 2]),
                "{said:?}"
            );
        }
        // A list of another length says nothing of the last.
        assert!(forged.numbers(1140, &[0; 3]).facts().is_err());
    }

    #[test]
    fn hard_links_have_the_colour_of_their_bytes() {
        let mut forged = Forged::of(&[("/usr/a", PLAIN, b"a\n"), ("/usr/b", PLAIN, b"a\n")])
            .numbers(1096, &[1, 1])
            .numbers(1009, &[2]);
        forged.payload[0].bytes.clear();
        for entry in &mut forged.payload {
            (entry.inode, entry.links) = (1, 2);
        }
        let said = forged.numbers(1140, &[4, 0]).faults(FaultKind::Payload);
        assert_eq!(said, ["`/usr/a` has the colour 4, which rpm gives no such file"]);
    }
}

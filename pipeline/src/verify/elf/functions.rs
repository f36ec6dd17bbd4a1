//! Where functions begin and end, and which addresses their code names.
//!
//! `strip` takes the symbols and leaves the unwind table: `.eh_frame_hdr` (Linux Standard Base
//! core, "DWARF extensions"; the program header `PT_GNU_EH_FRAME`) lists the start of every
//! compiled function, sorted. It tells a pointer to a function from a pointer to anything else,
//! also where code and strings share a segment, and it bounds the code that is looked at.
//!
//! The code is not disassembled. On x86-64 an address inside the image is a 32-bit displacement
//! from the end of the instruction (Intel SDM volume 2, section 2.2.1.6), so every position is
//! tried as one, and callers take only what lands exactly on something they know. To land there by
//! chance, other bytes would have to hit one address among 2^32.

use super::image::{Image, Word};
use anyhow::{Context, Result, ensure};

/// Version 1; the count as 4 bytes; the table as pairs of signed 4-byte distances from the header:
/// what every linker writes for x86-64, and the only form that can be searched.
const VERSION: u8 = 1;
const COUNT_UDATA4: u8 = 0x03;
const TABLE_DATAREL_SDATA4: u8 = 0x3b;

/// No `class_init` comes near; bounds the work on a table that lies.
const LONGEST_FUNCTION: u64 = 64 << 10;

/// How code names an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// `lea`: the address itself.
    Address(u64),
    /// Any other memory operand: the word that stands there.
    Load(u64),
    /// `call`, or a `jmp` into another function.
    Call(u64),
}

/// The functions of an image.
#[derive(Debug)]
pub struct Functions<'a> {
    base: u64,
    /// Pairs of (function, unwind entry), 4 bytes each, relative to `base`, ascending.
    table: &'a [[u8; 8]],
}

impl<'a> Functions<'a> {
    pub fn read(image: &Image<'a>) -> Result<Self> {
        let base = image.unwind().context(
            "the ELF file has no unwind table (PT_GNU_EH_FRAME), so its functions cannot be told \
             apart",
        )?;
        let (form, rest) = image
            .bytes(base)
            .and_then(<[u8]>::split_first_chunk)
            .context("the ELF file's unwind table lies outside its segments")?;
        let &[version, _, count, table] = form;
        ensure!(
            version == VERSION && count == COUNT_UDATA4 && table == TABLE_DATAREL_SDATA4,
            "the ELF file's unwind table has an unknown form: {form:02x?}"
        );
        // First the distance to `.eh_frame`, 4 bytes, which nobody here needs.
        let table = rest
            .get(4..)
            .and_then(<[u8]>::split_first_chunk)
            .and_then(|(count, rest)| {
                let count = usize::try_from(u32::from_le_bytes(*count)).ok()?;
                rest.as_chunks().0.get(..count)
            })
            .context("the ELF file's unwind table is truncated")?;
        Ok(Self { base, table })
    }

    pub fn is_start(&self, address: u64) -> bool {
        self.search(address).is_ok()
    }

    /// The code of the function that starts at `start`, up to the next one.
    pub fn code(&self, image: &Image<'a>, start: u64) -> Option<&'a [u8]> {
        let at = self.search(start).ok()?;
        let bytes = image.is_executable(start).then(|| image.bytes(start))??;
        let next = self.table.get(at.checked_add(1)?).map(|&pair| self.start(pair));
        let size = next.map_or(LONGEST_FUNCTION, |next| next.saturating_sub(start));
        let size = usize::try_from(size.min(LONGEST_FUNCTION)).ok()?;
        bytes.get(..size.min(bytes.len()))
    }

    fn search(&self, address: u64) -> Result<usize, usize> {
        self.table.binary_search_by_key(&address, |&pair| self.start(pair))
    }

    fn start(&self, pair: [u8; 8]) -> u64 {
        let [a, b, c, d, ..] = pair;
        self.base.wrapping_add_signed(i64::from(i32::from_le_bytes([a, b, c, d])))
    }
}

/// Every address that `code`, which lies at `start`, may name, with the offset of its displacement.
pub fn uses(code: &[u8], start: u64) -> impl Iterator<Item = (usize, Use)> {
    displacements(code, start).filter_map(|(place, before, target)| match *before {
        [.., 0xe8 | 0xe9] => Some((place, Use::Call(target))),
        // REX.W, lea, ModRM with mode 0 and base 5: rip
        [.., rex, 0x8d, modrm] if rex & 0xf8 == 0x48 && modrm & 0xc7 == 0x05 => {
            Some((place, Use::Address(target)))
        }
        [.., modrm] if modrm & 0xc7 == 0x05 => Some((place, Use::Load(target))),
        _ => None,
    })
}

/// The constants that `code` puts into `edx`, the third argument of a call, with their offsets: as
/// they stand in the instruction, or from a constant in another object's data.
pub fn third_arguments(
    image: &Image,
    code: &[u8],
    start: u64,
) -> impl Iterator<Item = (usize, u64)> {
    displacements(code, start).filter_map(|(place, before, target)| match *before {
        // REX.B makes it r10d.
        [.., 0x41, 0xba] => None,
        [.., 0xba] => {
            let immediate = code.get(place..)?.first_chunk()?;
            Some((place, u64::from(u32::from_le_bytes(*immediate))))
        }
        [.., 0x48, 0x8b, 0x15] => match image.word(target)? {
            Word::Plain(number) => Some((place, number)),
            Word::Pointer(_) => None,
        },
        _ => None,
    })
}

/// Each position as a displacement: its offset, up to 3 bytes before it, and where it would lead.
fn displacements(code: &[u8], start: u64) -> impl Iterator<Item = (usize, &[u8], u64)> {
    code.windows(4).enumerate().filter_map(move |(place, window)| {
        let before = code.get(place.saturating_sub(3)..place)?;
        let displacement = i32::from_le_bytes(*window.first_chunk()?);
        let end = start.wrapping_add(place as u64).wrapping_add(4);
        Some((place, before, end.wrapping_add_signed(i64::from(displacement))))
    })
}

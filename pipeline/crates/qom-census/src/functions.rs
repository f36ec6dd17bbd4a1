// SPDX-License-Identifier: GPL-2.0-or-later
//! Where functions begin and end.
//!
//! `strip` takes the symbols and leaves the unwind table: `.eh_frame_hdr` (Linux Standard Base
//! core, "DWARF extensions"; the program header `PT_GNU_EH_FRAME`) lists the start of every
//! compiled function, sorted. It tells a pointer to a function from a pointer to anything else,
//! also where code and strings share a segment, and it bounds the code that is looked at.

use super::image::Image;
use crate::error::{ErrorKind, OrError, Result, ensure};
use std::ops::Range;

/// Version 1; the count as 4 bytes; the table as pairs of signed 4-byte distances from the header:
/// what every linker writes, and the only form that can be searched.
const VERSION: u8 = 1;
const COUNT_UDATA4: u8 = 0x03;
const TABLE_DATAREL_SDATA4: u8 = 0x3b;

/// No function that is looked at comes near; bounds the work on a table that lies.
const LONGEST_FUNCTION: u64 = 64 << 10;

/// The functions of an image.
#[derive(Debug)]
pub struct Functions<'a> {
    base: u64,
    /// Pairs of (function, unwind entry), 4 bytes each, relative to `base`, ascending. None where
    /// the file has no unwind table.
    table: Option<&'a [[u8; 8]]>,
    /// Where code is.
    code: Vec<Range<u64>>,
}

impl<'a> Functions<'a> {
    pub fn read(image: &Image<'a>) -> Result<Self> {
        let code = image.code().collect();
        let Some(base) = image.unwind() else { return Ok(Self { base: 0, table: None, code }) };
        let (form, rest) = image.bytes(base).and_then(<[u8]>::split_first_chunk).or_error(
            ErrorKind::Malformed,
            "the ELF file's unwind table lies outside its segments",
        )?;
        let &[version, _, count, table] = form;
        ensure!(
            version == VERSION && count == COUNT_UDATA4 && table == TABLE_DATAREL_SDATA4,
            Unsupported,
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
            .or_error(ErrorKind::Truncated, "the ELF file's unwind table is truncated")?;
        Ok(Self { base, table: Some(table), code })
    }

    /// Whether it is known where functions begin.
    pub fn are_known(&self) -> bool {
        self.table.is_some()
    }

    /// Whether a function starts at `address`; without an unwind table, whether one may.
    pub fn is_start(&self, address: u64) -> bool {
        match self.table {
            Some(table) => self.search(table, address).is_ok(),
            None => self.code.iter().any(|code| code.contains(&address)),
        }
    }

    /// The code of the function that starts at `start`, up to the next one.
    pub fn code(&self, image: &Image<'a>, start: u64) -> Option<&'a [u8]> {
        let table = self.table?;
        let at = self.search(table, start).ok()?;
        let bytes = image.is_executable(start).then(|| image.bytes(start))??;
        let next = table.get(at.checked_add(1)?).map(|&pair| self.start(pair));
        let size = next.map_or(LONGEST_FUNCTION, |next| next.saturating_sub(start));
        let size = usize::try_from(size.min(LONGEST_FUNCTION)).ok()?;
        bytes.get(..size.min(bytes.len()))
    }

    fn search(&self, table: &[[u8; 8]], address: u64) -> Result<usize, usize> {
        table.binary_search_by_key(&address, |&pair| self.start(pair))
    }

    fn start(&self, pair: [u8; 8]) -> u64 {
        let [a, b, c, d, ..] = pair;
        self.base.wrapping_add_signed(i64::from(i32::from_le_bytes([a, b, c, d])))
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The entries of a dynamic section, as `ld.so` finds them (System V gABI, chapter 5): from its address
//! to the first `DT_NULL`, however many there are.
//!
//! Never enters: what the entries mean.

use crate::error::{Error, ErrorKind, OrError, Result, ensure};
use goblin::elf::dynamic::{DT_NEEDED, DT_NULL, tag_to_str};
use std::collections::BTreeSet;

/// Linkers write about thirty, and one for each library that is needed.
const MOST_ENTRIES: usize = 1 << 12;

/// glibc, `elf/elf.h`; goblin does not know these.
pub const DT_FEATURE: u64 = 0x6fff_fdfc;
pub const DT_POSFLAG_1: u64 = 0x6fff_fdfd;
pub const DT_CONFIG: u64 = 0x6fff_fefa;
pub const DT_DEPAUDIT: u64 = 0x6fff_fefb;
pub const DT_AUDIT: u64 = 0x6fff_fefc;
pub const DT_AUXILIARY: u64 = 0x7fff_fffd;
pub const DT_FILTER: u64 = 0x7fff_ffff;

/// Of these, each one counts.
const MANY: [u64; 4] = [DT_NEEDED, DT_POSFLAG_1, DT_AUXILIARY, DT_FILTER];

/// Every entry: (tag, value). One that is there twice is refused, for `ld.so` takes the last, and
/// others the first.
pub fn entries(bytes: &[u8]) -> Result<Vec<(u64, u64)>> {
    let (mut entries, mut seen) = (Vec::new(), BTreeSet::new());
    for entry in bytes.as_chunks::<16>().0 {
        let (tag, value) = entry.split_at(8);
        let number = |bytes: &[u8]| bytes.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
        let (tag, value) =
            number(tag).zip(number(value)).or_error(ErrorKind::Malformed, "an entry is cut off")?;
        if tag == DT_NULL {
            return Ok(entries);
        }
        let twice = !seen.insert(tag) && !MANY.contains(&tag);
        ensure!(!twice, Malformed, "the ELF file's dynamic section has {} twice", name(tag));
        ensure!(
            entries.len() < MOST_ENTRIES,
            TooLarge,
            "the ELF file's dynamic section has more than {MOST_ENTRIES} entries"
        );
        entries.push((tag, value));
    }
    Err(Error::new(ErrorKind::Malformed, "the ELF file's dynamic section has no end"))
}

/// The name of a tag, or its number.
pub fn name(tag: u64) -> String {
    match tag_to_str(tag).strip_prefix("DT_") {
        Some(name) => name.to_owned(),
        None => format!("{tag:#x}"),
    }
}

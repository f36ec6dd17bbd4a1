// SPDX-License-Identifier: GPL-2.0-or-later
//! The dynamic section of an image, and which of its words the loader turns into pointers.
//!
//! | form | table | source |
//! | --- | --- | --- |
//! | RELA | `DT_RELA`, 24 bytes each, `R_X86_64_RELATIVE` or `R_AARCH64_RELATIVE` | gABI chapter 4, the two psABIs |
//! | RELR | `DT_RELR`, 8 bytes each: an even one is an address, an odd one a bitmap of the 63 words behind the last | gABI proposal "Proposal for a new section type `SHT_RELR`" |
//!
//! A file has either or both (`ld -z pack-relative-relocs`, `lld --pack-dyn-relocs=relr`). In RELR
//! the target stands in the word itself. Relocations against symbols are not followed: what a
//! library gives is not in the file.

use super::dynamic;
use super::header::{LITTLE_64, Machine};
use super::image::Image;
use crate::error::{Error, ErrorKind, OrError, Result, ensure};
use goblin::elf::dynamic::{DT_RELA, DT_RELASZ};
use goblin::elf::reloc::{R_AARCH64_RELATIVE, R_X86_64_RELATIVE, RelocSection};

/// Goblin does not know these.
const DT_RELRSZ: u64 = 35;
const DT_RELR: u64 = 36;

/// Words that one bitmap of RELR speaks of.
const BITS: u64 = 63;

/// The dynamic section: (tag, value).
#[derive(Debug, Default)]
pub struct Dynamic(Vec<(u64, u64)>);

impl Dynamic {
    pub fn read(image: &Image, address: u64) -> Result<Self> {
        let bytes = image.bytes(address).or_error(
            ErrorKind::Malformed,
            "the ELF file's dynamic section lies outside its segments",
        )?;
        dynamic::entries(bytes).map(Self)
    }

    fn get(&self, tag: u64) -> Option<u64> {
        self.0.iter().find(|&&(found, _)| found == tag).map(|&(_, value)| value)
    }

    /// A table's address and size, where there is one.
    pub fn pair(&self, table: u64, size: u64) -> Result<Option<(u64, u64)>> {
        let Some(address) = self.get(table) else { return Ok(None) };
        let size = self.get(size);
        Ok(Some((
            address,
            size.or_error(
                ErrorKind::Malformed,
                "the ELF file has a table without a size in its dynamic section",
            )?,
        )))
    }
}

/// Every word that the loader fills with an address of the image itself: (where, what), ascending.
pub fn read(image: &Image, dynamic: &Dynamic) -> Result<Vec<(u64, u64)>> {
    let mut pointers = Vec::new();
    if let Some(table) = dynamic.pair(DT_RELA, DT_RELASZ)? {
        rela(image, slice(image, table)?, &mut pointers)?;
    }
    if let Some(table) = dynamic.pair(DT_RELR, DT_RELRSZ)? {
        relr(image, slice(image, table)?, &mut pointers)?;
    }
    // Linkers sort them; that is no promise.
    pointers.sort_unstable();
    let twice = pointers.windows(2).find_map(|pair| match *pair {
        [(one, _), (two, _)] if one == two => Some(one),
        _ => None,
    });
    if let Some(place) = twice {
        let message = format!("the ELF file relocates the word at {place:#x} twice");
        return Err(Error::new(ErrorKind::Malformed, message));
    }
    Ok(pointers)
}

fn slice<'a>(image: &Image<'a>, (table, size): (u64, u64)) -> Result<&'a [u8]> {
    let bytes = image.bytes(table).zip(usize::try_from(size).ok());
    bytes
        .and_then(|(bytes, size)| bytes.get(..size))
        .or_error(ErrorKind::Malformed, "the ELF file's relocations lie outside its segments")
}

fn rela(image: &Image, table: &[u8], pointers: &mut Vec<(u64, u64)>) -> Result<()> {
    let relative = match image.machine() {
        Machine::X86_64 => R_X86_64_RELATIVE,
        Machine::Aarch64 => R_AARCH64_RELATIVE,
    };
    let relocations = RelocSection::parse(table, 0, table.len(), true, LITTLE_64)
        .or_error(ErrorKind::Malformed, "the ELF file's relocations cannot be read")?;
    pointers.reserve_exact(relocations.len());
    for relocation in &relocations {
        if relocation.r_type == relative {
            let target = relocation.r_addend.unwrap_or_default().cast_unsigned();
            pointers.push((relocation.r_offset, target));
        }
    }
    Ok(())
}

fn relr(image: &Image, table: &[u8], pointers: &mut Vec<(u64, u64)>) -> Result<()> {
    let mut next: Option<u64> = None;
    for entry in table.as_chunks::<8>().0 {
        let entry = u64::from_le_bytes(*entry);
        if entry & 1 == 0 {
            fill(image, entry, pointers)?;
            next = entry.checked_add(8);
            continue;
        }
        let base = next.or_error(
            ErrorKind::Malformed,
            "the ELF file's packed relocations begin with a bitmap",
        )?;
        for bit in (0..BITS).filter(|bit| entry >> (bit + 1) & 1 == 1) {
            fill(image, base.wrapping_add(bit * 8), pointers)?;
        }
        next = base.checked_add(BITS * 8);
    }
    Ok(())
}

/// One word whose bytes are the target. A bitmap of eight bytes names 63 of them, so a table that
/// lies is stopped by the size of what there is to relocate.
fn fill(image: &Image, place: u64, pointers: &mut Vec<(u64, u64)>) -> Result<()> {
    let bytes = image.bytes(place).and_then(<[u8]>::first_chunk);
    let target = bytes.map(|bytes| u64::from_le_bytes(*bytes)).ok_or_else(|| {
        let message = format!(
            "the ELF file's packed relocations name {place:#x}, which is outside its segments"
        );
        Error::new(ErrorKind::Malformed, message)
    })?;
    ensure!(
        pointers.len() < image.most_pointers(),
        TooLarge,
        "the ELF file's packed relocations name more words than it has"
    );
    pointers.push((place, target));
    Ok(())
}

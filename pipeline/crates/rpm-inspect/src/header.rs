// SPDX-License-Identifier: GPL-2.0-or-later
//! One header structure of an RPM, checked in full before anything is looked up in it.
//!
//! Stricter than rpm on one point: the region, which is what rpm hashes, has to span the whole block.
//! Entries beyond it would be in the package and under no signature.

use crate::error::{ErrorKind, OrError, Result, bail, ensure};
use rpm::{IndexSignatureTag, IndexTag};
use std::collections::HashMap;
use std::io::Read;
use std::ops::Range;

const MAGIC: [u8; 8] = [0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0];
const INTRO: usize = 16;
const ENTRY: usize = 16;
pub(super) const INT16: u32 = 3;
pub(super) const INT32: u32 = 4;
pub(super) const INT64: u32 = 5;
pub(super) const STRING: u32 = 6;
const BIN: u32 = 7;
pub(super) const STRING_ARRAY: u32 = 8;
const I18N_STRING: u32 = 9;

/// A header structure (rpm, `docs/manual/format_header.md`): its bytes, and where in them the value of each
/// tag is. The signature header and the main header are two of them.
///
/// Every value is within bounds and of a known kind, no tag is there twice, and the region spans all of it.
/// Asking for a tag that is not there gives nothing; for one of another kind than asked for, an error.
pub struct HeaderStructure {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// Where in the entries each tag is.
    by_tag: HashMap<u32, usize>,
}

struct Entry {
    tag: u32,
    kind: u32,
    count: u32,
    value: Range<usize>,
}

impl HeaderStructure {
    /// Reads a signature header. Generous: newer versions of rpm leave a lot of room in theirs.
    ///
    /// # Errors
    ///
    /// It is not sound, or has more than 1024 tags or 1 MiB of data.
    pub fn signature(input: &mut impl Read) -> Result<Self> {
        let region = IndexSignatureTag::HEADER_SIGNATURES as u32;
        Self::read(input, region, 1 << 10, 1 << 20)
            .map_err(|error| error.context("its signature header is not sound"))
    }

    /// Reads a main header, within what rpm 4.11 reads.
    ///
    /// # Errors
    ///
    /// It is not sound, or has more than 65535 tags or 16 MiB of data.
    pub fn main(input: &mut impl Read) -> Result<Self> {
        let region = IndexTag::RPMTAG_HEADERIMMUTABLE as u32;
        Self::read(input, region, 0xffff, 0x00ff_ffff)
            .map_err(|error| error.context("its header is not sound"))
    }

    fn read(input: &mut impl Read, region: u32, most_tags: u32, most_data: u32) -> Result<Self> {
        let mut bytes = Vec::new();
        input.by_ref().take(INTRO as u64).read_to_end(&mut bytes)?;
        ensure!(
            bytes.len() == INTRO && bytes.starts_with(&MAGIC),
            Malformed,
            "it does not begin as one"
        );
        let (tags, data) = (word(&bytes, 8)?, word(&bytes, 12)?);
        ensure!(
            tags > 0 && tags <= most_tags,
            TooLarge,
            "it has {tags} tags, at most {most_tags} are read"
        );
        ensure!(
            data <= most_data,
            TooLarge,
            "it has {data} bytes of data, at most {most_data} are read"
        );
        let store = INTRO + ENTRY * tags as usize;
        let size = store + data as usize;
        // Through `take`, so that a short file costs no more memory than it has bytes.
        input.by_ref().take((size - INTRO) as u64).read_to_end(&mut bytes)?;
        ensure!(bytes.len() == size, Truncated, "it is cut short");
        let mut entries = Vec::with_capacity(tags as usize);
        let mut held = 0;
        for at in (INTRO..store).step_by(ENTRY) {
            let entry = entry(&bytes, at, store)?;
            // Strings are counted one by one: values that share bytes would make that endless.
            held += entry.value.len();
            ensure!(held <= data as usize, Malformed, "its values overlap");
            entries.push(entry);
        }
        check_region(&bytes, &entries, region, tags)?;
        let mut by_tag = HashMap::new();
        for (at, Entry { tag, .. }) in entries.iter().enumerate() {
            ensure!(by_tag.insert(*tag, at).is_none(), Malformed, "the tag {tag} is there twice");
        }
        Ok(Self { bytes, entries, by_tag })
    }

    /// Everything, as it stands in the file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Every tag, in the order of the block, the region's own first.
    pub fn tags(&self) -> impl Iterator<Item = u32> {
        self.entries.iter().map(|entry| entry.tag)
    }

    /// How many bytes of data it has, besides the index of its tags.
    pub fn data_size(&self) -> u32 {
        u32::try_from(self.bytes.len() - INTRO - ENTRY * self.entries.len()).unwrap_or(u32::MAX)
    }

    /// Whether the bytes between the values are zero, as alignment leaves them.
    pub fn gaps_are_zero(&self) -> bool {
        let mut gaps = self.bytes.clone();
        gaps[..INTRO + ENTRY * self.entries.len()].fill(0);
        for entry in &self.entries {
            gaps[entry.value.clone()].fill(0);
        }
        gaps.iter().all(|byte| *byte == 0)
    }

    /// A number of 32 bits.
    ///
    /// # Errors
    ///
    /// The tag is of another kind.
    pub fn number(&self, tag: u32) -> Result<Option<u32>> {
        self.find(tag, &[INT32], 1)?.map(|value| word(value, 0)).transpose()
    }

    /// A string, or the only one of an array.
    ///
    /// # Errors
    ///
    /// The tag is of another kind, or not UTF-8.
    pub fn text(&self, tag: u32) -> Result<Option<&str>> {
        let Some(value) = self.find(tag, &[STRING, STRING_ARRAY], 1)? else { return Ok(None) };
        let text = value.strip_suffix(&[0]).unwrap_or(value);
        let text = std::str::from_utf8(text);
        Ok(Some(text.or_error(ErrorKind::Malformed, format!("the tag {tag}"))?))
    }

    /// Bytes.
    ///
    /// # Errors
    ///
    /// The tag is of another kind.
    pub fn binary(&self, tag: u32) -> Result<Option<&[u8]>> {
        self.find(tag, &[BIN], u32::MAX)
    }

    /// The bytes of a tag, of whatever kind.
    ///
    /// # Errors
    ///
    /// There is no such tag.
    pub fn value(&self, tag: u32) -> Result<&[u8]> {
        let entry = self.entry(tag);
        let entry = entry.or_error(ErrorKind::Malformed, format!("there is no tag {tag}"))?;
        Ok(&self.bytes[entry.value.clone()])
    }

    fn entry(&self, tag: u32) -> Option<&Entry> {
        self.by_tag.get(&tag).map(|at| &self.entries[*at])
    }

    pub(super) fn find(&self, tag: u32, kinds: &[u32], most: u32) -> Result<Option<&[u8]>> {
        let Some(entry) = self.entry(tag) else { return Ok(None) };
        let fits = kinds.contains(&entry.kind) && entry.count <= most;
        ensure!(fits, Malformed, "the tag {tag} is not of its kind");
        Ok(Some(&self.bytes[entry.value.clone()]))
    }
}

fn word(bytes: &[u8], at: usize) -> Result<u32> {
    let four = bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .or_error(ErrorKind::Truncated, "it is cut short")?;
    Ok(u32::from_be_bytes(*four))
}

/// One entry of the index, its value found and within bounds.
fn entry(bytes: &[u8], at: usize, store: usize) -> Result<Entry> {
    let [tag, kind, offset, count] =
        [word(bytes, at)?, word(bytes, at + 4)?, word(bytes, at + 8)?, word(bytes, at + 12)?];
    let data = bytes.get(store + offset as usize..).unwrap_or_default();
    let align = match kind {
        INT16 => 2,
        INT32 => 4,
        INT64 => 8,
        _ => 1,
    };
    let length = match kind {
        1 | 2 | BIN => Some(count as usize),
        INT16 | INT32 | INT64 => (count as usize).checked_mul(align),
        STRING | STRING_ARRAY | I18N_STRING => strings(data, count),
        _ => bail!(Malformed, "the tag {tag} is of no known kind"),
    };
    let length = length.filter(|length| count > 0 && *length <= data.len());
    let (Some(length), true) = (length, (offset as usize).is_multiple_of(align)) else {
        bail!(Malformed, "the value of the tag {tag} is out of bounds");
    };
    let start = store + offset as usize;
    Ok(Entry { tag, kind, count, value: start..start + length })
}

/// How long `count` strings are, each with the zero byte at its end.
fn strings(data: &[u8], count: u32) -> Option<usize> {
    let mut length = 0;
    for _ in 0..count {
        length += data.get(length..)?.iter().position(|byte| *byte == 0)? + 1;
    }
    Some(length)
}

/// The region comes first, and its trailer, at the very end, says that it spans every entry.
fn check_region(bytes: &[u8], entries: &[Entry], region: u32, tags: u32) -> Result<()> {
    let first = entries.first().or_error(ErrorKind::Malformed, "it is empty")?;
    let sound = first.tag == region
        && (first.kind, first.count) == (BIN, 16)
        && first.value.end == bytes.len();
    ensure!(sound, Malformed, "its region does not span it");
    let trailer = &bytes[first.value.clone()];
    let back = 0_u32.wrapping_sub(tags * 16);
    let expected = [region, BIN, back, 16];
    for (at, number) in (0..).step_by(4).zip(expected) {
        ensure!(word(trailer, at)? == number, Malformed, "its region does not span it");
    }
    Ok(())
}

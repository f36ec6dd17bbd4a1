// SPDX-License-Identifier: GPL-2.0-or-later
//! The memory that the loader would make of an ELF file: segments, words, strings.
//!
//! Reads what `ld.so` reads (segments: System V gABI, chapter 5) and nothing that `strip` may take
//! away: no section, no symbol. What a word means depends on the form of the file. In a
//! position-independent one (`ET_DYN`) the bytes of a pointer say nothing, and the relocation that
//! fills it does (`relocations`). In a fixed one (`ET_EXEC`) nothing is relocated: a word whose value
//! lies in a segment may be an address or a number, and which of both is for the role to say that it
//! plays: who asks for a name takes it as a pointer, who asks for a size takes it as a number.
//!
//! Every offset comes from a file that may be hostile: each is checked where it is used, and
//! nothing is allocated beyond the size of the file.

use super::header::{Header, Machine};
use super::relocations::{self, Dynamic};
use crate::error::{Error, ErrorKind, OrError, Result, ensure};
use goblin::elf::dynamic;
use goblin::elf::program_header::{PF_X, PT_DYNAMIC, PT_GNU_EH_FRAME, PT_LOAD, ProgramHeader};
use std::ops::Range;

/// Longer than any name in QEMU, short enough that a table of overlapping strings costs little.
const LONGEST_NAME: usize = 128;

/// One word of 8 bytes as the running program would see it, with the load address at zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// A number, a flag, a null pointer; no relocation touches it.
    Plain(u64),
    /// A relocation makes it an address inside this image.
    Pointer(u64),
    /// In a file with fixed addresses, a value that lies in it: an address, or a number.
    Either(u64),
}

impl Word {
    pub const NULL: Self = Self::Plain(0);

    /// Where it leads, if it may be a pointer.
    pub fn target(self) -> Option<u64> {
        match self {
            Self::Plain(_) => None,
            Self::Pointer(target) | Self::Either(target) => Some(target),
        }
    }

    pub fn is_null_or_pointer(self) -> bool {
        self == Self::NULL || self.target().is_some()
    }

    /// The number, if it may be one and is not above `most`.
    pub fn number_up_to(self, most: u64) -> Option<u64> {
        match self {
            Self::Plain(number) | Self::Either(number) if number <= most => Some(number),
            _ => None,
        }
    }

    pub fn is_number_up_to(self, most: u64) -> bool {
        self.number_up_to(most).is_some()
    }
}

/// How the words of an image that are pointers are told from those that are not.
#[derive(Debug)]
enum Pointers {
    /// What the loader fills: (where, what), ascending.
    Relocated(Vec<(u64, u64)>),
    /// By their values.
    Fixed,
}

#[derive(Debug)]
struct Segment<'a> {
    start: u64,
    bytes: &'a [u8],
    /// How much memory it takes; what the file does not give is zero (`.bss`).
    size: u64,
    executable: bool,
}

/// A 64-bit little-endian ELF file, seen as memory.
#[derive(Debug)]
pub struct Image<'a> {
    /// The `PT_LOAD` segments that have bytes in the file, ascending, disjoint.
    segments: Vec<Segment<'a>>,
    pointers: Pointers,
    machine: Machine,
    unwind: Option<u64>,
    /// The table of functions that run before `main`: address, size in bytes.
    constructors: Option<(u64, u64)>,
}

impl<'a> Image<'a> {
    pub fn read(file: &'a [u8]) -> Result<Self> {
        let header = Header::read(file)?;
        let mut image = Self {
            segments: segments(file, &header.program)?,
            pointers: Pointers::Fixed,
            machine: header.machine,
            unwind: header.find(PT_GNU_EH_FRAME).map(|header| header.p_vaddr),
            constructors: None,
        };
        let dynamic = match header.find(PT_DYNAMIC) {
            Some(header) => Dynamic::read(&image, header.p_vaddr)?,
            None => Dynamic::default(),
        };
        image.constructors = dynamic.pair(dynamic::DT_INIT_ARRAY, dynamic::DT_INIT_ARRAYSZ)?;
        if !header.fixed {
            image.pointers = Pointers::Relocated(relocations::read(&image, &dynamic)?);
        }
        Ok(image)
    }

    /// As many words as the file gives.
    pub fn most_pointers(&self) -> usize {
        self.segments.iter().map(|segment| segment.bytes.len() / 8).sum()
    }

    /// Where code is.
    pub fn code(&self) -> impl Iterator<Item = Range<u64>> {
        let code = self.segments.iter().filter(|segment| segment.executable);
        code.map(|segment| segment.start..segment.start + segment.bytes.len() as u64)
    }

    pub fn is_inside(&self, address: u64) -> bool {
        self.segment(address).is_some()
    }

    pub fn machine(&self) -> Machine {
        self.machine
    }

    /// Whether a number in the code may be an address.
    pub fn has_fixed_addresses(&self) -> bool {
        matches!(self.pointers, Pointers::Fixed)
    }

    /// Calls `visit` with every pointer in the data: (address, target).
    pub fn pointers(&self, mut visit: impl FnMut(u64, u64)) {
        if let Pointers::Relocated(pointers) = &self.pointers {
            return pointers.iter().for_each(|&(address, target)| visit(address, target));
        }
        let low = self.segments.first().map_or(0, |segment| segment.start);
        let high = self.segments.last().map_or(0, |segment| segment.start + segment.size);
        // Constants may share a segment with code; a compiler aligns pointers.
        for segment in &self.segments {
            let first = segment.start.checked_next_multiple_of(8).unwrap_or(u64::MAX);
            let words = self.bytes(first).unwrap_or_default().as_chunks::<8>().0;
            for (index, word) in words.iter().enumerate() {
                let value = u64::from_le_bytes(*word);
                if (low..high).contains(&value) && self.is_inside(value) {
                    visit(first + index as u64 * 8, value);
                }
            }
        }
    }

    /// Calls `visit` with every two pointers that stand side by side: (address, the first, the
    /// second).
    pub fn pairs(&self, mut visit: impl FnMut(u64, u64, u64)) {
        let mut before = None;
        self.pointers(|address, target| {
            if let Some((last, first)) = before
                && address.checked_sub(8) == Some(last)
            {
                visit(last, first, target);
            }
            before = Some((address, target));
        });
    }

    /// The functions that run before `main`, in no order that matters here.
    pub fn constructors(&self) -> impl Iterator<Item = u64> {
        let (table, size) = self.constructors.unwrap_or_default();
        let count = (size / 8).min(self.most_pointers() as u64);
        (0..count).map_while(move |index| self.pointer(table.checked_add(index * 8)?))
    }

    /// The address of `.eh_frame_hdr`.
    pub fn unwind(&self) -> Option<u64> {
        self.unwind
    }

    /// The bytes of the file from `address` to the end of its segment.
    pub fn bytes(&self, address: u64) -> Option<&'a [u8]> {
        let segment = self.segment(address)?;
        segment.bytes.get(usize::try_from(address - segment.start).ok()?..)
    }

    pub fn is_executable(&self, address: u64) -> bool {
        self.segment(address).is_some_and(|segment| segment.executable)
    }

    /// Whether `address` lies where the program's memory goes on and the file does not.
    pub fn is_zero_filled(&self, address: u64) -> bool {
        self.segment(address)
            .is_some_and(|segment| address - segment.start >= segment.bytes.len() as u64)
    }

    /// What the word at `address` points to, if it may be a pointer.
    pub fn pointer(&self, address: u64) -> Option<u64> {
        self.word(address)?.target()
    }

    pub fn word(&self, address: u64) -> Option<Word> {
        if let Pointers::Relocated(pointers) = &self.pointers
            && let Ok(at) = pointers.binary_search_by_key(&address, |&(place, _)| place)
        {
            return pointers.get(at).map(|&(_, target)| Word::Pointer(target));
        }
        let segment = self.segment(address)?;
        let inside = usize::try_from(address - segment.start).ok()?;
        if inside >= segment.bytes.len() {
            return Some(Word::NULL);
        }
        let value = u64::from_le_bytes(*segment.bytes.get(inside..)?.first_chunk()?);
        Some(if value != 0 && self.has_fixed_addresses() && self.segment(value).is_some() {
            Word::Either(value)
        } else {
            Word::Plain(value)
        })
    }

    /// `N` words in a row.
    pub fn words<const N: usize>(&self, address: u64) -> Option<[Word; N]> {
        let mut words = [Word::NULL; N];
        let mut at = address;
        for word in &mut words {
            *word = self.word(at)?;
            at = at.checked_add(8)?;
        }
        Some(words)
    }

    /// The C string at `address`, where it could name a type or a property: in QEMU those are ASCII
    /// letters, digits and a little punctuation, never a space.
    pub fn name(&self, address: u64) -> Option<&'a str> {
        self.text(address, b"-_.,+:/[]*")
    }

    /// The C string at `address`, where it could make a name of another: `%s-mips-cpu`.
    pub fn format(&self, address: u64) -> Option<&'a str> {
        self.text(address, b"-_.%")
            .filter(|text| text.matches('%').count() == 1 && text.contains("%s"))
    }

    fn text(&self, address: u64, punctuation: &[u8]) -> Option<&'a str> {
        let bytes = self.bytes(address)?;
        let bytes = bytes.get(..bytes.len().min(LONGEST_NAME))?;
        let legal = |&byte: &u8| byte.is_ascii_alphanumeric() || punctuation.contains(&byte);
        let end = bytes.iter().position(|byte| !legal(byte))?;
        (end > 0 && bytes.get(end) == Some(&0)).then(|| str::from_utf8(bytes.get(..end)?).ok())?
    }

    fn segment(&self, address: u64) -> Option<&Segment<'a>> {
        let after = self.segments.partition_point(|segment| segment.start <= address);
        let segment = self.segments.get(after.checked_sub(1)?)?;
        (address - segment.start < segment.size).then_some(segment)
    }
}

fn segments<'a>(file: &'a [u8], headers: &[ProgramHeader]) -> Result<Vec<Segment<'a>>> {
    let mut segments: Vec<Segment<'a>> = Vec::new();
    let mut free = 0;
    for header in headers.iter().filter(|header| header.p_type == PT_LOAD && header.p_filesz > 0) {
        let bytes = usize::try_from(header.p_offset)
            .ok()
            .zip(usize::try_from(header.p_filesz).ok())
            .and_then(|(start, size)| file.get(start..start.checked_add(size)?))
            .ok_or_else(|| {
                let size = file.len();
                let message =
                    format!("the ELF file is truncated: a segment ends past its {size} bytes");
                Error::new(ErrorKind::Truncated, message)
            })?;
        ensure!(
            header.p_vaddr >= free && header.p_memsz >= header.p_filesz,
            Malformed,
            "the ELF file's segments overlap or are out of order"
        );
        free = header.p_vaddr.checked_add(header.p_memsz).or_error(
            ErrorKind::Malformed,
            "a segment of the ELF file wraps around the address space",
        )?;
        segments.push(Segment {
            start: header.p_vaddr,
            bytes,
            size: header.p_memsz,
            executable: header.p_flags & PF_X != 0,
        });
    }
    Ok(segments)
}

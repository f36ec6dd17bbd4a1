// SPDX-License-Identifier: GPL-2.0-or-later
//! What a host cares for in any program or library: who loads it, what it needs, how it is hardened.
//!
//! Read from the program headers and the dynamic section alone (System V gABI, chapters 4 and 5), as
//! the kernel and `ld.so` do, so that `strip` changes nothing. x86-64 and aarch64.
//!
//! Never enters: symbols that nothing refers to, section headers, and any trust in an offset: each is
//! checked where it is used, and every list has a longest length.

use super::dynamic as section;
use super::header::{Header, Machine};
use crate::error::{ErrorKind, OrError, Result};
use goblin::elf::dynamic;
use goblin::elf::program_header::{
    PF_W, PF_X, PT_DYNAMIC, PT_GNU_RELRO, PT_GNU_STACK, PT_INTERP, PT_LOAD, PT_NOTE, ProgramHeader,
};
use serde::{Deserialize, Serialize};

/// A list as long as this was made to waste our time.
const MOST_ENTRIES: usize = 1 << 12;
/// The smallest page.
const PAGE: u64 = 4096;
/// `PATH_MAX`; the mangled names of C++ are longer, and never asked for.
const LONGEST_TEXT: usize = 4096;

/// The glibc whose loader knows packed relocations, and the version by which they are asked for.
const PACKED: (&str, (u32, u32)) = ("GLIBC_ABI_DT_RELR", (2, 36));
const NT_GNU_BUILD_ID: u32 = 3;
const STACK_PROTECTOR: &str = "__stack_chk_fail";

/// What a host asks of any ELF file, program or library.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ElfInfo {
    /// The instruction set.
    pub machine: Machine,
    /// Whether it is started, and not only loaded by others.
    pub program: bool,
    /// The loader that it asks for; a static program has none.
    pub interpreter: Option<String>,
    /// The name that others need it by (`DT_SONAME`).
    pub soname: Option<String>,
    /// The libraries that it needs (`DT_NEEDED`), in its order.
    pub needed: Vec<String>,
    /// The newest glibc that it needs, as (major, minor): by its versioned symbols, or by its packed
    /// relocations.
    pub glibc: Option<(u32, u32)>,
    /// Folders in which the loader looks for libraries, as they stand there (`DT_RPATH`).
    pub rpath: Vec<String>,
    /// The same by the later tag (`DT_RUNPATH`).
    pub runpath: Vec<String>,
    /// Libraries that watch the loader: they are loaded and run before anything else.
    pub audit: Vec<String>,
    /// Libraries in which the loader looks for this one's symbols first, or alone.
    pub filters: Vec<String>,
    /// What else its dynamic section has: a name or a number for each tag, and the flags of those that
    /// have some. Whatever makes the loader do something is among them.
    pub dynamic: Vec<String>,
    /// Whether the kernel makes its stack executable (`PT_GNU_STACK`).
    pub executable_stack: bool,
    /// Whether any of its memory may be written and executed.
    pub writable_code: bool,
    /// Whether it can be loaded anywhere, as every library can.
    pub pie: bool,
    /// Whether relocated data becomes read-only once it is relocated.
    pub relro: bool,
    /// Whether all of it is relocated before it starts.
    pub bind_now: bool,
    /// Whether any function of it checks its frame.
    pub stack_protector: bool,
    /// What the linker wrote to tell it apart (`NT_GNU_BUILD_ID`), in hexadecimal.
    pub build_id: Option<String>,
}

impl ElfInfo {
    /// Reads a 64-bit little-endian program or library for x86-64 or aarch64.
    ///
    /// # Errors
    ///
    /// It is no such file, or one that the kernel and the loader read in two ways.
    pub fn read(file: &[u8]) -> Result<Self> {
        read(file)
    }
}

fn read(file: &[u8]) -> Result<ElfInfo> {
    let header = Header::read(file)?;
    let (fixed, find) = (header.fixed, |kind| header.find(kind));
    let interpreter = match find(PT_INTERP) {
        None => None,
        Some(header) => {
            let bytes = in_file(file, header)
                .or_error(ErrorKind::Truncated, "its interpreter lies outside it")?;
            Some(
                text(bytes)
                    .or_error(ErrorKind::Malformed, "the name of its interpreter does not end")?,
            )
        }
    };
    let mut info = ElfInfo {
        machine: header.machine,
        program: fixed || interpreter.is_some(),
        interpreter,
        soname: None,
        needed: Vec::new(),
        glibc: None,
        rpath: Vec::new(),
        runpath: Vec::new(),
        audit: Vec::new(),
        filters: Vec::new(),
        dynamic: Vec::new(),
        // Without the header, Linux before 5.8 made every page executable that can be read.
        executable_stack: find(PT_GNU_STACK).is_none_or(|header| header.p_flags & PF_X != 0),
        writable_code: loads(&header).any(|load| load.p_flags & (PF_W | PF_X) == PF_W | PF_X),
        pie: !fixed,
        relro: find(PT_GNU_RELRO).is_some_and(|relro| protects(relro, &header)),
        bind_now: false,
        stack_protector: false,
        build_id: header.program.iter().filter(|header| header.p_type == PT_NOTE).find_map(
            |header| {
                let notes = in_file(file, header)?;
                build_id(notes, header.p_align)
            },
        ),
    };
    if let Some(dynamic) = find(PT_DYNAMIC) {
        let memory = Memory { file, headers: &header.program };
        Dynamic::read(&memory, dynamic.p_vaddr)?.fill(&mut info)?;
    }
    Ok(info)
}

fn loads(header: &Header) -> impl Iterator<Item = &ProgramHeader> {
    header.program.iter().filter(|header| header.p_type == PT_LOAD)
}

/// Whether anything becomes read-only: whole pages of memory that may be written before, and the dynamic
/// section among them (glibc, `_dl_protect_relro`).
fn protects(relro: &ProgramHeader, header: &Header) -> bool {
    let page = |address: u64| address - address % PAGE;
    let covered = page(relro.p_vaddr)..page(relro.p_vaddr.saturating_add(relro.p_memsz));
    let writable = loads(header).any(|load| {
        load.p_flags & PF_W != 0
            && relro.p_vaddr.checked_sub(load.p_vaddr).is_some_and(|inside| inside < load.p_memsz)
    });
    let dynamic = header.find(PT_DYNAMIC);
    writable
        && !covered.is_empty()
        && dynamic.is_none_or(|dynamic| covered.contains(&dynamic.p_vaddr))
}

fn in_file<'a>(file: &'a [u8], header: &ProgramHeader) -> Option<&'a [u8]> {
    let start = usize::try_from(header.p_offset).ok()?;
    file.get(start..start.checked_add(usize::try_from(header.p_filesz).ok()?)?)
}

/// The string that a slice begins with.
fn text(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.get(..bytes.len().min(LONGEST_TEXT))?;
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some(String::from_utf8_lossy(bytes.get(..end)?).into_owned())
}

/// The build id among notes: entries of three words, a name, and a description.
fn build_id(notes: &[u8], align: u64) -> Option<String> {
    let align = if align == 8 { 8 } else { 4 };
    let mut rest = notes;
    for _ in 0..MOST_ENTRIES {
        let word = |at: usize| -> Option<u32> {
            Some(u32::from_le_bytes(*rest.get(at..)?.first_chunk()?))
        };
        let (name, description, kind) = (word(0)? as usize, word(4)? as usize, word(8)?);
        let start = name.checked_add(12)?.checked_next_multiple_of(align)?;
        let end = start.checked_add(description)?;
        if kind == NT_GNU_BUILD_ID && rest.get(12..16) == Some(b"GNU\0") && description <= 64 {
            let id = rest.get(start..end)?;
            return Some(hex(id));
        }
        rest = rest.get(end.checked_next_multiple_of(align)?..)?;
    }
    None
}

/// Bytes as hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The file by the addresses that it is loaded at.
struct Memory<'a> {
    file: &'a [u8],
    headers: &'a [ProgramHeader],
}

impl<'a> Memory<'a> {
    /// From an address to the end of what the file has of its segment.
    fn bytes(&self, address: u64) -> Option<&'a [u8]> {
        self.headers.iter().filter(|header| header.p_type == PT_LOAD).find_map(|header| {
            let inside = usize::try_from(address.checked_sub(header.p_vaddr)?).ok()?;
            in_file(self.file, header)?.get(inside..).filter(|rest| !rest.is_empty())
        })
    }

    /// A table of a size that another entry gives.
    fn table(&self, address: Option<u64>, size: u64) -> Option<&'a [u8]> {
        self.bytes(address?)?.get(..usize::try_from(size).ok()?)
    }
}

/// What the dynamic section points to.
#[derive(Default)]
struct Dynamic<'a> {
    strings: &'a [u8],
    symbols: &'a [u8],
    /// Relocations with an addend, each of 24 bytes.
    relocations: [&'a [u8]; 2],
    versions: &'a [u8],
    entries: Vec<(u64, u64)>,
}

impl<'a> Dynamic<'a> {
    fn read(memory: &Memory<'a>, address: u64) -> Result<Self> {
        let bytes = memory
            .bytes(address)
            .or_error(ErrorKind::Malformed, "its dynamic section lies outside it")?;
        let entries = section::entries(bytes)?;
        let one = |wanted: u64| entries.iter().find(|(tag, _)| *tag == wanted).map(|pair| pair.1);
        let size = |wanted: u64| one(wanted).unwrap_or_default();
        let strings = memory.table(one(dynamic::DT_STRTAB), size(dynamic::DT_STRSZ));
        let symbols = one(dynamic::DT_SYMTAB).and_then(|address| memory.bytes(address));
        let versions = one(dynamic::DT_VERNEED).and_then(|address| memory.bytes(address));
        let relocations =
            [(dynamic::DT_JMPREL, dynamic::DT_PLTRELSZ), (dynamic::DT_RELA, dynamic::DT_RELASZ)]
                .map(|(table, length)| memory.table(one(table), size(length)).unwrap_or_default());
        Ok(Self {
            strings: strings.unwrap_or_default(),
            symbols: symbols.unwrap_or_default(),
            relocations,
            versions: versions.unwrap_or_default(),
            entries,
        })
    }

    fn fill(&self, info: &mut ElfInfo) -> Result<()> {
        for &(tag, value) in &self.entries {
            let named = || {
                self.text(value)
                    .or_error(ErrorKind::Malformed, "a name that it needs lies outside it")
            };
            match tag {
                dynamic::DT_NEEDED => info.needed.push(named()?),
                dynamic::DT_SONAME => info.soname = Some(named()?),
                dynamic::DT_RPATH => info.rpath.push(named()?),
                dynamic::DT_RUNPATH => info.runpath.push(named()?),
                section::DT_AUDIT | section::DT_DEPAUDIT => info.audit.push(named()?),
                section::DT_AUXILIARY | section::DT_FILTER => info.filters.push(named()?),
                section::DT_CONFIG => info.dynamic.push(format!("CONFIG {}", named()?)),
                dynamic::DT_FLAGS
                | dynamic::DT_FLAGS_1
                | section::DT_POSFLAG_1
                | section::DT_FEATURE => {
                    info.dynamic.push(format!("{} {value:#x}", section::name(tag)));
                }
                _ => info.dynamic.push(section::name(tag)),
            }
            match tag {
                dynamic::DT_BIND_NOW => info.bind_now = true,
                dynamic::DT_FLAGS => info.bind_now |= value & dynamic::DF_BIND_NOW != 0,
                dynamic::DT_FLAGS_1 => {
                    info.bind_now |= value & dynamic::DF_1_NOW != 0;
                    // A static program that can be loaded anywhere has no interpreter.
                    info.program |= value & dynamic::DF_1_PIE != 0;
                }
                _ => {}
            }
        }
        info.dynamic.sort_unstable();
        info.glibc = self.glibc();
        info.stack_protector = self.refers_to(STACK_PROTECTOR);
        Ok(())
    }

    fn text(&self, at: u64) -> Option<String> {
        text(self.strings.get(usize::try_from(at).ok()?..)?)
    }

    /// The newest version of glibc among those that it needs (`Elf64_Verneed`, `Elf64_Vernaux`).
    fn glibc(&self) -> Option<(u32, u32)> {
        let (mut newest, mut at, mut version) = (None, 0_usize, None);
        // One bound for both lists: each could lead into the other for ever.
        for _ in 0..MOST_ENTRIES {
            let Some(place) = version.take() else {
                let Some([first, next]) = words(self.versions, at, [8, 12]) else { break };
                version = Some(at.saturating_add(first as usize));
                // The last one leads to the end of the list.
                at = if next == 0 { usize::MAX } else { at.saturating_add(next as usize) };
                continue;
            };
            let Some([name, next]) = words(self.versions, place, [8, 12]) else { continue };
            newest = newest.max(self.text(u64::from(name)).and_then(|name| glibc_version(&name)));
            version = (next > 0).then(|| place.saturating_add(next as usize));
        }
        newest
    }

    /// Whether a relocation is to be filled with what bears a name.
    fn refers_to(&self, wanted: &str) -> bool {
        let tables = self.relocations.iter().flat_map(|table| table.as_chunks::<24>().0);
        let mut last = 0;
        tables.into_iter().any(|entry| {
            let symbol = u32::from_le_bytes([entry[12], entry[13], entry[14], entry[15]]);
            // Relative ones, nearly all, have none; neighbours often share theirs.
            symbol != std::mem::replace(&mut last, symbol)
                && words(self.symbols, (symbol as usize).saturating_mul(24), [0]).is_some_and(
                    |[name]| {
                        let name = self.strings.get(name as usize..).unwrap_or_default();
                        name.strip_prefix(wanted.as_bytes())
                            .is_some_and(|rest| rest.first() == Some(&0))
                    },
                )
        })
    }
}

/// Words of 4 bytes, at these distances from a place.
fn words<const N: usize>(bytes: &[u8], at: usize, offsets: [usize; N]) -> Option<[u32; N]> {
    let mut words = [0; N];
    for (word, offset) in words.iter_mut().zip(offsets) {
        *word = u32::from_le_bytes(*bytes.get(at.checked_add(offset)?..)?.first_chunk()?);
    }
    Some(words)
}

/// The version in the name of a symbol version of glibc, as (major, minor): 2 and 17 in `GLIBC_2.17`.
#[must_use]
pub fn glibc_version(name: &str) -> Option<(u32, u32)> {
    if name == PACKED.0 {
        return Some(PACKED.1);
    }
    let mut numbers = name.strip_prefix("GLIBC_")?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests;

//! The memory that the loader would make of an ELF file: segments, words, strings.
//!
//! Reads what `ld.so` reads (ELF header, program headers, dynamic section, `DT_RELA`: System V gABI
//! chapters 4 and 5; `R_X86_64_RELATIVE`: x86-64 psABI) and nothing that `strip` may take away: no
//! section, no symbol. In a position-independent file the bytes of a pointer say nothing; the
//! relocation that fills it does. Another kind of relocation (RELR, aarch64, an absolute `ET_EXEC`)
//! is one more way to fill `pointers`, and no other file of this room will notice.
//!
//! Every offset comes from a file that may be hostile: each is checked where it is used, and
//! nothing is allocated beyond the size of the file.

use anyhow::{Context, Result, bail, ensure};
use goblin::container::{Container, Ctx, Endian};
use goblin::elf::header::{
    EI_CLASS, EI_DATA, ELFCLASS64, ELFDATA2LSB, ELFMAG, EM_X86_64, ET_DYN, Header, et_to_str,
    machine_to_str,
};
use goblin::elf::program_header::{PF_X, PT_DYNAMIC, PT_GNU_EH_FRAME, PT_LOAD, ProgramHeader};
use goblin::elf::reloc::{R_X86_64_RELATIVE, RelocSection};
use goblin::elf::{Elf, dynamic};

const LITTLE_64: Ctx = Ctx { container: Container::Big, le: Endian::Little };

/// Packed relative relocations; goblin does not know the tag.
const DT_RELR: u64 = 36;

/// A linker writes about a dozen; a file with thousands was made to waste our time.
const MOST_PROGRAM_HEADERS: u16 = 256;

/// Longer than any name in QEMU, short enough that a table of overlapping strings costs little.
const LONGEST_NAME: usize = 128;

/// One word of 8 bytes as the running program would see it, with the load address at zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// No relocation touches it: a number, a flag, a null pointer.
    Plain(u64),
    /// A relocation makes it an address inside this image.
    Pointer(u64),
}

impl Word {
    pub const NULL: Self = Self::Plain(0);

    pub fn is_null_or_pointer(self) -> bool {
        matches!(self, Self::NULL | Self::Pointer(_))
    }

    pub fn is_number_up_to(self, most: u64) -> bool {
        matches!(self, Self::Plain(number) if number <= most)
    }
}

#[derive(Debug)]
struct Segment<'a> {
    start: u64,
    bytes: &'a [u8],
    /// How much memory it takes; what the file does not give is zero (`.bss`).
    size: u64,
    executable: bool,
}

/// A 64-bit little-endian, position-independent ELF file, seen as memory.
#[derive(Debug)]
pub struct Image<'a> {
    /// The `PT_LOAD` segments that have bytes in the file, ascending, disjoint.
    segments: Vec<Segment<'a>>,
    /// Every word that the loader fills with an address of this image: (where, what), ascending.
    pointers: Vec<(u64, u64)>,
    unwind: Option<u64>,
}

impl<'a> Image<'a> {
    pub fn read(file: &'a [u8]) -> Result<Self> {
        let header = header(file)?;
        let start = usize::try_from(header.e_phoff).context("the ELF file is truncated")?;
        let count = header.e_phnum;
        ensure!(
            count <= MOST_PROGRAM_HEADERS,
            "the ELF file claims {count} program headers, more than a linker writes"
        );
        let headers = ProgramHeader::parse(file, start, usize::from(count), LITTLE_64)
            .context("the ELF file is truncated inside its program headers")?;

        let find = |kind| headers.iter().find(move |header| header.p_type == kind);
        let mut image = Self {
            segments: segments(file, &headers)?,
            pointers: Vec::new(),
            unwind: find(PT_GNU_EH_FRAME).map(|header| header.p_vaddr),
        };
        let dynamic = find(PT_DYNAMIC)
            .context("the ELF file has no dynamic section, and so no relocations to follow")?;
        image.pointers = image.relative_relocations(dynamic.p_vaddr)?;
        Ok(image)
    }

    /// Every two pointers that stand side by side: (address, the first, the second).
    pub fn pairs(&self) -> impl Iterator<Item = (u64, u64, u64)> {
        self.pointers.windows(2).filter_map(|pair| match *pair {
            [(address, first), (next, second)] if address.checked_add(8) == Some(next) => {
                Some((address, first, second))
            }
            _ => None,
        })
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

    /// What the word at `address` points to, if a relocation makes it a pointer.
    pub fn pointer(&self, address: u64) -> Option<u64> {
        let at = self.pointers.binary_search_by_key(&address, |&(place, _)| place).ok()?;
        self.pointers.get(at).map(|&(_, target)| target)
    }

    pub fn word(&self, address: u64) -> Option<Word> {
        if let Some(target) = self.pointer(address) {
            return Some(Word::Pointer(target));
        }
        if self.is_zero_filled(address) {
            return Some(Word::NULL);
        }
        self.bytes(address)?.first_chunk().map(|bytes| Word::Plain(u64::from_le_bytes(*bytes)))
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
        let bytes = self.bytes(address)?;
        let bytes = bytes.get(..bytes.len().min(LONGEST_NAME))?;
        let end = bytes.iter().position(|&byte| byte == 0)?;
        let name = bytes.get(..end)?;
        let legal = |&byte: &u8| byte.is_ascii_alphanumeric() || b"-_.,+:/[]*".contains(&byte);
        if name.is_empty() || !name.iter().all(legal) {
            return None;
        }
        std::str::from_utf8(name).ok()
    }

    fn segment(&self, address: u64) -> Option<&Segment<'a>> {
        let after = self.segments.partition_point(|segment| segment.start <= address);
        let segment = self.segments.get(after.checked_sub(1)?)?;
        (address - segment.start < segment.size).then_some(segment)
    }

    fn relative_relocations(&self, dynamic: u64) -> Result<Vec<(u64, u64)>> {
        let entries = self
            .bytes(dynamic)
            .context("the ELF file's dynamic section lies outside its segments")?;
        let (mut table, mut size) = (None, None);
        for entry in entries.as_chunks::<8>().0.chunks_exact(2) {
            let &[tag, value] = entry else { continue };
            let value = u64::from_le_bytes(value);
            match u64::from_le_bytes(tag) {
                dynamic::DT_NULL => break,
                dynamic::DT_RELA => table = Some(value),
                dynamic::DT_RELASZ => size = Some(value),
                DT_RELR => {
                    bail!("the ELF file packs its relocations (DT_RELR), which cannot be read yet")
                }
                _ => {}
            }
        }
        let (Some(table), Some(size)) = (table, size) else {
            bail!("the ELF file has no relocations (DT_RELA), so its data cannot be followed");
        };
        let table = self
            .bytes(table)
            .zip(usize::try_from(size).ok())
            .and_then(|(bytes, size)| bytes.get(..size))
            .context("the ELF file's relocations lie outside its segments")?;
        let relocations = RelocSection::parse(table, 0, table.len(), true, LITTLE_64)
            .context("the ELF file's relocations cannot be read")?;

        let mut pointers = Vec::with_capacity(relocations.len());
        for relocation in &relocations {
            if relocation.r_type == R_X86_64_RELATIVE {
                let target = relocation.r_addend.unwrap_or_default().cast_unsigned();
                pointers.push((relocation.r_offset, target));
            }
        }
        ensure!(
            !pointers.is_empty(),
            "the ELF file has no relative relocations, so its data cannot be followed"
        );
        // Linkers sort them; that is no promise.
        pointers.sort_unstable();
        let twice = pointers.windows(2).find_map(|pair| match *pair {
            [(one, _), (two, _)] if one == two => Some(one),
            _ => None,
        });
        if let Some(place) = twice {
            bail!("the ELF file relocates the word at {place:#x} twice");
        }
        Ok(pointers)
    }
}

/// The header of a file that this room can read.
fn header(file: &[u8]) -> Result<Header> {
    ensure!(file.starts_with(ELFMAG), "not an ELF file");
    let (Some(&class), Some(&data)) = (file.get(EI_CLASS), file.get(EI_DATA)) else {
        bail!("the ELF file is truncated inside its header");
    };
    ensure!(class == ELFCLASS64, "the ELF file is not 64-bit (class {class})");
    ensure!(data == ELFDATA2LSB, "the ELF file is not little-endian (data encoding {data})");
    let header = Elf::parse_header(file).context("the ELF file is truncated inside its header")?;
    ensure!(
        header.e_machine == EM_X86_64,
        "the ELF file is for machine `{}`, and only `X86_64` can be read yet",
        machine_to_str(header.e_machine)
    );
    ensure!(
        header.e_type == ET_DYN,
        "the ELF file has type `{}`, and only position-independent ones (`DYN`) can be read yet",
        et_to_str(header.e_type)
    );
    // Sections are not read, but they end nearly every file: where they are cut off, the file is
    // damaged, and that is not the device's fault.
    let sections = u64::from(header.e_shnum) * u64::from(header.e_shentsize);
    ensure!(
        header.e_shoff.checked_add(sections).is_some_and(|end| end <= file.len() as u64),
        "the ELF file is truncated: its section headers end past its {} bytes",
        file.len()
    );
    Ok(header)
}

fn segments<'a>(file: &'a [u8], headers: &[ProgramHeader]) -> Result<Vec<Segment<'a>>> {
    let mut segments: Vec<Segment<'a>> = Vec::new();
    let mut free = 0;
    for header in headers.iter().filter(|header| header.p_type == PT_LOAD && header.p_filesz > 0) {
        let bytes = usize::try_from(header.p_offset)
            .ok()
            .zip(usize::try_from(header.p_filesz).ok())
            .and_then(|(start, size)| file.get(start..start.checked_add(size)?))
            .with_context(|| {
                format!("the ELF file is truncated: a segment ends past its {} bytes", file.len())
            })?;
        ensure!(
            header.p_vaddr >= free && header.p_memsz >= header.p_filesz,
            "the ELF file's segments overlap or are out of order"
        );
        free = header
            .p_vaddr
            .checked_add(header.p_memsz)
            .context("a segment of the ELF file wraps around the address space")?;
        segments.push(Segment {
            start: header.p_vaddr,
            bytes,
            size: header.p_memsz,
            executable: header.p_flags & PF_X != 0,
        });
    }
    Ok(segments)
}

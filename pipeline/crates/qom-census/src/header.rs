// SPDX-License-Identifier: GPL-2.0-or-later
//! The ELF header and the program headers (System V gABI, chapters 4 and 5): what kind of file it is,
//! and whether it is whole.
//!
//! Never enters: section headers, which `strip` may take away, beyond where they end; `sections` says
//! whether there is any code.

use crate::error::{Error, ErrorKind, OrError, Result, ensure};
use crate::{sections, segments};
use goblin::container::{Container, Ctx, Endian};
use goblin::elf::Elf;
use goblin::elf::header::{
    EI_CLASS, EI_DATA, EI_VERSION, ELFCLASS64, ELFDATA2LSB, ELFMAG, EM_386, EM_AARCH64, EM_ARM,
    EM_X86_64, ET_DYN, ET_EXEC, EV_CURRENT, et_to_str, machine_to_str,
};
use goblin::elf::program_header::{
    PT_DYNAMIC, PT_GNU_EH_FRAME, PT_GNU_RELRO, PT_GNU_STACK, PT_INTERP, PT_PHDR, ProgramHeader,
    pt_to_str,
};
use serde::{Deserialize, Serialize};

pub const LITTLE_64: Ctx = Ctx { container: Container::Big, le: Endian::Little };

/// A machine that the kernel takes for the 386 (Linux, `include/uapi/linux/elf-em.h`).
const EM_486: u16 = 6;

/// A linker writes about a dozen; a file with thousands was made to waste our time.
const MOST_PROGRAM_HEADERS: u16 = 256;

/// Kinds of which a file has one: of several, the kernel and the loader take another one than each other.
const ONLY_ONE: [u32; 6] =
    [PT_DYNAMIC, PT_GNU_EH_FRAME, PT_GNU_RELRO, PT_GNU_STACK, PT_INTERP, PT_PHDR];

/// The instruction set that a file is for (`e_machine`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Machine {
    /// `EM_X86_64`.
    #[serde(rename = "x86_64")]
    X86_64,
    /// `EM_AARCH64`.
    #[serde(rename = "aarch64")]
    Aarch64,
}

/// A 64-bit little-endian program or library.
pub struct Header {
    pub machine: Machine,
    /// Whether it is loaded at the addresses that it gives (`ET_EXEC`), and not anywhere (`ET_DYN`).
    pub fixed: bool,
    pub program: Vec<ProgramHeader>,
}

impl Header {
    pub fn read(file: &[u8]) -> Result<Self> {
        ensure!(file.starts_with(ELFMAG), NotElf, "not an ELF file");
        let (Some(&class), Some(&data)) = (file.get(EI_CLASS), file.get(EI_DATA)) else {
            let message = "the ELF file is truncated inside its header";
            return Err(Error::new(ErrorKind::Truncated, message));
        };
        ensure!(class == ELFCLASS64, Unsupported, "the ELF file is not 64-bit (class {class})");
        ensure!(
            data == ELFDATA2LSB,
            Unsupported,
            "the ELF file is not little-endian (data encoding {data})"
        );
        let version = file.get(EI_VERSION).copied().unwrap_or_default();
        ensure!(
            version == EV_CURRENT,
            Unsupported,
            "the ELF file is of version {version}, and there is only 1"
        );
        let header = Elf::parse_header(file)
            .or_error(ErrorKind::Truncated, "the ELF file is truncated inside its header")?;
        let machine = match header.e_machine {
            EM_X86_64 => Machine::X86_64,
            EM_AARCH64 => Machine::Aarch64,
            other => {
                let message = format!(
                    "the ELF file is for machine `{}`, and only `X86_64` and `AARCH64` can be read",
                    machine_to_str(other)
                );
                return Err(Error::new(ErrorKind::Unsupported, message));
            }
        };
        ensure!(
            matches!(header.e_type, ET_DYN | ET_EXEC),
            Unsupported,
            "the ELF file has type `{}`, and only programs and libraries (`DYN`, `EXEC`) can be read",
            et_to_str(header.e_type)
        );
        // Sections are not read, but they end nearly every file: where they are cut off, the file is
        // damaged, and that is not the device's fault.
        let sections = u64::from(header.e_shnum) * u64::from(header.e_shentsize);
        ensure!(
            header.e_shoff.checked_add(sections).is_some_and(|end| end <= file.len() as u64),
            Truncated,
            "the ELF file is truncated: its section headers end past its {} bytes",
            file.len()
        );
        let count = header.e_phnum;
        ensure!(
            count <= MOST_PROGRAM_HEADERS,
            TooLarge,
            "the ELF file claims {count} program headers, more than a linker writes"
        );
        // Such as dwz makes of what several programs have for debuggers.
        ensure!(
            count > 0,
            Unsupported,
            "the ELF file has no program headers, so that nobody starts or loads it"
        );
        let (size, known) = (header.e_phentsize, segments::ENTRY);
        ensure!(
            u64::from(size) == known,
            Malformed,
            "the ELF file's program headers have {size} bytes each, and not {known}"
        );
        let start = usize::try_from(header.e_phoff)
            .ok()
            .or_error(ErrorKind::Truncated, "the ELF file is truncated")?;
        let program = ProgramHeader::parse(file, start, usize::from(count), LITTLE_64).or_error(
            ErrorKind::Truncated,
            "the ELF file is truncated inside its program headers",
        )?;
        for kind in ONLY_ONE {
            let count = program.iter().filter(|header| header.p_type == kind).count();
            ensure!(
                count <= 1,
                Malformed,
                "the ELF file has {count} program headers `{}`",
                pt_to_str(kind)
            );
        }
        ensure!(
            !sections::is_for_debuggers(file),
            Unsupported,
            "the ELF file holds symbols for a debugger, and no program"
        );
        segments::check(&program, machine, header.e_phoff)?;
        Ok(Self { machine, fixed: header.e_type == ET_EXEC, program })
    }

    /// The first program header of a kind.
    pub fn find(&self, kind: u32) -> Option<&ProgramHeader> {
        self.program.iter().find(|header| header.p_type == kind)
    }
}

/// A file that a host starts, or loads into what runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Executable {
    /// A program or a library of 64 bits; `long` where it is serialised.
    #[serde(rename = "long")]
    Elf64,
    /// One of 32 bits, which hosts of 64 bits start as well; `short` where it is serialised. Firmware for
    /// the same processors looks alike, but asks for no loader, and nobody makes it executable.
    #[serde(rename = "short")]
    Elf32 {
        /// Whether it asks for a loader (`PT_INTERP`).
        loader: bool,
    },
}

/// Whether a host would start or load a file; nothing where it would not.
///
/// This is what the kernel asks of a file that it is to start, and no more (Linux, `load_elf_binary` in
/// `fs/binfmt_elf.c` and `fs/compat_binfmt_elf.c`): magic, type, machine, and how large a program header is,
/// in the byte order of the host. What the file says of its class and byte order, and in its sections,
/// it does not look at. The loader asks for more, and starts nothing else.
#[must_use]
pub fn executable(file: &[u8]) -> Option<Executable> {
    let half = |at: usize| file.get(at..)?.first_chunk().map(|half| u16::from_le_bytes(*half));
    let has_table =
        |size_at: usize, size: u16| half(size_at) == Some(size) && half(size_at + 2) > Some(0);
    let is_program = file.starts_with(ELFMAG) && [ET_EXEC, ET_DYN].contains(&half(16)?);
    match half(18)? {
        _ if !is_program => None,
        EM_X86_64 | EM_AARCH64 if has_table(54, 56) => Some(Executable::Elf64),
        // x32 is of the first of these.
        EM_X86_64 | EM_386 | EM_486 | EM_ARM if has_table(42, 32) => {
            Some(Executable::Elf32 { loader: short_loader(file) })
        }
        _ => None,
    }
}

/// Whether a file of 32 bits, taken for one, asks for a loader.
fn short_loader(file: &[u8]) -> bool {
    let word = |at: usize| file.get(at..)?.first_chunk().map(|word| u32::from_le_bytes(*word));
    let count = file.get(44..46).map_or(0, |half| usize::from(half[0]) | usize::from(half[1]) << 8);
    let start = word(28).and_then(|start| usize::try_from(start).ok()).unwrap_or(usize::MAX);
    (0..count).any(|at| word(start.saturating_add(at * 32)) == Some(PT_INTERP))
}

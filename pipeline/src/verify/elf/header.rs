//! The ELF header and the program headers (System V gABI, chapters 4 and 5): what kind of file it is,
//! and whether it is whole.
//!
//! Never enters: section headers, which `strip` may take away, beyond where they end; `sections` says
//! whether there is any code.

use super::{sections, segments};
use anyhow::{Context, Result, bail, ensure};
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

/// The instruction set that a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Machine {
    #[serde(rename = "x86_64")]
    X86_64,
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
        ensure!(file.starts_with(ELFMAG), "not an ELF file");
        let (Some(&class), Some(&data)) = (file.get(EI_CLASS), file.get(EI_DATA)) else {
            bail!("the ELF file is truncated inside its header");
        };
        ensure!(class == ELFCLASS64, "the ELF file is not 64-bit (class {class})");
        ensure!(data == ELFDATA2LSB, "the ELF file is not little-endian (data encoding {data})");
        let version = file.get(EI_VERSION).copied().unwrap_or_default();
        ensure!(version == EV_CURRENT, "the ELF file is of version {version}, and there is only 1");
        let header =
            Elf::parse_header(file).context("the ELF file is truncated inside its header")?;
        let machine = match header.e_machine {
            EM_X86_64 => Machine::X86_64,
            EM_AARCH64 => Machine::Aarch64,
            other => bail!(
                "the ELF file is for machine `{}`, and only `X86_64` and `AARCH64` can be read",
                machine_to_str(other)
            ),
        };
        ensure!(
            matches!(header.e_type, ET_DYN | ET_EXEC),
            "the ELF file has type `{}`, and only programs and libraries (`DYN`, `EXEC`) can be read",
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
        let count = header.e_phnum;
        ensure!(
            count <= MOST_PROGRAM_HEADERS,
            "the ELF file claims {count} program headers, more than a linker writes"
        );
        // Such as dwz makes of what several programs have for debuggers.
        ensure!(
            count > 0,
            "the ELF file has no program headers, so that nobody starts or loads it"
        );
        let (size, known) = (header.e_phentsize, segments::ENTRY);
        ensure!(
            u64::from(size) == known,
            "the ELF file's program headers have {size} bytes each, and not {known}"
        );
        let start = usize::try_from(header.e_phoff).context("the ELF file is truncated")?;
        let program = ProgramHeader::parse(file, start, usize::from(count), LITTLE_64)
            .context("the ELF file is truncated inside its program headers")?;
        for kind in ONLY_ONE {
            let count = program.iter().filter(|header| header.p_type == kind).count();
            ensure!(count <= 1, "the ELF file has {count} program headers `{}`", pt_to_str(kind));
        }
        let symbols = "the ELF file holds symbols for a debugger, and no program";
        ensure!(!sections::is_for_debuggers(file), symbols);
        segments::hold(&program, machine, header.e_phoff)?;
        Ok(Self { machine, fixed: header.e_type == ET_EXEC, program })
    }

    /// The first program header of a kind.
    pub fn find(&self, kind: u32) -> Option<&ProgramHeader> {
        self.program.iter().find(|header| header.p_type == kind)
    }
}

/// What a host does with a file that somebody starts, or loads into what runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Starts {
    /// It is a program or a library.
    Long,
    /// It is one of 32 bits, which hosts of 64 bits start as well. Firmware for the same processors looks
    /// alike, but asks for no loader, and nobody makes it executable.
    Short { loader: bool },
}

/// What the kernel asks of a file that it is to start, and no more (Linux, `load_elf_binary` in
/// `fs/binfmt_elf.c` and `fs/compat_binfmt_elf.c`): magic, type, machine, and how large a program header is,
/// in the byte order of the host. What the file says of its class and byte order, and in its sections,
/// it does not look at. The loader asks for more, and starts nothing else.
pub fn starts(file: &[u8]) -> Option<Starts> {
    let half = |at: usize| file.get(at..)?.first_chunk().map(|half| u16::from_le_bytes(*half));
    let has_table =
        |size_at: usize, size: u16| half(size_at) == Some(size) && half(size_at + 2) > Some(0);
    let is_program = file.starts_with(ELFMAG) && [ET_EXEC, ET_DYN].contains(&half(16)?);
    match half(18)? {
        _ if !is_program => None,
        EM_X86_64 | EM_AARCH64 if has_table(54, 56) => Some(Starts::Long),
        // x32 is of the first of these.
        EM_X86_64 | EM_386 | EM_486 | EM_ARM if has_table(42, 32) => {
            Some(Starts::Short { loader: short_loader(file) })
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

//! The ELF header and the program headers (System V gABI, chapters 4 and 5): what kind of file it is,
//! and whether it is whole.
//!
//! Never enters: section headers, which `strip` may take away, beyond where they end and whether there
//! is any code.

use super::segments;
use anyhow::{Context, Result, bail, ensure};
use goblin::container::{Container, Ctx, Endian};
use goblin::elf::Elf;
use goblin::elf::header::{
    EI_CLASS, EI_DATA, ELFCLASS64, ELFDATA2LSB, ELFMAG, EM_AARCH64, EM_X86_64, ET_DYN, ET_EXEC,
    et_to_str, machine_to_str,
};
use goblin::elf::program_header::{
    PT_DYNAMIC, PT_GNU_EH_FRAME, PT_GNU_RELRO, PT_GNU_STACK, PT_INTERP, PT_PHDR, ProgramHeader,
    pt_to_str,
};
use goblin::elf::section_header::{SHF_ALLOC, SHF_EXECINSTR, SHT_NOBITS, SectionHeader};
use serde::{Deserialize, Serialize};

pub const LITTLE_64: Ctx = Ctx { container: Container::Big, le: Endian::Little };

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
        ensure!(!is_for_debuggers(file), symbols);
        segments::hold(&program, machine, header.e_phoff)?;
        Ok(Self { machine, fixed: header.e_type == ET_EXEC, program })
    }

    /// The first program header of a kind.
    pub fn find(&self, kind: u32) -> Option<&ProgramHeader> {
        self.program.iter().find(|header| header.p_type == kind)
    }
}

/// Whether a host would run the file, or load it into what it runs: a program or library for a machine
/// that is known, whatever else is wrong with it.
pub fn is_program(file: &[u8]) -> bool {
    let form = file.starts_with(ELFMAG)
        && file.get(EI_CLASS) == Some(&ELFCLASS64)
        && file.get(EI_DATA) == Some(&ELFDATA2LSB);
    let Some(header) = Elf::parse_header(file).ok().filter(|_| form) else { return false };
    [EM_X86_64, EM_AARCH64].contains(&header.e_machine)
        && [ET_DYN, ET_EXEC].contains(&header.e_type)
        && !is_for_debuggers(file)
}

/// What `strip --only-keep-debug` leaves: sections of code without their bytes.
fn is_for_debuggers(file: &[u8]) -> bool {
    let Ok(header) = Elf::parse_header(file) else { return false };
    let Ok(start) = usize::try_from(header.e_shoff) else { return false };
    let sections = SectionHeader::parse(file, start, usize::from(header.e_shnum), LITTLE_64);
    let code = u64::from(SHF_ALLOC | SHF_EXECINSTR);
    sections
        .unwrap_or_default()
        .iter()
        .any(|section| section.sh_type == SHT_NOBITS && section.sh_flags & code == code)
}

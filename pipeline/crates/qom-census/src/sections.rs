// SPDX-License-Identifier: GPL-2.0-or-later
//! Sections, which neither the kernel nor the loader reads, and debuggers do (System V gABI, chapter 4).
//! Of any machine, class and byte order: a debugger reads them all.
//!
//! Never enters: any trust. What a section says of a file is for those who read sections, and never a
//! reason to let a file pass that a host would run.

use goblin::container::Ctx;
use goblin::elf::Elf;
use goblin::elf::section_header::{
    SHF_ALLOC, SHF_EXECINSTR, SHN_XINDEX, SHT_NOBITS, SectionHeader,
};

/// gdb runs what is in it, in a file that it trusts: all below `/usr/lib/debug` by default (gdb's manual,
/// "The `.debug_gdb_scripts` section").
const SCRIPTS: &[u8] = b".debug_gdb_scripts";

/// Whether a file is what `strip --only-keep-debug` leaves: its sections of code have no bytes.
///
/// Sections prove nothing of what a host would run: see [`executable`](crate::executable).
#[must_use]
pub fn is_for_debuggers(file: &[u8]) -> bool {
    let code = u64::from(SHF_ALLOC | SHF_EXECINSTR);
    let (sections, _) = read(file).unwrap_or_default();
    sections.iter().any(|section| section.sh_type == SHT_NOBITS && section.sh_flags & code == code)
}

/// Whether gdb would run a script that is inside of the file (gdb's manual, "The `.debug_gdb_scripts`
/// section"), where it trusts the folder that the file is in.
#[must_use]
pub fn has_gdb_scripts(file: &[u8]) -> bool {
    let Some((sections, names)) = read(file) else { return false };
    let names = sections.get(names).and_then(|section| {
        let start = usize::try_from(section.sh_offset).ok()?;
        file.get(start..)
    });
    let names = names.unwrap_or_default();
    sections.iter().any(|section| {
        let name = names.get(section.sh_name..).unwrap_or_default();
        name.strip_prefix(SCRIPTS).is_some_and(|rest| rest.first() == Some(&0))
    })
}

/// All section headers, and which of them has the names.
fn read(file: &[u8]) -> Option<(Vec<SectionHeader>, usize)> {
    let header = Elf::parse_header(file).ok()?;
    let context = Ctx::new(header.container().ok()?, header.endianness().ok()?);
    let start = usize::try_from(header.e_shoff).ok().filter(|start| *start > 0)?;
    // A file of very many sections says so in the first.
    let first = SectionHeader::parse(file, start, 1, context).ok()?;
    let first = first.first()?;
    let count = match usize::from(header.e_shnum) {
        0 => usize::try_from(first.sh_size).ok()?,
        count => count,
    };
    let names = match u32::from(header.e_shstrndx) {
        SHN_XINDEX => first.sh_link,
        names => names,
    };
    let sections = SectionHeader::parse(file, start, count, context).ok()?;
    Some((sections, usize::try_from(names).ok()?))
}

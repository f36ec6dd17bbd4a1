// SPDX-License-Identifier: GPL-2.0-or-later
//! Whether the kernel and the loader make one memory of the segments: the one that is read here.
//!
//! Both map whole pages, in the order of the program headers, and what comes later lies over what came
//! before (Linux, `fs/binfmt_elf.c`; glibc, `elf/dl-map-segments.h`). A file in which two segments share a
//! page has one content by its addresses and another one in memory. No linker makes such a file.
//!
//! Never enters: what the segments hold.

use super::header::Machine;
use crate::error::{ErrorKind, OrError, Result, ensure};
use goblin::elf::program_header::{PT_INTERP, PT_LOAD, PT_PHDR, ProgramHeader};

/// What one entry of the table takes.
pub const ENTRY: u64 = 56;

/// The largest page of a machine's kernels, for which linkers lay segments out.
fn page(machine: Machine) -> u64 {
    match machine {
        Machine::X86_64 => 1 << 12,
        Machine::Aarch64 => 1 << 16,
    }
}

/// Refuses segments of which one could hide another. `table` is where the program headers are in the file.
pub fn check(program: &[ProgramHeader], machine: Machine, table: u64) -> Result<()> {
    let page = page(machine);
    let mut free = 0;
    for load in loads(program) {
        let (start, size) = (load.p_vaddr, load.p_memsz);
        let wraps = "a segment of the ELF file wraps around the address space";
        let end = start.checked_add(size).and_then(|end| end.checked_next_multiple_of(page));
        ensure!(
            load.p_filesz <= size && start - start % page >= free,
            Malformed,
            "the ELF file's segments overlap or are out of order: at {start:#x}, by pages of {page} bytes"
        );
        ensure!(
            load.p_filesz == 0 || delta(load).is_multiple_of(page),
            Malformed,
            "the ELF file's segment at {start:#x} cannot be mapped: its offset {:#x} is at another place \
             in a page",
            load.p_offset
        );
        free = end.or_error(ErrorKind::Malformed, wraps)?;
    }
    if program.iter().any(|header| header.p_type == PT_INTERP) {
        found_by_loader(program, table)?;
    }
    Ok(())
}

/// The loader of a program reads the program headers from memory, at an address that the kernel counts from
/// the first segment (before Linux 5.18) or by the one that the table lies in; and it counts all others
/// from what `PT_PHDR` says of that place.
fn found_by_loader(program: &[ProgramHeader], table: u64) -> Result<()> {
    let size = program.len() as u64 * ENTRY;
    let first = loads(program).next().map(delta);
    let mut holding = loads(program).filter(|load| {
        let inside = table.checked_sub(load.p_offset);
        inside.is_some_and(|inside| inside < load.p_filesz)
    });
    let whole = |load: &ProgramHeader| {
        table - load.p_offset <= load.p_filesz.saturating_sub(size) && size <= load.p_filesz
    };
    let said = program.iter().find(|header| header.p_type == PT_PHDR);
    let held = holding.next().is_some_and(|load| {
        Some(delta(load)) == first
            && whole(load)
            && said.is_none_or(|said| said.p_vaddr == table.wrapping_add(delta(load)))
    });
    ensure!(
        held && holding.next().is_none(),
        Malformed,
        "the ELF file's program headers are not where its loader would read them"
    );
    Ok(())
}

fn loads(program: &[ProgramHeader]) -> impl Iterator<Item = &ProgramHeader> {
    program.iter().filter(|header| header.p_type == PT_LOAD)
}

/// From a place in the file to its address.
fn delta(load: &ProgramHeader) -> u64 {
    load.p_vaddr.wrapping_sub(load.p_offset)
}

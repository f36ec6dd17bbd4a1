// SPDX-License-Identifier: GPL-2.0-or-later
//! The variables of type `TypeInfo` in the DWARF of an unstripped binary.

use anyhow::{Context, Result};
use gimli::{
    AttributeValue, DebuggingInformationEntry, Dwarf, EndianSlice, LittleEndian, Operation, Unit,
    UnitOffset,
};
use goblin::elf::Elf;
use std::collections::{BTreeMap, BTreeSet};

type Slice<'a> = EndianSlice<'a, LittleEndian>;

/// What leads from a variable to the structure: `const`, `volatile`, a typedef, an array.
const STEPS: usize = 8;

/// The names that stand in those variables, and in the elements of arrays of them.
pub fn names(file: &[u8]) -> Result<BTreeSet<String>> {
    let elf = Elf::parse(file)?;
    let section = |id: gimli::SectionId| -> Result<Slice> {
        let named = |header: &&goblin::elf::SectionHeader| {
            elf.shdr_strtab.get_at(header.sh_name) == Some(id.name())
        };
        let range = elf.section_headers.iter().find(named).and_then(|header| header.file_range());
        Ok(EndianSlice::new(
            range.and_then(|range| file.get(range)).unwrap_or_default(),
            LittleEndian,
        ))
    };
    let dwarf = Dwarf::load(section)?;
    let memory = Memory::new(&elf, file);
    let mut found = BTreeSet::new();
    let mut units = dwarf.units();
    while let Some(header) = units.next()? {
        let unit = dwarf.unit(header)?;
        let mut entries = unit.entries();
        while let Some((_, entry)) = entries.next_dfs()? {
            if entry.tag() != gimli::DW_TAG_variable {
                continue;
            }
            let Some(address) = address(&unit, entry)? else { continue };
            let Some((size, count)) = type_infos(&dwarf, &unit, entry)? else { continue };
            for index in 0..count {
                let name = memory.string(memory.pointer(address + index * size));
                found.insert(name.with_context(|| format!("no name at {address:#x}"))?);
            }
        }
    }
    Ok(found)
}

/// Where a variable stands, if it always stands there.
fn address(unit: &Unit<Slice>, entry: &DebuggingInformationEntry<Slice>) -> Result<Option<u64>> {
    let Some(AttributeValue::Exprloc(location)) = entry.attr_value(gimli::DW_AT_location)? else {
        return Ok(None);
    };
    let mut operations = location.operations(unit.encoding());
    Ok(match operations.next()? {
        Some(Operation::Address { address }) => Some(address),
        _ => None,
    })
}

/// The size and the number of the `TypeInfo`s that a variable is.
fn type_infos(
    dwarf: &Dwarf<Slice>,
    unit: &Unit<Slice>,
    variable: &DebuggingInformationEntry<Slice>,
) -> Result<Option<(u64, u64)>> {
    let mut next = reference(variable, gimli::DW_AT_type)?;
    if next.is_none()
        && let Some(declared) = reference(variable, gimli::DW_AT_specification)?
    {
        next = reference(&unit.entry(declared)?, gimli::DW_AT_type)?;
    }
    let mut count = 1;
    for _ in 0..STEPS {
        let Some(offset) = next else { return Ok(None) };
        let entry = unit.entry(offset)?;
        match entry.tag() {
            gimli::DW_TAG_const_type | gimli::DW_TAG_volatile_type | gimli::DW_TAG_typedef => {}
            gimli::DW_TAG_array_type => count *= elements(unit, offset)?,
            gimli::DW_TAG_structure_type => {
                let Some(name) = entry.attr_value(gimli::DW_AT_name)? else { return Ok(None) };
                let name = dwarf.attr_string(unit, name)?;
                let size = entry.attr_value(gimli::DW_AT_byte_size)?.and_then(|v| v.udata_value());
                let is_it = name.to_string_lossy() == "TypeInfo";
                return Ok(size.filter(|_| is_it).map(|size| (size, count)));
            }
            _ => return Ok(None),
        }
        next = reference(&entry, gimli::DW_AT_type)?;
    }
    Ok(None)
}

fn elements(unit: &Unit<Slice>, array: UnitOffset) -> Result<u64> {
    let mut tree = unit.entries_tree(Some(array))?;
    let mut children = tree.root()?.children();
    while let Some(child) = children.next()? {
        let bound = child.entry().attr_value(gimli::DW_AT_upper_bound)?;
        if let Some(bound) = bound.and_then(|bound| bound.udata_value()) {
            return Ok(bound + 1);
        }
    }
    Ok(0)
}

fn reference(
    entry: &DebuggingInformationEntry<Slice>,
    attribute: gimli::DwAt,
) -> Result<Option<UnitOffset>> {
    Ok(match entry.attr_value(attribute)? {
        Some(AttributeValue::UnitRef(offset)) => Some(offset),
        _ => None,
    })
}

/// The file as the linker laid it out.
struct Memory<'a> {
    elf: &'a Elf<'a>,
    file: &'a [u8],
    relocated: BTreeMap<u64, u64>,
}

impl<'a> Memory<'a> {
    fn new(elf: &'a Elf<'a>, file: &'a [u8]) -> Self {
        let pairs = elf.dynrelas.iter();
        let pairs = pairs.filter_map(|r| Some((r.r_offset, r.r_addend?.cast_unsigned())));
        Self { elf, file, relocated: pairs.collect() }
    }

    fn bytes(&self, address: u64) -> Option<&'a [u8]> {
        let segment = self.elf.program_headers.iter().find(|header| {
            header.p_type == goblin::elf::program_header::PT_LOAD
                && header.vm_range().contains(&usize::try_from(address).unwrap_or(usize::MAX))
        })?;
        let place = address.checked_sub(segment.p_vaddr)?.checked_add(segment.p_offset)?;
        self.file.get(usize::try_from(place).ok()?..)
    }

    fn pointer(&self, address: u64) -> u64 {
        let plain = || Some(u64::from_le_bytes(*self.bytes(address)?.first_chunk()?));
        self.relocated.get(&address).copied().or_else(plain).unwrap_or_default()
    }

    fn string(&self, address: u64) -> Option<String> {
        let text = self.bytes(address)?.split(|&byte| byte == 0).next()?;
        String::from_utf8(text.to_vec()).ok().filter(|text| !text.is_empty())
    }
}

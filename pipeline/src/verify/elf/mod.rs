//! `verify/elf`: what a QEMU binary says of its QOM types, read without running it.
//!
//! A device is in QEMU when a `TypeInfo` structure with its name is, and code that registers it.
//! This room finds both in the file as `strip` leaves it, and decodes them as the loader and the
//! type system would: from the relocation to the structure, from there to its strings, interfaces
//! and `class_init`, and from the code of `class_init` to the property table. No string is ever
//! searched for: the linker merges tails, so `priority` may be the end of another string, and a
//! name that is in the file proves nothing.
//!
//! | what | module | source of its facts |
//! | --- | --- | --- |
//! | what kind of ELF file it is | `header` | System V gABI |
//! | ELF as memory: PIE or fixed addresses, x86-64 or aarch64 | `image` | System V gABI |
//! | whether memory is what the file says | `segments` | gABI, Linux, glibc |
//! | the dynamic section | `dynamic` | gABI, glibc |
//! | what only debuggers read | `sections` | gABI, gdb's manual |
//! | pointers: RELA and RELR | `relocations` | gABI, psABIs |
//! | where functions begin | `functions` | LSB, `.eh_frame_hdr` |
//! | what their code says | `code` | Intel SDM, Arm ARM |
//! | static types, in both layouts | `types` | `include/qom/object.h` |
//! | which of them are registered, and when | `registry` | `include/qemu/module.h` |
//! | property tables, in three layouts | `property` | `include/hw/qdev-properties.h` |
//! | which table a type has | `properties` | `hw/core/qdev-properties.c` |
//! | types made from tables | `families` | `virtio-pci.c`, `target/i386/cpu.c`, … |
//! | what a host asks of any ELF file | `facts` | gABI |
//! | types of loadable modules | `modules` | `scripts/modinfo-generate.py` |
//! | what is said of all that | `qom` | |
//!
//! Layouts are detected from the data and never assumed; a binary whose data disagree is refused.
//! Held against `qom-list-types` of QEMU 4.2 to 11.1 (`tests/census`): no type is claimed that a
//! binary does not know, but for those that are named as conditional.
//!
//! Not to be found here: types of other loops than those in `families`, of which
//! [`Outside::made_at_run_time`] counts the calls; types of modules, which are listed apart; and
//! properties that code makes one by one. `verify/probe` asks the running program.
//!
//! Never enters here: files, processes, symbols, and any trust in the image: hostile bytes give an
//! error, never a panic, and bounded time and memory. Nothing of the crate is imported, so that
//! `tests/census` and `tests/fuzz` compile this room alone.

mod code;
mod dynamic;
pub mod facts;
mod families;
mod functions;
mod header;
mod image;
mod modules;
mod properties;
mod property;
mod qom;
mod registry;
mod relocations;
mod sections;
mod segments;
#[cfg(test)]
mod tests;
mod types;

use anyhow::{Result, anyhow, bail, ensure};
use code::Code;
pub use facts::ElfFacts;
use functions::Functions;
pub use header::{Machine, Starts, starts};
use image::Image;
use properties::Tables;
use qom::Outside;
#[cfg(test)]
use qom::{Family, Module};
pub use qom::{Property, Qom, QomType};
use registry::{Registered, Registry};
pub use sections::{has_scripts, is_for_debuggers};
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
pub use types::Layout;
use types::{TypeInfo, Types};

/// What the types of one binary may take: QEMU's largest takes 200 KB. Tables may be shared by many types
/// of a file that was made to waste our memory.
const MOST_TEXT: usize = 16 << 20;

/// The QOM types of a binary.
#[derive(Debug)]
pub struct Census {
    qom: Qom,
    /// What cannot be said of a type, by name.
    refusals: HashMap<String, String>,
}

impl Census {
    /// Reads a 64-bit little-endian ELF file; one without QOM types is not an error.
    pub fn read(file: &[u8]) -> Result<Self> {
        let image = Image::read(file)?;
        let mut census = Self {
            qom: Qom {
                layout: None,
                property_layout: None,
                types: Vec::new(),
                modules: Vec::new(),
                outside: Outside::default(),
            },
            refusals: HashMap::new(),
        };
        let functions = Functions::read(&image)?;
        let Some(types) = Types::read(&image, &functions)? else { return Ok(census) };
        ensure!(
            functions.are_known(),
            "the ELF file has no unwind table (PT_GNU_EH_FRAME), so its functions cannot be told \
             apart"
        );
        Reader::new(&image, &functions, types).fill(&mut census)?;
        Ok(census)
    }

    /// The names of all types, sorted.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.qom.types.iter().map(|type_| type_.name.as_str())
    }

    /// One type in full; nothing when the binary has none of that name.
    pub fn find(&self, name: &str) -> Result<Option<QomType>> {
        if let Some(refusal) = self.refusals.get(name) {
            bail!("{refusal}");
        }
        let found = self.qom.types.binary_search_by(|type_| type_.name.as_str().cmp(name));
        let Some(found) = found.ok().and_then(|at| self.qom.types.get(at)) else { return Ok(None) };
        match &found.unsettled {
            Some(why) => bail!("the properties of QOM type `{name}`: {why}"),
            None => Ok(Some(found.clone())),
        }
    }

    /// Everything.
    pub fn report(self) -> Qom {
        self.qom
    }
}

/// What is read of a binary that has types.
struct Reader<'i, 'a> {
    image: &'i Image<'a>,
    functions: &'i Functions<'a>,
    types: Types<'a>,
    code: Code<'i, 'a>,
}

impl<'i, 'a> Reader<'i, 'a> {
    fn new(image: &'i Image<'a>, functions: &'i Functions<'a>, types: Types<'a>) -> Self {
        Self { image, functions, types, code: Code::new(image, functions) }
    }

    fn fill(mut self, census: &mut Census) -> Result<()> {
        let registry = Registry::read(self.image, self.functions, &mut self.code);
        self.types.rooted.sort_unstable_by_key(|info| info.address);
        let judged = registry.judge(self.types.layout, &self.types.rooted);
        let class_inits: Vec<u64> =
            self.types.rooted.iter().filter_map(|info| info.class_init).collect();
        let tables =
            Tables::read(self.image, self.functions, &mut self.code, class_inits.into_iter());

        let (mut found, mut text) = (Vec::with_capacity(self.types.rooted.len()), 0);
        for (info, how) in std::mem::take(&mut self.types.rooted).iter().zip(judged) {
            let described = self.describe(&tables, info, how);
            text += described.text();
            ensure!(text <= MOST_TEXT, "its types take more than {MOST_TEXT} bytes to tell");
            found.push(described);
        }
        let makers = families::Makers {
            image: self.image,
            functions: self.functions,
            layout: self.types.layout,
            registry: &registry,
            tables: tables.as_ref().ok(),
            left: Cell::new(families::MOST_LOOKS),
        };
        let made = makers.read(&mut self.code, &found);
        census.qom.outside.made_at_run_time = made.unknown;
        found.extend(made.types);
        census.qom.layout = Some(self.types.layout);
        census.qom.property_layout = tables.as_ref().ok().map(|tables| tables.layout);
        census.qom.modules = modules::read(self.image);
        census.qom.outside.without_root = self.types.orphans.len();
        for orphan in &self.types.orphans {
            let refusal = format!(
                "QOM type `{}` derives from `{}`, whose line of parents leads nowhere in this binary",
                orphan.name,
                orphan.parent.unwrap_or_default()
            );
            census.refusals.insert(orphan.name.to_owned(), refusal);
        }
        census.settle(found);
        Ok(())
    }

    fn describe(&mut self, tables: &Result<Tables>, info: &TypeInfo, how: Registered) -> QomType {
        let properties = match (info.class_init, tables) {
            (None, _) => Ok(Vec::new()),
            (Some(class_init), Ok(tables)) => tables.of(&mut self.code, class_init),
            (Some(_), Err(problem)) => Err(anyhow!("{problem:#}")),
        };
        let (properties, unsettled) = settled(properties);
        QomType {
            name: info.name.to_owned(),
            parent: info.parent.unwrap_or_default().to_owned(),
            is_abstract: info.is_abstract,
            interfaces: info.interfaces.iter().map(|&name| name.to_owned()).collect(),
            properties,
            unsettled,
            instance_size: info.instance_size,
            class_size: info.class_size,
            class_init: info.class_init.is_some(),
            family: None,
            conditional: how.condition().map(str::to_owned),
        }
    }
}

impl Census {
    /// Sorts the types, each name once.
    fn settle(&mut self, mut found: Vec<QomType>) {
        // A type that is registered always comes before its namesakes, of which one front end may
        // register the one and another the other.
        found.sort_by(|a, b| {
            (&a.name, a.conditional.is_some()).cmp(&(&b.name, b.conditional.is_some()))
        });
        let mut types: Vec<QomType> = Vec::with_capacity(found.len());
        for next in found {
            match types.last_mut() {
                Some(last) if last.name == next.name => {
                    if *last != next && last.conditional.is_some() == next.conditional.is_some() {
                        let name = &next.name;
                        let why = "described more than once, and differently";
                        let refusal = format!(
                            "the binary describes QOM type `{name}` more than once, and differently"
                        );
                        self.refusals.insert(name.clone(), refusal);
                        last.properties = None;
                        last.unsettled = Some(why.to_owned());
                    }
                }
                _ => types.push(next),
            }
        }
        let known: HashSet<&str> = types.iter().map(|type_| type_.name.as_str()).collect();
        let described_twice = |refusal: &String| refusal.contains("more than once");
        self.refusals
            .retain(|name, refusal| described_twice(refusal) || !known.contains(name.as_str()));
        self.qom.types = types;
    }
}

/// The properties, or why there is nothing to be said of them.
fn settled(properties: Result<Vec<Property>>) -> (Option<Vec<Property>>, Option<String>) {
    match properties {
        Ok(properties) => (Some(properties), None),
        Err(problem) => (None, Some(format!("{problem:#}"))),
    }
}

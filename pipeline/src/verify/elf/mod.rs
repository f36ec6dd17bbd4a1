//! `verify/elf`: what a QEMU binary says of its QOM types, read without running it.
//!
//! A device is in QEMU when a `TypeInfo` structure with its name is. This room finds those
//! structures in the file as `strip` leaves it, and decodes them as the loader and the type system
//! would: from the relocation to the structure, from there to its strings, interfaces and
//! `class_init`, and from the code of `class_init` to the property table. No string is ever
//! searched for: the linker merges tails, so `priority` may be the end of another string, and a
//! name that is in the file proves nothing.
//!
//! What it reads, with the source of each fact: `image` (ELF, relocations), `functions` (unwind
//! table, addresses in code), `types` (`TypeInfo`), `properties` (`Property`).
//!
//! Read so far: x86-64, position-independent, plain RELA relocations; `TypeInfo` and `Property` as
//! of QEMU 4.2 to 10.0 and later while they stay. Anything else is an error that names it.
//!
//! Not to be found in a file: types that the running program makes (CPU models, virtio's PCI
//! families, `e1000`), and whether a type that stands in the data is registered under a condition.
//! `verify/probe` asks the running program.
//!
//! Never enters here: files, processes, symbols, and any trust in the image: hostile bytes give an
//! error, never a panic, and bounded time and memory.

pub mod facts;
mod functions;
mod image;
mod properties;
#[cfg(test)]
mod tests;
mod types;

use anyhow::{Context, Result, bail};
use functions::Functions;
use image::Image;
use properties::Tables;
use serde::{Deserialize, Serialize};
use std::fmt;
pub use types::Layout;
use types::{TypeInfo, Types};

/// What a binary says of one QOM type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QomType {
    pub name: String,
    pub parent: String,
    /// As the structure says; QEMU makes interfaces abstract later.
    #[serde(rename = "abstract")]
    pub is_abstract: bool,
    pub interfaces: Vec<String>,
    /// The type's own table, in its order; the parent's properties come on top of it.
    pub properties: Vec<Property>,
    /// The layout of `TypeInfo` that the whole binary has.
    pub layout: Layout,
}

/// An entry of a type's property table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Property {
    pub name: String,
    /// As `-device TYPE,help` has it: `str`, `uint32`, … None where it is made at run time.
    pub kind: Option<String>,
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=<{}>", self.name, self.kind.as_deref().unwrap_or("?"))
    }
}

/// The QOM types of a binary.
#[derive(Debug)]
pub struct Census<'a> {
    image: Image<'a>,
    functions: Functions<'a>,
    /// None where nothing in the binary has the form of a type.
    types: Option<Types<'a>>,
}

impl<'a> Census<'a> {
    /// Reads a 64-bit little-endian ELF file.
    pub fn read(file: &'a [u8]) -> Result<Self> {
        let image = Image::read(file)?;
        let functions = Functions::read(&image)?;
        let types = Types::read(&image, &functions)?;
        Ok(Self { image, functions, types })
    }

    /// The names of all types that the binary has as structures, sorted.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &'a str> {
        let rooted = self.types.as_ref().map_or(&[][..], |types| &types.rooted);
        rooted.iter().map(|&(name, _)| name)
    }

    /// One type in full; nothing when the binary has none of that name.
    pub fn find(&self, name: &str) -> Result<Option<QomType>> {
        let Some(types) = &self.types else { return Ok(None) };
        let named = |found: &[(&'a str, u64)]| -> Vec<TypeInfo<'a>> {
            let found = found.iter().filter(|(known, _)| *known == name);
            found.filter_map(|&(_, address)| self.decode(types.layout, address)).collect()
        };
        let found = named(&types.rooted);
        let Some((info, others)) = found.split_first() else {
            if let Some(orphan) = named(&types.orphans).first() {
                bail!(
                    "QOM type `{name}` derives from `{}`, whose line of parents leads nowhere in \
                     this binary",
                    orphan.parent
                );
            }
            return Ok(None);
        };
        let found = self.describe(types.layout, info)?;
        for other in others {
            // Two front ends may bring the same type, and one of them registers it.
            if self.describe(types.layout, other)? != found {
                bail!("the binary describes QOM type `{name}` more than once, and differently");
            }
        }
        Ok(Some(found))
    }

    fn decode(&self, layout: Layout, address: u64) -> Option<TypeInfo<'a>> {
        layout.decode(&self.image, &self.functions, address)
    }

    fn describe(&self, layout: Layout, info: &TypeInfo) -> Result<QomType> {
        let properties = match info.class_init {
            None => Vec::new(),
            Some(class_init) => Tables::read(&self.image, &self.functions)
                .and_then(|tables| tables.of(class_init))
                .with_context(|| format!("the properties of QOM type `{}`", info.name))?,
        };
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Ok(QomType {
            name: info.name.to_owned(),
            parent: info.parent.to_owned(),
            is_abstract: info.is_abstract,
            interfaces: owned(&info.interfaces),
            properties: properties
                .into_iter()
                .map(|(name, kind)| Property {
                    name: name.to_owned(),
                    kind: kind.map(str::to_owned),
                })
                .collect(),
            layout,
        })
    }
}

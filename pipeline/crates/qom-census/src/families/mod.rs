// SPDX-License-Identifier: GPL-2.0-or-later
//! Types that the program makes when it starts, from tables whose shape is known.
//!
//! `type_register` also takes a `TypeInfo` that code fills on the stack. Of those, the ones that
//! are made in a loop over a table can be read as well as the rest: the table is named by the code
//! that runs at the start (`registry`), and what the loop makes of it is in QEMU's source:
//!
//! | family | table | what is made | file |
//! | --- | --- | --- | --- |
//! | `virtio-pci` | `VirtioPCIDeviceTypeInfo` | a base and up to three devices | `hw/virtio/virtio-pci.c` |
//! | `x86-cpu` | `X86CPUDefinition` | a model, its versions and their aliases | `target/i386/cpu.c` |
//! | `arm-cpu` | `ARMCPUInfo` | a model | `target/arm/cpu.c`, `cpu64.c` |
//! | `table` | any array that begins with a name | a type for each element | `hw/net/e1000.c`, `hw/block/m25p80.c`, … |
//!
//! A table that does not have its shape in every word is no table, and what is made of it is then
//! one of [`Made::unknown`].

mod cpus;
mod tables;
mod virtio;

use super::code::{Code, CodeSummary, Value};
use super::functions::Functions;
use super::image::Image;
use super::property_tables::Tables;
use super::qom::{Family, Property, QomType};
use super::registry::{Registered, Registry};
use super::types::TypeInfoLayout;
use std::cell::Cell;
use std::collections::{BTreeSet, HashMap, HashSet};

/// What the readers of families share.
pub struct Makers<'m, 'i, 'a> {
    pub image: &'i Image<'a>,
    pub functions: &'i Functions<'a>,
    pub layout: TypeInfoLayout,
    pub registry: &'m Registry,
    pub tables: Option<&'m Tables<'i, 'a>>,
    /// Elements that may yet be looked at: code that lies names the same table many times.
    pub left: Cell<usize>,
}

/// A hundred times what QEMU's largest target has.
pub const MOST_LOOKS: usize = 1 << 20;
/// How many functions that a function calls are looked at.
const MOST_CALLEES: usize = 64;
/// How many names a function may have that makes types.
const MOST_NAMES: usize = 1024;

/// The types of all families.
#[derive(Debug, Default)]
pub struct Made {
    pub types: Vec<QomType>,
    /// Calls that register a type which no known table explains.
    pub unknown: usize,
}

/// What the binary is known to have, before the families.
struct Known<'k> {
    names: HashSet<&'k str>,
    interfaces: HashSet<&'k str>,
}

impl<'k> Known<'k> {
    fn new(types: &'k [QomType]) -> Self {
        let names = types.iter().map(|type_| type_.name.as_str()).collect();
        let mut interfaces: HashSet<&str> = HashSet::from(["interface"]);
        let mut children: HashMap<&str, Vec<&str>> = HashMap::new();
        for type_ in types {
            children.entry(&type_.parent).or_default().push(&type_.name);
        }
        let mut open = vec!["interface"];
        while let Some(parent) = open.pop() {
            for child in children.remove(parent).unwrap_or_default() {
                interfaces.insert(child);
                open.push(child);
            }
        }
        Self { names, interfaces }
    }
}

impl Makers<'_, '_, '_> {
    pub fn read(&self, code: &mut Code, types: &[QomType]) -> Made {
        let known = Known::new(types);
        let registrars = self.registrars(code);
        let mut found = self.virtio(code, &known);
        let mut made = Made::default();
        for (summary, how) in &self.registry.functions {
            let mut here = self.cpus(code, summary, &known);
            let strays = self.made_here(summary, &registrars);
            if here.is_empty() && strays > 0 {
                here = self.table(code, summary, &known);
                made.unknown += if here.is_empty() { strays } else { 0 };
            }
            found.extend(here.into_iter().map(|type_| (type_, *how)));
        }
        for (mut type_, how) in found {
            type_.conditional = how.condition().map(str::to_owned);
            made.types.push(type_);
        }
        made
    }
}

impl<'a> Makers<'_, '_, 'a> {
    /// Every address that code makes, or loads from where it stands.
    fn addresses(&self, summary: &CodeSummary) -> Vec<u64> {
        let named = summary.named.iter().map(|&(address, _)| address);
        named.chain(summary.loaded.iter().filter_map(|&slot| self.image.pointer(slot))).collect()
    }

    /// The functions that a function calls, but for the last of very many.
    fn callees(&self, summary: &CodeSummary) -> Vec<u64> {
        let callees: BTreeSet<u64> = summary.calls.iter().map(|call| call.callee).collect();
        let callees = callees.into_iter().filter(|&callee| self.functions.is_start(callee));
        callees.take(MOST_CALLEES).collect()
    }

    /// Whether so many more elements may be looked at.
    fn may_look(&self, elements: usize) -> bool {
        let left = self.left.get().checked_sub(elements);
        self.left.set(left.unwrap_or_default());
        left.is_some()
    }

    /// The names among them.
    fn strings(&self, summary: &CodeSummary) -> Vec<&'a str> {
        let addresses = self.addresses(summary).into_iter().take(MOST_NAMES);
        addresses.filter_map(|address| self.image.name(address)).collect()
    }
}

/// A table, or why it is not known.
type Properties = (Option<Vec<Property>>, Option<String>);

/// A type of a family that says nothing more of itself.
fn made(family: Family, name: String, parent: &str) -> QomType {
    QomType {
        name,
        parent: parent.to_owned(),
        is_abstract: false,
        interfaces: Vec::new(),
        properties: Some(Vec::new()),
        unresolved: None,
        instance_size: 0,
        class_size: 0,
        class_init: false,
        family: Some(family),
        conditional: None,
    }
}

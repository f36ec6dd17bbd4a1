// SPDX-License-Identifier: GPL-2.0-or-later
//! virtio's PCI devices.
//!
//! Source: `VirtioPCIDeviceTypeInfo` in `hw/virtio/virtio-pci.h` (4.2.1, 5.2.0) and
//! `include/hw/virtio/virtio-pci.h` (7.2.0, 10.0.13, 10.2.2), and `virtio_pci_types_register`. In
//! words of 8 bytes: `base_name`, `generic_name`, `transitional_name`, `non_transitional_name`,
//! `parent`, `instance_size`, `class_size`, `instance_init`, since 9.2 `instance_finalize`,
//! `class_init`, `interfaces`. What is made of one:
//!
//! | type | parent | table | interfaces |
//! | --- | --- | --- | --- |
//! | `base_name`, abstract | `parent`, or `virtio-pci` | of `class_init` | `interfaces` |
//! | without one, `GENERIC-base-type`, abstract | `parent`, or `virtio-pci` | the common one | `interfaces` |
//! | `generic_name` | the base | the common one; of `class_init` without `base_name` | PCIe, PCI |
//! | `non_transitional_name` | the base | none | PCIe, PCI |
//! | `transitional_name` | the base | none | PCI |

use super::super::image::Word;
use super::super::types::{LARGEST_SIZE, interface_names};
use super::{Code, Family, HashMap, Known, Makers, Properties, QomType, Registered, Value, made};

const PCI: &str = "conventional-pci-device";
const PCIE: &str = "pci-express-device";
const PARENT: &str = "virtio-pci";

/// One table entry.
#[derive(Debug)]
struct Entry<'a> {
    base: Option<&'a str>,
    generic: Option<&'a str>,
    transitional: Option<&'a str>,
    non_transitional: Option<&'a str>,
    parent: &'a str,
    instance_size: u64,
    class_size: u64,
    class_init: Option<u64>,
    interfaces: Vec<&'a str>,
}

impl<'a> Makers<'_, '_, 'a> {
    /// The types of every entry that is handed to the function which makes them.
    pub(super) fn virtio(&self, code: &mut Code, known: &Known) -> Vec<(QomType, Registered)> {
        if !known.names.contains(PARENT) {
            return Vec::new();
        }
        let mut calls: HashMap<u64, Vec<(u64, Registered)>> = HashMap::new();
        for (summary, how) in &self.registry.functions {
            for call in &summary.calls {
                let [argument, ..] = call.arguments;
                if let Some(address) = self.address(argument)
                    && self.looks_right(address)
                {
                    let how = if call.conditional { Registered::Conditionally } else { *how };
                    calls.entry(call.callee).or_default().push((address, how));
                }
            }
        }
        let Some((maker, places)) = calls.into_iter().max_by_key(|(_, places)| places.len()) else {
            return Vec::new();
        };
        let is_start = |address: u64, word: u64| {
            let target = self.image.pointer(address.wrapping_add(word * 8));
            target.is_some_and(|target| self.functions.is_start(target))
        };
        let finalizes = places.iter().any(|&(address, _)| is_start(address, 9));
        let common = self.common(code, maker);
        let mut found = Vec::new();
        for (address, how) in places {
            let Some(entry) = self.entry(address, finalizes) else { continue };
            let own = self.own(code, entry.class_init);
            found.extend(entry.types(&own, &common).into_iter().map(|type_| (type_, how)));
        }
        found
    }

    /// Whether the first words are names, and those of no `TypeInfo`.
    fn looks_right(&self, address: u64) -> bool {
        if self.layout.decode(self.image, self.functions, address).is_some() {
            return false;
        }
        self.entry(address, false).is_some() || self.entry(address, true).is_some()
    }

    fn entry(&self, address: u64, finalizes: bool) -> Option<Entry<'a>> {
        let [base, generic, transitional, non_transitional, parent, sizes @ ..] =
            self.image.words::<8>(address)?;
        let [instance_size, class_size, init] = sizes;
        let rest = address.checked_add(8 * 8)?;
        let (finalize, [class_init, interfaces]) = if finalizes {
            let [finalize, rest @ ..] = self.image.words::<3>(rest)?;
            (finalize, rest)
        } else {
            (Word::NULL, self.image.words::<2>(rest)?)
        };
        let function = |word: Word| match word {
            Word::NULL => Some(None),
            word => word.target().filter(|&target| self.functions.is_start(target)).map(Some),
        };
        function(init)?;
        function(finalize)?;
        let name = |word: Word| match word {
            Word::NULL => Some(None),
            word => self.image.name(word.target()?).map(Some),
        };
        let entry = Entry {
            base: name(base)?,
            generic: name(generic)?,
            transitional: name(transitional)?,
            non_transitional: name(non_transitional)?,
            parent: name(parent)?.unwrap_or(PARENT),
            instance_size: instance_size.number_up_to(LARGEST_SIZE)?,
            class_size: class_size.number_up_to(LARGEST_SIZE)?,
            class_init: function(class_init)?,
            interfaces: interface_names(self.image, interfaces)?,
        };
        // What the code asserts; and a `TypeInfo` without sizes begins alike.
        let whole = match entry.base {
            Some(_) => entry.generic.or(entry.non_transitional).is_some(),
            None => {
                entry.generic.is_some()
                    && (transitional, non_transitional) == (Word::NULL, Word::NULL)
            }
        };
        whole.then_some(entry)
    }

    /// The table of `virtio_pci_generic_class_init`: of the functions that the maker puts into its
    /// types, the one that has a table.
    fn common(&self, code: &mut Code, maker: u64) -> Properties {
        let summary = code.summary(maker);
        let mut found: Option<Properties> = None;
        for address in self.addresses(&summary) {
            if !self.functions.is_start(address) {
                continue;
            }
            let own = self.own(code, Some(address));
            if own.0.as_ref().is_none_or(Vec::is_empty) {
                continue;
            }
            if found.as_ref().is_some_and(|found| *found != own) {
                return (
                    None,
                    Some("more than one table is common to virtio's devices".to_owned()),
                );
            }
            found = Some(own);
        }
        found.unwrap_or((None, Some("no table is common to virtio's devices".to_owned())))
    }

    /// The table that a function hands to its class.
    pub(super) fn own(&self, code: &mut Code, class_init: Option<u64>) -> Properties {
        let Some(class_init) = class_init else { return (Some(Vec::new()), None) };
        match self.tables {
            Some(tables) => crate::census::resolved(tables.of(code, class_init)),
            None => (None, Some("the layout of `Property` is not known".to_owned())),
        }
    }

    /// The address that a value is.
    pub(super) fn address(&self, value: Value) -> Option<u64> {
        match value {
            Value::Address(address) => Some(address),
            Value::Number(address) if self.image.has_fixed_addresses() => Some(address),
            _ => None,
        }
    }
}

impl Entry<'_> {
    fn types(&self, own: &Properties, common: &Properties) -> Vec<QomType> {
        let device = |name: &str, base: &str, table: &Properties, interfaces: &[&str]| QomType {
            properties: table.0.clone(),
            unresolved: table.1.clone(),
            interfaces: interfaces.iter().map(|&name| name.to_owned()).collect(),
            ..made(Family::VirtioPci, name.to_owned(), base)
        };
        let none = (Some(Vec::new()), None);
        let base = match (self.base, self.generic) {
            (Some(base), _) => base.to_owned(),
            (None, generic) => format!("{}-base-type", generic.unwrap_or_default()),
        };
        let (of_base, of_generic) = if self.base.is_some() { (own, common) } else { (common, own) };
        let mut types = vec![QomType {
            is_abstract: true,
            instance_size: self.instance_size,
            class_size: self.class_size,
            class_init: true,
            ..device(&base, self.parent, of_base, &self.interfaces)
        }];
        if let Some(name) = self.generic {
            let device = device(name, &base, of_generic, &[PCIE, PCI]);
            types.push(QomType { class_init: true, ..device });
        }
        types.extend(self.non_transitional.map(|name| device(name, &base, &none, &[PCIE, PCI])));
        types.extend(self.transitional.map(|name| device(name, &base, &none, &[PCI])));
        types
    }
}

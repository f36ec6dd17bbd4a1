// SPDX-License-Identifier: GPL-2.0-or-later
//! Arrays whose elements begin with the name of a type, and loops that make a type of each.
//!
//! Source, for example: `e1000_register_types` in `hw/net/e1000.c`, the same in `eepro100.c`,
//! `hw/scsi/megasas.c`, `hw/usb/hcd-uhci.c`, `hw/block/m25p80.c`, `hw/sensor/tmp421.c`. Such a
//! function names the array and one other type, which is the parent; adds the length of an element
//! to a register; and hands a `TypeInfo` on its stack to `type_register`. What it puts into that
//! besides the name, and which of its functions is `class_init`, is for the code to know: sizes are
//! not said here, and a property table only where one function alone has one.

use super::super::types::interface_names;
use super::{Code, CodeSummary, Family, HashSet, Known, MOST_NAMES, Makers, QomType, made};

const LENGTHS: std::ops::RangeInclusive<u64> = 16..=512;
const MOST_ELEMENTS: u64 = 1024;
const MOST_INTERFACES: usize = 8;

impl<'a> Makers<'_, '_, 'a> {
    /// The types that a function makes in a loop; none where it has no such loop.
    pub(super) fn table(
        &self,
        code: &mut Code,
        summary: &CodeSummary,
        known: &Known,
    ) -> Vec<QomType> {
        let named = summary.named.iter().take(MOST_NAMES);
        let named: Vec<u64> = named.map(|&(address, _)| address).collect();
        let elements = named.iter().find_map(|&table| self.elements(table, &named, summary));
        let Some((elements, length)) = elements else { return Vec::new() };
        let Some(format) = self.format(code, summary) else { return Vec::new() };
        let names = elements.iter().filter_map(|&at| self.element(at));
        let names: Vec<String> = names.map(|name| format.replacen("%s", name, 1)).collect();
        let unique: HashSet<&str> = names.iter().map(String::as_str).collect();
        if unique.len() != names.len() || !unique.is_disjoint(&known.names) {
            return Vec::new();
        }
        let strings = self.strings(summary);
        let parents: HashSet<&str> = strings
            .iter()
            .copied()
            .filter(|name| known.names.contains(name) && !known.interfaces.contains(name))
            .collect();
        let mut parents = parents.into_iter();
        let (Some(parent), None) = (parents.next(), parents.next()) else { return Vec::new() };
        let mut shared: Vec<String> = Vec::new();
        for name in strings.iter().filter(|name| known.interfaces.contains(*name)) {
            if shared.len() < MOST_INTERFACES && !shared.iter().any(|known| known == name) {
                shared.push((*name).to_owned());
            }
        }
        let mut inits = self.addresses(summary);
        inits.retain(|&address| self.functions.is_start(address));
        let (properties, unresolved) = self.only_table(code, &inits);
        let of_element = |at: u64| {
            let lists = (8..length).step_by(8).filter_map(|offset| {
                let list = self.image.word(at.checked_add(offset)?)?;
                let names = interface_names(self.image, list)?;
                let all = names.iter().all(|name| known.interfaces.contains(name));
                (all && !names.is_empty()).then_some(names)
            });
            lists.last().map(|names| names.into_iter().map(str::to_owned).collect::<Vec<_>>())
        };
        let described = elements.into_iter().zip(names).map(|(at, name)| QomType {
            interfaces: of_element(at).unwrap_or_else(|| shared.clone()),
            properties: properties.clone(),
            unresolved: unresolved.clone(),
            class_init: !inits.is_empty(),
            ..made(Family::Table, name, parent)
        });
        described.collect()
    }

    /// What makes the name of a type from that of an element, where that is one format alone.
    fn format(&self, code: &mut Code, summary: &CodeSummary) -> Option<String> {
        let mut formats: HashSet<&str> = HashSet::new();
        formats.extend(self.formats(summary));
        for callee in self.callees(summary) {
            formats.extend(self.formats(&code.summary(callee)));
        }
        let mut formats = formats.into_iter();
        match (formats.next(), formats.next()) {
            (None, _) => Some("%s".to_owned()),
            (Some(format), None) => Some(format.to_owned()),
            _ => None,
        }
    }

    fn formats(&self, summary: &CodeSummary) -> impl Iterator<Item = &'a str> {
        let named = summary.named.iter().take(MOST_NAMES);
        let named = named.filter_map(|&(address, _)| self.image.format(address));
        named.collect::<Vec<_>>().into_iter()
    }

    /// The name that an element begins with.
    fn element(&self, at: u64) -> Option<&'a str> {
        self.image.name(self.image.pointer(at)?)
    }

    /// The elements of the array at `table`, and their length.
    fn elements(
        &self,
        table: u64,
        named: &[u64],
        summary: &CodeSummary,
    ) -> Option<(Vec<u64>, u64)> {
        let is_type = |at| self.layout.decode(self.image, self.functions, at).is_some();
        if self.functions.is_start(table) || is_type(table) {
            return None;
        }
        self.element(table).filter(|_| self.may_look(named.len()))?;
        let distances: HashSet<u64> =
            named.iter().filter_map(|&other| other.checked_sub(table)).collect();
        let whole = |length: &u64| LENGTHS.contains(length) && length.is_multiple_of(8);
        let run = |length: u64, most: u64| -> Vec<u64> {
            let places = (0..most).map_while(|index| table.checked_add(index * length));
            let run = places.take_while(|&at| self.may_look(1) && self.element(at).is_some());
            run.collect()
        };
        // A loop adds the length, and ends at an address that the code names. Where it counts
        // instead, its end is not known.
        let mut lengths: Vec<u64> = summary.added.iter().copied().filter(whole).collect();
        lengths.sort_unstable();
        lengths.dedup();
        for length in lengths {
            let all = run(length, MOST_ELEMENTS);
            let counts = distances.iter().filter(|distance| distance.is_multiple_of(length));
            let counts = counts.filter_map(|distance| usize::try_from(distance / length).ok());
            if let Some(end) = counts.filter(|count| (2..=all.len()).contains(count)).max() {
                return Some((all.into_iter().take(end).collect(), length));
            }
        }
        // A short loop is written out: the code names every element.
        let length = distances.iter().copied().filter(whole).min()?;
        let all = run(length, MOST_ELEMENTS).into_iter().enumerate();
        let all = all.take_while(|(index, _)| distances.contains(&(*index as u64 * length)));
        let all: Vec<u64> = all.map(|(_, at)| at).collect();
        (all.len() > 1).then_some((all, length))
    }

    /// The one table that these functions have.
    fn only_table(&self, code: &mut Code, inits: &[u64]) -> super::Properties {
        let mut found: Option<super::Properties> = None;
        for &init in inits {
            let own = self.own(code, Some(init));
            if own.0.as_ref().is_some_and(Vec::is_empty) {
                continue;
            }
            if found.is_some() {
                return (None, Some("more than one function may be its class_init".to_owned()));
            }
            found = Some(own);
        }
        found.unwrap_or((Some(Vec::new()), None))
    }

    /// The functions that register a type: what most types are handed to, and its siblings.
    pub(super) fn registrars(&self, code: &mut Code) -> HashSet<u64> {
        let mut votes = super::HashMap::<u64, usize>::new();
        for (summary, _) in &self.registry.functions {
            for call in &summary.calls {
                let [first, ..] = call.arguments;
                let decode = |at| self.layout.decode(self.image, self.functions, at);
                if self.address(first).and_then(decode).is_some() {
                    *votes.entry(call.callee).or_default() += 1;
                }
            }
        }
        let Some((&most, _)) = votes.iter().max_by_key(|&(_, count)| count) else {
            return HashSet::new();
        };
        let inner: HashSet<u64> = self.callees(&code.summary(most)).into_iter().collect();
        let mut called: HashSet<u64> = HashSet::new();
        for (summary, _) in &self.registry.functions {
            called.extend(summary.calls.iter().map(|call| call.callee));
        }
        called.retain(|&callee| {
            callee == most
                || inner.contains(&callee)
                || self.callees(&code.summary(callee)).iter().any(|callee| inner.contains(callee))
        });
        called
    }

    /// How many times a function hands something to be registered that is no `TypeInfo` of its own.
    pub(super) fn made_here(&self, summary: &CodeSummary, registrars: &HashSet<u64>) -> usize {
        let stray = summary.calls.iter().filter(|call| {
            let [first, ..] = call.arguments;
            registrars.contains(&call.callee) && self.address(first).is_none()
        });
        stray.count()
    }
}

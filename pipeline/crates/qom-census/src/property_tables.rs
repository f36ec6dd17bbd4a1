// SPDX-License-Identifier: GPL-2.0-or-later
//! The property table of a type, and how it is tied to the type.
//!
//! No data leads from a `TypeInfo` to its table: `class_init` hands it to `device_class_set_props`,
//! or stores it in the class (4.2). Which function that is the binary tells: most tables are handed
//! to it as the second argument. A `class_init` that calls it with a table known from its own code
//! has that table; one that calls it with anything else, or with two, is not settled; one that calls
//! it neither itself nor two calls deep has none. Where
//! a layout has no end of its own (`property`) the length is the third argument. Where tables are stored, the one table that the code names counts.
//!
//! Not seen, by nature: properties that code makes one by one (`object_property_add*`,
//! `object_class_property_add*`), and a table that is handed over three calls deep. The parent's
//! properties are the parent's.

use super::code::{Call, Code, CodeSummary, Value};
use super::functions::Functions;
use super::header::Machine;
use super::image::{Image, Word};
use super::property_layout::{PropertyLayout, entry};
use super::qom::Property;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

const LONGEST_TABLE: u64 = 512;
/// How deep calls are followed from a `class_init`, and how many of one function.
const DEPTH: u32 = 2;
const MOST_CALLS: usize = 64;
/// How many times the other layouts' evidence makes a layout certain. Measured on Debian's
/// binaries: 814 to 0 and better.
const CERTAIN: usize = 20;
/// How many tables have to be handed to a function before it is `device_class_set_props`.
const ENOUGH: usize = 2;
/// A hundred times what QEMU's largest target has.
const MOST_PROPERTIES: usize = 1 << 18;
/// The kind of a property that names another object.
const LINK: &str = "link";

/// A table that is handed over, with its length where that is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Handed {
    table: u64,
    length: Option<u64>,
}

/// Reads the property tables of one binary.
#[derive(Debug)]
pub struct Tables<'i, 'a> {
    image: &'i Image<'a>,
    functions: &'i Functions<'a>,
    pub layout: PropertyLayout,
    /// `device_class_set_props`, or `device_class_set_props_n`; none where the table is stored.
    setter: Option<u64>,
    /// What was found in a function and so deep below it: many types share one.
    known: RefCell<HashMap<(u64, u32), Found>>,
    /// Properties that may yet be read: types that lie name the same table many times.
    left: Cell<usize>,
}

/// What is found out, or why it cannot be, in one line.
type Result<T> = std::result::Result<T, String>;
/// A table, none, or why it cannot be told.
type Found = Result<Option<Handed>>;

impl<'i, 'a> Tables<'i, 'a> {
    /// Settles the form of `Property` from all the tables of the binary, and what they are handed
    /// to from all of its `class_init` functions.
    pub fn read(
        image: &'i Image<'a>,
        functions: &'i Functions<'a>,
        code: &mut Code,
        class_inits: impl Iterator<Item = u64>,
    ) -> Result<Self> {
        let mut votes = PropertyLayout::ALL.map(|layout| (0_usize, layout));
        image.pairs(|address, first, _| {
            if image.name(first).is_some() && entry(image, functions, address).is_some() {
                for (count, layout) in &mut votes {
                    *count += usize::from(layout.explains(image, address));
                }
            }
        });
        votes.sort_by_key(|&(count, _)| count);
        let [(fewest, _), (fewer, _), (most, layout)] = votes;
        if most == 0 || most < (fewest + fewer).saturating_mul(CERTAIN) {
            return Err(format!(
                "the layout of `Property` is ambiguous: of the three that are known, {most}, {fewer} \
                 and {fewest} entries have one"
            ));
        }
        let mut found = Self {
            image,
            functions,
            layout,
            setter: None,
            known: RefCell::default(),
            left: Cell::new(MOST_PROPERTIES),
        };
        found.setter = found.elect(code, class_inits);
        Ok(found)
    }

    /// The function that most tables are handed to as the second argument.
    fn elect(&self, code: &mut Code, class_inits: impl Iterator<Item = u64>) -> Option<u64> {
        let mut votes: HashMap<u64, usize> = HashMap::new();
        for class_init in class_inits {
            for call in &code.summary(class_init).calls {
                if self.is_handed_table(call) {
                    *votes.entry(call.callee).or_default() += 1;
                }
            }
        }
        let all: usize = votes.values().sum();
        let (&setter, &most) = votes.iter().max_by_key(|&(_, count)| count)?;
        (most >= ENOUGH && most > all / 2).then_some(setter)
    }

    fn is_handed_table(&self, call: &Call) -> bool {
        let [_, table, _] = call.arguments;
        self.table(table).is_some()
    }

    fn table(&self, value: Value) -> Option<u64> {
        let table = match value {
            Value::Address(address) => address,
            Value::Number(address) if self.image.has_fixed_addresses() => address,
            // A compiler that stores two pointers at once loads them from a constant pool.
            Value::Loaded(slot) => self.image.pointer(slot)?,
            _ => return None,
        };
        entry(self.image, self.functions, table).map(|_| table)
    }

    /// The entries of the table that the `class_init` at this address hands to its class; nothing
    /// where it hands over none.
    pub fn of(&self, code: &mut Code, class_init: u64) -> Result<Vec<Property>> {
        let Some(handed) = self.search(code, class_init, DEPTH)? else { return Ok(Vec::new()) };
        self.entries(handed.table, handed.length)
    }

    /// The entries of a table; `length` counts in the layouts that have no end of their own.
    pub fn entries(&self, table: u64, length: Option<u64>) -> Result<Vec<Property>> {
        let entries = match (self.layout, length) {
            (PropertyLayout::V4_2 | PropertyLayout::V7_2, _) => self.until_zeros(table),
            (PropertyLayout::V10_0, Some(length)) if length <= LONGEST_TABLE => (0..length)
                .map(|index| self.later_entry(self.entry_address(table, index)?))
                .collect(),
            (PropertyLayout::V10_0, _) => None,
        };
        let entries = entries.ok_or_else(|| {
            format!("the end of the property table at {table:#x} cannot be found")
        })?;
        let left = self.left.get().checked_sub(entries.len());
        self.left.set(left.ok_or("the binary claims more properties than any QEMU has")?);
        Ok(entries)
    }

    fn search(&self, code: &mut Code, function: u64, depth: u32) -> Result<Option<Handed>> {
        let known = self.known.borrow().get(&(function, depth)).cloned();
        known.unwrap_or_else(|| {
            let found = self.look(code, function, depth);
            self.known.borrow_mut().insert((function, depth), found.clone());
            found
        })
    }

    fn look(&self, code: &mut Code, function: u64, depth: u32) -> Result<Option<Handed>> {
        let summary = code.summary(function);
        let sets = || summary.calls.iter().any(|call| Some(call.callee) == self.setter);
        if !summary.whole && !sets() {
            return Err(format!(
                "the code at {function:#x} has instructions that are not known here"
            ));
        }
        let mut found = match self.setter {
            Some(setter) => self.handed_to(setter, function, &summary)?,
            None => self.stored(function, &summary)?,
        };
        if found.is_none() && depth > 0 {
            for call in summary.calls.iter().take(MOST_CALLS) {
                if call.callee == function || !self.functions.is_start(call.callee) {
                    continue;
                }
                let next = self.search(code, call.callee, depth - 1)?;
                only_one(function, found, next)?;
                found = found.or(next);
            }
        }
        Ok(found)
    }

    fn handed_to(
        &self,
        setter: u64,
        function: u64,
        summary: &CodeSummary,
    ) -> Result<Option<Handed>> {
        let mut found = None;
        for call in summary.calls.iter().filter(|call| call.callee == setter) {
            let [_, table, length] = call.arguments;
            let Some(table) = self.table(table) else {
                return Err(format!(
                    "the code at {function:#x} hands over a table that is known only at run time"
                ));
            };
            let next = Some(Handed { table, length: self.number(length) });
            only_one(function, found, next)?;
            found = found.or(next);
        }
        Ok(found)
    }

    /// The one table whose address the code names.
    fn stored(&self, function: u64, summary: &CodeSummary) -> Result<Option<Handed>> {
        // On aarch64 an address may be named only to count others from it.
        let named = match self.image.machine() {
            Machine::X86_64 => {
                summary.named.iter().map(|&(address, _)| address).collect::<Vec<_>>()
            }
            Machine::Aarch64 => summary.stored.clone(),
        };
        let named = named.into_iter().map(Value::Address);
        let loaded = summary.loaded.iter().map(|&slot| Value::Loaded(slot));
        let mut found = None;
        for table in named.chain(loaded).filter_map(|value| self.table(value)) {
            let next = Some(Handed { table, length: None });
            only_one(function, found, next)?;
            found = found.or(next);
        }
        let hidden = |&(address, _): &(u64, bool)| self.table(Value::Address(address)).is_some();
        if found.is_none() && summary.named.iter().any(hidden) {
            return Err(format!(
                "the code at {function:#x} names a property table, and what it does with it is not seen"
            ));
        }
        Ok(found)
    }

    fn number(&self, value: Value) -> Option<u64> {
        match value {
            Value::Number(number) => Some(number),
            Value::Loaded(slot) => match self.image.word(slot)? {
                Word::Plain(number) => Some(number),
                _ => None,
            },
            _ => None,
        }
    }

    fn until_zeros(&self, table: u64) -> Option<Vec<Property>> {
        let mut names = Vec::new();
        for index in 0..LONGEST_TABLE {
            let address = self.entry_address(table, index)?;
            if self.image.words(address)? == [Word::NULL; 2] {
                return Some(names);
            }
            names.push(self.later_entry(address)?);
        }
        None
    }

    fn entry_address(&self, table: u64, index: u64) -> Option<u64> {
        table.checked_add(index * self.layout.size())
    }

    /// An entry of what is known to be a table: here `info` may also be blank memory, a
    /// `PropertyInfo` that is made at run time (`e1000e` does).
    fn later_entry(&self, address: u64) -> Option<Property> {
        let (name, kind) = entry(self.image, self.functions, address).map_or_else(
            || {
                let info = self.image.pointer(address.checked_add(8)?)?;
                let name = self.image.name(self.image.pointer(address)?)?;
                self.image.is_zero_filled(info).then_some((name, None))
            },
            |(name, kind)| Some((name, Some(kind))),
        )?;
        let kind = kind.map(|kind| match self.link(address).filter(|_| kind == LINK) {
            Some(target) => format!("{LINK}<{target}>"),
            None => kind.to_owned(),
        });
        Some(Property { name: name.to_owned(), kind })
    }

    /// The type that a link leads to: the property's kind is made of it.
    fn link(&self, address: u64) -> Option<&'a str> {
        let word = address.checked_add(self.layout.link() * 8)?;
        self.image.name(self.image.pointer(word)?)
    }
}

fn only_one(function: u64, found: Option<Handed>, next: Option<Handed>) -> Result<()> {
    if let (Some(found), Some(next)) = (found, next)
        && found != next
    {
        return Err(format!(
            "the code at {function:#x} names two property tables, at {:#x} and {:#x}, and which \
                 one counts is decided at run time",
            found.table, next.table
        ));
    }
    Ok(())
}

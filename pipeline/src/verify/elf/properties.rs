//! The property table of a type, and how it is tied to the type.
//!
//! Source: `struct Property` and `struct PropertyInfo` in QEMU's `include/hw/qdev-core.h` (4.2.1)
//! and `include/hw/qdev-properties.h` (5.0.0, 5.2.0, 7.2.0, 10.0.13). In words of 8 bytes, with
//! `name` and `info` first in all:
//!
//! | | 4.2 to 5.2 | 7.2 | 10.0 |
//! | --- | --- | --- | --- |
//! | words | 9 | 11 | 9 |
//! | `bitnr`, `set_default` | 3, a byte each | 3 and 5 | 8, a byte each |
//! | `arrayinfo`, `link_type` | 6, 8 | 8, 10 | 6, 3 |
//! | the table ends | at an entry of zeros | at an entry of zeros | where `class_init` says |
//!
//! No data leads from a `TypeInfo` to its table: `class_init` hands it to `device_class_set_props`,
//! or stores it in the class (4.2). So the code of `class_init` is searched for the address of a
//! table and, where it names none, the functions that it calls. In the form of 10.0 the length is
//! the third argument of `device_class_set_props_n`. Whatever remains open is an error, never a
//! guess.
//!
//! Not seen, by nature: properties that code makes one by one (`object_property_add*`,
//! `object_class_property_add*`), and a table that is handed over two calls deep. The parent's
//! properties are the parent's.

use super::functions::{Functions, Use, third_arguments, uses};
use super::image::{Image, Word};
use anyhow::{Context, Result, ensure};

const LONGEST_TABLE: u64 = 512;
/// Functions that a `class_init` may call before we stop looking.
const MOST_CALLS: usize = 64;
/// How many times the other layouts' evidence makes a layout certain. Measured on Debian's
/// binaries: 814 to 0 and better.
const CERTAIN: usize = 20;
/// `bitnr` counts the bits of a `uint64_t`.
const BITS: u64 = 64;

/// A property's name, and the name of its `PropertyInfo` where that is not made at run time.
pub type Entry<'a> = (&'a str, Option<&'a str>);

/// A form of `Property`, by the first version that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    V4_2,
    V7_2,
    V10_0,
}

impl Form {
    const ALL: [Self; 3] = [Self::V4_2, Self::V7_2, Self::V10_0];

    fn size(self) -> u64 {
        match self {
            Self::V4_2 | Self::V10_0 => 9 * 8,
            Self::V7_2 => 11 * 8,
        }
    }

    /// Whether the entry at `address` has this form, and no other: one with a default value does.
    fn explains(self, image: &Image, address: u64) -> bool {
        let bit_with_default = |word| match word {
            Word::Plain(bytes) => bytes >> 8 == 1 && bytes & 0xff < BITS,
            Word::Pointer(_) => false,
        };
        let links = |info: Word, link: Word| info.is_null_or_pointer() && link.is_null_or_pointer();
        let fits = match self {
            Self::V4_2 => image.words(address).map(|[_, _, _, bit, _, _, info, _, link]| {
                bit_with_default(bit) && links(info, link)
            }),
            Self::V7_2 => {
                image.words(address).map(|[_, _, _, bit, _, has_default, _, _, info, _, link]| {
                    bit.is_number_up_to(BITS) && has_default == Word::Plain(1) && links(info, link)
                })
            }
            Self::V10_0 => image.words(address).map(|[_, _, _, link, _, _, info, _, bit]| {
                bit_with_default(bit) && links(info, link)
            }),
        };
        fits.unwrap_or(false)
    }
}

/// A table, and where in which function its address stands.
#[derive(Debug, Clone, Copy)]
struct Handed {
    table: u64,
    function: u64,
    place: usize,
}

/// Reads the property tables of one binary.
#[derive(Debug)]
pub struct Tables<'i, 'a> {
    image: &'i Image<'a>,
    functions: &'i Functions<'a>,
    form: Form,
}

impl<'i, 'a> Tables<'i, 'a> {
    /// Settles the form of `Property` from all the tables of the binary.
    pub fn read(image: &'i Image<'a>, functions: &'i Functions<'a>) -> Result<Self> {
        let mut votes = Form::ALL.map(|form| (0_usize, form));
        for (address, first, _) in image.pairs() {
            if image.name(first).is_some() && entry(image, functions, address).is_some() {
                for (count, form) in &mut votes {
                    *count += usize::from(form.explains(image, address));
                }
            }
        }
        votes.sort_by_key(|&(count, _)| count);
        let [(fewest, _), (fewer, _), (most, form)] = votes;
        ensure!(
            most > 0 && most >= (fewest + fewer).saturating_mul(CERTAIN),
            "the layout of `Property` is ambiguous: of the three that are known, {most}, {fewer} \
             and {fewest} entries have one"
        );
        Ok(Self { image, functions, form })
    }

    /// The names in the table that the `class_init` at this address hands to its class; nothing
    /// where it hands over none.
    pub fn of(&self, class_init: u64) -> Result<Vec<Entry<'a>>> {
        let code = self.functions.code(self.image, class_init);
        let code = code.context("its class_init is no code")?;
        let mut found = self.named_by(class_init, class_init)?;
        if found.is_none() {
            let calls = uses(code, class_init).filter_map(|(_, named)| match named {
                Use::Call(callee) if self.functions.is_start(callee) => Some(callee),
                _ => None,
            });
            for callee in calls.take(MOST_CALLS) {
                let next = self.named_by(callee, class_init)?;
                only_one(class_init, found, next)?;
                found = found.or(next);
            }
        }
        let Some(handed) = found else { return Ok(Vec::new()) };
        let names = match self.form {
            Form::V4_2 | Form::V7_2 => self.until_zeros(handed.table),
            Form::V10_0 => self.counted(handed),
        };
        names.with_context(|| {
            format!("the end of the property table at {:#x} cannot be found", handed.table)
        })
    }

    /// The one table whose address `function` names.
    fn named_by(&self, function: u64, class_init: u64) -> Result<Option<Handed>> {
        let code = self.functions.code(self.image, function).unwrap_or_default();
        let mut found = None;
        for (place, named) in uses(code, function) {
            let table = match named {
                Use::Address(address) => Some(address),
                // A compiler that stores two pointers at once loads them from a constant pool.
                Use::Load(slot) => self.image.pointer(slot),
                Use::Call(_) => None,
            };
            let is_table = |&table: &u64| entry(self.image, self.functions, table).is_some();
            let next = table.filter(is_table).map(|table| Handed { table, function, place });
            only_one(class_init, found, next)?;
            found = found.or(next);
        }
        Ok(found)
    }

    fn until_zeros(&self, table: u64) -> Option<Vec<Entry<'a>>> {
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

    /// The table in its length, which is the last third argument set for the call that takes it.
    fn counted(&self, handed: Handed) -> Option<Vec<Entry<'a>>> {
        let code = self.functions.code(self.image, handed.function)?;
        // A call spoils the register, so only what stands between two calls belongs to the second.
        let (mut from, mut to) = (0, code.len());
        for (place, used) in uses(code, handed.function) {
            match used {
                Use::Call(callee) if !self.functions.is_start(callee) => {}
                Use::Call(_) if place < handed.place => from = place,
                Use::Call(_) => to = to.min(place),
                Use::Address(_) | Use::Load(_) => {}
            }
        }
        let lengths: Vec<u64> = third_arguments(self.image, code, handed.function)
            .filter(|(place, count)| (from..to).contains(place) && *count <= LONGEST_TABLE)
            .map(|(_, count)| count)
            .collect();
        lengths.into_iter().rev().filter(|&count| count > 0).find_map(|count| {
            let entry = |index| self.later_entry(self.entry_address(handed.table, index)?);
            (0..count).map(entry).collect()
        })
    }

    fn entry_address(&self, table: u64, index: u64) -> Option<u64> {
        table.checked_add(index * self.form.size())
    }

    /// An entry of what is known to be a table: here `info` may also be blank memory, a
    /// `PropertyInfo` that is made at run time (`e1000e` does).
    fn later_entry(&self, address: u64) -> Option<Entry<'a>> {
        entry(self.image, self.functions, address).or_else(|| {
            let info = self.image.pointer(address.checked_add(8)?)?;
            let name = self.image.name(self.image.pointer(address)?)?;
            self.image.is_zero_filled(info).then_some((name, None))
        })
    }
}

fn only_one(class_init: u64, found: Option<Handed>, next: Option<Handed>) -> Result<()> {
    if let (Some(found), Some(next)) = (found, next) {
        ensure!(
            found.table == next.table,
            "the class_init at {class_init:#x} names two property tables, at {:#x} and {:#x}, and \
             which one counts is decided at run time",
            found.table,
            next.table
        );
    }
    Ok(())
}

/// The name of the property at `address`, where a name and a `PropertyInfo` stand there.
fn entry<'a>(image: &Image<'a>, functions: &Functions, address: u64) -> Option<Entry<'a>> {
    let name = image.name(image.pointer(address)?)?;
    let info = image.pointer(address.checked_add(8)?)?;
    // `name` (`type` since 10.0), `description`, `enum_table`, a flag in some versions, functions:
    // a getter or a constructor at the least
    let [kind, description, enumeration, rest @ ..] = image.words::<9>(info)?;
    let Word::Pointer(kind) = kind else { return None };
    let kind = image.name(kind)?;
    let function = |word: &Word| matches!(*word, Word::Pointer(to) if functions.is_start(to));
    let fits = description.is_null_or_pointer()
        && enumeration.is_null_or_pointer()
        && rest.iter().all(|word| word.is_number_up_to(1) || function(word))
        && rest.iter().any(function);
    fits.then_some((name, Some(kind)))
}

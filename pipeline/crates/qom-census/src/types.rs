// SPDX-License-Identifier: GPL-2.0-or-later
//! The `TypeInfo` structures of QEMU's object model.
//!
//! Source: `struct TypeInfo` and `struct InterfaceInfo` in QEMU's `include/qom/object.h`, as of
//! 4.2.1, 5.0.0, 5.1.0, 5.2.0, 7.2.0, 10.0.13 and 10.2.2; 11.1.3 by its binaries. In words of 8
//! bytes:
//!
//! | up to 5.1 | since 5.2 | |
//! | --- | --- | --- |
//! | 0, 1 | 0, 1 | `name`, `parent` |
//! | 2 | 2 | `instance_size` |
//! | – | 3 | `instance_align` |
//! | 3, 4, 5 | 4, 5, 6 | `instance_init`, `instance_post_init`, `instance_finalize` |
//! | 6 | 7 | `abstract`, a bool |
//! | 7 | 8 | `class_size` |
//! | 8, 9 | 9, 10 | `class_init`, `class_base_init` |
//! | 10 | 11 | `class_data`, which may be anything |
//! | 11 | 12 | `interfaces`: pointers to names, ended by a null one |
//!
//! A binary has one layout, and its structures tell which: in a word where one layout has a
//! function the other has a size. Two strings side by side are common, so a structure counts as a
//! type only if its ancestors lead to a root of the type tree. A binary whose types disagree is
//! refused.

use super::functions::Functions;
use super::image::{Image, Word};
use crate::error::{Error, ErrorKind, Result, ensure};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::fmt;

/// The two types without a parent (`qom/object.c`).
pub const ROOTS: [&str; 2] = ["object", "interface"];

/// No object of QEMU's is near this: a "size" above it is something else.
pub const LARGEST_SIZE: u64 = 1 << 28;
const LARGEST_ALIGN: u64 = 4096;
/// Twice what the richest machine type has.
const MOST_INTERFACES: u64 = 16;
/// Twenty times what QEMU's largest target has.
pub const MOST_TYPES: usize = 1 << 15;
/// How many times the other layout's evidence makes a layout certain. Measured on Debian's
/// binaries: 433 to 0 and better.
const CERTAIN: usize = 20;

/// The form of `TypeInfo` that a binary was compiled with, by the first version of QEMU that is known to
/// have it. Shown as JSON has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TypeInfoLayout {
    /// 4.2 to 5.1; 4.2 is what XCP-ng carries.
    #[serde(rename = "4.2")]
    V4_2,
    /// Since 5.2, which brought `instance_align`.
    #[serde(rename = "5.2")]
    V5_2,
}

/// As JSON has it.
impl fmt::Display for TypeInfoLayout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// One `TypeInfo` as it stands in the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeInfo<'a> {
    pub address: u64,
    pub name: &'a str,
    /// None in a root alone.
    pub parent: Option<&'a str>,
    pub instance_size: u64,
    pub class_size: u64,
    pub is_abstract: bool,
    pub class_init: Option<u64>,
    pub interfaces: Vec<&'a str>,
    /// Where the list of interfaces stands.
    list: Option<u64>,
}

impl TypeInfoLayout {
    const ALL: [Self; 2] = [Self::V4_2, Self::V5_2];

    /// In bytes; so far apart are the elements of an array.
    pub(crate) fn size(self) -> u64 {
        match self {
            Self::V4_2 => 12 * 8,
            Self::V5_2 => 13 * 8,
        }
    }

    /// The `TypeInfo` at `address`, where every word there is what this layout wants.
    pub(crate) fn decode<'a>(
        self,
        image: &Image<'a>,
        functions: &Functions,
        address: u64,
    ) -> Option<TypeInfo<'a>> {
        let (head, align, rest) = match self {
            Self::V4_2 => {
                let [name, parent, size, rest @ ..] = image.words::<12>(address)?;
                ([name, parent, size], Word::NULL, rest)
            }
            Self::V5_2 => {
                let [name, parent, size, align, rest @ ..] = image.words::<13>(address)?;
                ([name, parent, size], align, rest)
            }
        };
        let [name, parent, instance_size] = head;
        let [init, post_init, finalize, is_abstract, class_size, rest @ ..] = rest;
        let [class_init, base_init, _data, interfaces] = rest;

        if !align.is_number_up_to(LARGEST_ALIGN) {
            return None;
        }
        let function = |word: Word| match word {
            Word::NULL => Some(None),
            word => word.target().filter(|&target| functions.is_start(target)).map(Some),
        };
        for word in [init, post_init, finalize, base_init] {
            function(word)?;
        }
        let name = image.name(name.target()?)?;
        Some(TypeInfo {
            address,
            name,
            parent: match parent {
                Word::NULL if ROOTS.contains(&name) => None,
                word => Some(image.name(word.target()?)?),
            },
            instance_size: instance_size.number_up_to(LARGEST_SIZE)?,
            class_size: class_size.number_up_to(LARGEST_SIZE)?,
            is_abstract: match is_abstract {
                Word::Plain(0) => false,
                Word::Plain(1) => true,
                _ => return None,
            },
            class_init: function(class_init)?,
            interfaces: interface_names(image, interfaces)?,
            list: interfaces.target(),
        })
    }
}

/// The types of one binary.
#[derive(Debug)]
pub struct Types<'a> {
    pub layout: TypeInfoLayout,
    /// Those whose ancestors lead to a root, by address.
    pub rooted: Vec<TypeInfo<'a>>,
    /// The form of a type, but an ancestor that this binary does not have. Nearly all are mere
    /// pairs of strings.
    pub orphans: Vec<TypeInfo<'a>>,
}

impl<'a> Types<'a> {
    /// Every type of a binary; none where nothing in it has the form of one.
    pub fn read(image: &Image<'a>, functions: &Functions) -> Result<Option<Self>> {
        let [old, new] = candidates(image, functions)?.map(part);
        let ((old, old_rest), (new, new_rest)) = (old, new);
        // It has a `class_init`, which the other layout would have to take for a size.
        let telling =
            |found: &[TypeInfo]| found.iter().filter(|type_| type_.class_init.is_some()).count();
        let (for_old, for_new) = (telling(&old), telling(&new));
        match for_old.cmp(&for_new) {
            Ordering::Equal if for_old == 0 => Ok(None),
            Ordering::Greater if for_old >= for_new.saturating_mul(CERTAIN) => {
                Ok(Some(Self { layout: TypeInfoLayout::V4_2, rooted: old, orphans: old_rest }))
            }
            Ordering::Less if for_new >= for_old.saturating_mul(CERTAIN) => {
                Ok(Some(Self { layout: TypeInfoLayout::V5_2, rooted: new, orphans: new_rest }))
            }
            _ => {
                let message = format!(
                    "the layout of `TypeInfo` is ambiguous: {for_old} types have that of QEMU 4.2, \
                     {for_new} that of QEMU 5.2"
                );
                Err(Error::new(ErrorKind::Ambiguous, message))
            }
        }
    }
}

/// What has the form of a `TypeInfo`, in each layout.
fn candidates<'a>(image: &Image<'a>, functions: &Functions) -> Result<[Vec<TypeInfo<'a>>; 2]> {
    let mut found = [Vec::new(), Vec::new()];
    let is_root = |target| ROOTS.iter().any(|root| image.name(target) == Some(root));
    image.pointers(|address, target| {
        // No second name stands beside the name of a root.
        if image.word(address.wrapping_add(8)) == Some(Word::NULL) && is_root(target) {
            for (found, layout) in found.iter_mut().zip(TypeInfoLayout::ALL) {
                let info = layout.decode(image, functions, address);
                let sized = |info: &TypeInfo| info.instance_size > 0 || info.class_size > 0;
                if found.len() <= MOST_TYPES {
                    found.extend(info.filter(sized));
                }
            }
        }
    });
    image.pairs(|address, first, second| {
        // `decode` would find out too, after looking up a dozen words.
        if image.name(first).is_none() || image.name(second).is_none() {
            return;
        }
        for (found, layout) in found.iter_mut().zip(TypeInfoLayout::ALL) {
            if found.len() <= MOST_TYPES {
                found.extend(layout.decode(image, functions, address));
            }
        }
    });
    let most = found.iter().map(Vec::len).max().unwrap_or_default();
    ensure!(most <= MOST_TYPES, TooLarge, "the binary claims more than {MOST_TYPES} QOM types");
    Ok(found)
}

/// Parts the types, which descend from a root, from the rest.
fn part(mut found: Vec<TypeInfo>) -> (Vec<TypeInfo>, Vec<TypeInfo>) {
    // Two interfaces and a null pointer, before more zeros, look like a type and its parent.
    let words = |type_: &TypeInfo| {
        let (list, count) = (type_.list.unwrap_or_default(), type_.interfaces.len() as u64);
        (0..count).map(move |index| list.wrapping_add(index * 8))
    };
    let lists: HashSet<u64> = found.iter().flat_map(words).collect();
    found.retain(|candidate| !lists.contains(&candidate.address));

    let mut children: HashMap<&str, Vec<&str>> = HashMap::new();
    for candidate in &found {
        children.entry(candidate.parent.unwrap_or_default()).or_default().push(candidate.name);
    }
    let mut known: HashSet<&str> = HashSet::from(ROOTS);
    let mut open = Vec::from(ROOTS);
    while let Some(parent) = open.pop() {
        // Removed, so that a loop of parents ends.
        for child in children.remove(parent).unwrap_or_default() {
            known.insert(child);
            open.push(child);
        }
    }
    found
        .into_iter()
        .partition(|candidate| candidate.parent.is_none_or(|parent| known.contains(parent)))
}

/// The names in a list of interfaces, which a null pointer ends.
pub fn interface_names<'a>(image: &Image<'a>, list: Word) -> Option<Vec<&'a str>> {
    let mut names = Vec::new();
    if list == Word::NULL {
        return Some(names);
    }
    let list = list.target()?;
    for index in 0..MOST_INTERFACES {
        match image.word(list.checked_add(index * 8)?)? {
            Word::NULL => return Some(names),
            word => names.push(image.name(word.target()?)?),
        }
    }
    None
}

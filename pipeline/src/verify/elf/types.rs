//! The `TypeInfo` structures of QEMU's object model.
//!
//! Source: `struct TypeInfo` and `struct InterfaceInfo` in QEMU's `include/qom/object.h`, as of
//! 4.2.1, 5.0.0, 5.1.0, 5.2.0, 7.2.0 and 10.0.13. In words of 8 bytes:
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
use anyhow::{Result, bail, ensure};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

/// The two types without a parent (`qom/object.c`).
const ROOTS: [&str; 2] = ["object", "interface"];

/// No object of QEMU's is near this: a "size" above it is something else.
const LARGEST_SIZE: u64 = 1 << 28;
const LARGEST_ALIGN: u64 = 4096;
/// Twice what the richest machine type has.
const MOST_INTERFACES: u64 = 16;
/// Twenty times what QEMU's largest target has.
const MOST_TYPES: usize = 1 << 15;
/// How many times the other layout's evidence makes a layout certain. Measured on Debian's
/// binaries: 433 to 0 and better.
const CERTAIN: usize = 20;

/// The form of `TypeInfo` that a binary was compiled with, by the first version that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Layout {
    /// 4.2 to 5.1; 4.2 is what XCP-ng carries.
    #[serde(rename = "4.2")]
    V4_2,
    /// Since 5.2, which brought `instance_align`.
    #[serde(rename = "5.2")]
    V5_2,
}

/// One `TypeInfo` as it stands in the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeInfo<'a> {
    pub name: &'a str,
    pub parent: &'a str,
    pub is_abstract: bool,
    pub class_init: Option<u64>,
    pub interfaces: Vec<&'a str>,
    /// Where the list of interfaces stands.
    list: Option<u64>,
}

impl Layout {
    const ALL: [Self; 2] = [Self::V4_2, Self::V5_2];

    /// The `TypeInfo` at `address`, where every word there is what this layout wants.
    pub fn decode<'a>(
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

        let sizes = [instance_size, class_size];
        if !sizes.into_iter().all(|size| size.is_number_up_to(LARGEST_SIZE))
            || !align.is_number_up_to(LARGEST_ALIGN)
        {
            return None;
        }
        let function = |word| match word {
            Word::NULL => Some(None),
            Word::Pointer(target) if functions.is_start(target) => Some(Some(target)),
            _ => None,
        };
        for word in [init, post_init, finalize, base_init] {
            function(word)?;
        }
        Some(TypeInfo {
            class_init: function(class_init)?,
            is_abstract: match is_abstract {
                Word::Plain(0) => false,
                Word::Plain(1) => true,
                _ => return None,
            },
            name: text(image, name)?,
            parent: text(image, parent)?,
            interfaces: interface_names(image, interfaces)?,
            list: match interfaces {
                Word::Pointer(list) => Some(list),
                Word::Plain(_) => None,
            },
        })
    }
}

/// The types of one binary.
#[derive(Debug)]
pub struct Types<'a> {
    pub layout: Layout,
    /// Name and address, sorted: the types whose ancestors lead to a root.
    pub rooted: Vec<(&'a str, u64)>,
    /// Name and address: the form of a type, but an ancestor that this binary does not have. Nearly
    /// all are mere pairs of strings.
    pub orphans: Vec<(&'a str, u64)>,
}

/// What has the form of a `TypeInfo`.
#[derive(Debug)]
struct Candidate<'a> {
    name: &'a str,
    parent: &'a str,
    address: u64,
    /// The words that list its interfaces.
    list: Vec<u64>,
    /// It has a `class_init`, which the other layout would have to take for a size.
    telling: bool,
}

impl<'a> Types<'a> {
    /// Every type of a binary; none where nothing in it has the form of one.
    pub fn read(image: &Image<'a>, functions: &Functions) -> Result<Option<Self>> {
        let [old, new] = Layout::ALL.map(|layout| candidates(image, functions, layout).map(part));
        let ((old, old_rest), (new, new_rest)) = (old?, new?);
        let telling = |found: &[Candidate]| found.iter().filter(|type_| type_.telling).count();
        let (for_old, for_new) = (telling(&old), telling(&new));

        let (layout, rooted, orphans) = match for_old.cmp(&for_new) {
            Ordering::Equal if for_old == 0 => return Ok(None),
            Ordering::Greater if for_old >= for_new.saturating_mul(CERTAIN) => {
                (Layout::V4_2, old, old_rest)
            }
            Ordering::Less if for_new >= for_old.saturating_mul(CERTAIN) => {
                (Layout::V5_2, new, new_rest)
            }
            _ => bail!(
                "the layout of `TypeInfo` is ambiguous: {for_old} types have that of QEMU 4.2, \
                 {for_new} that of QEMU 5.2"
            ),
        };
        let places = |found: Vec<Candidate<'a>>| {
            let mut places: Vec<_> =
                found.into_iter().map(|found| (found.name, found.address)).collect();
            places.sort_unstable();
            places
        };
        Ok(Some(Self { layout, rooted: places(rooted), orphans: places(orphans) }))
    }
}

fn candidates<'a>(
    image: &Image<'a>,
    functions: &Functions,
    layout: Layout,
) -> Result<Vec<Candidate<'a>>> {
    let mut found = Vec::new();
    for (address, first, second) in image.pairs() {
        // `decode` would find out too, after looking up a dozen words.
        if image.name(first).is_none() || image.name(second).is_none() {
            continue;
        }
        let Some(info) = layout.decode(image, functions, address) else { continue };
        let list = (0..).step_by(8).zip(&info.interfaces);
        found.push(Candidate {
            name: info.name,
            parent: info.parent,
            address,
            list: list.filter_map(|(at, _)| info.list?.checked_add(at)).collect(),
            telling: info.class_init.is_some(),
        });
        ensure!(found.len() <= MOST_TYPES, "the binary claims more than {MOST_TYPES} QOM types");
    }
    Ok(found)
}

/// Parts the types, which descend from a root, from the rest.
fn part(mut found: Vec<Candidate>) -> (Vec<Candidate>, Vec<Candidate>) {
    // Two interfaces and a null pointer, before more zeros, look like a type and its parent.
    let lists: HashSet<u64> = found.iter().flat_map(|type_| type_.list.iter().copied()).collect();
    found.retain(|candidate| !lists.contains(&candidate.address));

    let mut children: HashMap<&str, Vec<&str>> = HashMap::new();
    for candidate in &found {
        children.entry(candidate.parent).or_default().push(candidate.name);
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
    found.into_iter().partition(|candidate| known.contains(candidate.parent))
}

fn text<'a>(image: &Image<'a>, word: Word) -> Option<&'a str> {
    match word {
        Word::Pointer(target) => image.name(target),
        Word::Plain(_) => None,
    }
}

fn interface_names<'a>(image: &Image<'a>, list: Word) -> Option<Vec<&'a str>> {
    let mut names = Vec::new();
    let list = match list {
        Word::NULL => return Some(names),
        Word::Plain(_) => return None,
        Word::Pointer(list) => list,
    };
    for index in 0..MOST_INTERFACES {
        match image.word(list.checked_add(index * 8)?)? {
            Word::NULL => return Some(names),
            word => names.push(text(image, word)?),
        }
    }
    None
}

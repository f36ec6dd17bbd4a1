// SPDX-License-Identifier: GPL-2.0-or-later
//! The types of one binary, put together from what the other modules read.

use crate::code::Code;
use crate::error::{FindError, Result, ensure};
use crate::families;
use crate::functions::Functions;
use crate::image::Image;
use crate::modules;
use crate::property_tables::Tables;
use crate::qom::{Property, Qom, QomType, Uncounted};
use crate::registry::{Registered, Registry};
use crate::types::{TypeInfo, Types};
use std::cell::Cell;
use std::collections::{HashMap, HashSet};

/// What the types of one binary may take: QEMU's largest takes 200 KB. Tables may be shared by many types
/// of a file that was made to waste our memory.
const MOST_TEXT: usize = 16 << 20;

/// The QOM types of a binary.
///
/// See the [front page](crate) for an example.
#[derive(Debug)]
pub struct Census {
    qom: Qom,
    /// Why a type cannot be told, by its name.
    refusals: HashMap<String, FindError>,
}

impl Census {
    /// Reads a 64-bit little-endian ELF file; one without QOM types is not an error.
    ///
    /// # Errors
    ///
    /// The file is not an ELF file of that kind, is damaged, or is not what a compiler and a linker
    /// make of QEMU: [`ErrorKind`](crate::ErrorKind) says which.
    pub fn read(file: &[u8]) -> Result<Self> {
        let image = Image::read(file)?;
        let mut census = Self {
            qom: Qom {
                layout: None,
                property_layout: None,
                types: Vec::new(),
                modules: Vec::new(),
                uncounted: Uncounted::default(),
            },
            refusals: HashMap::new(),
        };
        let functions = Functions::read(&image)?;
        let Some(types) = Types::read(&image, &functions)? else { return Ok(census) };
        ensure!(
            functions.are_known(),
            NoUnwindTable,
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
    ///
    /// # Errors
    ///
    /// The binary speaks of such a type, and what it says of it cannot be told for certain.
    pub fn find(&self, name: &str) -> Result<Option<QomType>, FindError> {
        if let Some(refusal) = self.refusals.get(name) {
            return Err(refusal.clone());
        }
        let found = self.qom.types.binary_search_by(|type_| type_.name.as_str().cmp(name));
        let Some(found) = found.ok().and_then(|at| self.qom.types.get(at)) else { return Ok(None) };
        match &found.unresolved {
            Some(reason) => {
                Err(FindError::Unresolved { name: name.to_owned(), reason: reason.clone() })
            }
            None => Ok(Some(found.clone())),
        }
    }

    /// Everything, for whoever keeps, compares or prints it.
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
            ensure!(
                text <= MOST_TEXT,
                TooLarge,
                "its types take more than {MOST_TEXT} bytes to tell"
            );
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
        census.qom.uncounted.made_at_run_time = made.unknown;
        found.extend(made.types);
        census.qom.layout = Some(self.types.layout);
        census.qom.property_layout = tables.as_ref().ok().map(|tables| tables.layout);
        census.qom.modules = modules::read(self.image);
        census.qom.uncounted.without_root = self.types.orphans.len();
        for orphan in &self.types.orphans {
            let refusal = FindError::NoRoot {
                name: orphan.name.to_owned(),
                parent: orphan.parent.unwrap_or_default().to_owned(),
            };
            census.refusals.insert(orphan.name.to_owned(), refusal);
        }
        census.settle(found);
        Ok(())
    }

    fn describe(
        &mut self,
        tables: &Result<Tables, String>,
        info: &TypeInfo,
        how: Registered,
    ) -> QomType {
        let properties = match (info.class_init, tables) {
            (None, _) => Ok(Vec::new()),
            (Some(class_init), Ok(tables)) => tables.of(&mut self.code, class_init),
            (Some(_), Err(problem)) => Err(problem.clone()),
        };
        let (properties, unresolved) = resolved(properties);
        QomType {
            name: info.name.to_owned(),
            parent: info.parent.unwrap_or_default().to_owned(),
            is_abstract: info.is_abstract,
            interfaces: info.interfaces.iter().map(|&name| name.to_owned()).collect(),
            properties,
            unresolved,
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
                        let refusal = FindError::DescribedTwice { name: name.clone() };
                        self.refusals.insert(name.clone(), refusal);
                        last.properties = None;
                        last.unresolved = Some(why.to_owned());
                    }
                }
                _ => types.push(next),
            }
        }
        let known: HashSet<&str> = types.iter().map(|type_| type_.name.as_str()).collect();
        // A namesake with a root is the type; what only looks like one says nothing of it.
        self.refusals.retain(|name, refusal| {
            matches!(refusal, FindError::DescribedTwice { .. }) || !known.contains(name.as_str())
        });
        self.qom.types = types;
    }
}

/// The properties, or why there is nothing to be said of them.
pub fn resolved(
    properties: Result<Vec<Property>, String>,
) -> (Option<Vec<Property>>, Option<String>) {
    match properties {
        Ok(properties) => (Some(properties), None),
        Err(problem) => (None, Some(problem)),
    }
}

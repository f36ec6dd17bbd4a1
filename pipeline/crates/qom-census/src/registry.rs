// SPDX-License-Identifier: GPL-2.0-or-later
//! Which types a binary registers when it starts, and which only under a condition.
//!
//! Source: `include/qemu/module.h` and `include/qom/object.h` of QEMU: `type_init(f)` makes a
//! constructor, a function in `DT_INIT_ARRAY`, that hands `f` to `register_module_init`; `f` then
//! hands its types to `type_register_static`, one by one or as an array. So the functions that the
//! constructors name are what runs at the start, and the addresses in their code, and in the code
//! of what they call, are the types that are registered: always where no branch leads around them,
//! under a condition where one does (`memory-backend-epc` wants `/dev/sgx_vepc`), and not at all
//! where nothing of it names a type (`zipit-lcd` is registered by the machine that has one).

use super::code::{Code, CodeSummary, Value};
use super::functions::Functions;
use super::image::Image;
use super::types::{TypeInfo, TypeInfoLayout};
use std::collections::HashMap;
use std::rc::Rc;

/// How deep the calls are followed from what a constructor names.
const DEPTH: u32 = 2;

/// Why a type may be missing in a binary that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registered {
    Always,
    Conditionally,
    /// By nothing that runs when the program starts.
    Elsewhere,
}

impl Registered {
    /// What people are told of it; nothing where there is nothing to tell.
    pub fn condition(self) -> Option<&'static str> {
        match self {
            Self::Always => None,
            Self::Conditionally => Some("its registration depends on what the program finds"),
            Self::Elsewhere => Some("nothing registers it when the program starts"),
        }
    }
}

/// What runs at the start.
#[derive(Debug, Default)]
pub struct Registry {
    /// Addresses that its code hands to a function first.
    handed: HashMap<u64, Registered>,
    /// Addresses that its code names at all: also the end of an array, and what stands there.
    named: HashMap<u64, Registered>,
    /// The functions themselves, with whether they run always.
    pub functions: Vec<(Rc<CodeSummary>, Registered)>,
}

impl Registry {
    pub fn read(image: &Image, functions: &Functions, code: &mut Code) -> Self {
        let mut open: Vec<u64> = Vec::new();
        for constructor in image.constructors() {
            let summary = code.summary(constructor);
            let named = summary.named.iter().map(|&(address, _)| address);
            open.extend(named.filter(|&address| functions.is_start(address)));
        }
        let mut found = Self::default();
        let mut seen: HashMap<u64, Registered> = HashMap::new();
        let mut open: Vec<_> =
            open.into_iter().map(|function| (function, Registered::Always)).collect();
        for _ in 0..=DEPTH {
            let mut next = Vec::new();
            // What runs always is looked at first: once is enough then.
            open.sort_unstable_by_key(|&(_, how)| how != Registered::Always);
            for (function, how) in open {
                if seen.insert(function, how).is_some() {
                    continue;
                }
                let summary = code.summary(function);
                found.note(&summary, how);
                for call in summary.calls.iter().filter(|call| functions.is_start(call.callee)) {
                    next.push((call.callee, weaker(how, call.conditional)));
                }
                found.functions.push((summary, how));
            }
            next.retain(|(function, _)| !seen.contains_key(function));
            open = next;
        }
        found
    }

    fn note(&mut self, summary: &CodeSummary, how: Registered) {
        for call in &summary.calls {
            if let [Value::Address(address) | Value::Number(address), ..] = call.arguments {
                note(&mut self.handed, address, weaker(how, call.conditional));
            }
        }
        for &(address, conditional) in &summary.named {
            note(&mut self.named, address, weaker(how, conditional));
        }
    }

    /// Whether each of the types, which are sorted by address, is registered.
    pub fn judge(&self, layout: TypeInfoLayout, types: &[TypeInfo]) -> Vec<Registered> {
        let mut judged: Vec<Registered> = Vec::with_capacity(types.len());
        let mut before: Option<(u64, Registered)> = None;
        for type_ in types {
            let named = self.handed.get(&type_.address).or(self.named.get(&type_.address));
            let how = match (named, before) {
                // The type system begins with its roots.
                _ if type_.parent.is_none() => Registered::Always,
                (Some(&how), _) => how,
                // An element of an array, of which the code names the first.
                (None, Some((end, how))) if end == type_.address => how,
                _ => Registered::Elsewhere,
            };
            before = type_.address.checked_add(layout.size()).map(|end| (end, how));
            judged.push(how);
        }
        judged
    }
}

fn note(known: &mut HashMap<u64, Registered>, address: u64, how: Registered) {
    let known = known.entry(address).or_insert(how);
    if how == Registered::Always {
        *known = how;
    }
}

fn weaker(how: Registered, conditional: bool) -> Registered {
    if conditional { Registered::Conditionally } else { how }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! Holds a file to the schema of its format: every key, type and word of it, all of them at once. The
//! schema is made of the types, so what is asked here is what they can take.

mod closed;
mod keys;
mod scalar;
mod shape;

use super::formats::Format;
use super::mistake::Finding;
use super::path::{self, Path, Step};
use super::scalars::Reading;
use super::snippet::Quoted;
use super::yaml::{Content, Document, Entry, Node, Span};
use serde_json::Value;
use shape::{Schema, Shape, Wanted};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// No more is looked for; whoever makes more mistakes made another one first.
const MOST: usize = 1000;

/// What a look at a document found.
#[derive(Debug)]
pub struct Structure {
    pub findings: Vec<Finding>,
    /// The scalars that may be shown to people.
    pub shown: BTreeMap<usize, Quoted>,
    /// The keys at the top below which something is wrong.
    unsound: BTreeSet<String>,
}

impl Structure {
    /// Whether nothing is wrong below a key at the top.
    pub fn is_sound(&self, section: &str) -> bool {
        !self.unsound.contains(section) && !self.unsound.contains("")
    }
}

/// Looks at a document.
pub fn check(document: &Document, format: Format) -> Structure {
    let schema = Schema { root: format.schema };
    let mut look = Look {
        format,
        schema,
        path: Path::default(),
        seen: HashSet::new(),
        homes: None,
        out: Structure { findings: Vec::new(), shown: BTreeMap::new(), unsound: BTreeSet::new() },
    };
    if let Some(root) = &document.root {
        look.node(root, schema.root, &Holder { span: root.span.clone(), name: None });
    }
    look.out
}

/// The words of a format, sorted.
pub fn words(format: Format) -> Vec<&'static str> {
    Schema { root: format.schema }.words()
}

/// What a value belongs to: its key, or the list that it is an item of.
struct Holder<'n> {
    /// Where a value that is not there would stand.
    span: Span,
    name: Option<&'n str>,
}

struct Look<'s> {
    format: Format,
    schema: Schema<'s>,
    path: Path,
    /// What was looked at, and for what: an alias that stands where others do says nothing new.
    seen: HashSet<(usize, usize)>,
    /// Where each key belongs, once somebody asks.
    homes: Option<BTreeMap<&'s str, Vec<String>>>,
    out: Structure,
}

impl<'s> Look<'s> {
    fn report(&mut self, finding: Finding) {
        let section = match self.path.0.first() {
            Some(Step::Key(key)) => key.clone(),
            _ => String::new(),
        };
        self.out.unsound.insert(section);
        if self.out.findings.len() < MOST {
            self.out.findings.push(finding.path(&self.path));
        }
    }

    fn node(&mut self, node: &Node, schema: &'s Value, holder: &Holder) {
        let new =
            self.seen.insert((std::ptr::from_ref(node).addr(), std::ptr::from_ref(schema).addr()));
        if !new || self.out.findings.len() >= MOST {
            return;
        }
        let Wanted { shape, optional } = self.schema.wanted(schema);
        if optional && node.is_null() {
            return;
        }
        match (&shape, &node.content) {
            (Shape::Record { fields, required }, Content::Mapping(entries)) => {
                self.record(entries, fields, required, node, holder);
            }
            (Shape::Table { keys, values }, Content::Mapping(entries)) => {
                self.table(entries, keys, values);
            }
            (Shape::Choice(variants), Content::Mapping(entries)) => {
                self.choice(entries, variants, node, holder);
            }
            (Shape::List { items, least }, Content::List(found)) => {
                if (found.len() as u64) < *least {
                    self.report(
                        Finding::new(node.span.clone(), "this list is empty")
                            .expected("a list with one item at least")
                            .help(match keys::about(schema) {
                                Some(about) => format!("it is for: {}", keys::lower(&about)),
                                None => "give it an item".to_owned(),
                            }),
                    );
                }
                for (number, item) in found.iter().enumerate() {
                    self.path.0.push(Step::Item(number));
                    let span = first_line(item);
                    self.node(item, items, &Holder { span, name: None });
                    self.path.0.pop();
                }
            }
            (_, Content::Scalar { text, plain }) => {
                self.scalar(node, text, *plain, &shape, schema, holder);
            }
            _ => self.wrong_kind(node, &shape, holder),
        }
    }

    fn record(
        &mut self,
        entries: &[Entry],
        fields: &'s serde_json::Map<String, Value>,
        required: &[&'s str],
        node: &Node,
        holder: &Holder,
    ) {
        let mut given: HashMap<&str, usize> = HashMap::new();
        for name in entries.iter().filter_map(|entry| entry.key.text()) {
            *given.entry(name).or_default() += 1;
        }
        let absent = fields.keys().map(String::as_str).filter(|name| !given.contains_key(name));
        let absent: Vec<&str> = absent.collect();
        let mut seen: HashSet<&str> = HashSet::new();
        // Words that were meant, so that they are not missed as well.
        let mut meant: BTreeSet<&str> = BTreeSet::new();
        for Entry { key, value } in entries {
            let Some(name) = key.text().filter(|name| *name != "<<") else { continue };
            // That a key is given twice is said already. An empty one of them is no more to say.
            let empty = value.is_null() && given.get(name).is_some_and(|times| *times > 1);
            if empty || !seen.insert(name) {
                continue;
            }
            if self.out.findings.len() >= MOST {
                return;
            }
            match fields.get_key_value(name) {
                Some((known, field)) => {
                    self.out.shown.insert(key.span.start, Quoted::Good);
                    self.path.0.push(Step::Key(known.clone()));
                    self.node(value, field, &Holder { span: key.span.clone(), name: Some(name) });
                    self.path.0.pop();
                }
                None => meant.extend(self.unknown_key(key, &absent, value)),
            }
        }
        // What was to be merged would have brought them.
        if given.contains_key("<<") {
            return;
        }
        let missing = required.iter().filter(|key| !given.contains_key(**key));
        let missing: Vec<&str> = missing.filter(|key| !meant.contains(**key)).copied().collect();
        if !missing.is_empty() {
            let finding = keys::missing(&missing, fields, place(node, holder), self.format);
            self.report(finding);
        }
    }

    fn table(&mut self, entries: &[Entry], keys: &'s Value, values: &'s Value) {
        let mut numbers: HashMap<u64, (&str, Span)> = HashMap::new();
        for Entry { key, value } in entries {
            let Content::Scalar { text, plain } = &key.content else { continue };
            if text == "<<" {
                continue;
            }
            let sound = self.out.findings.len();
            let Wanted { shape, .. } = self.schema.wanted(keys);
            let holder = Holder { span: key.span.clone(), name: None };
            self.scalar(key, text, *plain, &shape, keys, &holder);
            if self.out.findings.len() == sound {
                self.path.0.push(Step::Key(text.to_string()));
                self.node(value, values, &Holder { span: key.span.clone(), name: Some(text) });
                self.path.0.pop();
            }
            if let Shape::Text(scalar) = shape
                && scalar.reading == Reading::Number
                && let Some(number) = path::number(text)
            {
                match numbers.get(&number) {
                    // In one spelling, the reading of the tree has said so.
                    Some((first, span)) if *first != text => {
                        self.report(keys::same_number(text, &key.span, first, span));
                    }
                    Some(_) => {}
                    None => drop(numbers.insert(number, (text, key.span.clone()))),
                }
            }
        }
    }

    /// A mapping with one key, which says what its value is.
    fn choice(
        &mut self,
        entries: &[Entry],
        variants: &[(&'s str, &'s Value)],
        node: &Node,
        holder: &Holder,
    ) {
        let names: Vec<&str> = variants.iter().map(|(name, _)| *name).collect();
        let known = |entry: &Entry| {
            variants.iter().find(|(name, _)| entry.key.text() == Some(*name)).copied()
        };
        let chosen: Vec<_> =
            entries.iter().filter_map(|it| known(it).map(|variant| (it, variant))).collect();
        for (entry, _) in &chosen {
            self.out.shown.insert(entry.key.span.start, Quoted::Good);
        }
        match (chosen.as_slice(), entries) {
            (_, []) => {
                let place = place(node, holder);
                self.report(keys::no_choice(place, &names));
            }
            ([(entry, (name, inner))], [_]) => {
                self.path.0.push(Step::Key((*name).to_owned()));
                let holder = Holder { span: entry.key.span.clone(), name: Some(*name) };
                self.node(&entry.value, inner, &holder);
                self.path.0.pop();
            }
            ([], [first, ..]) => {
                self.unknown_key(&first.key, &names, &first.value);
            }
            ([(entry, (name, inner)), rest @ ..], _) => {
                let beside = entries.iter().find(|it| it.key.span != entry.key.span);
                let beside = rest.first().map(|(entry, _)| *entry).or(beside);
                let Some(beside) = beside else { return };
                if !entry.value.is_null() {
                    self.path.0.push(Step::Key((*name).to_owned()));
                    let holder = Holder { span: entry.key.span.clone(), name: Some(*name) };
                    self.node(&entry.value, inner, &holder);
                    self.path.0.pop();
                }
                if let Some(word) =
                    beside.key.text().filter(|word| super::mistake::may_be_shown(word))
                {
                    let belongs = self.is_field(inner, word);
                    let finding = keys::beside(name, word, &beside.key, &entry.key, belongs);
                    self.report(finding);
                } else {
                    let span = beside.key.span.clone();
                    self.report(Finding::new(span, format!("a second key beside `{name}`")));
                }
            }
        }
    }

    fn is_field(&self, schema: &'s Value, word: &str) -> bool {
        matches!(self.schema.wanted(schema).shape, Shape::Record { fields, .. } if fields.contains_key(word))
    }
}

/// A node's first line is the place of it.
fn first_line(node: &Node) -> Span {
    match node.entries().first() {
        Some(entry) => entry.key.span.clone(),
        None => node.span.clone(),
    }
}

/// Where to show that something is missing in a mapping.
fn place(node: &Node, holder: &Holder) -> Span {
    match holder.name {
        Some(_) => holder.span.clone(),
        None => node.entries().first().map_or(holder.span.clone(), |it| it.key.span.clone()),
    }
}

#[cfg(test)]
mod tests;

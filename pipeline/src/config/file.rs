// SPDX-License-Identifier: GPL-2.0-or-later
//! A file of one of the formats, read as far as it goes: its tree, what is wrong with it, and its sections
//! as types.

use super::formats::Format;
use super::mistake::{Finding, Mistakes};
use super::path::Path;
use super::snippet::{Snippet, Visible};
use super::structure::{self, Structure};
use super::yaml::{self, Content, Document, Plain};
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// No more are looked up; whoever makes more mistakes made another one first.
const VIOLATIONS: usize = 1000;

/// What only several fields together can show, and the value that shows it.
#[derive(Debug)]
pub struct Violation {
    path: Path,
    what: String,
    help: Option<String>,
    other: Option<(Path, &'static str)>,
    on_key: bool,
}

impl Violation {
    pub fn new(path: Path, what: impl Into<String>) -> Self {
        Self { path, what: what.into(), help: None, other: None, on_key: false }
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub fn other(mut self, path: Path, label: &'static str) -> Self {
        self.other = Some((path, label));
        self
    }

    /// Its key is what shows it.
    pub fn on_key(mut self) -> Self {
        self.on_key = true;
        self
    }
}

/// A file as it was read.
pub struct File<'t> {
    text: &'t str,
    name: &'t str,
    format: Format,
    document: Document<'t>,
    structure: Structure,
    findings: Vec<Finding>,
    /// Whether it is no file of its format at all, and nothing else is said of it.
    foreign: bool,
}

impl<'t> File<'t> {
    /// Reads a file's text. `name` is what errors call it.
    pub fn read(text: &'t str, name: &'t str, format: Format) -> Self {
        let document = yaml::read(text);
        let structure = structure::check(&document, format);
        let foreign = foreign(&document, format);
        let findings = match &foreign {
            Some(finding) => vec![finding.clone()],
            None => [&document.findings[..], &structure.findings].concat(),
        };
        let foreign = foreign.is_some();
        Self { text, name, format, document, structure, findings, foreign }
    }

    /// Whether the file is of another version than this program reads: then that alone is said.
    pub fn refuse_version(&mut self, known: u32, what: &str, help: String) {
        if self.foreign {
            return;
        }
        let version = self.document.root.as_ref().and_then(|root| root.get("version"));
        let Some(node) = version.map(|entry| &entry.value) else { return };
        if let Content::Scalar { text, plain: true } = &node.content
            && let Plain::Integer(found) = Plain::of(text)
            && found != i128::from(known)
        {
            let what = format!("{what} format version {found} is not known");
            self.findings = vec![Finding::new(node.span.clone(), what).help(help)];
        }
    }

    /// One section at the top, if there is one and nothing is wrong with it.
    pub fn section<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        if self.foreign || !self.has(name) || !self.structure.is_sound(name) {
            return None;
        }
        let section = Section::<T>(name, PhantomData);
        section.deserialize(serde_yaml::Deserializer::from_str(self.text)).ok().flatten()
    }

    pub fn report(&mut self, violations: impl IntoIterator<Item = Violation>) {
        for violation in violations.into_iter().take(VIOLATIONS) {
            let (value, key) = violation.path.find(&self.document);
            let span = match key {
                Some(key) if violation.on_key || value.is_empty() => key,
                _ => value,
            };
            let mut finding = Finding::new(span, violation.what).path(&violation.path);
            finding.help = violation.help;
            if let Some((path, label)) = violation.other {
                finding = finding.other(path.find(&self.document).0, label);
            }
            self.findings.push(finding);
        }
    }

    /// The value, if nothing is wrong.
    pub fn finish<T: DeserializeOwned>(mut self) -> Result<T, Mistakes> {
        if self.findings.is_empty() {
            match serde_yaml::from_str(self.text) {
                Ok(value) => return Ok(value),
                Err(error) => self.findings.push(self.last_word(&error)),
            }
        }
        Err(self.mistakes())
    }

    /// Whether it has a key at the top.
    pub fn has(&self, key: &str) -> bool {
        self.document.root.as_ref().is_some_and(|root| root.get(key).is_some())
    }

    /// Whether nothing is wrong with it so far.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// Whether nothing at all stands in it, or comments alone.
    pub fn is_empty(&self) -> bool {
        is_empty(&self.document)
    }

    pub fn mistakes(self) -> Mistakes {
        let visible = Visible {
            scalars: self.document.scalars,
            shown: self.structure.shown,
            words: structure::words(self.format),
        };
        let snippet = |finding: &Finding| Snippet::new(self.text, &visible, finding);
        Mistakes::new(self.findings, self.text, self.name, snippet)
    }

    /// What the reader of the types refuses though the schema has nothing against it: another parser, which is
    /// stricter here and there. Up to the first quote it says why, and behind that may be anything of the file.
    fn last_word(&self, error: &serde_yaml::Error) -> Finding {
        let at = error.location().map_or(0, |at| at.index().min(self.text.len()));
        let at = (0..=at).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or_default();
        let said = error.to_string();
        let said = said.split(['"', '`', '\'']).next().unwrap_or_default();
        let said = said.split(" at line ").next().unwrap_or_default();
        yaml::explain(self.text, at, said.trim())
    }
}

/// Whether nothing stands in it, or what YAML reads as nothing.
fn is_empty(document: &Document) -> bool {
    document.findings.is_empty() && document.root.as_ref().is_none_or(|root| root.is_null())
}

/// What is said of a file that is none of its format: nothing stands in it, or it is of another one.
fn foreign(document: &Document, format: Format) -> Option<Finding> {
    let wanted = format.name;
    if is_empty(document) {
        // A `~` is a value, and is shown.
        let place = document.root.as_ref().filter(|root| root.text() != Some(""));
        let place = place.map_or(0..0, |root| root.span.clone());
        let what = format!("the file is empty, and {wanted} belongs here");
        return Some(Finding::new(place, what).expected(wanted).help(format.begin));
    }
    let root = document.root.as_ref()?;
    let found = format.in_place(root)?;
    let keys = root.entries().iter().map(|entry| &entry.key);
    let shows = |key: &str| found.has(key) && !format.has(key);
    let key = keys.clone().find(|key| key.text().is_some_and(shows))?;
    let what = format!("this is {} in the place of {wanted}", found.name);
    Some(Finding::new(key.span.clone(), what).expected(wanted).help(format.instead_of(found)))
}

/// One section of a mapping, and nothing else of it.
struct Section<'n, T>(&'n str, PhantomData<T>);

impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for Section<'_, T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Option<T>, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de, T: DeserializeOwned> Visitor<'de> for Section<'_, T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Option<T>, A::Error> {
        let mut found = None;
        while let Some(key) = entries.next_key::<String>()? {
            if key == self.0 {
                found = Some(entries.next_value::<Recursive<T>>()?.0);
            } else {
                entries.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// A choice is a mapping with one key, as everywhere in these files.
struct Recursive<T>(T);

impl<'de, T: DeserializeOwned> serde::Deserialize<'de> for Recursive<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        serde_yaml::with::singleton_map_recursive::deserialize(from).map(Self)
    }
}

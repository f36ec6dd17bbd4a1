// SPDX-License-Identifier: GPL-2.0-or-later
//! The path from the top of a file to a value, and the way along it.

use super::yaml::{Content, Document, Node, Span};
use std::fmt;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Path(pub Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Key(String),
    Item(usize),
}

impl Path {
    pub fn of(key: &str) -> Self {
        Self(vec![Step::Key(key.to_owned())])
    }

    pub fn key(&self, key: impl fmt::Display) -> Self {
        let mut path = self.clone();
        path.0.push(Step::Key(key.to_string()));
        path
    }

    pub fn item(&self, number: usize) -> Self {
        let mut path = self.clone();
        path.0.push(Step::Item(number));
        path
    }

    /// Where it leads to in a document, or as far as it goes: the place of the value, and that of its key.
    pub fn find(&self, document: &Document) -> (Span, Option<Span>) {
        let Some(root) = &document.root else { return (0..0, None) };
        let mut node: &Node = root;
        let mut key = None;
        for step in &self.0 {
            match (step, &node.content) {
                (Step::Key(name), Content::Mapping(entries)) => {
                    let found = entries.iter().find(|entry| {
                        entry.key.text().is_some_and(|text| text == name || same_number(text, name))
                    });
                    let Some(entry) = found else { break };
                    key = Some(entry.key.span.clone());
                    node = &entry.value;
                }
                (Step::Item(number), Content::List(items)) => {
                    let Some(item) = items.get(*number) else { break };
                    key = None;
                    node = item;
                }
                _ => break,
            }
        }
        (node.span.clone(), key)
    }
}

/// The number that a key is, in decimal or in hexadecimal, as registers are.
pub fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Whether two keys are one number.
fn same_number(one: &str, other: &str) -> bool {
    number(one).is_some_and(|value| number(other) == Some(value))
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if number == 0 => write!(f, "{key}")?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Item(item) => write!(f, "[{item}]")?,
            }
        }
        Ok(())
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! A pipeline's text with other values in it: its comments, its order and its quotes stay.
//!
//! What two pipelines differ in is found in their values and changed in the bytes where those stand. The
//! new text is then read as any other: it says exactly what was asked for, or it is none.

use super::path::{Path, Step};
use super::yaml::{self, Content, Node, Plain, Span};
use super::{Pipeline, parse};
use crate::error::Reason;
use serde_json::Value;
use std::fmt;

/// One difference.
enum Change {
    Set(Path, Value),
    /// A key with its value, or an item of a list.
    Remove(Path),
    /// An item at the end of a list.
    Append(Path, Value),
    /// What no edit of a text here does.
    Add(Path, Value),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(path, value) => write!(f, "{path}: {value}"),
            Self::Remove(path) => write!(f, "leave out {path}"),
            Self::Append(path, value) => write!(f, "add to {path}: {value}"),
            Self::Add(path, value) => write!(f, "add {path}: {value}"),
        }
    }
}

/// The text of a pipeline with the values of another one. `text` is one that reads without a mistake;
/// `name` is what errors call it.
pub fn rewrite(text: &str, name: &str, wanted: &Pipeline) -> Result<String, Reason> {
    let values = |pipeline: &Pipeline| {
        serde_json::to_value(pipeline).unwrap_or_else(|error| unreachable!("a pipeline: {error}"))
    };
    let mut changes = Vec::new();
    if let Ok(before) = parse(text, name) {
        differences(&Path::default(), &values(&before), &values(wanted), &mut changes);
    }
    let written = apply(text, &changes);
    written.filter(|text| parse(text, name).is_ok_and(|it| it == *wanted)).ok_or_else(|| {
        let changes: Vec<String> = changes.iter().map(|it| format!("\n  {it}")).collect();
        Reason::new(format!("`{name}` is written in a way in which its values cannot be changed"))
            .help(format!(
                "an alias or a line of its own may be in the way; by hand:{}",
                changes.concat()
            ))
    })
}

fn differences(path: &Path, before: &Value, after: &Value, changes: &mut Vec<Change>) {
    match (before, after) {
        (before, after) if before == after => {}
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in old {
                match new.get(key) {
                    Some(Value::Null) | None => changes.push(Change::Remove(path.key(key))),
                    Some(after) => differences(&path.key(key), value, after, changes),
                }
            }
            let added = new.iter().filter(|(key, _)| !old.contains_key(*key));
            changes.extend(added.map(|(key, value)| Change::Add(path.key(key), value.clone())));
        }
        // An empty list is one that is left out.
        (Value::Array(_), Value::Array(new)) if new.is_empty() => {
            changes.push(Change::Remove(path.clone()));
        }
        (Value::Array(old), Value::Array(new)) => {
            let same = old.iter().zip(new).take_while(|(old, new)| old == new).count();
            let (gone, rest) = (old[same..].iter(), new[same..].iter());
            let end = gone.rev().zip(rest.rev()).take_while(|(old, new)| old == new).count();
            let (old, new) = (&old[same..old.len() - end], &new[same..new.len() - end]);
            for (number, (before, after)) in old.iter().zip(new).enumerate() {
                differences(&path.item(same + number), before, after, changes);
            }
            let gone = (new.len()..old.len()).map(|it| Change::Remove(path.item(same + it)));
            changes.extend(gone);
            let added = new.iter().skip(old.len());
            changes.extend(added.map(|value| match end {
                0 => Change::Append(path.clone(), value.clone()),
                _ => Change::Add(path.clone(), value.clone()),
            }));
        }
        (_, value) => changes.push(Change::Set(path.clone(), value.clone())),
    }
}

/// The text with the changes in it, where each has its place.
fn apply(text: &str, changes: &[Change]) -> Option<String> {
    let document = yaml::read(text);
    let root = document.root.as_deref()?;
    let mut edits: Vec<(Span, String)> = Vec::new();
    for change in changes {
        edits.push(match change {
            Change::Set(path, value) => {
                let node = Place::of(root, path)?.node;
                let Content::Scalar { plain, .. } = &node.content else { return None };
                let quote = (!plain).then(|| text[node.span.clone()].chars().next()).flatten();
                (node.span.clone(), scalar(value, quote)?)
            }
            Change::Remove(path) => (Place::of(root, path)?.with_its_lines(text)?, String::new()),
            Change::Append(path, value) => appended(text, Place::of(root, path)?.node, value)?,
            Change::Add(..) => return None,
        });
    }
    edits.sort_by_key(|(span, _)| (span.start, span.end));
    let mut written = String::new();
    let mut at = 0;
    for (span, replacement) in edits {
        written.push_str(text.get(at..span.start)?);
        written.push_str(&replacement);
        at = span.end;
    }
    written.push_str(text.get(at..)?);
    Some(written)
}

/// A scalar as it is written: plain where nothing else could be meant, or in the quotes of the one before.
fn scalar(value: &Value, quote: Option<char>) -> Option<String> {
    let text = match value {
        Value::String(text) => text,
        Value::Number(number) => return Some(number.to_string()),
        _ => return None,
    };
    let harmless = |c: char| c.is_ascii_alphanumeric() || "-._/+~@%:".contains(c);
    if text.is_empty() || !text.chars().all(harmless) {
        return None;
    }
    let first = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '.' || c == '/');
    let plain = first && !text.ends_with(':') && Plain::of(text) == Plain::Text;
    Some(match quote {
        None if plain => text.clone(),
        quote => {
            let quote = quote.unwrap_or('\'');
            format!("{quote}{text}{quote}")
        }
    })
}

/// Where a value stands, and what it lies in.
struct Place<'n, 't> {
    node: &'n Node<'t>,
    parent: &'n Node<'t>,
    number: usize,
}

impl<'n, 't> Place<'n, 't> {
    fn of(root: &'n Node<'t>, path: &Path) -> Option<Self> {
        let mut place = Self { node: root, parent: root, number: 0 };
        for step in &path.0 {
            let parent = place.node;
            let (number, node) = match step {
                Step::Key(key) => {
                    let named = |entry: &yaml::Entry| entry.key.text() == Some(key);
                    let number = parent.entries().iter().position(named)?;
                    (number, &*parent.entries()[number].value)
                }
                Step::Item(number) => (*number, &**parent.items().get(*number)?),
            };
            place = Self { node, parent, number };
        }
        Some(place)
    }

    /// All that goes with it when it goes: of a mapping in lines its own lines, of one in brackets the
    /// comma before it.
    fn with_its_lines(&self, text: &str) -> Option<Span> {
        let starts: Vec<usize> = match &self.parent.content {
            Content::Mapping(entries) => entries.iter().map(|it| it.key.span.start).collect(),
            Content::List(items) => items.iter().map(|it| it.span.start).collect(),
            Content::Scalar { .. } => return None,
        };
        let start = starts[self.number];
        // The parser's mark of a bracket's end may lie behind the blanks that follow.
        let end = text[..self.node.span.end].trim_end().len();
        let line = line_of(text, start);
        let indent = &text[line..start];
        let item = matches!(self.parent.content, Content::List(_));
        let own = indent.trim_start() == if item { "- " } else { "" };
        if own {
            return Some(line..next_line(text, end));
        }
        if let Some(before) = self.number.checked_sub(1).map(|it| self.parent.end_of(it)) {
            // In brackets.
            return Some(before..end);
        }
        // The first one behind a `- `, or behind a bracket: the next takes its place.
        let next = *starts.get(1)?;
        (!text[end..next].contains('#')).then_some(start..next)
    }
}

impl Node<'_> {
    fn items(&self) -> &[std::rc::Rc<Self>] {
        match &self.content {
            Content::List(items) => items,
            _ => &[],
        }
    }

    fn end_of(&self, number: usize) -> usize {
        match &self.content {
            Content::List(items) => items[number].span.end,
            Content::Mapping(entries) => entries[number].value.span.end,
            Content::Scalar { .. } => self.span.end,
        }
    }
}

/// A mapping of scalars as another item of a list in lines.
fn appended(text: &str, list: &Node, value: &Value) -> Option<(Span, String)> {
    let last = list.items().last()?;
    let prefix = &text[line_of(text, last.span.start)..last.span.start];
    let dash = prefix.strip_suffix("- ").filter(|indent| indent.chars().all(|c| c == ' '))?;
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let at = next_line(text, last.span.end);
    let mut item = if text[..at].ends_with('\n') { String::new() } else { newline.to_owned() };
    for (number, (key, value)) in value.as_object()?.iter().enumerate() {
        let value = scalar(value, None)?;
        let begin = if number == 0 { "- " } else { "  " };
        item.extend([dash, begin, key, ": ", &value, newline]);
    }
    Some((at..at, item))
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

fn next_line(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |newline| at + newline + 1)
}

#[cfg(test)]
mod tests;

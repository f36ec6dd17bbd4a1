// SPDX-License-Identifier: GPL-2.0-or-later
//! What is said of keys: unknown ones, missing ones, and two where one is wanted.

use super::Look;
use super::shape::{Schema, Shape};
use crate::config::formats::{self, Format};
use crate::config::mistake::{Finding, may_be_shown};
use crate::config::nearest::{nearer, nearest, quoted};
use crate::config::snippet::Quoted;
use crate::config::yaml::{Content, Node, Span};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A word that is this near to a known one was mistyped, and is no secret.
const NEAR: f64 = 0.7;
/// No value of ours lies deeper.
const DEEPEST: usize = 8;

impl Look<'_> {
    /// Says of a key that none of these is it, and which of them was meant.
    pub(super) fn unknown_key<'k>(
        &mut self,
        key: &Node,
        known: &[&'k str],
        value: &Node,
    ) -> Option<&'k str> {
        let span = key.span.clone();
        let word = key.text()?;
        if let Some(finding) = unusual(word, &span) {
            self.report(finding);
            return nearest(
                word.trim_matches(|c: char| !c.is_ascii_alphanumeric()),
                known.iter().copied(),
            );
        }
        let plain = word.to_ascii_lowercase().replace('_', "-");
        let same = known.iter().find(|known| known.to_ascii_lowercase().replace('_', "-") == plain);
        let near = same.copied().or_else(|| nearer(&plain, known.iter().copied(), NEAR));
        let homes = if near.is_some() { Vec::new() } else { self.homes(word) };
        let shown = may_be_shown(word) || near.is_some();
        let meant = near.or_else(|| match homes.as_slice() {
            [] if shown => nearest(&plain, known.iter().copied()),
            _ => None,
        });
        let what = if shown {
            self.out.shown.insert(span.start, Quoted::Refused);
            format!("unknown key `{word}`")
        } else {
            "an unknown key, which is not shown".to_owned()
        };
        let mut help = match (meant, homes.as_slice()) {
            (Some(word), _) => format!("did you mean `{word}`?"),
            (None, [home, rest @ ..]) => {
                let rest = rest.first().map(|home| format!(", or of `{home}`")).unwrap_or_default();
                format!("`{word}` is a key of `{home}`{rest}: look at the indentation")
            }
            (None, []) if known.is_empty() => "every key that is known here is given".to_owned(),
            (None, []) => format!("known here: {}", quoted(known.iter().copied())),
        };
        if let Content::Mapping(entries) = &value.content
            && let Some(inner) = entries.first().and_then(|entry| entry.key.text())
            && known.contains(&inner)
            && meant.is_none()
        {
            help.push_str("; what stands below it may belong here");
        }
        self.report(Finding::new(span, what).expected(quoted(known.iter().copied())).help(help));
        meant
    }

    /// Where in a file of this format a key belongs.
    fn homes(&mut self, word: &str) -> Vec<String> {
        if !may_be_shown(word) {
            return Vec::new();
        }
        let (schema, mut homes) = (self.schema, self.homes.take());
        let known = homes.get_or_insert_with(|| {
            let mut homes = BTreeMap::new();
            index(schema, schema.root, "", 0, &mut homes);
            homes
        });
        let found = known.get(word).cloned().unwrap_or_default();
        self.homes = homes;
        found
    }
}

/// Notes of each key, but for those at the top, the paths of the mappings that have it.
fn index<'s>(
    schema: Schema<'s>,
    part: &'s Value,
    path: &str,
    depth: usize,
    homes: &mut BTreeMap<&'s str, Vec<String>>,
) {
    if depth > DEEPEST {
        return;
    }
    let enter = |name: &'s str, inner: &'s Value, homes: &mut BTreeMap<&'s str, Vec<String>>| {
        if !path.is_empty() {
            homes.entry(name).or_default().push(path.to_owned());
        }
        let below = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        index(schema, inner, &below, depth + 1, homes);
    };
    match schema.wanted(part).shape {
        Shape::Record { fields, .. } => {
            fields.iter().for_each(|(name, field)| enter(name, field, homes));
        }
        Shape::Choice(variants) => {
            for (name, inner) in variants {
                enter(name, inner, homes);
            }
        }
        Shape::List { items, .. } => index(schema, items, path, depth + 1, homes),
        _ => {}
    }
}

/// What pages of the web and word processors put into a text.
fn unusual(word: &str, span: &Span) -> Option<Finding> {
    let space = word.find(|c: char| c.is_whitespace() && c != ' ' && c != '\n');
    let quote = word.find(['“', '”', '‘', '’', '„']);
    let (what, help) = match (space, quote) {
        (Some(_), _) => (
            "a space that is not the plain one stands in this key",
            "it was copied from somewhere: type the spaces of this line anew",
        ),
        (None, Some(_)) => {
            ("a typographic quote stands in this key", "YAML knows `\"` and `'` alone")
        }
        (None, None) => return None,
    };
    Some(Finding::new(span.clone(), what).help(help))
}

/// The first sentence of what the schema says of something.
pub fn about(schema: &Value) -> Option<String> {
    let text = schema.get("description")?.as_str()?.replace('\n', " ");
    let end = text.find(". ").unwrap_or(text.len());
    Some(text[..end].trim_end_matches('.').to_owned())
}

pub fn missing(
    names: &[&str],
    fields: &Map<String, Value>,
    place: Span,
    format: Format,
) -> Finding {
    let all = quoted(names.iter().copied());
    let (what, help) = match names {
        // By hand it would be wrong in other places as well.
        [_] if format.name == formats::lock().name => {
            (format!("the key {all} is missing"), format.describes.to_owned())
        }
        [name] => {
            let about = fields.get(*name).and_then(about);
            let about = about.map(|about| format!(" ({})", lower(&about))).unwrap_or_default();
            (format!("the key {all} is missing"), format!("add `{name}:`{about}"))
        }
        _ => (format!("the keys {all} are missing"), format.describes.to_owned()),
    };
    Finding::new(place, what).help(help)
}

/// A number that is a key twice: the types would keep the last of them.
pub fn same_number(text: &str, key: &Span, first: &str, place: &Span) -> Finding {
    Finding::new(
        key.clone(),
        format!("`{first}` and `{text}` are one number, which is given twice"),
    )
    .label("here again")
    .other(place.clone(), "here first")
    .help("leave out one of them")
}

/// Within a sentence.
pub fn lower(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(next)) if !next.is_uppercase() => {
            first.to_lowercase().collect::<String>() + &text[first.len_utf8()..]
        }
        _ => text.to_owned(),
    }
}

pub fn no_choice(place: Span, names: &[&str]) -> Finding {
    Finding::new(place, "this mapping is empty")
        .expected(format!("one of {}", quoted(names.iter().copied())))
        .help(format!("it wants one of {}", quoted(names.iter().copied())))
}

/// A second key where one says which kind of thing it is.
pub fn beside(name: &str, word: &str, key: &Node, chosen: &Node, belongs: bool) -> Finding {
    let help = if belongs {
        format!("indent `{word}` deeper than `{name}`, which it belongs to")
    } else {
        format!("begin another item with `- {word}:`, or leave it out")
    };
    Finding::new(
        key.span.clone(),
        format!("`{word}` stands beside `{name}`, where one key is wanted"),
    )
    .other(chosen.span.clone(), "the first one")
    .help(help)
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! A pipeline's text with other values in it: its comments, its order and its quotes stay.
//!
//! What two pipelines differ in is found in their values ([`difference`]) and changed in the bytes where
//! those stand. The new text is then read as any other: it says exactly what was asked for, and has every
//! comment but those within what went, or it is none.

mod difference;
mod place;

use super::yaml::{self, Content, Plain, Span};
use super::{Pipeline, parse};
use crate::error::Reason;
use difference::{Change, differences};
use place::{Place, line_of, next_line};
use serde_json::Value;

/// The text of a pipeline with the values of another one. `text` is one that reads without a mistake;
/// `name` is what errors call it.
pub fn rewrite(text: &str, name: &str, wanted: &Pipeline) -> Result<String, Reason> {
    let values = |pipeline: &Pipeline| {
        serde_json::to_value(pipeline).unwrap_or_else(|error| unreachable!("a pipeline: {error}"))
    };
    let mut changes = Vec::new();
    if let Ok(before) = parse(text, name) {
        differences(&values(&before), &values(wanted), &mut changes);
    }
    let written = apply(text, &changes);
    written.filter(|text| parse(text, name).is_ok_and(|it| it == *wanted)).ok_or_else(|| {
        let changes: Vec<String> = changes.iter().map(|it| format!("\n  {it}")).collect();
        let why =
            format!("`{name}` is written in a way in which its values cannot be changed alone");
        Reason::new(why).help(format!(
            "an alias, or a comment that belongs to what goes, may be in the way; by hand:{}",
            changes.concat()
        ))
    })
}

/// The text with the changes in it, where each has its place.
fn apply(text: &str, changes: &[Change]) -> Option<String> {
    let document = yaml::read(text);
    let root = document.root.as_deref()?;
    let (mut edits, mut gone): (Vec<(Span, String)>, Vec<Span>) = (Vec::new(), Vec::new());
    for change in changes {
        edits.push(match change {
            Change::Set(path, value) => {
                let node = Place::of(root, path)?.node;
                let Content::Scalar { plain, .. } = &node.content else { return None };
                let quote = (!plain).then(|| text[node.span.clone()].chars().next()).flatten();
                (scalar_span(text, &node.span), scalar(value, quote)?)
            }
            Change::Remove(path) => {
                let span = Place::of(root, path)?.with_its_lines(text)?;
                gone.push(span.clone());
                (span, String::new())
            }
            Change::Append(path, value) => {
                let last = Place::of(root, path)?.node.items().last()?;
                let dash = text[..last.span.start].trim_end().strip_suffix('-')?.len();
                let indent = &text[line_of(text, dash)..dash];
                let at = next_line(text, last.span.end);
                (at..at, lines(text, at, &items(indent, &[value])?))
            }
            Change::Add(path, key, value) => {
                let entries = Place::of(root, path)?.node.entries();
                let (first, last) = (entries.first()?, entries.last()?);
                let indent = &text[line_of(text, first.key.span.start)..first.key.span.start];
                let at = next_line(text, last.value.span.end.max(last.key.span.end));
                (at..at, lines(text, at, &entry(indent, key, value)?))
            }
            Change::Insert(..) => return None,
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
    let within = |at: usize| gone.iter().any(|span| span.contains(&at));
    let kept = comments(text).into_iter().filter(|(at, _)| !within(*at)).map(|(_, it)| it);
    let now = comments(&written);
    kept.eq(now.into_iter().map(|(_, comment)| comment)).then_some(written)
}

/// The comments of a text with their places.
fn comments(text: &str) -> Vec<(usize, String)> {
    let document = yaml::read(text);
    let mut found = Vec::new();
    let mut at = 0;
    let scalars = document.scalars.iter().map(|span| scalar_span(text, span));
    for span in scalars.chain(std::iter::once(text.len()..text.len())) {
        let mut rest = at;
        while let Some(hash) = text.get(rest..span.start).and_then(|gap| gap.find('#')) {
            let (begin, end) = (rest + hash, next_line(text, rest + hash));
            found.push((begin, text[begin..end].trim_end().to_owned()));
            rest = end;
        }
        at = at.max(span.end);
    }
    found
}

/// Where a scalar's own characters are: the parser's mark of an end may lie behind what follows a quote.
fn scalar_span(text: &str, span: &Span) -> Span {
    let written = &text[span.clone()];
    let Some(quote @ ('\'' | '"')) = written.chars().next() else {
        return span.start..span.start + written.trim_end().len();
    };
    let mut characters = written.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        let escaped = (c == '\\' && quote == '"')
            || (c == quote && quote == '\'' && characters.peek().is_some_and(|next| next.1 == c));
        if escaped {
            characters.next();
        } else if c == quote {
            return span.start..span.start + at + 1;
        }
    }
    span.clone()
}

/// A scalar as it is written: plain where nothing else could be meant, or in the quotes of the one before.
fn scalar(value: &Value, quote: Option<char>) -> Option<String> {
    let text = match value {
        Value::String(text) => text,
        Value::Number(number) => return Some(number.to_string()),
        _ => return None,
    };
    if text.chars().any(char::is_control) {
        return None;
    }
    let harmless = |c: char| c.is_ascii_alphanumeric() || "-._/+~@%:".contains(c);
    let first = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '.' || c == '/');
    let plain = first && text.chars().all(harmless) && !text.ends_with(':');
    Some(match quote {
        None if plain && Plain::of(text) == Plain::Text => text.clone(),
        Some('"') if !text.contains(['"', '\\']) => format!("\"{text}\""),
        _ => format!("'{}'", text.replace('\'', "''")),
    })
}

/// A key with its value: a scalar, or a list of mappings of scalars.
fn entry(indent: &str, key: &str, value: &Value) -> Option<Vec<String>> {
    if !indent.trim().is_empty() {
        return None;
    }
    let Value::Array(values) = value else {
        return Some(vec![format!("{indent}{key}: {}", scalar(value, None)?)]);
    };
    let mut lines = vec![format!("{indent}{key}:")];
    lines.extend(items(&format!("{indent}  "), &values.iter().collect::<Vec<_>>())?);
    Some(lines)
}

/// Mappings of scalars as items of a list in lines.
fn items(indent: &str, values: &[&Value]) -> Option<Vec<String>> {
    let mut lines = Vec::new();
    for value in values {
        for (number, (key, value)) in value.as_object()?.iter().enumerate() {
            let begin = if number == 0 { "- " } else { "  " };
            lines.push(format!("{indent}{begin}{key}: {}", scalar(value, None)?));
        }
    }
    indent.trim().is_empty().then_some(lines)
}

/// Lines as they go into a text at the begin of one of its own, or at its end.
fn lines(text: &str, at: usize, lines: &[String]) -> String {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let begin = if text[..at].ends_with('\n') { "" } else { newline };
    let lines: Vec<String> = lines.iter().map(|line| format!("{line}{newline}")).collect();
    format!("{begin}{}", lines.concat())
}

#[cfg(test)]
mod tests;

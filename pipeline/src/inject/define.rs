// SPDX-License-Identifier: GPL-2.0-or-later
//! The edit `define`.

use super::declared::numbers;
use super::line_context::Section;
use super::macros::Macros;
use super::spec::SpecText;
use super::{EditResult, Outcome, anchor, line_context};
use crate::error::Help;
use anyhow::{Result, anyhow};

/// Sets a macro: at the top of the spec, or in the one line that defines it already.
pub fn define(spec: &mut SpecText, name: &str, value: &str) -> Result<EditResult> {
    let value = value.trim();
    let label = format!("define {name} as `{value}`");
    if numbers::is_one(name) {
        return Err(anyhow!(
            "{}: `define {name}` would change what the numbers of sources and patches mean",
            spec.name
        )
        .help("declare a file with `add-source`, and take one out with `drop-patch`"));
    }
    if line_context::leaves_open(value) {
        return Err(anyhow!(
            "{}: the value `{value}` of `define {name}` would swallow the next line",
            spec.name
        )
        .help("end it without `\\` and close every `%{`"));
    }
    let lines: Vec<usize> = spec
        .live()
        .filter(|&line| {
            !spec.line_context(line).in_macro_body && body_of(spec.text(line), name).is_some()
        })
        .collect();
    let line = match lines.as_slice() {
        [] => {
            let at = top(spec);
            if at > 0 && spec.line_context(at - 1).continues {
                return Err(anyhow!(
                    "{}: no place for `define {name}`, because this line goes on in the next{}",
                    spec.name,
                    spec.show(&[at - 1])
                )
                .help("end the comment at the top of the spec without `\\` or an open `%{`"));
            }
            spec.insert(at, &[format!("%global {name} {value}")]);
            alone(spec, name, at)?;
            return Ok((label, Outcome::Applied));
        }
        [line] => *line,
        _ => {
            let what = format!("the definition of `{name}`");
            return Err(anchor::given_twice(spec, &lines, &what));
        }
    };
    let body = body_of(spec.text(line), name).unwrap_or_default();
    let place = spec.line_context(line);
    let trouble = if place.depth > 0 {
        Some("inside a conditional")
    } else if !matches!(place.section, Section::Preamble | Section::Package) {
        Some("behind the tags, where it may be used before")
    } else if place.continues {
        Some("over several lines")
    } else if body.starts_with('(') {
        Some("with arguments")
    } else {
        None
    };
    if let Some(trouble) = trouble {
        return Err(anyhow!(
            "{}: `{name}` is defined already, {trouble}{}",
            spec.name,
            spec.show(&[line])
        )
        .help("change that line with `replace`"));
    }
    let old = body.trim();
    if old == value {
        alone(spec, name, line)?;
        return Ok((label, Outcome::AlreadySatisfied));
    }
    let text = spec.text(line);
    let head = &text[..text.len() - body.len()];
    let gap = &body[..body.len() - body.trim_start().len()];
    let gap = if gap.is_empty() { " " } else { gap };
    let text = format!("{head}{gap}{value}");
    spec.set(line, text);
    alone(spec, name, line)?;
    Ok((label, Outcome::Applied))
}

/// Refuses a spec in which another line than `own` may give the macro a value, or take it back.
fn alone(spec: &SpecText, name: &str, own: usize) -> Result<()> {
    let by_option = |line: usize| {
        let Some(option) = name.strip_prefix("with_") else { return false };
        let words = spec.text(line).split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        words.skip_while(|word| !word.starts_with("bcond")).any(|word| word == option)
    };
    let others = Macros::definitions(spec, name).into_iter();
    let others = others.chain((0..spec.len()).filter(|&line| by_option(line)));
    let Some(other) = others.filter(|&line| line != own).min() else { return Ok(()) };
    Err(anyhow!(
        "{}: `define {name}` is not the last word: this line may define it too, or take it back{}",
        spec.name,
        spec.show(&[other])
    )
    .help(
        "take that line out with `replace`, and an option of `%bcond` by its own macros, \
         `_with_NAME` and `_without_NAME`",
    ))
}

/// What follows the name in a line that defines `name`.
fn body_of<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let body = line_context::definition(text)?.strip_prefix(name)?;
    (body.is_empty() || body.starts_with('(') || body.starts_with(char::is_whitespace))
        .then_some(body)
}

/// Behind the comment that a spec begins with, and behind what earlier edits have set: a later
/// macro may use an earlier one.
fn top(spec: &SpecText) -> usize {
    let mut at = (0..spec.len()).take_while(|&line| spec.is_comment(line)).count();
    let blank = |at: usize| at < spec.len() && spec.text(at).trim().is_empty();
    while at > 0 && blank(at) {
        at += 1;
    }
    while at < spec.len() && spec.is_new(at) && line_context::definition(spec.text(at)).is_some() {
        at += 1;
    }
    at
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! What is said of a text that is YAML and means something else than it was meant to, or what these formats
//! have no use for.

use super::{Content, Entry, Node, Span, VALUES, Weight};
use crate::config::mistake::Finding;
use saphyr_parser::{ScalarStyle, Tag};
use std::rc::Rc;

pub fn second(text: &str, span: &Span) -> Finding {
    let help = if text[span.clone()].starts_with("---") {
        "one file holds one document: put the other into a file of its own, and leave out `---`"
    } else {
        "one file holds one document"
    };
    Finding::new(span.clone(), "a second document begins here").help(help)
}

/// No tag has a meaning here, and one on a choice is how other readers write it.
pub fn tag(tag: &Tag, span: &Span) -> Finding {
    let help = if tag.is_yaml_core_schema() {
        "leave it out: each place has its type already, and quotes make text of anything"
    } else {
        "leave out the `!`, and write a choice as a key: `git:`"
    };
    Finding::new(span.clone(), "a tag, which this format has no use for").help(help)
}

/// An item that is indented deeper than its neighbours goes on with the text above it: in YAML, plain text may
/// have several lines.
pub fn swallowed(text: &str, span: &Span, style: ScalarStyle) -> Option<Finding> {
    if style != ScalarStyle::Plain {
        return None;
    }
    let mut at = span.start;
    for line in text[span.clone()].split_inclusive('\n') {
        let rest = line.trim_start_matches(' ');
        let begin = at + line.len() - rest.len();
        if at > span.start && rest.starts_with("- ") {
            let what =
                "this item is indented deeper than those above it, and so a part of their text";
            return Some(
                Finding::new(begin..begin + 1, what)
                    .help("give it the indentation of its neighbours"),
            );
        }
        at += line.len();
    }
    None
}

pub fn too_large(aliased: bool, span: &Span) -> Finding {
    if aliased {
        let what =
            "its aliases repeat more than any file needs: written out, this would be too large";
        return Finding::new(span.clone(), what)
            .help("write less often what `&` names, or write it out");
    }
    Finding::new(span.clone(), format!("the file has more than {VALUES} values up to here"))
        .help("is it the file that is meant?")
}

pub fn no_key(span: &Span) -> Finding {
    Finding::new(span.clone(), "a key that is a list or a mapping, and is no word")
        .help("text that begins with `[`, `{` or `?` wants quotes")
}

pub fn merge(span: &Span) -> Finding {
    Finding::new(span.clone(), "`<<` merges nothing here: YAML 1.2 has no such key")
        .help("write the keys out, or name a whole value: `key: &name …`, and then `key: *name`")
}

pub fn twice(key: &str, span: &Span, first: &Span) -> Finding {
    let what = if crate::config::mistake::may_be_shown(key) {
        format!("the key `{key}` is given twice")
    } else {
        "a key is given twice".to_owned()
    };
    Finding::new(span.clone(), what)
        .label("here again")
        .other(first.clone(), "here first")
        .help("YAML readers differ in which of the two they take: leave out one")
}

/// `{ key:value }`: without a space behind its `:`, this is one key that has no value. What was meant is read
/// instead.
pub fn glued<'t>(text: &'t str, entry: &Entry<'t>) -> Option<(Finding, Entry<'t>)> {
    let Content::Scalar { plain: true, .. } = entry.key.content else { return None };
    let span = entry.key.span.clone();
    let ends = text[span.end..].trim_start().starts_with([',', '}']);
    if !ends || !entry.value.span.is_empty() || entry.value.text() != Some("") {
        return None;
    }
    let (key, value) = text[span.clone()].split_once(':')?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if key.is_empty() || !key.chars().all(is_name) || value.starts_with(['/', ':']) {
        return None;
    }
    let colon = span.start + key.len();
    let scalar = |text: &'t str, span: Span| {
        let weight = Weight { values: 1, bytes: text.len() };
        Rc::new(Node { span, content: Content::Scalar { text: text.into(), plain: true }, weight })
    };
    let meant =
        Entry { key: scalar(key, span.start..colon), value: scalar(value, colon + 1..span.end) };
    let what = "no space stands behind the `:` of this key";
    Some((Finding::new(colon..colon + 1, what).help("write `key: value`"), meant))
}

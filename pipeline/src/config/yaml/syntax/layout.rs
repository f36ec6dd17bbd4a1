// SPDX-License-Identifier: GPL-2.0-or-later
//! What is said of lines that do not fit to those around them: the wrong indentation, and items among keys.

use super::line::Line;
use crate::config::mistake::Finding;

/// A plain text ends with a comment, and so what is indented deeper below it is no part of it. The parser stops
/// at the comment, where nothing is wrong.
pub fn below_a_comment(text: &str, at: usize) -> Option<Finding> {
    if !text[at..].starts_with('#') {
        return None;
    }
    let above = Line::of(text, at);
    let line = above.after(text)?;
    if above.is_blank() {
        return None;
    }
    deeper(&above, &line).or_else(|| line.glued_mark()).or_else(|| {
        let what = "this line goes on with a text that a comment has ended";
        Some(
            Finding::new(line.head(), what)
                .help("leave out the comment, or put the text in one line"),
        )
    })
}

/// A line below one that has its value already, and further to the right.
fn deeper(above: &Line, line: &Line) -> Option<Finding> {
    let column = if above.has_key() { above.column() } else { above.indent() };
    if !above.has_value() || line.indent() <= column {
        return None;
    }
    let (what, help) = match (line.is_item(), above.has_key()) {
        (true, false) => (
            "this item is indented deeper than those above it",
            "give it the indentation of its neighbours",
        ),
        (true, true) => (
            "a list below a key that has a value already",
            "leave out the value above, or indent the item as those that it belongs to",
        ),
        (false, true) if line.has_key() => return Some(deeper_key(line)),
        (false, false) if line.has_key() => (
            "this key is deeper than the item above, which is a text",
            "give it the indentation of the keys that it belongs to",
        ),
        _ => return None,
    };
    Some(Finding::new(line.head(), what).help(help))
}

pub fn deeper_key(line: &Line) -> Finding {
    let what = "this key is deeper than the one above, which has a value already";
    Finding::new(line.head(), what)
        .help("give both the same indentation, or leave out the value above to put a mapping there")
}

/// `key: - item`.
pub fn item_behind_a_key(text: &str, line: &Line, at: usize) -> Option<Finding> {
    let rest = text[at..].strip_prefix('-')?;
    let ends = rest.is_empty() || rest.starts_with(char::is_whitespace);
    (ends && text[line.start..at].trim_end().ends_with(':')).then(|| {
        Finding::new(at..at + 1, "an item of a list in the line of its key")
            .help("begin the list in the next line; text that begins with `- ` wants quotes")
    })
}

/// A line that fits into nothing above it.
pub fn indented(text: &str, line: &Line) -> Option<Finding> {
    let above = line.before(text)?;
    if let Some(finding) = above.malformed().or_else(|| deeper(&above, line)) {
        return Some(finding);
    }
    // It stopped at the end of the text, because of what stands last in it.
    if line.is_blank() {
        return (!above.has_key() && !above.is_item()).then(|| above.without_a_colon());
    }
    if let Some(finding) = mixed(text, line) {
        return Some(finding);
    }
    if line.is_item() {
        let what = "an item of a list where a key belongs";
        return Some(
            Finding::new(line.head(), what)
                .help("indent it as the items above it, below the key that has the list"),
        );
    }
    if let Some(finding) = line.malformed() {
        return Some(finding);
    }
    Some(Finding::new(line.head(), "the indentation of this line fits nothing above it").help(
        "keys that belong together begin in one column, and what lies below a key further to the right",
    ))
}

/// Items of a list and keys in one column: whichever are fewer are those that somebody got wrong.
fn mixed(text: &str, line: &Line) -> Option<Finding> {
    let column = line.indent();
    let mut first = *line;
    while let Some(above) = first.before(text).filter(|above| above.indent() >= column) {
        first = above;
    }
    let (mut items, mut keys) = (Vec::new(), Vec::new());
    // A list may begin in the column of its key.
    let mut has_list = false;
    let mut next = Some(first);
    while let Some(current) = next.filter(|next| next.indent() >= column) {
        if current.indent() == column {
            if !current.is_item() {
                let next = current.after(text).filter(|next| next.indent() == column);
                has_list = !current.has_value() && next.is_some_and(|next| next.is_item());
                keys.push(current);
            } else if !has_list {
                items.push(current);
            }
        }
        next = current.after(text);
    }
    let nearest = |lines: &[Line<'_>]| {
        let above = lines.iter().rfind(|other| other.start <= line.start);
        above.or(lines.first()).map(Line::head)
    };
    let (item, key) = (nearest(&items)?, nearest(&keys)?);
    let is_key = !line.is_item();
    Some(if is_key || keys.len() < items.len() {
        Finding::new(
            if is_key { line.head() } else { key },
            "a key where an item of a list belongs",
        )
        .other(item, "an item")
        .help("begin it with `- `, or indent it as the keys of the item that it belongs to")
    } else {
        Finding::new(line.head(), "an item of a list where a key belongs")
            .other(key, "a key")
            .help("indent it as the items above it, below the key that has the list")
    })
}

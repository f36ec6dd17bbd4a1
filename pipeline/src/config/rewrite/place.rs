// SPDX-License-Identifier: GPL-2.0-or-later
//! Where a value stands in a text, and what goes with it when it goes.

use crate::config::path::{Path, Step};
use crate::config::yaml::{Content, Entry, Node, Span};
use std::rc::Rc;

/// Where a value stands, and what it lies in.
pub struct Place<'n, 't> {
    pub node: &'n Node<'t>,
    parent: &'n Node<'t>,
    number: usize,
}

impl<'n, 't> Place<'n, 't> {
    pub fn of(root: &'n Node<'t>, path: &Path) -> Option<Self> {
        let mut place = Self { node: root, parent: root, number: 0 };
        for step in &path.0 {
            let parent = place.node;
            let (number, node) = match step {
                Step::Key(key) => {
                    let named = |entry: &Entry| entry.key.text() == Some(key);
                    let number = parent.entries().iter().position(named)?;
                    (number, &*parent.entries()[number].value)
                }
                Step::Item(number) => (*number, &**parent.items().get(*number)?),
            };
            place = Self { node, parent, number };
        }
        Some(place)
    }

    /// All that goes with it when it goes: of what is written in lines its own lines, of what is in brackets
    /// the comma before it.
    pub fn with_its_lines(&self, text: &str) -> Option<Span> {
        let starts: Vec<usize> = match &self.parent.content {
            Content::Mapping(entries) => entries.iter().map(|it| it.key.span.start).collect(),
            Content::List(items) => items.iter().map(|it| it.span.start).collect(),
            Content::Scalar { .. } => return None,
        };
        let start = starts[self.number];
        // The parser's mark of a bracket's end may lie behind the blanks that follow.
        let end = text[..self.node.span.end].trim_end().len();
        if let Some(line) = self.own_line(text, start) {
            return Some(line..next_line(text, end));
        }
        let no_comment = |span: Span| (!text[span.clone()].contains('#')).then_some(span);
        if let Some(before) = self.number.checked_sub(1) {
            let before = text[..self.parent.end_of(before)].trim_end().len();
            no_comment(before..start)?;
            return Some(before..end);
        }
        // The first one behind a `- `, or behind a bracket: the next takes its place.
        let next = *starts.get(1)?;
        no_comment(end..next)?;
        Some(start..next)
    }

    /// The begin of the first of its lines, where there is nothing of anything else in them.
    fn own_line(&self, text: &str, start: usize) -> Option<usize> {
        let before = &text[..start];
        let marked = match &self.parent.content {
            Content::List(_) => before.trim_end().strip_suffix('-')?.len(),
            _ => start,
        };
        let line = line_of(text, marked);
        text[line..marked].trim().is_empty().then_some(line)
    }
}

impl<'t> Node<'t> {
    pub fn items(&self) -> &[Rc<Node<'t>>] {
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

pub fn line_of(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

pub fn next_line(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |newline| at + newline + 1)
}

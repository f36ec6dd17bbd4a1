// SPDX-License-Identifier: GPL-2.0-or-later
//! YAML as these files have it: a tree in which each value knows its place, and no more work than a file
//! of such a size is worth.
//!
//! What could take long is refused by its look, and what aliases would make grow is counted before it is
//! built.

mod plain;
mod slips;
mod syntax;
mod tree;

pub use plain::{Plain, has_leading_zero};
pub use syntax::explain;

use super::mistake::Finding;
use std::borrow::Cow;
use std::ops::Range;
use std::rc::Rc;

/// The most `[` and `{` of a file, in its text or not. The largest pipeline of ours has 40.
const BRACKETS: usize = 2000;
/// A file of ours has no `%TAG` at all, and each is compared with each.
const DIRECTIVES: usize = 8;
/// The most values of a file, with its aliases written out. A lock has some thousand.
const VALUES: usize = 1 << 17;

/// Where something stands, in bytes.
pub type Span = Range<usize>;

/// What was read of a file.
#[derive(Debug, Default)]
pub struct Document<'t> {
    /// None where the text is not YAML.
    pub root: Option<Rc<Node<'t>>>,
    /// Every scalar that was read, in the order of the file.
    pub scalars: Vec<Span>,
    /// What the reading found, without a look at any meaning.
    pub findings: Vec<Finding>,
}

#[derive(Debug)]
pub struct Node<'t> {
    pub span: Span,
    pub content: Content<'t>,
    /// How large it is with every alias written out.
    weight: Weight,
}

#[derive(Debug)]
pub enum Content<'t> {
    Scalar { text: Cow<'t, str>, plain: bool },
    List(Vec<Rc<Node<'t>>>),
    Mapping(Vec<Entry<'t>>),
}

#[derive(Debug, Clone)]
pub struct Entry<'t> {
    pub key: Rc<Node<'t>>,
    pub value: Rc<Node<'t>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Weight {
    values: usize,
    bytes: usize,
}

impl<'t> Node<'t> {
    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    pub fn entries(&self) -> &[Entry<'t>] {
        match &self.content {
            Content::Mapping(entries) => entries,
            _ => &[],
        }
    }

    pub fn get(&self, key: &str) -> Option<&Entry<'t>> {
        self.entries().iter().find(|entry| entry.key.text() == Some(key))
    }

    pub fn is_null(&self) -> bool {
        matches!(&self.content, Content::Scalar { text, plain: true } if Plain::of(text) == Plain::Null)
    }
}

/// Reads a file's text.
pub fn read(text: &str) -> Document<'_> {
    let brackets = text.bytes().enumerate().filter(|(_, byte)| matches!(byte, b'[' | b'{'));
    if let Some((at, _)) = brackets.clone().nth(BRACKETS) {
        return refused(
            Finding::new(at..at + 1, format!("the file has {} `[` and `{{`", brackets.count()))
                .label(format!("{BRACKETS} are the most"))
                .help("write lists and mappings as lines, with `- ` and `key: `"),
        );
    }
    let directives = text.match_indices('%').map(|(at, _)| at);
    let directives = directives.filter(|at| *at == 0 || text.as_bytes()[at - 1] == b'\n');
    if let Some(at) = directives.clone().nth(DIRECTIVES) {
        return refused(
            Finding::new(at..at + 1, format!("more than {DIRECTIVES} lines begin with `%`"))
                .help("leave them out: nothing here needs a directive"),
        );
    }
    tree::read(text)
}

fn refused<'t>(finding: Finding) -> Document<'t> {
    Document { findings: vec![finding], ..Document::default() }
}

#[cfg(test)]
mod tests;

// SPDX-License-Identifier: GPL-2.0-or-later
//! A line of a text that is not YAML, by its look.

use crate::config::mistake::Finding;
use crate::config::yaml::Span;

/// The line in which something stands, and where it begins.
#[derive(Debug, Clone, Copy)]
pub struct Line<'t> {
    pub text: &'t str,
    pub start: usize,
}

impl<'t> Line<'t> {
    pub fn of(text: &'t str, at: usize) -> Self {
        let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let end = text[at..].find('\n').map_or(text.len(), |length| at + length);
        Self { text: text[start..end].trim_end_matches('\r'), start }
    }

    /// The line before it that is neither empty nor a comment.
    pub fn before(&self, text: &'t str) -> Option<Self> {
        let mut at = self.start;
        while at > 0 {
            let line = Self::of(text, at - 1);
            if !line.is_blank() {
                return Some(line);
            }
            at = line.start;
        }
        None
    }

    /// The line behind it that is neither empty nor a comment.
    pub fn after(&self, text: &'t str) -> Option<Self> {
        let mut at = self.start;
        loop {
            at += text[at..].find('\n')? + 1;
            let line = Self::of(text, at);
            if !line.is_blank() {
                return Some(line);
            }
        }
    }

    /// Without a comment.
    pub fn code(&self) -> &'t str {
        let comment = self.text.match_indices('#').map(|(at, _)| at);
        let mut comment = comment.filter(|at| *at == 0 || self.text[..*at].ends_with([' ', '\t']));
        &self.text[..comment.next().unwrap_or(self.text.len())]
    }

    pub fn indent(&self) -> usize {
        self.text.len() - self.text.trim_start_matches(' ').len()
    }

    /// Where its key or its text begins, behind the `- ` of items.
    pub fn column(&self) -> usize {
        let mut rest = self.text.trim_start_matches(' ');
        while let Some(inner) = rest.strip_prefix("- ") {
            rest = inner.trim_start_matches(' ');
        }
        self.text.len() - rest.len()
    }

    pub fn is_item(&self) -> bool {
        let rest = self.code().trim();
        rest.starts_with("- ") || rest == "-"
    }

    /// Its first word, or what else it begins with.
    pub fn head(&self) -> Span {
        let begin = self.start + self.indent();
        let rest = &self.text[self.indent()..];
        let end = rest.find([':', ' ']).filter(|end| *end > 0).unwrap_or(rest.len());
        begin..begin + end
    }

    pub fn has_key(&self) -> bool {
        let code = self.code();
        code.contains(": ") || code.trim_end().ends_with(':')
    }

    /// Whether its key or its item has a value that is done with in the line, or may be.
    pub fn has_value(&self) -> bool {
        let code = self.code().trim_end();
        let value = match code.split_once(": ") {
            Some((_, value)) => value.trim_start(),
            None if code.ends_with(':') => "",
            None => code.get(self.column()..).unwrap_or_default(),
        };
        !value.is_empty() && !value.starts_with(['|', '>'])
    }

    /// Where a key's `:` is that has no space behind it.
    fn glued(&self) -> Option<usize> {
        let rest = self.text.trim_start_matches([' ', '-']);
        let colon = rest.find(|c: char| !c.is_ascii_lowercase() && !"-_".contains(c))?;
        let is_glued = rest[colon..].starts_with(':') && !self.has_key();
        is_glued.then(|| self.start + (self.text.len() - rest.len()) + colon)
    }

    /// A mark with no space behind it.
    pub fn glued_mark(&self) -> Option<Finding> {
        if let Some(colon) = self.glued() {
            let what = "no space stands behind the `:` of this key";
            return Some(Finding::new(colon..colon + 1, what).help("write `key: value`"));
        }
        let rest = &self.text[self.indent()..];
        let glued = rest
            .strip_prefix('-')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_alphabetic() || c == '/'));
        glued.then(|| {
            let what = "no space stands behind the `-` of this item";
            Finding::new(self.head(), what).help("write `- item`")
        })
    }

    /// What is wrong with the line by itself.
    pub fn malformed(&self) -> Option<Finding> {
        let glued = self.glued_mark();
        if glued.is_some() {
            return glued;
        }
        let rest = &self.text[self.indent()..];
        let other = rest.starts_with(['-', '[', '{', '?', '\'', '"', ']', '}']) || self.has_key();
        (!other && !self.is_blank()).then(|| self.without_a_colon())
    }

    pub fn without_a_colon(&self) -> Finding {
        Finding::new(self.head(), "a line without a `:`, where a key belongs")
            .help("write `key: value`; an item of a list begins with `- `")
    }

    /// Whether nothing stands in it, or a comment alone.
    pub fn is_blank(&self) -> bool {
        self.code().trim().is_empty()
    }
}

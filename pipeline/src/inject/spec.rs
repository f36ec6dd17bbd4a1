// SPDX-License-Identifier: GPL-2.0-or-later
//! The spec as lines that know where they stand, and that keep their endings.

use super::bytes;
use super::line_context::{self, LineContext, Section};
use crate::config::{Line as ConfigLine, MacroName};
use std::collections::BTreeMap;
use std::fmt;

struct Line {
    text: String,
    ending: &'static str,
    /// The line's number in the file as the user has it; none for a line that an edit put in.
    number: Option<usize>,
}

pub struct SpecText {
    /// The name that errors carry.
    pub name: String,
    /// The macros that the builder sets.
    pub defines: BTreeMap<MacroName, ConfigLine>,
    lines: Vec<Line>,
    contexts: Vec<LineContext>,
}

impl SpecText {
    pub fn new(name: &str, text: &str, defines: &BTreeMap<MacroName, ConfigLine>) -> Self {
        let lines = text.split_inclusive('\n').enumerate().map(|(index, line)| {
            let ending = ["\r\n", "\n"].into_iter().find(|ending| line.ends_with(ending));
            let ending = ending.unwrap_or_default();
            let text = line.strip_suffix(ending).unwrap_or(line).to_owned();
            Line { text, ending, number: Some(index + 1) }
        });
        let mut spec = Self {
            name: name.to_owned(),
            defines: defines.clone(),
            lines: lines.collect(),
            contexts: Vec::new(),
        };
        spec.scan();
        spec
    }

    fn scan(&mut self) {
        self.contexts = line_context::contexts(self.lines.iter().map(|line| line.text.as_str()));
    }

    pub fn len(&self) -> usize {
        self.lines.len()
    }

    pub fn text(&self, index: usize) -> &str {
        &self.lines[index].text
    }

    pub fn line_context(&self, index: usize) -> LineContext {
        self.contexts[index]
    }

    /// Whether an edit put this line in.
    pub fn is_new(&self, index: usize) -> bool {
        self.lines[index].number.is_none()
    }

    pub fn is_comment(&self, index: usize) -> bool {
        let text = self.text(index).trim_start();
        text.starts_with('#') || line_context::directive(text) == "%dnl"
    }

    /// The lines in which text is looked for: comments and the changelog only talk about the rest, and
    /// what stands behind an `%if 0` is nothing.
    pub fn live(&self) -> impl DoubleEndedIterator<Item = usize> {
        (0..self.len()).filter(|&index| {
            let place = self.line_context(index);
            !self.is_comment(index)
                && place.read != Some(false)
                && place.section != Section::Changelog
        })
    }

    /// The lines that may hold a tag of the main package.
    pub fn preamble(&self) -> impl DoubleEndedIterator<Item = usize> {
        (0..self.len()).filter(|&index| {
            let place = self.line_context(index);
            place.section == Section::Preamble && !place.in_macro_body
        })
    }

    /// The first place behind the line `index`, in its section, that no conditional encloses.
    pub fn clear_of_conditionals(&self, index: usize) -> Option<usize> {
        let section = self.line_context(index).section;
        (index..self.len())
            .take_while(|&line| self.line_context(line).section == section)
            .find(|&line| self.line_context(line).depth == 0 && !self.line_context(line).continues)
            .map(|line| line + 1)
    }

    /// Whether these lines stand from `index` on.
    pub fn has_block_at(&self, block: &[String], index: usize) -> bool {
        let standing = self.lines.iter().skip(index).map(|line| &line.text);
        index + block.len() <= self.len() && standing.zip(block).all(|(a, b)| a == b)
    }

    pub fn insert(&mut self, at: usize, block: &[String]) {
        let ending_of = |index: usize| self.lines.get(index).map(|line| line.ending);
        let known = |ending: &&str| !ending.is_empty();
        let above = at.checked_sub(1).and_then(ending_of);
        let usual = above.filter(known).or_else(|| ending_of(0).filter(known)).unwrap_or("\n");
        let mut new: Vec<Line> = block
            .iter()
            .map(|text| Line { text: text.clone(), ending: usual, number: None })
            .collect();
        // A file without a final newline keeps none.
        if above == Some("")
            && let Some(last) = new.last_mut()
        {
            last.ending = "";
            self.lines[at - 1].ending = usual;
        }
        self.lines.splice(at..at, new);
        self.scan();
    }

    pub fn set(&mut self, index: usize, text: String) {
        self.lines[index].text = text;
        self.scan();
    }

    pub fn remove(&mut self, index: usize) {
        let removed = self.lines.remove(index);
        if removed.ending.is_empty()
            && let Some(last) = self.lines.last_mut()
        {
            last.ending = "";
        }
        self.scan();
    }

    /// Lines for an error, with the numbers that they have in the user's file.
    pub fn show(&self, lines: &[usize]) -> String {
        let mut shown = String::new();
        for &index in lines {
            let line = &self.lines[index];
            let number = line.number.map_or_else(|| "new".to_owned(), |number| number.to_string());
            shown.extend([format!("\n{number:>6}: "), bytes::readable(&line.text)]);
        }
        shown
    }
}

impl fmt::Display for SpecText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| write!(f, "{}{}", line.text, line.ending))
    }
}

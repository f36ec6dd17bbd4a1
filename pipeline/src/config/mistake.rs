// SPDX-License-Identifier: GPL-2.0-or-later
//! A mistake in a file: where it is, what was expected, and what to try.

use super::path::Path;
use super::snippet::Snippet;
use super::yaml::Span;
use crate::text;
use serde::Serialize;
use std::fmt;

/// No more are shown of one file: whoever makes more has made another one first.
const SHOWN: usize = 20;
/// The most characters of a message.
const LONGEST: usize = 600;

/// What is wrong at a place of a text, before anybody knows the file's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub span: Span,
    /// The way from the top of the file to the value, where the reading got so far.
    pub path: Option<String>,
    pub what: String,
    pub expected: Option<String>,
    pub label: Option<String>,
    pub help: Option<String>,
    /// Another place that has to do with it.
    pub other: Option<(Span, &'static str)>,
}

impl Finding {
    pub fn new(span: Span, what: impl Into<String>) -> Self {
        Self {
            span,
            path: None,
            what: what.into(),
            expected: None,
            label: None,
            help: None,
            other: None,
        }
    }

    pub fn path(mut self, path: &Path) -> Self {
        self.path = (!path.0.is_empty()).then(|| path.to_string());
        self
    }

    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub fn other(mut self, span: Span, label: &'static str) -> Self {
        self.other = Some((span, label));
        self
    }
}

/// One mistake of a file, for people by its `Display`, and for programs by its fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// The file's name, as it was given.
    pub file: String,
    /// The way from the top of the file to the value that is wrong, such as `source[0].git.url`; none where it
    /// is the whole file, or where its lines could not be read as values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// From 1 on.
    pub line: usize,
    /// In characters, from 1 on.
    pub column: usize,
    /// What is wrong, with the path before it.
    pub message: String,
    /// What would be right in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What to try.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    #[serde(skip)]
    snippet: Snippet,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.snippet.render(self))
    }
}

/// All mistakes of a file, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mistakes {
    pub mistakes: Vec<Mistake>,
    /// How many more there are.
    pub more: usize,
}

impl Mistakes {
    /// Of what was found in a text. `hide` makes a snippet of the lines that a finding is about.
    pub fn new(
        mut findings: Vec<Finding>,
        text: &str,
        file: &str,
        snippet: impl Fn(&Finding) -> Snippet,
    ) -> Self {
        findings.sort_by_key(|finding| finding.span.start);
        // What an alias repeats is wrong once.
        findings.dedup();
        let more = findings.len().saturating_sub(SHOWN);
        findings.truncate(SHOWN);
        let mut lines = Lines::new(text);
        let mistakes = findings.into_iter().map(|finding| {
            let (line, column) = lines.place(finding.span.start);
            let piece = |text: String| text::piece(&text, LONGEST);
            let snippet = snippet(&finding).at(line);
            let message = match &finding.path {
                Some(path) => format!("{path}: {}", finding.what),
                None => finding.what,
            };
            Mistake {
                file: file.to_owned(),
                line,
                column,
                path: finding.path.map(piece),
                message: piece(message),
                expected: finding.expected.map(piece),
                help: finding.help.map(piece),
                snippet,
            }
        });
        Self { mistakes: mistakes.collect(), more }
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, mistake) in self.mistakes.iter().enumerate() {
            if number > 0 {
                f.write_str("\n\nerror: ")?;
            }
            write!(f, "{mistake}")?;
        }
        match self.more {
            0 => Ok(()),
            1 => f.write_str("\n\nand one more mistake"),
            more => write!(f, "\n\nand {more} more mistakes"),
        }
    }
}

impl std::error::Error for Mistakes {}

/// Lines and columns of places, each at or behind the one before.
struct Lines<'t> {
    text: &'t str,
    line: usize,
    start: usize,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str) -> Self {
        let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self { text, line: 1, start }
    }

    fn place(&mut self, at: usize) -> (usize, usize) {
        let at = at.min(self.text.len());
        if let Some(passed) = self.text.get(self.start..at)
            && let Some(last) = passed.rfind('\n')
        {
            self.line += passed.bytes().filter(|byte| *byte == b'\n').count();
            self.start += last + 1;
        }
        let column = self.text.get(self.start..at).unwrap_or_default().chars().count();
        (self.line, column + 1)
    }
}

/// Whether somebody may have mistyped a word of the format; what else stands there may be a secret.
pub fn may_be_shown(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    text.len() <= 16 && text.chars().all(plain)
}

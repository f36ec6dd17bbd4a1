// SPDX-License-Identifier: GPL-2.0-or-later
//! Brackets as YAML sees them, and what is said of those that do not fit. A parser stops far behind a
//! bracket that nothing closes, and at what is good by itself.

use super::line::Line;
use crate::config::mistake::Finding;

/// What is wrong with the brackets at the place where the parser stopped.
pub fn explain(text: &str, at: usize) -> Option<Finding> {
    let mut scan = Scan::new(text);
    scan.to(at);
    let one = at..at + 1;
    let found = text[at..].chars().next();
    let Some(inner) = scan.open.last().copied() else {
        let what = match found {
            Some(']' | '}') => "a bracket that closes nothing",
            Some(',') => "a `,` that separates nothing, outside of brackets",
            _ => return None,
        };
        return Some(Finding::new(one, what).help("leave it out, or put the text in quotes"));
    };
    let before = text[..at].trim_end();
    match found {
        Some(',') if before.ends_with([',', '[', '{']) => {
            return Some(
                Finding::new(one, "nothing stands before this `,`")
                    .help("leave it out; text that is a `,` wants quotes"),
            );
        }
        Some(found @ (']' | '}')) => {
            let wanted = if text[inner..].starts_with('[') { ']' } else { '}' };
            if found != wanted {
                let what = format!("a `{found}` where a `{wanted}` is wanted");
                let finding = Finding::new(one, what).other(inner..inner + 1, "opened here");
                return Some(finding.help("each bracket is closed by one of its kind"));
            }
        }
        _ => {}
    }
    if !scan.closes() {
        return Some(
            Finding::new(inner..inner + 1, "a bracket that nothing closes")
                .help("close it, or write a list as lines with `- `"),
        );
    }
    // A second key, with no `,` since the first.
    let entry = text.get(inner + 1..at)?;
    let entry = entry.rsplit([',', '[', '{']).next().unwrap_or_default();
    if found != Some(':') || !entry.contains(": ") {
        return None;
    }
    let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
    let key = before.len() - word.len();
    Some(
        Finding::new(key..at, "no `,` stands before this key")
            .help("put a `,` between two entries; text with `: ` in it wants quotes"),
    )
}

/// Goes through a text and knows which brackets are open.
struct Scan<'t> {
    text: &'t str,
    at: usize,
    open: Vec<usize>,
    /// Whether a value may begin here: elsewhere, quotes and brackets are letters as others are.
    fresh: bool,
}

impl<'t> Scan<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, at: 0, open: Vec::new(), fresh: true }
    }

    fn to(&mut self, until: usize) {
        while self.at < until && self.step().is_some() {}
    }

    /// Whether the innermost bracket that is open has its end, wherever.
    fn closes(&mut self) -> bool {
        let depth = self.open.len();
        while self.open.len() >= depth {
            if self.step().is_none() {
                return false;
            }
        }
        true
    }

    fn step(&mut self) -> Option<()> {
        let rest = &self.text[self.at..];
        let c = rest.chars().next()?;
        let flow = !self.open.is_empty();
        let mut length = c.len_utf8();
        let ends = rest[length..].is_empty() || rest[length..].starts_with(char::is_whitespace);
        match c {
            '\n' => self.fresh = true,
            ' ' | '\t' | '\r' => {}
            '#' if self.at == 0 || self.text[..self.at].ends_with(char::is_whitespace) => {
                length = rest.find('\n').unwrap_or(rest.len());
            }
            '"' | '\'' if self.fresh => {
                length = quoted(rest, c).unwrap_or(rest.len());
                self.fresh = false;
            }
            '[' | '{' if self.fresh || flow => {
                self.open.push(self.at);
                self.fresh = true;
            }
            ']' | '}' if flow => {
                self.open.pop();
                self.fresh = false;
            }
            ',' if flow => self.fresh = true,
            ':' if ends || flow && !self.fresh && rest[1..].starts_with(['[', '{', '"', '\'']) => {
                self.fresh = true;
            }
            '-' | '?' if ends && self.fresh => {}
            // An anchor or a tag, and then a value.
            '&' | '!' if self.fresh => {
                length = rest.find(char::is_whitespace).unwrap_or(rest.len());
            }
            '|' | '>' if self.fresh && !flow => {
                length = self.block();
                self.fresh = true;
            }
            _ => self.fresh = false,
        }
        self.at += length;
        Some(())
    }

    /// How long a block of text is: all lines that are indented deeper than what has it.
    fn block(&self) -> usize {
        let line = Line::of(self.text, self.at);
        let before = &self.text[line.start..self.at];
        // Of an item it is its dash.
        let item = before.trim_end().strip_suffix('-').map(str::len);
        let column = item.unwrap_or_else(|| line.column());
        let mut length = 0;
        for (number, line) in self.text[self.at..].split_inclusive('\n').enumerate() {
            let indent = line.len() - line.trim_start_matches(' ').len();
            if number > 0 && indent <= column && !line.trim().is_empty() {
                break;
            }
            length += line.len();
        }
        length
    }
}

/// How long a quoted text is, with its quotes; none where nothing closes it.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            c if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Whether a quoted text has an end, wherever.
pub fn is_closed(text: &str, quote: char) -> bool {
    quoted(text, quote).is_some()
}

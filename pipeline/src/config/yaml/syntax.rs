// SPDX-License-Identifier: GPL-2.0-or-later
//! What is said where a text is not YAML. The parser says where it gave up; what stands there says why.

use super::Span;
use crate::config::mistake::Finding;

/// The line in which something stands, and where it begins.
struct Line<'t> {
    text: &'t str,
    start: usize,
}

impl<'t> Line<'t> {
    fn of(text: &'t str, at: usize) -> Self {
        let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let end = text[at..].find('\n').map_or(text.len(), |length| at + length);
        Self { text: text[start..end].trim_end_matches('\r'), start }
    }

    /// The line before it that is neither empty nor a comment.
    fn before(&self, text: &'t str) -> Option<Self> {
        let mut at = self.start;
        while at > 0 {
            let line = Self::of(text, at - 1);
            if !line.code().trim().is_empty() {
                return Some(line);
            }
            at = line.start;
        }
        None
    }

    /// Without a comment.
    fn code(&self) -> &'t str {
        let comment = self.text.match_indices('#').map(|(at, _)| at);
        let mut comment = comment.filter(|at| *at == 0 || self.text[..*at].ends_with([' ', '\t']));
        &self.text[..comment.next().unwrap_or(self.text.len())]
    }

    fn indent(&self) -> usize {
        self.text.len() - self.text.trim_start_matches(' ').len()
    }

    /// Its first word, or what else it begins with.
    fn head(&self) -> Span {
        let begin = self.start + self.indent();
        let rest = &self.text[self.indent()..];
        let end = rest.find([':', ' ']).filter(|end| *end > 0).unwrap_or(rest.len());
        begin..begin + end
    }

    /// Where a key's `:` is that has no space behind it.
    fn glued(&self) -> Option<usize> {
        let rest = self.text.trim_start_matches([' ', '-']);
        let colon = rest.find(|c: char| !c.is_ascii_lowercase() && !"-_".contains(c))?;
        let is_glued = rest[colon..].starts_with(':') && !self.has_key();
        is_glued.then(|| self.start + (self.text.len() - rest.len()) + colon)
    }

    /// What is wrong with the line by itself.
    fn malformed(&self) -> Option<Finding> {
        if let Some(colon) = self.glued() {
            let what = "no space stands behind the `:` of this key";
            return Some(Finding::new(colon..colon + 1, what).help("write `key: value`"));
        }
        let rest = &self.text[self.indent()..];
        let glued = rest
            .strip_prefix('-')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_alphabetic() || c == '/'));
        if glued {
            let what = "no space stands behind the `-` of this item";
            return Some(Finding::new(self.head(), what).help("write `- item`"));
        }
        let other = rest.starts_with(['-', '[', '{', '?', '\'', '"', ']', '}']) || self.has_key();
        (!other).then(|| {
            Finding::new(self.head(), "a line without a `:`, where a key belongs")
                .help("write `key: value`; an item of a list begins with `- `")
        })
    }

    fn has_key(&self) -> bool {
        let code = self.code();
        code.contains(": ") || code.trim_end().ends_with(':')
    }
}

/// Looks for the slip that people make, first of all.
pub fn explain(text: &str, at: usize, info: &str) -> Finding {
    let at = at.min(text.len());
    let line = Line::of(text, at);
    tab(text, at)
        .or_else(|| opened(text, at))
        .or_else(|| unclosed(&line).or_else(|| unclosed(&line.before(text)?)))
        .or_else(|| first_letter(text, at))
        .or_else(|| key_in_a_value(text, &line, at))
        .or_else(|| indented(text, &line, at, info))
        .unwrap_or_else(|| {
            let end = text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
            Finding::new(at..end, format!("this is not YAML: {info}"))
                .help("look at the brackets, the quotes and the indentation up to here")
        })
}

/// A tab in the indentation of the line where it stopped, or of the next.
fn tab(text: &str, at: usize) -> Option<Finding> {
    let line = Line::of(text, at);
    let next = line.start + line.text.len() + 1;
    let next = (next < text.len() && text.is_char_boundary(next)).then(|| Line::of(text, next));
    let mut lines = [Some(line), next].into_iter().flatten();
    let tab = lines.find_map(|line| {
        let indent = line.text.len() - line.text.trim_start().len();
        Some(line.start + line.text[..indent].find('\t')?)
    })?;
    Some(
        Finding::new(tab..tab + 1, "a tab where a line is indented")
            .label("a tab")
            .help("YAML is indented with spaces alone; two for each step are the custom here"),
    )
}

/// A quote, a bracket or an alias that the parser stopped at.
fn opened(text: &str, at: usize) -> Option<Finding> {
    let rest = &text[at..];
    let one = at..at + 1;
    Some(match rest.chars().next() {
        Some('"') if !closed(rest, '"') => {
            Finding::new(one, "a `\"` that nothing closes").help("end the text with a `\"`")
        }
        Some('\'') if !closed(rest, '\'') => Finding::new(one, "a `'` that nothing closes")
            .help("end the text with a `'`; one in the text is written twice: `''`"),
        Some('"') => Finding::new(one, "`\"…\"` with a `\\` that is no escape of YAML's")
            .help("write it in `'…'`, where `\\` is a plain letter"),
        Some('*') => Finding::new(one, "an alias of something that no `&` has named before")
            .help("text that begins with `*` wants quotes"),
        Some(']' | '}') => Finding::new(one, "a bracket that closes nothing")
            .help("leave it out, or put the text in quotes"),
        _ => return None,
    })
}

/// Whether a quoted text has an end, wherever.
fn closed(quoted: &str, quote: char) -> bool {
    let mut escaped = false;
    for c in quoted[1..].chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            c if c == quote => return true,
            _ => {}
        }
    }
    false
}

/// A value that begins with a quote and has no second one in its line. A later line may have one, and then
/// it is there that the parser stops.
fn unclosed(line: &Line) -> Option<Finding> {
    let at =
        [": ", "- "].iter().filter_map(|mark| Some(line.text.rfind(mark)? + mark.len())).max()?;
    let value = line.text.get(at..)?;
    let quote = value.chars().next().filter(|quote| ['\'', '"'].contains(quote))?;
    let at = line.start + at;
    (value.matches(quote).count() % 2 == 1).then(|| {
        Finding::new(at..at + 1, format!("a `{quote}` that nothing in its line closes"))
            .help(format!("end the text with a `{quote}`"))
    })
}

/// Letters that no plain text begins with (YAML 1.2, 5.3).
fn first_letter(text: &str, at: usize) -> Option<Finding> {
    let letter = text[at..].chars().next().filter(|c| "%@`".contains(*c))?;
    Some(
        Finding::new(at..at + 1, format!("text cannot begin with `{letter}` in YAML"))
            .help(format!("put it in quotes: '{letter}…'")),
    )
}

/// `key: a: b`, `key: 'a' b`, or a key that is indented deeper than the value above it.
fn key_in_a_value(text: &str, line: &Line, at: usize) -> Option<Finding> {
    let before = &line.text[..at - line.start];
    let one = at..(at + 1).min(text.len());
    if text[at..].starts_with(':') {
        if before.contains(": ") {
            return Some(
                Finding::new(one, "a second `: ` in one line")
                    .help("text with `: ` in it wants quotes, and a mapping its own line"),
            );
        }
        if let Some(above) = line.before(text) {
            if above.has_key() && above.indent() < line.indent() {
                let what = "this key is deeper than the one above, which has a value already";
                return Some(Finding::new(line.head(), what).help(
                    "give both the same indentation, or leave out the value above to put a mapping there",
                ));
            }
            if let Some(finding) = above.malformed() {
                return Some(finding);
            }
            let open = last_open(&text[..at]).unwrap_or(at);
            return Some(
                Finding::new(open..open + 1, "a bracket that nothing closes")
                    .help("close it, or write a list as lines with `- `"),
            );
        }
    }
    let quote = before.trim_end().chars().next_back().filter(|c| ['\'', '"'].contains(c))?;
    let end = line.start + before.trim_end().len() - 1;
    let begin = text[..end].rfind(quote)?;
    if begin < line.start {
        let number = text[..end].matches('\n').count() + 1;
        let what = format!("a `{quote}` that is closed in line {number} alone");
        return Some(
            Finding::new(begin..begin + 1, what)
                .help(format!("leave it out, or end the text with a `{quote}`")),
        );
    }
    Some(
        Finding::new(one, "text behind the end of a quoted text")
            .help("put the quotes around all of it"),
    )
}

/// A line that fits into nothing above it.
fn indented(text: &str, line: &Line, at: usize, info: &str) -> Option<Finding> {
    if at >= text.trim_end().len() && info.contains("flow") {
        let opened = last_open(text)?;
        return Some(
            Finding::new(opened..opened + 1, "a bracket that nothing closes")
                .help("close it, or write lists and mappings as lines"),
        );
    }
    let above = line.before(text)?;
    if let Some(finding) = above.malformed() {
        return Some(finding);
    }
    let rest = line.text.trim_start();
    if rest.starts_with("- ") || rest == "-" {
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

/// The last bracket that is open at the end.
fn last_open(text: &str) -> Option<usize> {
    let mut open = Vec::new();
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'[' | b'{' => open.push(at),
            b']' | b'}' => {
                open.pop();
            }
            _ => {}
        }
    }
    open.pop()
}

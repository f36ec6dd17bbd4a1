// SPDX-License-Identifier: GPL-2.0-or-later
//! What is said where a text is not YAML. The parser says where it gave up; what stands there says why.

mod brackets;
mod layout;
mod line;

use crate::config::mistake::Finding;
use brackets::is_closed;
use line::Line;

/// Looks for the slip that people make, first of all.
pub fn explain(text: &str, at: usize, info: &str) -> Finding {
    let at = at.min(text.len());
    let line = Line::of(text, at);
    tab(text, at)
        .or_else(|| layout::below_a_comment(text, at))
        .or_else(|| opened(text, at))
        .or_else(|| unclosed(&line).or_else(|| unclosed(&line.before(text)?)))
        .or_else(|| first_letter(text, at))
        .or_else(|| brackets::explain(text, at))
        .or_else(|| layout::item_behind_a_key(text, &line, at))
        .or_else(|| key_in_a_value(text, &line, at))
        .or_else(|| layout::indented(text, &line))
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

/// A quote or an alias that the parser stopped at.
fn opened(text: &str, at: usize) -> Option<Finding> {
    let rest = &text[at..];
    let one = at..at + 1;
    Some(match rest.chars().next() {
        Some('"') if !is_closed(rest, '"') => {
            Finding::new(one, "a `\"` that nothing closes").help("end the text with a `\"`")
        }
        Some('\'') if !is_closed(rest, '\'') => Finding::new(one, "a `'` that nothing closes")
            .help("end the text with a `'`; one in the text is written twice: `''`"),
        Some('"') => Finding::new(one, "`\"…\"` with a `\\` that is no escape of YAML's")
            .help("write it in `'…'`, where `\\` is a plain letter"),
        Some('*') => Finding::new(one, "an alias of something that no `&` has named before")
            .help("text that begins with `*` wants quotes"),
        _ => return None,
    })
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
                return Some(layout::deeper_key(line));
            }
            if let Some(finding) = above.malformed() {
                return Some(finding);
            }
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

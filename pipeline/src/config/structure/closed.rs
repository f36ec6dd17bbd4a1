// SPDX-License-Identifier: GPL-2.0-or-later
//! What is said of words of a closed set, of numbers, and of switches.

use super::Look;
use super::shape::number_words;
use crate::config::mistake::{Finding, may_be_shown};
use crate::config::nearest::{nearer, nearest, quoted};
use crate::config::snippet::Quoted;
use crate::config::yaml::{Node, Plain, has_leading_zero};
use crate::text;

/// What YAML 1.1 took for true and false, and YAML 1.2 does not.
const OLD_TRUE: &[&str] = &["yes", "on", "y"];
const OLD_FALSE: &[&str] = &["no", "off", "n"];

impl Look<'_> {
    /// One of the words of a closed set.
    pub(super) fn word(&mut self, node: &Node, text: &str, words: &[&str]) {
        if words.contains(&text) {
            self.out.shown.insert(node.span.start, Quoted::Good);
            return;
        }
        let lower = text.to_ascii_lowercase();
        let near = nearer(&lower, words.iter().copied(), 0.7);
        let shown = may_be_shown(text) || near.is_some();
        let what = if shown {
            self.out.shown.insert(node.span.start, Quoted::Refused);
            format!("unknown word `{text}`")
        } else {
            "an unknown word, which is not shown".to_owned()
        };
        let near = near.or_else(|| nearest(&lower, words.iter().copied()).filter(|_| shown));
        let old = OLD_TRUE.iter().chain(OLD_FALSE).any(|old| *old == lower);
        let help = match near {
            _ if old || matches!(Plain::of(text), Plain::Bool(_)) => format!(
                "it is no switch: one of {}{}",
                quoted(words.iter().copied()),
                if old { " (some readers of YAML take this word for true or false)" } else { "" },
            ),
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known here: {}", quoted(words.iter().copied())),
        };
        let expected = format!("one of {}", quoted(words.iter().copied()));
        self.report(Finding::new(node.span.clone(), what).expected(expected).help(help));
    }

    pub(super) fn integer(
        &mut self,
        node: &Node,
        text: &str,
        plain: bool,
        least: u64,
        most: u64,
    ) -> Option<Finding> {
        let look = if plain { Plain::of(text) } else { Plain::Text };
        let wanted = number_words(least, most);
        if let Plain::Integer(value) = look
            && (i128::from(least)..=i128::from(most)).contains(&value)
        {
            self.out.shown.insert(node.span.start, Quoted::Good);
            return None;
        }
        // A number is no secret; other text in its place may be one.
        let digits =
            text.len() <= 40 && text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
        let shown = if digits {
            self.out.shown.insert(node.span.start, Quoted::Refused);
            format!("`{}`", text::value(text))
        } else {
            "this".to_owned()
        };
        let span = node.span.clone();
        let finding = match look {
            Plain::Integer(_) if least == most => {
                Finding::new(span, format!("{shown} is not known"))
                    .help(format!("it is {least} here"))
            }
            Plain::Integer(_) => {
                Finding::new(span, format!("{shown} is beyond what is possible here"))
            }
            Plain::Float(_) => {
                Finding::new(span, format!("YAML reads {shown} as {}", number(look)))
                    .help("write a whole number")
            }
            _ if !plain && Plain::of(text) != Plain::Text => {
                Finding::new(span, format!("{shown} in quotes is text"))
                    .help("leave the quotes out")
            }
            _ if has_leading_zero(text) => {
                Finding::new(span, format!("{shown} is text, by its leading zero"))
                    .help("write it without, or in hexadecimal as `0x…`")
            }
            _ if digits => Finding::new(span, format!("{shown} is text, not a number"))
                .help("write digits alone, without units, commas or `_`"),
            _ => Finding::new(span, "this is text, not a number"),
        };
        Some(finding.label(format!("{wanted} is wanted")).expected(wanted))
    }

    pub(super) fn flag(&mut self, node: &Node, text: &str, plain: bool) {
        if plain && matches!(Plain::of(text), Plain::Bool(_)) {
            self.out.shown.insert(node.span.start, Quoted::Good);
            return;
        }
        let span = node.span.clone();
        let lower = text.to_ascii_lowercase();
        let meant = match lower.as_str() {
            "true" | "t" | "1" => Some(true),
            "false" | "f" | "0" => Some(false),
            word if OLD_TRUE.contains(&word) => Some(true),
            word if OLD_FALSE.contains(&word) => Some(false),
            _ => None,
        };
        let finding = match meant {
            Some(meant) => {
                self.out.shown.insert(span.start, Quoted::Refused);
                let what = match (plain, Plain::of(text)) {
                    (false, _) => format!("`{text}` in quotes is text"),
                    (true, Plain::Integer(_)) => format!("`{text}` is a number"),
                    _ => format!("`{text}` is a word in YAML 1.2"),
                };
                Finding::new(span, what).help(format!("write `{meant}`"))
            }
            None => {
                Finding::new(span, "this is neither true nor false").help("write `true` or `false`")
            }
        };
        self.report(finding.label("`true` or `false` is wanted").expected("`true` or `false`"));
    }
}

/// A number, for people.
pub fn number(look: Plain) -> String {
    match look {
        Plain::Integer(value) => value.to_string(),
        Plain::Float(value) if value.is_nan() => "none (not a number)".to_owned(),
        Plain::Float(value) if value.is_infinite() => "infinity".to_owned(),
        Plain::Float(value) => value.to_string(),
        _ => String::new(),
    }
}

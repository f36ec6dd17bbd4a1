// SPDX-License-Identifier: GPL-2.0-or-later
//! What is said of values: of the wrong kind, or refused by their rule.

use super::closed::number;
use super::shape::{Shape, expected, kind_of};
use super::{Holder, Look, first_line, keys};
use crate::config::mistake::{Finding, may_be_shown};
use crate::config::nearest::quoted;
use crate::config::scalars::{Reading, Scalar};
use crate::config::snippet::Quoted;
use crate::config::yaml::{Content, Node, Plain, Span};
use crate::text;
use serde_json::Value;

impl<'s> Look<'s> {
    pub(super) fn scalar(
        &mut self,
        node: &Node,
        text: &str,
        plain: bool,
        shape: &Shape<'s>,
        schema: &'s Value,
        holder: &Holder,
    ) {
        if node.is_null()
            && !matches!(shape, Shape::Text(scalar) if scalar.reading == Reading::Number)
        {
            self.nothing(node, text, shape, schema, holder);
            return;
        }
        match shape {
            Shape::Text(scalar) => self.text(node, text, plain, scalar),
            Shape::Words(words) => self.word(node, text, words),
            Shape::Integer { least, most } => {
                let finding = self.integer(node, text, plain, *least, *most);
                if let Some(mut finding) = finding {
                    let about =
                        || Some(format!("it is for: {}", keys::lower(&keys::about(schema)?)));
                    finding.help = finding.help.or_else(about);
                    self.report(finding);
                }
            }
            Shape::Flag => self.flag(node, text, plain),
            _ => self.not_text(node, text, shape),
        }
    }

    /// A key without a value.
    fn nothing(
        &mut self,
        node: &Node,
        text: &str,
        shape: &Shape<'s>,
        schema: &'s Value,
        holder: &Holder,
    ) {
        let span = if node.span.is_empty() { holder.span.clone() } else { node.span.clone() };
        self.out.shown.insert(node.span.start, Quoted::Good);
        let what = match (text, holder.name) {
            ("", Some(_)) => "this key has no value".to_owned(),
            ("", None) => "this item is empty".to_owned(),
            _ => format!("YAML reads `{text}` as nothing at all"),
        };
        let help = match shape {
            Shape::Text(_) if !text.is_empty() => {
                format!("the word itself wants quotes: \"{text}\"")
            }
            Shape::Text(_) => {
                "give it a value; text that begins with `#`, `&`, `*` or `!` wants quotes; with a space before \
                               it, `#` begins a comment"
                    .to_owned()
            }
            _ => match keys::about(schema) {
                Some(about) => format!("it is for: {}", keys::lower(&about)),
                None => "leave it out, or give it a value".to_owned(),
            },
        };
        let expected = expected(shape);
        self.report(
            Finding::new(span, what)
                .label(format!("{expected} is wanted"))
                .expected(expected)
                .help(help),
        );
    }

    fn text(&mut self, node: &Node, text: &str, plain: bool, scalar: &'static Scalar) {
        let span = node.span.clone();
        let look = if plain { Plain::of(text) } else { Plain::Text };
        if scalar.reading == Reading::Text && look != Plain::Text {
            let as_what = match look {
                Plain::Bool(value) => format!("`{value}`, which is no text"),
                Plain::Integer(_) => "a number, which is no text".to_owned(),
                _ if text.len() > 20 => "a number, which is no text".to_owned(),
                _ => format!("the number {}, which is no text", number(look)),
            };
            let value = if scalar.hidden {
                "the value".to_owned()
            } else {
                format!("`{}`", text::value(text))
            };
            if !scalar.hidden {
                self.out.shown.insert(span.start, Quoted::Refused);
            }
            let help = if scalar.hidden {
                "put it in quotes".to_owned()
            } else {
                format!("put it in quotes: \"{}\"", text::value(text))
            };
            self.report(
                Finding::new(span, format!("YAML reads {value} as {as_what}"))
                    .label(format!("{} is wanted", scalar.expected))
                    .expected(scalar.expected)
                    .help(help),
            );
            return;
        }
        if scalar.reading == Reading::Number && !plain {
            self.report(
                Finding::new(span, "a number in quotes is text")
                    .expected(scalar.expected)
                    .help("leave the quotes out"),
            );
            return;
        }
        if scalar.admits(text) {
            if !scalar.hidden {
                self.out.shown.insert(span.start, Quoted::Good);
            }
            return;
        }
        if !scalar.hidden {
            self.out.shown.insert(span.start, Quoted::Refused);
        }
        let mut finding = Finding::new(span, scalar.refusal(text)).expected(scalar.expected);
        if let Some(fault) = scalar.fault(text) {
            finding = finding.label(fault);
        }
        // The lines of a plain text make one, with a space for each end.
        let goes_on = plain && node.span.len() > text.len() + 1;
        let meant = scalar.meant_by(text).filter(|_| !scalar.hidden);
        let help = match meant {
            Some(meant) => Some(format!("did you mean `{}`?", text::value(&meant))),
            None if goes_on => Some(
                "it goes on in the next line: begin that one further to the left, where it is another"
                    .to_owned(),
            ),
            None => scalar.help_for(text).map(str::to_owned),
        };
        if let Some(help) = help {
            finding = finding.help(help);
        }
        self.report(finding);
    }

    /// Text in the place of a list or a mapping. The place may be a whole file, and the text a secret.
    fn not_text(&mut self, node: &Node, text: &str, shape: &Shape) {
        let span = node.span.clone();
        let expected = expected(shape);
        let glued = text.split_once(':').is_some_and(|(key, rest)| {
            may_be_shown(key) && !rest.starts_with([' ', '/']) && !rest.is_empty()
        });
        let help = match shape {
            _ if glued => "a space belongs behind the `:` of a key".to_owned(),
            Shape::List { .. } => {
                "write each item in a line of its own, with `- ` before it".to_owned()
            }
            Shape::Choice(variants) => {
                let names = variants.iter().map(|(name, _)| *name);
                if let Some(name) = names.clone().find(|name| *name == text) {
                    self.out.shown.insert(span.start, Quoted::Good);
                    format!("`{name}` is a key: write `{name}:`, and below it what it is made of")
                } else {
                    format!("it wants one of {} as a key", quoted(names))
                }
            }
            Shape::Record { fields, .. } => {
                format!("known here: {}", quoted(fields.keys().map(String::as_str)))
            }
            _ => "write `key: value` in lines below".to_owned(),
        };
        self.report(
            Finding::new(span, format!("this is text, and {} is wanted", kind_of(shape)))
                .expected(expected)
                .help(help),
        );
    }

    /// A list or a mapping in the place of something else.
    pub(super) fn wrong_kind(&mut self, node: &Node, shape: &Shape, holder: &Holder) {
        let expected = expected(shape);
        let (found, help) = if let Content::List(_) = &node.content {
            let help = match shape {
                Shape::Text(_) | Shape::Words(_) | Shape::Integer { .. } | Shape::Flag => {
                    "one value is wanted: leave out the `- ` or the brackets; text that begins with `[` \
                     wants quotes"
                }
                _ => "write its keys in lines below, without `- `",
            };
            ("a list", help.to_owned())
        } else {
            let help = match shape {
                Shape::List { .. } => "put `- ` before each item; a list of one is a list too",
                _ => "text that begins with `{`, or has `: ` in it, wants quotes",
            };
            ("a mapping", help.to_owned())
        };
        let span = match holder.name {
            // The brackets, or the first thing in it.
            Some(_) if matches!(&node.content, Content::List(items) if items.is_empty()) => {
                node.span.clone()
            }
            _ => first_line(node),
        };
        self.report(
            Finding::new(
                bracket(node, span),
                format!("this is {found}, and {} is wanted", kind_of(shape)),
            )
            .expected(expected)
            .help(help),
        );
    }
}

/// One in brackets is shown from its bracket on.
fn bracket(node: &Node, span: Span) -> Span {
    if node.span.start < span.start { node.span.clone() } else { span }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! Makes the tree out of a parser's events.

#![expect(clippy::result_large_err, reason = "a finding ends the reading, and there is one")]

use super::{Content, Document, Entry, Node, Span, VALUES, Weight, slips, syntax};
use crate::config::mistake::Finding;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};
use std::collections::HashMap;
use std::rc::Rc;

/// The most bytes of a file, with its aliases written out.
const BYTES: usize = 32 << 20;
/// The deepest that a value may lie. Ours lie ten deep.
const DEEPEST: usize = 64;
/// No more is said of one file; whoever makes more mistakes made another one first.
const FINDINGS: usize = 1000;

pub fn read(text: &str) -> Document<'_> {
    let mut builder = Builder {
        places: Places::new(text),
        document: Document::default(),
        open: Vec::new(),
        anchors: HashMap::new(),
        aliased: false,
    };
    let mut parser = Parser::new_from_str(text);
    let mut documents = 0;
    while let Some(event) = parser.next_event() {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => {
                let at = builder.places.byte(error.marker());
                builder.document.findings.push(syntax::explain(text, at, error.info()));
                builder.document.root = None;
                // The last one may have swallowed what comes behind it: lines are shown by their words.
                builder.document.scalars.clear();
                break;
            }
        };
        let mut span = builder.places.byte(&span.start)..builder.places.byte(&span.end);
        if matches!(&event, Event::Scalar(text, ScalarStyle::Plain, ..) if text.is_empty()) {
            // The parser's mark of what is not there is upon what comes next.
            span.end = span.start;
        }
        if matches!(event, Event::DocumentStart(_)) {
            documents += 1;
            if documents > 1 {
                builder.document.findings.push(slips::second(text, &span));
                // What the first one lacks may stand in the second.
                builder.document.root = None;
                break;
            }
        }
        if let Err(finding) = builder.take(event, span) {
            // It is not read further, so nothing can be said of what is there or not.
            builder.document.findings.push(finding);
            builder.document.root = None;
            break;
        }
    }
    builder.document
}

/// Where a parser's marks are, in bytes: it counts characters, from one to the next.
struct Places<'t> {
    text: &'t str,
    character: usize,
    byte: usize,
}

impl<'t> Places<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, character: 0, byte: 0 }
    }

    fn byte(&mut self, mark: &Marker) -> usize {
        while self.character < mark.index() {
            let Some(next) = self.text[self.byte..].chars().next() else { break };
            self.byte += next.len_utf8();
            self.character += 1;
        }
        while self.character > mark.index() {
            let Some(last) = self.text[..self.byte].chars().next_back() else { break };
            self.byte -= last.len_utf8();
            self.character -= 1;
        }
        self.byte
    }
}

/// A list or a mapping that is not closed yet.
struct Open<'t> {
    start: usize,
    anchor: usize,
    weight: Weight,
    parts: Parts<'t>,
}

enum Parts<'t> {
    List(Vec<Rc<Node<'t>>>),
    Mapping { entries: Vec<Entry<'t>>, known: HashMap<String, Span>, key: Option<Rc<Node<'t>>> },
}

struct Builder<'t> {
    places: Places<'t>,
    document: Document<'t>,
    open: Vec<Open<'t>>,
    anchors: HashMap<usize, Rc<Node<'t>>>,
    /// Whether anything stands there twice.
    aliased: bool,
}

impl<'t> Builder<'t> {
    fn take(&mut self, event: Event<'t>, span: Span) -> Result<(), Finding> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                refuse_tag(tag.as_deref(), &span)?;
                self.document.scalars.push(span.clone());
                let text = match slips::swallowed(self.places.text, &span, style) {
                    Some(finding) if self.document.findings.len() < FINDINGS => {
                        // The rest is of the text by accident.
                        self.document.findings.push(finding);
                        self.places.text[span.clone()].lines().next().unwrap_or_default().into()
                    }
                    _ => text,
                };
                let weight = Weight { values: 1, bytes: text.len() };
                let content = Content::Scalar { text, plain: style == ScalarStyle::Plain };
                let node = Rc::new(Node { span: span.clone(), content, weight });
                self.anchor(anchor, &node);
                self.add(node, &span)
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(node) => {
                    self.aliased = true;
                    self.add(node, &span)
                }
                None => {
                    Err(Finding::new(span, "this alias stands for what it is itself a part of")
                        .help("write out what it stands for"))
                }
            },
            Event::SequenceStart(anchor, tag) => {
                refuse_tag(tag.as_deref(), &span)?;
                self.begin(&span, anchor, Parts::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                refuse_tag(tag.as_deref(), &span)?;
                let parts =
                    Parts::Mapping { entries: Vec::new(), known: HashMap::new(), key: None };
                self.begin(&span, anchor, parts)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(&span),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, span: &Span, anchor: usize, parts: Parts<'t>) -> Result<(), Finding> {
        if self.open.len() >= DEEPEST {
            return Err(Finding::new(
                span.start..span.start + 1,
                format!("lists and mappings lie in each other more than {DEEPEST} deep"),
            )
            .help("nothing of this format lies deeper than a dozen"));
        }
        let weight = Weight { values: 1, bytes: 0 };
        self.open.push(Open { start: span.start, anchor, weight, parts });
        Ok(())
    }

    fn end(&mut self, span: &Span) -> Result<(), Finding> {
        let Some(Open { start, anchor, weight, parts }) = self.open.pop() else { return Ok(()) };
        let (content, last) = match parts {
            Parts::List(items) => {
                let last = items.last().map_or(start, |item| item.span.end);
                (Content::List(items), last)
            }
            Parts::Mapping { entries, .. } => {
                let last =
                    entries.last().map_or(start, |it| it.value.span.end.max(it.key.span.end));
                (Content::Mapping(entries), last)
            }
        };
        // One in brackets ends with its bracket, and one in lines with the last thing in it.
        let end = if span.is_empty() { last.max(start) } else { span.end };
        let node = Rc::new(Node { span: start..end, content, weight });
        self.anchor(anchor, &node);
        self.add(node, &(start..end))
    }

    fn anchor(&mut self, anchor: usize, node: &Rc<Node<'t>>) {
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(node));
        }
    }

    /// Adds what was read to what it lies in. `span` is where it stands, by an alias too.
    fn add(&mut self, node: Rc<Node<'t>>, span: &Span) -> Result<(), Finding> {
        let Some(open) = self.open.last_mut() else {
            self.document.root.get_or_insert(node);
            return Ok(());
        };
        let Weight { values, bytes } = &mut open.weight;
        *values = values.saturating_add(node.weight.values);
        *bytes = bytes.saturating_add(node.weight.bytes);
        if *values > VALUES || *bytes > BYTES {
            return Err(slips::too_large(self.aliased, span));
        }
        match &mut open.parts {
            Parts::List(items) => items.push(node),
            Parts::Mapping { entries, known, key } => {
                if let Some(key) = key.take() {
                    let mut entry = Entry { key, value: node };
                    if self.document.findings.len() < FINDINGS
                        && let Some((finding, meant)) = slips::glued(self.places.text, &entry)
                    {
                        self.document.findings.push(finding);
                        // In the place of one scalar, and of nothing behind it, there are two.
                        let one = self.document.scalars.len().saturating_sub(2);
                        self.document.scalars.truncate(one);
                        let spans = [&meant.key, &meant.value].map(|node| node.span.clone());
                        self.document.scalars.extend(spans);
                        entry = meant;
                    }
                    entries.push(entry);
                } else {
                    let twice = match node.text() {
                        None => Some(slips::no_key(span)),
                        Some("<<") => Some(slips::merge(span)),
                        Some(text) => known.get(text).map(|first| slips::twice(text, span, first)),
                    };
                    if let Some(text) = node.text() {
                        known.entry(text.to_owned()).or_insert_with(|| span.clone());
                    }
                    if self.document.findings.len() < FINDINGS {
                        self.document.findings.extend(twice);
                    }
                    *key = Some(node);
                }
            }
        }
        Ok(())
    }
}

fn refuse_tag(tag: Option<&Tag>, span: &Span) -> Result<(), Finding> {
    tag.map_or(Ok(()), |tag| Err(slips::tag(tag, span)))
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The lines that a mistake is in, as they may be shown: a file in the place of another may hold a secret,
//! and so may a value in the place of another.
//!
//! What is shown is what the reading vouches for: words of the format, values that keep the rule of their
//! place, and a refused value as a message may quote it. All else is `…`, and comments are left out.

use super::mistake::{Finding, Mistake, may_be_shown};
use super::yaml::Span;
use crate::text;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet as Source};
use std::collections::BTreeMap;

/// What stands in the place of what is not shown.
const HIDDEN: char = '…';
/// What YAML itself is made of.
const PUNCTUATION: &str = ":-{}[],'\"&*!|<>%@`?";
/// A line that is longer is shown around the mistake.
const LONG: usize = 1000;
const AROUND: usize = 100;
/// Two places that are so many lines apart are not shown in one piece.
const APART: usize = 12;
/// The most characters of one value.
const LONGEST: usize = 300;

/// What may be shown of a text.
#[derive(Debug, Default)]
pub struct Visible<'w> {
    /// Every scalar, in the order of the file.
    pub scalars: Vec<Span>,
    /// Where the scalars begin that may be shown, and whether one is quoted as a refused value is.
    pub shown: BTreeMap<usize, Quoted>,
    /// The words of the format.
    pub words: Vec<&'w str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quoted {
    /// It keeps its rule.
    Good,
    /// It was refused: what is nearly an address may have a password in it.
    Refused,
}

/// Lines of a file, and what is marked in them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snippet {
    source: String,
    /// How many lines stand above that of the mark, and then the number of the first.
    line: usize,
    /// Whether the column of the mark is the column of the place.
    exact: bool,
    mark: Span,
    label: Option<String>,
    other: Option<(Span, &'static str)>,
}

impl Snippet {
    pub fn new(text: &str, visible: &Visible, finding: &Finding) -> Self {
        let start = finding.span.start.min(text.len());
        let line = line_of(text, start);
        // No place is in a byte order mark.
        let start = start.max(line.start);
        let mut label = finding.label.clone();
        let other = finding.other.as_ref().filter(|(span, other)| {
            let beside = line_of(text, span.start);
            let (above, below) = (beside.start.min(line.start), beside.start.max(line.start));
            let near = text[above..below].matches('\n').count() <= APART;
            if !near {
                let number = text[..span.start].matches('\n').count() + 1;
                label = Some(format!("{other}: line {number}"));
            }
            near
        });
        let beside = other.map(|(span, _)| line_of(text, span.start));
        let first = beside.as_ref().map_or(line.start, |beside| beside.start.min(line.start));
        let last = beside.as_ref().map_or(line.start, |beside| beside.start.max(line.start));
        let mut masked = Masked::new(text, visible, start);
        let (mut above, mut begin, mut from, mut at) = (0, 0, line.start, first);
        while at <= last {
            if at > first {
                masked.out.push('\n');
            }
            let current = line_of(text, at);
            if current.start == line.start {
                begin = masked.out.len();
                from = masked.add(current.clone());
            } else {
                above += usize::from(current.start < line.start);
                masked.add(current.clone());
            }
            at = text[current.end..].find('\n').map_or(text.len() + 1, |end| current.end + end + 1);
        }
        let place = |span: &Span| {
            let end = span.end.clamp(span.start, line_of(text, span.start).end.max(span.start));
            masked.at(span.start)..masked.at(end).max(masked.at(span.start))
        };
        let mark = place(&(start..finding.span.end.max(start)));
        let other = other.map(|(span, label)| (place(span), *label));
        let column = masked.out[begin..mark.start.max(begin)].chars().count();
        let exact = from == line.start && text[line.start..start].chars().count() == column;
        Self { source: masked.out, line: above, exact, mark, label, other }
    }

    /// Says in which line the mark is.
    pub fn at(mut self, line: usize) -> Self {
        self.line = line.saturating_sub(self.line).max(1);
        self
    }

    pub fn render(&self, mistake: &Mistake) -> String {
        let file = text::visible(&mistake.file);
        let mut source = Source::source(&self.source).line_start(self.line);
        let mut group = Group::with_title(Level::ERROR.no_name().primary_title(&mistake.message));
        if self.exact {
            source = source.path(&file);
        } else {
            let origin = Origin::path(&file).line(mistake.line).char_column(mistake.column);
            group = group.element(origin);
        }
        let mark = AnnotationKind::Primary.span(self.mark.clone());
        source = source.annotation(match &self.label {
            Some(label) => mark.label(label),
            None => mark,
        });
        if let Some((span, label)) = &self.other {
            source = source.annotation(AnnotationKind::Context.span(span.clone()).label(*label));
        }
        group = group.element(source);
        if let Some(help) = &mistake.help {
            group = group.element(Level::HELP.message(help));
        }
        Renderer::plain().render(&[group])
    }
}

/// The line of a place, without its end.
fn line_of(text: &str, at: usize) -> Span {
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let end = text[at..].find('\n').map_or(text.len(), |length| at + length);
    let bom = if start == 0 && text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    start + bom..(start + text[start..end].trim_end_matches('\r').len()).max(start + bom)
}

/// Lines as they are shown, and where their places went.
struct Masked<'a> {
    text: &'a str,
    visible: &'a Visible<'a>,
    /// Up to here hidden text keeps its width, so that columns are those of the file.
    until: usize,
    out: String,
    /// Where pieces of the text begin, and where they begin in what is shown.
    pieces: Vec<(usize, usize)>,
}

impl<'a> Masked<'a> {
    fn new(text: &'a str, visible: &'a Visible<'a>, until: usize) -> Self {
        Self { text, visible, until, out: String::new(), pieces: Vec::new() }
    }

    /// Where a place is in what is shown.
    fn at(&self, place: usize) -> usize {
        let next = self.pieces.partition_point(|(from, _)| *from <= place);
        let Some((from, to)) = next.checked_sub(1).and_then(|at| self.pieces.get(at)) else {
            return 0;
        };
        let end = self.pieces.get(next).map_or(self.out.len(), |(_, to)| *to);
        let at = (to + (place - from)).min(end);
        (0..=at).rev().find(|at| self.out.is_char_boundary(*at)).unwrap_or_default()
    }

    /// Adds a line, or the part of a long one in which the mistake is, and says where that begins.
    fn add(&mut self, line: Span) -> usize {
        let mut at = line.start;
        let mut end = line.end;
        if line.len() > LONG {
            at = floor(self.text, self.until.clamp(at, end).saturating_sub(AROUND).max(at));
            end = floor(self.text, (at + 4 * AROUND).min(end));
        }
        let from = at;
        while at < end {
            at = self.piece(at, end);
        }
        let shown = self.out.trim_end_matches([' ', '\t']).len();
        // A mark may stand at the end of the line.
        let marked = (line.start..=end).contains(&self.until);
        let needed = if marked { self.at(self.until) } else { 0 };
        self.out.truncate(shown.max(needed.min(self.out.len())));
        self.pieces.push((end, self.out.len()));
        from
    }

    fn piece(&mut self, at: usize, end: usize) -> usize {
        self.pieces.push((at, self.out.len()));
        let next = self.visible.scalars.partition_point(|scalar| scalar.end <= at);
        if let Some(scalar) = self.visible.scalars.get(next)
            && scalar.contains(&at)
        {
            let stop = floor(self.text, scalar.end.min(end));
            let piece = &self.text[at..stop];
            match self.visible.shown.get(&scalar.start) {
                Some(Quoted::Good) => self.show(piece, &text::piece(piece, LONGEST), stop),
                Some(Quoted::Refused) => self.show(piece, &text::value(piece), stop),
                None if self.is_word(piece) => self.out.push_str(piece),
                None => self.hide(piece, stop),
            }
            return stop;
        }
        let rest = &self.text[at..end];
        let Some(first) = rest.chars().next() else { return end };
        if first == '#' && (self.out.is_empty() || self.out.ends_with([' ', '\t', '\n'])) {
            return end;
        }
        if first.is_ascii_whitespace() || PUNCTUATION.contains(first) {
            self.out.push(first);
            return at + first.len_utf8();
        }
        let is_end = |c: char| c.is_ascii_whitespace() || PUNCTUATION.contains(c) && c != '-';
        let bound = self.visible.scalars.get(next).map_or(end, |scalar| scalar.start.min(end));
        let stop = rest.find(is_end).map_or(end, |length| at + length).min(bound.max(at + 1));
        let stop = floor(self.text, stop).max(at + first.len_utf8());
        let piece = &self.text[at..stop];
        if self.is_word(piece) {
            self.out.push_str(piece);
        } else {
            self.hide(piece, stop);
        }
        stop
    }

    fn is_word(&self, piece: &str) -> bool {
        piece == "<<" || may_be_shown(piece) && self.visible.words.binary_search(&piece).is_ok()
    }

    fn show(&mut self, piece: &str, shown: &str, stop: usize) {
        self.out.push_str(shown);
        self.pad(piece, shown.chars().count(), stop);
    }

    fn hide(&mut self, piece: &str, stop: usize) {
        if !self.out.ends_with(HIDDEN) {
            self.out.push(HIDDEN);
            self.pad(piece, 1, stop);
        }
    }

    fn pad(&mut self, piece: &str, shown: usize, stop: usize) {
        if stop <= self.until {
            let missing = piece.chars().count().saturating_sub(shown).min(LONG);
            self.out.extend(std::iter::repeat_n(' ', missing));
        }
    }
}

/// The next place before it at which a character begins.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The Sources and Patches that a spec declares, by the names that they have once rpm has expanded
//! them, and the places where one may be declared that nobody can see without running the spec.
//!
//! The spec is read in the order of its lines, as rpm does it: a line is expanded whole, and what
//! comes of it may be several lines, tags and headings among them.

mod hints;
mod name;
pub mod numbers;

use super::line_context::{self, Section};
use super::macros::{Macros, mark};
use super::preamble_tag::Tag;
use super::spec::SpecText;
use crate::error::Help;
use anyhow::{Result, anyhow};
use hints::{declares, may_become, runs};
pub use name::{FileIs, Name};

/// What is declared, and by which word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Source,
    Patch,
}

/// A Source or a Patch with the number that rpm gives it.
#[derive(Debug, Clone)]
pub struct Declared {
    pub line: usize,
    pub number: u32,
    /// The number is rpm's, the tag has none.
    pub automatic: bool,
    pub file: Name,
    /// Whether it surely is there under this number: nothing about it hangs on a condition.
    pub certain: bool,
    /// The line declares this and nothing else, so it can be taken out.
    pub alone: bool,
}

/// What one line, with the lines that it goes on in, comes to.
pub struct Expanded {
    pub line: usize,
    /// The line behind its last one.
    pub end: usize,
    pub text: String,
}

/// Everything that the spec says of its files.
pub struct Declarations {
    pub sources: Vec<Declared>,
    pub patches: Vec<Declared>,
    pub expanded: Vec<Expanded>,
    /// Lines in which a Source or Patch may be declared unseen, and why.
    hidden: Vec<(usize, &'static str)>,
    /// Lines that make the named tag of the main package without being it.
    pub made_releases: Vec<usize>,
    /// The first line that may give a number, or the folder of all files, another meaning.
    redefined: Option<usize>,
}

impl Declarations {
    pub fn read(spec: &SpecText) -> Self {
        let mut reader = Reader {
            spec,
            macros: Macros::new(&spec.defines),
            found: Self {
                sources: Vec::new(),
                patches: Vec::new(),
                expanded: Vec::new(),
                hidden: Vec::new(),
                made_releases: Vec::new(),
                redefined: (0..spec.len()).find(|&line| numbers::redefines(spec.text(line))),
            },
            detour: None,
        };
        let mut line = 0;
        while line < spec.len() {
            let end = (line + 1..spec.len()).find(|&next| !spec.line_context(next).in_macro_body);
            let end = end.unwrap_or(spec.len());
            reader.group(line, end);
            line = end;
        }
        let redefined = reader.found.redefined.into_iter().chain(reader.macros.redefined);
        reader.found.redefined = redefined.min();
        reader.found
    }

    /// Refuses a spec in which `%{SOURCE1}` or `%{PATCH1}` may be another file than the tag of that
    /// number names.
    pub fn numbers_hold(&self, spec: &SpecText, edit: &str) -> Result<()> {
        numbers::hold(spec, edit)?;
        let Some(line) = self.redefined else { return Ok(()) };
        Err(anyhow!(
            "{}: {edit} relies on the numbers of sources and patches, but this line may define \
             their macros anew{}",
            spec.name,
            spec.show(&[line])
        )
        .help("take that definition out, with `replace` before this edit"))
    }

    pub fn of(&self, kind: Kind) -> &[Declared] {
        match kind {
            Kind::Source => &self.sources,
            Kind::Patch => &self.patches,
        }
    }

    /// Refuses a spec whose declarations cannot all be seen.
    pub fn all_seen(&self, spec: &SpecText, edit: &str) -> Result<()> {
        let Some((line, why)) = self.hidden.first() else { return Ok(()) };
        Err(anyhow!(
            "{}: {edit} needs to know every `Source` and `Patch`, but this line {why}{}",
            spec.name,
            spec.show(&[*line])
        )
        .help(
            "write what it comes to in its place, with `replace` before this edit, or set the \
             macro in `build.define`",
        ))
    }
}

struct Reader<'a> {
    spec: &'a SpecText,
    macros: Macros,
    found: Declarations,
    /// The line whose macro opened another section than the spec's own headings say.
    detour: Option<(usize, Section)>,
}

impl Reader<'_> {
    /// One line, with the lines that it goes on in.
    fn group(&mut self, line: usize, end: usize) {
        let place = self.spec.line_context(line);
        let first = self.spec.text(line);
        if line_context::heading(first).is_some() {
            self.detour = None;
        }
        let raw =
            (line + 1..end).fold(first.to_owned(), |text, next| text + "\n" + self.spec.text(next));
        // A line that opens or closes a condition is itself read in any case but for those around it.
        let text = self.macros.outline(&raw, line, place.depth == 0);
        let tagged = matches!(place.section, Section::Preamble | Section::Package);
        let listed = matches!(place.section, Section::SourceList | Section::PatchList);
        let mut section = match self.detour {
            Some((_, opened)) if declares_files(opened) => opened,
            _ => place.section,
        };
        let headed = line_context::heading(first).is_some();
        let comment = first.trim_start().starts_with('#');
        let condition = line_context::directive(first.trim_start());
        let mut maybe = 0_usize;
        let mut conditions = 0_usize;
        let mut tags = 0;
        let before = (self.found.sources.len(), self.found.patches.len());
        for (index, part) in text.split('\n').enumerate() {
            let begins_maybe = maybe > 0 || part.trim_start().starts_with(mark::MAYBE);
            let plain = without_marks(part, &mut maybe);
            let nothing = plain.trim().is_empty() || plain.trim_start().starts_with('#');
            if nothing
                || (index == 0 && (comment || headed || line_context::is_conditional(condition)))
            {
                continue;
            }
            if let Some(opened) = line_context::heading(&plain) {
                section = opened;
                self.detour = Some((line, opened));
                continue;
            }
            match line_context::directive(plain.trim_start()) {
                "%endif" => conditions = conditions.saturating_sub(1),
                "%include" => self.hide(line, "includes a file, which may declare more"),
                word if word.starts_with("%if") => conditions += 1,
                _ => {}
            }
            if line_context::is_directive(line_context::directive(plain.trim_start())) {
                continue;
            }
            let certain = place.depth + conditions == 0 && !begins_maybe;
            if matches!(section, Section::Preamble | Section::Package) {
                tags += 1;
                self.tag_line(line, &plain, first, certain);
            } else if section != place.section && declares_files(section) {
                self.hide(line, "stands in a list that a macro opens");
            } else if section == place.section && listed {
                if plain.chars().all(mark::is) {
                    self.hide(line, "may make entries of its list");
                } else {
                    tags += 1;
                    let kind = match section {
                        Section::SourceList => Kind::Source,
                        _ => Kind::Patch,
                    };
                    self.declare(line, kind, None, plain.trim(), first.trim(), certain);
                }
            }
        }
        if conditions > 0 {
            self.hide(line, "opens a condition in a macro");
        }
        if (!tagged || comment) && !listed && runs(&raw) && declares(&raw) {
            self.hide(line, "may declare one where no tag stands");
        }
        let defines = ["%define", "%global", "{define", "{global"];
        // What a program prints may go on behind the comment that it is called in.
        if comment && tagged && self.macros.ran && text.contains(mark::UNSEEN) {
            self.hide(line, "runs a program in a comment, which may declare more in further lines");
        }
        let alone = tags == 1 && end == line + 1 && !defines.iter().any(|word| raw.contains(word));
        for declared in
            self.found.sources[before.0..].iter_mut().chain(&mut self.found.patches[before.1..])
        {
            declared.alone = alone;
        }
        self.found.expanded.push(Expanded { line, end, text });
    }

    /// A line among the tags, as it comes out of the macros.
    fn tag_line(&mut self, line: usize, plain: &str, first: &str, certain: bool) {
        let literal = Tag::parse(first);
        if let Some((made, _)) = self.detour.filter(|(made, _)| *made != line)
            && literal.is_some()
        {
            self.hide(made, "makes a heading, so it is unclear where the tags end");
        }
        let label = plain.split_once(':').map_or(plain, |(label, _)| label);
        if let Some(at) = label.find(mark::UNSEEN)
            && may_become(&label[..at])
        {
            return self.hide(line, "may make one that cannot be seen without rpm");
        }
        let behind = label.trim_start_matches(mark::OUTSIDE);
        if behind != label && behind.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return self.hide(line, "begins with what only the builder's configuration knows");
        }
        let Some(tag) = Tag::parse(plain) else {
            let lower = plain.to_ascii_lowercase();
            if lower.starts_with("source") || lower.starts_with("patch") {
                self.hide(line, "is no tag whose number can be told");
            }
            return;
        };
        let own = literal.is_some_and(|literal| literal.is(tag.name));
        if tag.is("source") || tag.is("patch") {
            let kind = if tag.is("source") { Kind::Source } else { Kind::Patch };
            let spelled =
                Tag::parse(first).filter(|_| own).map_or(tag.value, |literal| literal.value);
            self.declare(line, kind, tag.number, tag.value, spelled, certain);
            if declares(tag.value) || (tag.value.contains(mark::UNSEEN) && declares(spelled)) {
                self.hide(line, "may declare more than one");
            }
        } else {
            if tag.is("release") && !own {
                self.found.made_releases.push(line);
            }
            if tag.value.contains(mark::UNSEEN) && declares(self.spec.text(line)) {
                self.hide(line, "may declare one behind another tag");
            }
            for name in ["name", "version", "release", "epoch", "url"] {
                if tag.is(name) {
                    self.macros.set_outlined(name, tag.value, certain, line);
                }
            }
        }
    }

    fn declare(
        &mut self,
        line: usize,
        kind: Kind,
        number: Option<u32>,
        value: &str,
        spelled: &str,
        certain: bool,
    ) {
        let earlier = self.found.of(kind);
        let highest = earlier.iter().map(|one| one.number).max();
        let settled = earlier.iter().all(|one| one.certain);
        let next = highest.map_or(0, |highest| highest.saturating_add(1));
        let declared = Declared {
            line,
            number: number.unwrap_or(next),
            automatic: number.is_none(),
            file: Name::new(value, spelled),
            certain: certain && (number.is_some() || settled),
            alone: false,
        };
        match kind {
            Kind::Source => self.found.sources.push(declared),
            Kind::Patch => self.found.patches.push(declared),
        }
    }

    fn hide(&mut self, line: usize, why: &'static str) {
        self.found.hidden.push((line, why));
    }
}

/// A part of an outline without the marks that hold all of it, of which `outer` are open. Where only
/// some of it is perhaps there, that is text which only the builder's configuration knows.
fn without_marks(part: &str, outer: &mut usize) -> String {
    let start = part.trim_start_matches(mark::MAYBE);
    *outer += part[..part.len() - start.len()].chars().count();
    let mut inner = 0_usize;
    let mut plain = String::new();
    for c in start.chars() {
        match c {
            mark::MAYBE => inner += 1,
            mark::END if inner > 0 => inner -= 1,
            mark::END => {
                *outer = outer.saturating_sub(1);
                continue;
            }
            _ => {
                plain.push(c);
                continue;
            }
        }
        plain.push(mark::OUTSIDE);
    }
    *outer += inner;
    plain
}

/// Whether the lines of a section may declare files.
fn declares_files(section: Section) -> bool {
    use Section::{Package, PatchList, Preamble, SourceList};
    matches!(section, Preamble | Package | SourceList | PatchList)
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! What a spec says of its package, read without rpm, so that two states of it can be compared.
//!
//! A patch more or less is news, so it is listed even where a condition may take it out again.
//! Name, epoch, version and release decide about an update, so they are certain or an error. No
//! guess ever enters this module, nor does a condition or a program that would have to run.

pub mod diff;

use super::bytes;
use super::line_context::Section;
use super::macros::{Macros, Trouble};
use super::preamble_tag::Tag;
use super::spec::SpecText;
use crate::config::{Line, MacroName};
use crate::error::Help;
use anyhow::{Context, Result, anyhow};
use rpm_inspect::Evr;
use std::collections::{BTreeMap, BTreeSet};

pub use diff::spec_diff;

/// What a spec says of its package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecInfo {
    pub name: String,
    /// 0 where there is none.
    pub epoch: u32,
    pub version: String,
    pub release: String,
    /// The patches' file names in the order of their lines.
    pub patches: Vec<String>,
    /// The sources' file names in the order of their lines.
    pub sources: Vec<String>,
    /// The names of what its build needs, each once; of versions nothing.
    pub build_requires: BTreeSet<String>,
    /// The entries of the changelog in the order of the spec: the newest comes first.
    pub changelog: Vec<ChangelogEntry>,
}

impl SpecInfo {
    pub fn evr(&self) -> Evr<'_> {
        Evr { epoch: self.epoch, version: &self.version, release: &self.release }
    }
}

/// An entry of the changelog. Its lines keep their indentation, for an entry may hold a changelog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangelogEntry {
    /// The line with the date, the author and usually the version.
    pub header: String,
    pub lines: Vec<String>,
}

/// Reads the text `spec`. `spec_name` is the name that errors carry; `defines` are the macros that the
/// builder sets, as in `build.define`.
pub fn read_spec_info(
    spec: &[u8],
    spec_name: &str,
    defines: &BTreeMap<MacroName, Line>,
) -> Result<SpecInfo> {
    let spec = SpecText::new(spec_name, &bytes::decode(spec, spec_name)?, defines);
    let reader = Reader::over(&spec, defines);
    let epoch = reader.certain("Epoch")?.unwrap_or_default();
    let (version, release) = (reader.required("Version")?, reader.required("Release")?);
    Ok(SpecInfo {
        name: reader.required("Name")?.to_owned(),
        // `fits` has said that it is a number.
        epoch: epoch.parse().unwrap_or(0),
        version: version.to_owned(),
        release: release.to_owned(),
        patches: reader.patches,
        sources: reader.sources,
        build_requires: reader.build_requires,
        changelog: changelog(&spec),
    })
}

/// The file names of a spec's sources and patches, as far as text alone can tell them.
pub fn declared(spec: &[u8], defines: &BTreeMap<MacroName, Line>) -> Result<Vec<String>> {
    let spec = SpecText::new("the spec", &bytes::decode(spec, "the spec")?, defines);
    let reader = Reader::over(&spec, defines);
    Ok(reader.sources.into_iter().chain(reader.patches).collect())
}

/// The tags that rpm makes macros of, as far as versions and file names are made of those.
const MACRO_TAGS: [&str; 5] = ["Name", "Epoch", "Version", "Release", "URL"];

/// One of these tags in the main package.
struct Found {
    tag: &'static str,
    line: usize,
    value: Result<String, Trouble>,
}

/// The lines in the order of the file, as rpm takes them: what a macro gives depends on the place.
struct Reader<'a> {
    spec: &'a SpecText,
    macros: Macros,
    found: Vec<Found>,
    patches: Vec<String>,
    sources: Vec<String>,
    build_requires: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    fn over(spec: &'a SpecText, defines: &BTreeMap<MacroName, Line>) -> Self {
        let macros = Macros::new(defines);
        let mut reader = Self {
            spec,
            macros,
            found: Vec::new(),
            patches: Vec::new(),
            sources: Vec::new(),
            build_requires: BTreeSet::new(),
        };
        (0..spec.len())
            .filter(|&line| !spec.line_context(line).in_macro_body)
            .for_each(|line| reader.line(line));
        reader
    }

    fn line(&mut self, line: usize) {
        let text = self.spec.text(line);
        let tag = match self.spec.line_context(line).section {
            Section::Changelog => return,
            Section::Preamble | Section::Package => Tag::parse(text),
            Section::PatchList if self.is_listed(line) => {
                let file = self.macros.file(text.trim(), line);
                return self.patches.push(bytes::readable(&file));
            }
            Section::SourceList if self.is_listed(line) => {
                let file = self.macros.file(text.trim(), line);
                return self.sources.push(bytes::readable(&file));
            }
            _ => None,
        };
        let own = tag.as_ref().and_then(|tag| MACRO_TAGS.into_iter().find(|name| tag.is(name)));
        match (tag, own) {
            (Some(tag), _) if tag.is("patch") => {
                self.patches.push(bytes::readable(&self.macros.file(tag.value, line)));
            }
            (Some(tag), _) if tag.is("source") => {
                self.sources.push(bytes::readable(&self.macros.file(tag.value, line)));
            }
            (Some(tag), _) if tag.is("buildrequires") => {
                let value = self.macros.expand(tag.value, line);
                let value = bytes::readable(value.as_deref().unwrap_or(tag.value));
                self.build_requires.extend(capabilities(&value).map(str::to_owned));
            }
            (Some(tag), Some(name)) => self.tag(name, tag.value, line),
            // Any other line may define a macro, even a comment: rpm expands those too.
            _ => self.define(line),
        }
    }

    /// Whether a line of %patchlist or %sourcelist names a file: any does but directives.
    fn is_listed(&self, line: usize) -> bool {
        let text = self.spec.text(line).trim();
        let plain = text.starts_with("%{") || !text.starts_with(['%', '#', '}']);
        !text.is_empty() && plain && !self.spec.line_context(line).continues
    }

    fn tag(&mut self, tag: &'static str, value: &str, line: usize) {
        let value = match self.condition(line) {
            Some(condition) => Err(condition),
            None => self.macros.expand(value, line),
        };
        self.macros.set(&tag.to_ascii_lowercase(), value.clone());
        if self.spec.line_context(line).section == Section::Preamble {
            self.found.push(Found { tag, line, value });
        }
    }

    fn define(&mut self, line: usize) {
        let bodies = (line + 1..self.spec.len())
            .take_while(|&next| self.spec.line_context(next).in_macro_body);
        let mut text = self.spec.text(line).to_owned();
        bodies.for_each(|next| text.extend(["\n", self.spec.text(next)]));
        if let Some(condition) = self.condition(line) {
            self.macros.doubt(&text, &condition);
        } else {
            let _ = self.macros.expand(&text, line);
        }
    }

    /// What keeps a line from counting for certain.
    fn condition(&self, line: usize) -> Option<Trouble> {
        let why = "stands under a condition";
        (self.spec.line_context(line).depth > 0)
            .then(|| Trouble::new(self.spec.text(line), why, line))
    }

    fn required(&self, tag: &str) -> Result<&str> {
        self.certain(tag)?
            .with_context(|| format!("{}: no `{tag}` tag before the first section", self.spec.name))
            .with_help(|| format!("it is looked for in lines of its own, such as `{tag}: …`"))
    }

    /// The value of a tag, if the main package has the tag.
    fn certain(&self, tag: &str) -> Result<Option<&str>> {
        let found: Vec<&Found> = self.found.iter().filter(|found| found.tag == tag).collect();
        let mut lines: Vec<usize> = found.iter().map(|found| found.line).collect();
        let trouble = match found.as_slice() {
            [] => return Ok(None),
            [Found { value: Ok(value), .. }] if fits(tag, value) => return Ok(Some(value)),
            [Found { value: Ok(value), line, .. }] => {
                Trouble::new(value, "is nothing that rpm takes there", *line)
            }
            [Found { value: Err(trouble), .. }] => trouble.clone(),
            [first, ..] => Trouble::new(tag, "is there more than once", first.line),
        };
        lines.push(trouble.line);
        lines.sort_unstable();
        lines.dedup();
        Err(anyhow!(
            "{}: the `{tag}` cannot be told: {trouble}{}",
            self.spec.name,
            self.spec.show(&lines)
        )
        .help("only what the spec itself and `build.define` set for certain is expanded"))
    }
}

/// The names in a list of capabilities, which blanks or commas part and versions may follow. What stands in
/// brackets, as `(gcc or clang)`, is a choice and names none.
fn capabilities(list: &str) -> impl Iterator<Item = &str> {
    let words = list.split([',', ' ', '\t']).filter(|word| !word.is_empty());
    let (mut version, mut depth) = (false, 0_usize);
    words.filter(move |word| {
        let chosen = depth > 0 || word.starts_with('(');
        if chosen {
            depth = (depth + word.matches('(').count()).saturating_sub(word.matches(')').count());
        }
        let operator = word.chars().all(|c| "<>=".contains(c));
        !std::mem::replace(&mut version, operator) && !operator && !chosen
    })
}

/// Whether rpm takes such a value for the tag.
fn fits(tag: &str, value: &str) -> bool {
    let only = |besides: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || besides.contains(c);
        !value.is_empty() && value.chars().all(fits) && !value.contains("..")
    };
    match tag {
        "Epoch" => value.chars().all(|c| c.is_ascii_digit()) && value.parse::<u32>().is_ok(),
        "Name" => only("._+-"),
        _ => only("._+~^"),
    }
}

/// The entries of %changelog. As in rpm, an entry begins with a `*` in the first column.
fn changelog(spec: &SpecText) -> Vec<ChangelogEntry> {
    let mut entries: Vec<ChangelogEntry> = Vec::new();
    for line in
        (0..spec.len()).filter(|&line| spec.line_context(line).section == Section::Changelog)
    {
        let text = spec.text(line).trim_end();
        if text.starts_with('*') {
            entries.push(ChangelogEntry { header: bytes::readable(text), lines: Vec::new() });
        } else if let Some(entry) = entries.last_mut()
            && !text.is_empty()
            && !spec.is_comment(line)
        {
            entry.lines.push(bytes::readable(text));
        }
    }
    entries
}

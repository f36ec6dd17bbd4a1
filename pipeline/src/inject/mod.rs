// SPDX-License-Identifier: GPL-2.0-or-later
//! The stage `inject`: the typed edits of a pipeline applied to the text of a spec, and what a spec says
//! of its package.
//!
//! Pure functions over bytes. No I/O ever enters this room: the spec is read as lines, its macros are
//! expanded as far as text alone can tell, and what cannot be judged without rpm (a tag inside `%if`,
//! what a program prints) is never taken for certain. An edit is applied exactly where it said, or it
//! is already satisfied, or it is an error; nothing but the lines that it names changes, and the line
//! endings stay as they were, as does every byte that is no UTF-8.

mod add_source;
mod anchor;
mod bytes;
mod declared;
mod define;
mod drop_patch;
mod insert;
mod line_context;
mod macros;
mod preamble_tag;
mod prep_snippet;
mod provide;
mod release_suffix;
mod replace;
mod spec;
mod spec_info;
mod specs;
mod step;
mod uses;

use crate::config::{Device, Edit, Insert, Line, MacroName};
use crate::error::Help;
pub use crate::note::EditOutcome as Outcome;
use anyhow::{Context, Result, anyhow};
use declared::{Declarations, numbers};
use insert::Side;
use preamble_tag::Tag;
use spec::SpecText;
pub use spec_info::diff::{SpecDiff, flaws};
pub use spec_info::{SpecInfo, declared, read_spec_info, spec_diff};
pub use specs::Specs;
use std::collections::BTreeMap;
pub use step::{InjectStep, Injected, spec as spec_recipe};

/// An edit in one line for people, and what became of it.
type EditResult = (String, Outcome);

/// The edited spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    pub spec: Vec<u8>,
    pub edits: Vec<EditResult>,
}

/// A spec as people may see it: bytes that are no UTF-8 are escaped.
pub fn readable(spec: &[u8]) -> String {
    bytes::decode(spec, "").map_or_else(|_| String::new(), |text| bytes::readable(&text))
}

/// Applies `edits` in their order. `spec_name` is the name that errors carry; `defines` are the
/// macros that the builder sets, as in `build.define`.
pub fn edit(
    spec: &[u8],
    spec_name: &str,
    edits: &[Edit],
    devices: &[Device],
    defines: &BTreeMap<MacroName, Line>,
) -> Result<Edited> {
    let mut spec = SpecText::new(spec_name, &bytes::decode(spec, spec_name)?, defines);
    let mut done = Vec::new();
    for (position, edit) in edits.iter().enumerate() {
        let written = serde_json::to_string(edit).context("an edit as text")?;
        if bytes::is_ambiguous(&written) {
            return Err(anyhow!("{spec_name}: {} has a character of Unicode's private use, which stands for no text", bytes::readable(&written)).help("write the edit without it"));
        }
        done.push(match edit {
            Edit::AddSource(file) => add_source::add(&mut spec, file.as_str()),
            Edit::InsertAfter(_) => {
                insert::insert(&mut spec, Side::After, edits, position, devices)
            }
            Edit::InsertBefore(_) => {
                insert::insert(&mut spec, Side::Before, edits, position, devices)
            }
            Edit::Replace(words) => {
                replace::replace(&mut spec, words.find.as_str(), words.with.as_str())
            }
            Edit::DropPatch(file) => drop_patch::drop(&mut spec, file.as_str()),
            Edit::Define(it) => define::define(&mut spec, it.name.as_str(), it.value.as_str()),
            Edit::ReleaseSuffix(suffix) => release_suffix::suffix(&mut spec, suffix.as_str()),
            Edit::Provide(capability) => provide::provide(&mut spec, capability.as_str()),
        }?);
    }
    // An edit that came after those which took the numbers for granted may have changed their meaning.
    if let Some(edit) = edits.iter().find(|edit| relies_on_numbers(edit)) {
        let edit = format!("`{}`", serde_json::to_string(edit).context("an edit as text")?);
        let declarations = Declarations::read(&spec);
        declarations.numbers_hold(&spec, &edit)?;
        declarations.all_seen(&spec, &edit)?;
        numbers::each_once(&declarations, &spec, &edit)?;
    }
    Ok(Edited { spec: bytes::encode(&spec.to_string()), edits: done })
}

/// What people are told of an edit whose line a condition may leave out.
fn hanging(label: String, spec: &SpecText, line: usize) -> String {
    if spec.line_context(line).read.is_none() {
        format!("{label}, within a conditional")
    } else {
        label
    }
}

fn relies_on_numbers(edit: &Edit) -> bool {
    match edit {
        Edit::AddSource(_) | Edit::DropPatch(_) => true,
        Edit::InsertAfter(it) | Edit::InsertBefore(it) => matches!(it.insert, Insert::Device(_)),
        Edit::Replace(_) | Edit::Define(_) | Edit::ReleaseSuffix(_) | Edit::Provide(_) => false,
    }
}

/// Refuses a file that is no spec, before anything shows a line of it: what was named in a spec's place may
/// be a secret that looks like none.
pub fn refuse_no_spec(text: &[u8], spec_name: &str) -> Result<()> {
    let spec = SpecText::new(spec_name, &bytes::decode(text, spec_name)?, &BTreeMap::new());
    let named =
        spec.preamble().any(|line| Tag::parse(spec.text(line)).is_some_and(|it| it.is("name")));
    if !named || !(0..spec.len()).any(|line| line_context::heading(spec.text(line)).is_some()) {
        return Err(anyhow!("{spec_name} is no spec: it has no tag `Name:`, or no section such as `%prep`, and nothing of it \
             is shown").help("`spec.file`, or `spec.git`, names the spec"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;

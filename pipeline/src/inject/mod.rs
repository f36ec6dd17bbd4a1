//! Stage 3, `inject`: the typed edits of a pipeline applied to the text of a spec, and a survey of
//! what a spec says.
//!
//! Pure functions over text. No I/O ever enters this room, and only [`survey`] expands macros: the
//! spec is read as lines, and what cannot be judged without rpm (a tag inside `%if`, the body of a
//! macro) is never taken for certain. An edit is applied exactly where it said, or it is already
//! satisfied, or it is an error; nothing but the lines that it names changes, and the line endings
//! stay as they were.

mod anchor;
mod define;
mod insert;
mod patch;
mod register;
mod replace;
mod scan;
mod source;
mod spec;
mod survey;
mod tag;
mod tags;

use crate::config::{Device, Edit};
use anyhow::Result;
use insert::Side;
use serde::Serialize;
use spec::SpecText;
use std::fmt;
pub use survey::{Survey, declared, movement, survey};

/// What became of an edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Applied,
    AlreadySatisfied,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Applied => "applied",
            Self::AlreadySatisfied => "already satisfied",
        })
    }
}

/// An edit in one line for people, and what became of it.
type Done = (String, Outcome);

/// The edited spec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edited {
    pub spec: String,
    pub edits: Vec<Done>,
}

/// Applies `edits` in their order. `spec_name` is the name that errors carry.
pub fn edit(
    spec_text: &str,
    spec_name: &str,
    edits: &[Edit],
    devices: &[Device],
) -> Result<Edited> {
    let mut spec = SpecText::new(spec_name, spec_text);
    let mut done = Vec::new();
    for (position, edit) in edits.iter().enumerate() {
        done.push(match edit {
            Edit::AddSource(file) => source::add(&mut spec, file.as_str()),
            Edit::InsertAfter(_) => {
                insert::insert(&mut spec, Side::After, edits, position, devices)
            }
            Edit::InsertBefore(_) => {
                insert::insert(&mut spec, Side::Before, edits, position, devices)
            }
            Edit::Replace(words) => {
                replace::replace(&mut spec, words.find.as_str(), words.with.as_str())
            }
            Edit::DropPatch(file) => patch::drop(&mut spec, file.as_str()),
            Edit::Define(it) => define::define(&mut spec, it.name.as_str(), it.value.as_str()),
            Edit::ReleaseSuffix(suffix) => tags::release_suffix(&mut spec, suffix.as_str()),
            Edit::Provide(capability) => tags::provide(&mut spec, capability.as_str()),
        }?);
    }
    Ok(Edited { spec: spec.to_string(), edits: done })
}

#[cfg(test)]
mod tests;

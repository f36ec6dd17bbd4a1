//! What a run tells while it goes, for people and for programs alike.

use crate::plan::{Key, Stage};
use serde::Serialize;
use std::path::Path;

/// How a stage came to its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The store had it.
    Cached,
    /// It was done now.
    Ran,
}

/// One event. `--json` prints each as one line.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event<'a> {
    /// A stage that the store does not have begins.
    Started { stage: Stage, key: &'a Key, log: &'a Path },
    /// How far its longest command is.
    Progress { stage: Stage, done: u64, total: u64 },
    /// A stage has its result.
    Finished { stage: Stage, key: &'a Key, state: State, seconds: f64 },
    /// Something that the stage found and people want to see.
    Note { stage: Stage, text: &'a str },
    /// The output folder is what it should be.
    Output { path: &'a Path, rewritten: bool },
}

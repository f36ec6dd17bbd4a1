// SPDX-License-Identifier: GPL-2.0-or-later
//! What a run tells while it goes, for people and for programs alike.

use crate::error::Reason;
use crate::note::Note;
use crate::stage::{CacheKey, Stage};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How a stage came to its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The store had it.
    Cached,
    /// It was made now.
    Ran,
}

/// One event. `--json` prints each as one line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A stage that the store does not have begins.
    Started { stage: Stage, key: CacheKey, log: PathBuf },
    /// How far its longest command is.
    Progress { stage: Stage, done: u64, total: u64 },
    /// A stage has its result.
    Finished { stage: Stage, key: CacheKey, state: State, seconds: f64 },
    /// Something that the stage found and people want to see.
    Note { stage: Stage, note: Note },
    /// The output folder is what it should be.
    Output { path: PathBuf, rewritten: bool },
    /// The command failed: the last event.
    Failed(Failure),
}

/// How a command failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub kind: FailureKind,
    /// The stage that failed, where it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    #[serde(flatten)]
    pub reason: Reason,
    /// Where the input is a file with mistakes: each of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mistakes: Vec<FileMistake>,
    /// The log of that stage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<PathBuf>,
}

/// A mistake in a file that a user wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileMistake {
    pub file: String,
    pub line: usize,
    /// In characters, from 1 on.
    pub column: usize,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// Whose fault it is, which is the exit code, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The input or the usage is wrong, found before any work: exit code 2.
    Usage,
    /// A tool, a build, a judgement or a disk failed: exit code 1.
    Work,
    /// A signal ended it: exit code 128 and its number.
    Interrupted,
}

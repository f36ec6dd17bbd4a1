// SPDX-License-Identifier: GPL-2.0-or-later
//! How a command fails: by its input, found before any work, or by the work itself.

use super::disk;
use crate::config::Mistakes;
use crate::error::{Reason, find};
use crate::process::interrupted;
use crate::run::{Failure, FailureKind, FileMistake, StageFailed};
use crate::text;
use anyhow::{Error, Result};
use std::process::ExitCode;

/// A failed command.
#[derive(Debug)]
pub enum CommandError {
    /// The input or the usage is wrong: exit code 2.
    Usage(Error),
    /// A tool, a build, a judgement or a disk failed: exit code 1.
    Failed(Error),
}

impl CommandError {
    /// The same for programs.
    pub fn failure(&self) -> Failure {
        let (Self::Usage(error) | Self::Failed(error)) = self;
        let kind = match self {
            _ if interrupted(error).is_some() => FailureKind::Interrupted,
            Self::Usage(_) => FailureKind::Usage,
            Self::Failed(_) => FailureKind::Work,
        };
        let failed = find::<StageFailed>(error);
        let mistakes = find::<Mistakes>(error).map(of_file).unwrap_or_default();
        Failure {
            kind,
            stage: failed.map(|it| it.stage),
            reason: if mistakes.is_empty() { reason(error) } else { in_short(&mistakes) },
            mistakes,
            log: failed.and_then(|it| it.log.clone()),
        }
    }

    /// Prints the one error, and says how to exit.
    pub fn report(self) -> ExitCode {
        let (Self::Usage(error) | Self::Failed(error)) = &self;
        if let Some(signal) = interrupted(error) {
            tell!("interrupted; what was finished is kept, the next run goes on from there");
            return ExitCode::from(128 + u8::try_from(signal).unwrap_or(0));
        }
        tell!("error: {}", text::message(&reason(error).to_string()));
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Failed(_) => ExitCode::from(1),
        }
    }
}

fn of_file(mistakes: &Mistakes) -> Vec<FileMistake> {
    let each = mistakes.mistakes.iter().cloned().map(|it| FileMistake {
        file: it.file,
        line: it.line,
        column: it.column,
        message: it.message,
        expected: it.expected,
        help: it.help,
    });
    each.collect()
}

/// What a program that shows one message shows of several mistakes.
fn in_short(mistakes: &[FileMistake]) -> Reason {
    let first = mistakes.first();
    let message = first.map(|it| format!("{}:{}:{}: {}", it.file, it.line, it.column, it.message));
    let more = match mistakes.len() {
        0 | 1 => String::new(),
        count => format!(", and {} more", count - 1),
    };
    let reason = Reason::new(message.unwrap_or_default() + &more);
    first.and_then(|it| it.help.clone()).into_iter().fold(reason, Reason::help)
}

/// What is told of an error, with the way out of a disk's trouble.
fn reason(error: &Error) -> Reason {
    let reason = Reason::of(error);
    match disk::help(&reason.message) {
        Some(help) => reason.help(help),
        None => reason,
    }
}

/// Says of what kind an error is.
pub trait Classify<T> {
    fn usage(self) -> Result<T, CommandError>;
    fn failed(self) -> Result<T, CommandError>;
}

impl<T> Classify<T> for Result<T> {
    fn usage(self) -> Result<T, CommandError> {
        // A full disk says nothing about the input, however early it is met.
        self.map_err(|error| {
            if disk::failed(&error) {
                CommandError::Failed(error)
            } else {
                CommandError::Usage(error)
            }
        })
    }

    fn failed(self) -> Result<T, CommandError> {
        self.map_err(CommandError::Failed)
    }
}

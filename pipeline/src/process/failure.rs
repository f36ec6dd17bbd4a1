// SPDX-License-Identifier: GPL-2.0-or-later
//! How a failed call reads.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

/// With less, in KiB, a disk is full for all that runs here.
const SCARCE: u64 = 1024;

/// A call that ended badly, with the last of what it said.
#[derive(Debug)]
pub struct Failure {
    /// The program and, where it has one, the name of its subcommand.
    pub program: String,
    pub status: ExitStatus,
    pub tail: Vec<String>,
    /// Of the tail, what it said on its standard error.
    pub complaint: Vec<String>,
    /// Its standard output, where that was to be read.
    pub stdout: String,
    /// How many KiB its disk has left, where that may be the reason: few programs say so.
    pub scarce: Option<u64>,
    pub log: PathBuf,
}

/// The answer of a program that another one started is not whole: something ended it, or never let it
/// begin.
#[derive(Debug)]
pub struct Incomplete {
    /// Whether the program itself was started.
    pub begun: bool,
    /// How the other one ended.
    pub failure: Failure,
}

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = if self.begun { "not whole" } else { "none at all" };
        write!(f, "the answer from inside is {part}: {}", self.failure)
    }
}

impl std::error::Error for Incomplete {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.status.code(), self.status.signal()) {
            (Some(code), _) => write!(f, "`{}` ended with exit code {code}", self.program)?,
            (None, Some(signal)) => write!(f, "`{}` was ended by signal {signal}", self.program)?,
            (None, None) => write!(f, "`{}` ended: {}", self.program, self.status)?,
        }
        for line in &self.tail {
            write!(f, "\n  | {line}")?;
        }
        if let Some(left) = self.scarce {
            write!(f, "\n  {left} KiB are free on the disk of `{}`", self.log.display())?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

/// What is left on the disk of a log, which is that of the work, where it is next to nothing.
pub fn scarce(log: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(log).ok()?;
    let left = disk.f_bavail.saturating_mul(disk.f_frsize) >> 10;
    (left < SCARCE).then_some(left)
}

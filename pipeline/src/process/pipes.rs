// SPDX-License-Identifier: GPL-2.0-or-later
//! Named pipes of our own, for a program that another one starts for us: what it says comes to us
//! without a hand in between. A container engine passes a short-lived container's output on through
//! helpers of its own, and under load loses the end of it, or all, and ends well.
//!
//! The program's end has a pipe too, with a mark when it begins and one with how it ended. An answer
//! without the second is not whole, whatever it says; without the first, nothing has run.
//!
//! Whoever is at the other end is not trusted: the pipes are opened here before it starts and their
//! paths never again, nobody's writing fills a disk, and reading ends with the program that was started.

use anyhow::{Context, Result};
use rustix::fs::{CWD, FileType, Mode, OFlags, fcntl_setfl, mknodat, open};
use std::fs::{File, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const IN: &str = "in";
const OUT: &str = "out";
const ERR: &str = "err";
const END: &str = "end";
/// The marks.
const BEGUN: &str = "begun";
const ENDED: &str = "ended ";

/// A folder with a pipe for each standard stream, and one for the end. It is gone with this.
#[derive(Debug)]
pub struct Pipes {
    folder: TempDir,
}

impl Pipes {
    /// A line of shell that runs its arguments on the pipes, with the first for a standard input. It
    /// waits itself, so that it can say how they ended, and hands the signal on that asks to end.
    /// Constants alone make it.
    pub const RUN: &str = "exec 9>/answers/end; echo begun >&9; from=$1; shift; \
        trap 'kill -TERM \"$job\"' TERM; \
        \"$@\" <\"$from\" >/answers/out 2>/answers/err 9>&- & job=$!; \
        wait \"$job\"; status=$?; \
        while kill -0 \"$job\" 2>/dev/null; do wait \"$job\"; status=$?; done; \
        echo \"ended $status\" >&9; exit \"$status\"";
    /// Where the pipe for a standard input is; what is told nothing has `/dev/null`.
    pub const STDIN: &str = "/answers/in";
    /// Where that line looks for them.
    pub const INSIDE: &str = "/answers";

    /// Makes them in a new folder.
    pub fn make(under: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("answers-").tempdir_in(under)?;
        // Whoever is to write may look a name up, and change none.
        set_permissions(folder.path(), PermissionsExt::from_mode(0o711))?;
        for name in [IN, OUT, ERR, END] {
            mknodat(CWD, folder.path().join(name), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)
                .with_context(|| format!("cannot make a pipe in `{}`", under.display()))?;
        }
        Ok(Self { folder })
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The pipes themselves, for whoever has to own them.
    pub fn paths(&self) -> impl Iterator<Item = PathBuf> {
        [IN, OUT, ERR, END].into_iter().map(|name| self.folder.path().join(name))
    }

    /// Our ends, and theirs too: a pipe whose last writer is gone is at its end, and theirs is not
    /// there yet.
    pub(super) fn open(&self) -> Result<Ends> {
        let path = |name| self.folder.path().join(name);
        let [stdout, stderr, end] = [reader(&path(OUT))?, reader(&path(ERR))?, reader(&path(END))?];
        let held_reader = reader(&path(IN))?;
        let input = writer(&path(IN))?;
        let held = vec![writer(&path(OUT))?, writer(&path(ERR))?, writer(&path(END))?, held_reader];
        Ok(Ends { input, stdout, stderr, end, held })
    }
}

/// Opened pipes.
pub(super) struct Ends {
    pub input: File,
    pub stdout: File,
    pub stderr: File,
    pub end: File,
    /// The other side of each, until the program that was started has ended.
    pub held: Vec<File>,
}

/// Without waiting for a writer; reads wait.
fn reader(path: &Path) -> Result<File> {
    let file = open_pipe(path, OFlags::RDONLY | OFlags::NONBLOCK)?;
    fcntl_setfl(&file, OFlags::empty())?;
    Ok(file)
}

/// Somebody reads already, so this waits for nobody.
fn writer(path: &Path) -> Result<File> {
    open_pipe(path, OFlags::WRONLY)
}

fn open_pipe(path: &Path, flags: OFlags) -> Result<File> {
    let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = open(path, flags, Mode::empty());
    Ok(file.with_context(|| format!("cannot open the pipe `{}`", path.display()))?.into())
}

/// What the pipe for the end said.
#[derive(Debug, Default)]
pub(super) struct Marks {
    begun: bool,
    ended: Option<i32>,
    /// Something else than the two lines, each once and in order: somebody plays with it.
    spoilt: bool,
}

impl Marks {
    pub fn hear(&mut self, line: &str) {
        let status = line.strip_prefix(ENDED).and_then(|status| status.parse().ok());
        match (self.begun, status) {
            (false, None) if line == BEGUN => self.begun = true,
            (true, Some(status @ 0..=255)) if self.ended.is_none() => self.ended = Some(status),
            _ => self.spoilt = true,
        }
    }

    pub fn begun(&self) -> bool {
        self.begun || self.spoilt
    }

    /// The exit code of a program that said everything.
    pub fn ended(&self) -> Option<i32> {
        self.ended.filter(|_| !self.spoilt)
    }
}

#[cfg(test)]
mod tests;

// SPDX-License-Identifier: GPL-2.0-or-later
//! The only place that starts a process.
//!
//! A call is an argv, never a shell line. Its environment is cleared to an allow-list, its output
//! goes to the stage's log line by line, and an error carries the command, how it ended and the tail
//! of what it said. Each child runs in a process group of its own, under a reaper that ends it with
//! everything it started when a run is interrupted, and when it is killed.

pub mod again;
mod child;
mod failure;
pub mod interrupt;
mod invocation;
mod pipes;
mod reaper;
mod which;

pub use crate::text::masked;
pub use failure::{Failure, Incomplete};
pub use invocation::{Invocation, OWN};
pub use pipes::Pipes;
pub use which::{find as find_program, require};

use crate::error::{Help, find};
use crate::note::Note;
use crate::text;
use anyhow::{Context, Error, Result, anyhow};
use child::{OutputLine, Source, Started, ask_to_end, prepared, start};
use interrupt::Interrupted;
use pipes::Marks;
use reaper::Reaper;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

/// Lines of output that an error shows.
const TAIL: usize = 20;
/// How often a waiting run looks whether it was interrupted.
const TICK: Duration = Duration::from_millis(50);
/// What a call may print that sets no bound of its own: thirty times the log of a QEMU that shows every
/// command. A log is on somebody's disk, and every line of it takes time.
const MOST_OUTPUT: u64 = 256 << 20;
const MOST_LINES: u64 = 4 << 20;
/// What is kept of a standard output, where somebody reads it.
const MOST_KEPT: usize = 32 << 20;
/// How long a child that has said everything may take to end before it is ended.
const GRACE: Duration = Duration::from_secs(5);
/// Runs calls for one stage and writes its log.
pub struct Runner<'a> {
    log: PathBuf,
    works_for: PathBuf,
    file: RefCell<File>,
    on_line: Box<dyn Fn(&str) + 'a>,
    on_note: Box<dyn Fn(Note) + 'a>,
}

/// What a call wrote to its standard output.
#[derive(Debug)]
pub struct Output {
    pub stdout: String,
}

impl<'a> Runner<'a> {
    /// A runner that logs to `log`, made anew, and hands each line of output to `on_line`.
    pub fn new(log: &Path, on_line: impl Fn(&str) + 'a) -> Result<Self> {
        let file = File::create(log).with_context(|| format!("log `{}`", log.display()))?;
        let (file, on_line) = (RefCell::new(file), Box::new(on_line));
        let on_note = Box::new(|_: Note| {});
        Ok(Self { log: log.to_owned(), works_for: PathBuf::new(), file, on_line, on_note })
    }

    /// Says which folder it works for: what outlives this process is told apart by it.
    #[must_use]
    pub fn working_for(self, folder: &Path) -> Self {
        Self { works_for: folder.to_owned(), ..self }
    }

    pub fn works_for(&self) -> &Path {
        &self.works_for
    }

    /// With somebody to tell what people should know while it goes.
    #[must_use]
    pub fn on_note(mut self, on_note: impl Fn(Note) + 'a) -> Self {
        self.on_note = Box::new(on_note);
        self
    }

    /// Tells people something, and the log.
    pub fn note(&self, note: Note) {
        self.write(&format!("note: {note:?}"));
        (self.on_note)(note);
    }

    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Runs a call to its end.
    pub fn run(&self, call: &Invocation) -> Result<Output> {
        interrupt::check()?;
        self.write(&format!("$ {call}"));
        let Started { mut child, lines, mut reaper, mut held, _input } = start(call)?;
        let began = Instant::now();
        let mut stdout = String::new();
        let mut marks = Marks::default();
        let mut tail = VecDeque::with_capacity(TAIL);
        let mut complaint = VecDeque::with_capacity(TAIL);
        let (mut bytes, mut line_count) = (0, 0);
        let mut said_all: Option<Instant> = None;
        loop {
            match lines.recv_timeout(TICK) {
                Ok(OutputLine { source: Source::Gone, .. }) => held.clear(),
                Ok(OutputLine { source: Source::End, line, .. }) => marks.hear(&line),
                Ok(OutputLine { source, line, whole }) => {
                    let from_stdout = source == Source::Stdout;
                    bytes += line.len() as u64 + 1;
                    line_count += 1;
                    if let Some(flood) = flood(call, bytes, line_count, stdout.len() + line.len()) {
                        let stop = anyhow!("`{}` printed more than {flood}", call.short());
                        return Err(self.stop(call, &mut child, &mut reaper, stop));
                    }
                    let secret = from_stdout && call.has_secret_output();
                    if !secret {
                        self.write(&line);
                        (self.on_line)(&line);
                    }
                    if from_stdout && call.keeps_stdout() {
                        stdout.push_str(&line);
                        if whole {
                            stdout.push('\n');
                        }
                    }
                    if from_stdout && said_all.is_none() && call.ends_with(&line) {
                        said_all = Some(Instant::now());
                        ask_to_end(&child);
                    }
                    if source == Source::Stderr {
                        push(&mut complaint, text::excerpt(&line));
                    }
                    if !secret {
                        push(&mut tail, text::excerpt(&line));
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.check_limits(call, &mut child, &mut reaper, began)?;
            if said_all.is_some_and(|moment| moment.elapsed() > GRACE) {
                self.end(call, &mut child, &mut reaper);
                return Ok(Output { stdout });
            }
        }
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            self.check_limits(call, &mut child, &mut reaper, began)?;
            std::thread::sleep(TICK / 10);
        };
        // Whoever starts a program for us has no say in how that ended.
        let whole = call.own_pipes().is_none() || marks.ended().is_some();
        let status = marks.ended().map_or(status, |code| ExitStatus::from_raw(code << 8));
        if whole || said_all.is_some() {
            reaper.dismiss();
        }
        if (status.success() && whole) || said_all.is_some() {
            return Ok(Output { stdout });
        }
        // A terminal's Ctrl-C may end the child before the flag is seen here.
        interrupt::check()?;
        let (tail, complaint) = (tail.into(), complaint.into());
        let (program, log) = (call.short(), self.log.clone());
        let scarce = failure::scarce(&self.log);
        let failure = Failure { program, status, tail, complaint, stdout, scarce, log };
        let help = format!("the whole output is in {}", self.log.display());
        let error = if whole {
            Error::new(failure)
        } else {
            Error::new(Incomplete { begun: marks.begun(), failure })
        };
        Err(error.help(help))
    }

    /// Hands this terminal to a call and waits for its end: for what a person does by hand.
    pub fn run_interactive(&self, call: &Invocation) -> Result<ExitStatus> {
        self.write(&format!("$ {call}"));
        // The terminal's own group is where it has to run.
        let mut reaper = Reaper::stand_by(call)?;
        let mut command = prepared(call)?;
        let mut child = command.spawn().with_context(|| format!("cannot start `{call}`"))?;
        loop {
            if let Some(status) = child.try_wait()? {
                reaper.dismiss();
                return Ok(status);
            }
            if let Err(interrupted) = interrupt::check() {
                self.end(call, &mut child, &mut reaper);
                return Err(interrupted.into());
            }
            std::thread::sleep(TICK);
        }
    }

    /// Ends a child that was interrupted, or that takes longer than it may.
    fn check_limits(
        &self,
        call: &Invocation,
        child: &mut Child,
        reaper: &mut Reaper,
        began: Instant,
    ) -> Result<()> {
        let stop = match interrupt::check() {
            Err(interrupted) => interrupted.into(),
            Ok(()) => match (call.time_limit(), call.outgrown()) {
                (Some(limit), _) if began.elapsed() > limit => {
                    anyhow!("`{}` did not end within {} s", call.short(), limit.as_secs())
                }
                (_, Some((_, bytes))) => {
                    anyhow!("more than the {bytes} bytes that are pinned or plausible came")
                }
                _ => return Ok(()),
            },
        };
        Err(self.stop(call, child, reaper, stop))
    }

    /// Ends a child for a reason, and hands the reason back.
    fn stop(&self, call: &Invocation, child: &mut Child, reaper: &mut Reaper, why: Error) -> Error {
        self.write(&format!("ended: {why}"));
        self.end(call, child, reaper);
        why
    }

    /// Writes a line to the log. A full disk must not hide the error that is about to be shown.
    pub fn write(&self, line: &str) {
        // Logs are read on terminals, too.
        let _ = writeln!(self.file.borrow_mut(), "{}", text::visible(&masked(line)));
    }

    /// Ends a child that nobody waits for any more, with everything it started.
    fn end(&self, call: &Invocation, child: &mut Child, reaper: &mut Reaper) {
        if let Some(cleanup) = call.cleanup() {
            self.write(&format!("$ {cleanup}"));
        }
        reaper.reap(child);
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// The bound that a call's output is beyond.
fn flood(call: &Invocation, printed: u64, lines: u64, kept: usize) -> Option<String> {
    if let Some(most) = call.overflown(printed, MOST_OUTPUT) {
        return Some(format!("{most} bytes"));
    }
    if call.keeps_stdout() && kept > MOST_KEPT {
        return Some(format!("the {MOST_KEPT} bytes that are read of an answer"));
    }
    (lines > MOST_LINES).then(|| format!("{MOST_LINES} lines"))
}

/// Adds to the last lines.
fn push(tail: &mut VecDeque<String>, line: String) {
    if tail.len() == TAIL {
        tail.pop_front();
    }
    tail.push_back(line);
}

/// Whether an error is an interruption, and by which signal.
pub fn interrupted(error: &Error) -> Option<i32> {
    find::<Interrupted>(error).map(|interrupted| interrupted.0)
}

#[cfg(test)]
mod tests;

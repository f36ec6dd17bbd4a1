//! The only place that starts a process.
//!
//! A call is an argv, never a shell line. Its environment is cleared to an allow-list, its output
//! goes to the stage's log line by line, and an error carries the command, how it ended and the tail
//! of what it said. Each child leads a process group of its own, so that an interrupted run can end
//! it with everything it started.

mod call;
mod child;
mod failure;
pub mod interrupt;
mod pipes;
mod which;

pub use call::{Call, masked};
pub use failure::{Failure, Incomplete};
pub use pipes::Pipes;
pub use which::{find, missing};

use anyhow::{Context, Result, anyhow};
use child::{Heard, Source, Started, ask_to_end, prepared, start};
use interrupt::Interrupted;
use pipes::Marks;
use rustix::process::{Pid, Signal, kill_process_group};
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
/// How long a child that has said everything may take to end before it is ended.
const GRACE: Duration = Duration::from_secs(5);
/// Runs calls for one stage and writes its log.
pub struct Runner<'a> {
    log: PathBuf,
    file: RefCell<File>,
    on_line: Box<dyn Fn(&str) + 'a>,
    on_note: Box<dyn Fn(&str) + 'a>,
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
        Ok(Self { log: log.to_owned(), file, on_line, on_note: Box::new(|_| {}) })
    }

    /// With somebody to tell what people should know while it goes.
    #[must_use]
    pub fn on_note(mut self, on_note: impl Fn(&str) + 'a) -> Self {
        self.on_note = Box::new(on_note);
        self
    }

    /// Tells people something, and the log.
    pub fn note(&self, text: &str) {
        self.write(&format!("note: {text}"));
        (self.on_note)(text);
    }

    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Runs a call to its end.
    pub fn run(&self, call: &Call) -> Result<Output> {
        interrupt::check()?;
        self.write(&format!("$ {call}"));
        let Started { mut child, heard, mut held, _input } = start(call)?;
        let began = Instant::now();
        let mut stdout = String::new();
        let mut marks = Marks::default();
        let mut tail = VecDeque::with_capacity(TAIL);
        let mut complaint = VecDeque::with_capacity(TAIL);
        let mut printed = 0;
        let mut said_all: Option<Instant> = None;
        loop {
            match heard.recv_timeout(TICK) {
                Ok(Heard { source: Source::Gone, .. }) => held.clear(),
                Ok(Heard { source: Source::End, line, .. }) => marks.hear(&line),
                Ok(Heard { source, line, whole }) => {
                    let from_stdout = source == Source::Stdout;
                    printed += line.len() as u64 + 1;
                    if let Some(most) = call.overflown(printed) {
                        let stop = anyhow!("`{}` printed more than {most} bytes", call.short());
                        return Err(self.stop(call, &mut child, stop));
                    }
                    if !call.is_unlogged() {
                        self.write(&line);
                    }
                    (self.on_line)(&line);
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
                        push(&mut complaint, masked(&line));
                    }
                    push(&mut tail, masked(&line));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.go_on(call, &mut child, began)?;
            if said_all.is_some_and(|moment| moment.elapsed() > GRACE) {
                self.end(call, &mut child);
                return Ok(Output { stdout });
            }
        }
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            self.go_on(call, &mut child, began)?;
            std::thread::sleep(TICK / 10);
        };
        // Whoever starts a program for us has no say in how that ended.
        let whole = call.own_pipes().is_none() || marks.ended().is_some();
        let status = marks.ended().map_or(status, |code| ExitStatus::from_raw(code << 8));
        if (status.success() && whole) || said_all.is_some() {
            return Ok(Output { stdout });
        }
        // A terminal's Ctrl-C may end the child before the flag is seen here.
        interrupt::check()?;
        let (tail, complaint) = (tail.into(), complaint.into());
        let (program, log) = (call.short(), self.log.clone());
        let failure = Failure { program, status, tail, complaint, stdout, log };
        if whole {
            return Err(failure.into());
        }
        Err(Incomplete { begun: marks.begun(), failure }.into())
    }

    /// Hands this terminal to a call and waits for its end: for what a person does by hand.
    pub fn hand_over(&self, call: &Call) -> Result<ExitStatus> {
        self.write(&format!("$ {call}"));
        let mut command = prepared(call)?;
        let mut child = command.spawn().with_context(|| format!("cannot start `{call}`"))?;
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            if let Err(interrupted) = interrupt::check() {
                self.end(call, &mut child);
                return Err(interrupted.into());
            }
            std::thread::sleep(TICK);
        }
    }

    /// Ends a child that was interrupted, or that takes longer than it may.
    fn go_on(&self, call: &Call, child: &mut Child, began: Instant) -> Result<()> {
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
        Err(self.stop(call, child, stop))
    }

    /// Ends a child for a reason, and hands the reason back.
    fn stop(&self, call: &Call, child: &mut Child, why: anyhow::Error) -> anyhow::Error {
        self.write(&format!("ended: {why}"));
        self.end(call, child);
        why
    }

    /// Writes a line to the log. A full disk must not hide the error that is about to be shown.
    pub fn write(&self, line: &str) {
        let _ = writeln!(self.file.borrow_mut(), "{}", masked(line));
    }

    /// Ends a child that nobody waits for any more: by its own means first, since a container's
    /// processes are not in its group, then the group.
    fn end(&self, call: &Call, child: &mut Child) {
        if let Some(cleanup) = call.cleanup() {
            self.write(&format!("$ {cleanup}"));
            if let Ok(Started { child: mut cleaner, .. }) = start(cleanup) {
                let _ = cleaner.wait();
            }
        }
        if let Some(group) = Pid::from_raw(child.id().cast_signed()) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = child.wait();
    }
}

/// Adds to the last lines.
fn push(tail: &mut VecDeque<String>, line: String) {
    if tail.len() == TAIL {
        tail.pop_front();
    }
    tail.push_back(line);
}

/// Whether an error is an interruption, and by which signal.
pub fn interrupted(error: &anyhow::Error) -> Option<i32> {
    error.downcast_ref::<Interrupted>().map(|interrupted| interrupted.0)
}

#[cfg(test)]
mod tests;

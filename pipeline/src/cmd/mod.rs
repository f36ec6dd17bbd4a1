//! The only place that starts a process.
//!
//! A call is an argv, never a shell line. Its environment is cleared to an allow-list, its output
//! goes to the stage's log line by line, and an error carries the command, how it ended and the tail
//! of what it said. Each child leads a process group of its own, so that an interrupted run can end
//! it with everything it started.

mod call;
mod failure;
pub mod interrupt;
mod which;

pub use call::{Call, masked};
pub use failure::Failure;
pub use which::{find, missing};

use anyhow::{Context, Result, anyhow};
use interrupt::Interrupted;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Lines of output that an error shows.
const TAIL: usize = 20;
/// How often a waiting run looks whether it was interrupted.
const TICK: Duration = Duration::from_millis(50);
/// A longer line is taken in pieces of this size: nobody's output may fill this machine's memory.
const LONGEST_LINE: u64 = 1 << 20;
/// Lines that may wait to be looked at before a child has to.
const WAITING: usize = 256;
/// How long a child that has said everything may take to end before it is ended.
const GRACE: Duration = Duration::from_secs(5);
/// What a child may see of this program's environment: where to find programs, homes and sockets,
/// how to reach the network, and the settings of the container engine.
const ENVIRONMENT: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "TMPDIR",
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "DBUS_SESSION_BUS_ADDRESS",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "all_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
    "GIT_CONFIG_GLOBAL",
    "GIT_SSH_COMMAND",
    "GIT_SSL_CAINFO",
    "SSH_AUTH_SOCK",
    "APT_CONFIG",
    "CONTAINERS_CONF",
    "CONTAINERS_STORAGE_CONF",
    "CONTAINERS_REGISTRIES_CONF",
    "DOCKER_HOST",
    "DOCKER_CONFIG",
    "DOCKER_CONTEXT",
    "DOCKER_CERT_PATH",
    "DOCKER_TLS_VERIFY",
];

/// Runs calls for one stage and writes its log.
pub struct Runner<'a> {
    log: PathBuf,
    file: RefCell<File>,
    on_line: Box<dyn Fn(&str) + 'a>,
}

/// What a call wrote to its standard output.
#[derive(Debug)]
pub struct Output {
    pub stdout: String,
}

struct Heard {
    from_stdout: bool,
    line: String,
    /// A piece of a long line does not end one.
    whole: bool,
}

/// A child, what it says, and its standard input, which the handle keeps open.
struct Started {
    child: Child,
    heard: Receiver<Heard>,
    _input: Option<JoinHandle<ChildStdin>>,
}

impl<'a> Runner<'a> {
    /// A runner that logs to `log`, made anew, and hands each line of output to `on_line`.
    pub fn new(log: &Path, on_line: impl Fn(&str) + 'a) -> Result<Self> {
        let file = File::create(log).with_context(|| format!("log `{}`", log.display()))?;
        Ok(Self { log: log.to_owned(), file: RefCell::new(file), on_line: Box::new(on_line) })
    }

    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Runs a call to its end.
    pub fn run(&self, call: &Call) -> Result<Output> {
        interrupt::check()?;
        self.write(&format!("$ {call}"));
        let Started { mut child, heard, _input } = start(call)?;
        let began = Instant::now();
        let mut stdout = String::new();
        let mut tail = VecDeque::with_capacity(TAIL);
        let mut printed = 0;
        let mut said_all: Option<Instant> = None;
        loop {
            match heard.recv_timeout(TICK) {
                Ok(Heard { from_stdout, line, whole }) => {
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
                    if tail.len() == TAIL {
                        tail.pop_front();
                    }
                    tail.push_back(masked(&line));
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
        if status.success() || said_all.is_some() {
            return Ok(Output { stdout });
        }
        // A terminal's Ctrl-C may end the child before the flag is seen here.
        interrupt::check()?;
        let tail = tail.into_iter().collect();
        let scarce = failure::scarce(&self.log);
        Err(Failure { program: call.short(), status, tail, scarce, log: self.log.clone() }.into())
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

/// A command with the environment that every child gets.
fn prepared(call: &Call) -> Result<Command> {
    let mut command: Command = call.command()?;
    command
        .env_clear()
        .envs(ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .env("LC_ALL", "C.UTF-8")
        .envs(call.variables());
    Ok(command)
}

fn start(call: &Call) -> Result<Started> {
    let mut command = prepared(call)?;
    let stdin = if call.input().is_some() { Stdio::piped() } else { Stdio::null() };
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn().with_context(|| format!("cannot start `{call}`"))?;
    let (sender, heard) = sync_channel(WAITING);
    if let Some(stdout) = child.stdout.take() {
        listen(stdout, true, sender.clone());
    }
    if let Some(stderr) = child.stderr.take() {
        listen(stderr, false, sender);
    }
    let input = call.input().map(str::to_owned).zip(child.stdin.take());
    let input = input.map(|(text, mut pipe)| {
        std::thread::spawn(move || {
            // Whether anybody listened shows in what is answered.
            let _ = pipe.write_all(text.as_bytes());
            pipe
        })
    });
    Ok(Started { child, heard, _input: input })
}

/// The signal that a program can take its time for, and that an engine hands on into a container.
fn ask_to_end(child: &Child) {
    if let Some(process) = Pid::from_raw(child.id().cast_signed()) {
        let _ = kill_process(process, Signal::TERM);
    }
}

/// Lines as they come; what is not UTF-8 is shown as well as it can be.
fn listen(pipe: impl Read + Send + 'static, from_stdout: bool, sender: SyncSender<Heard>) {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        let mut line = Vec::new();
        while reader
            .by_ref()
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)
            .is_ok_and(|read| read > 0)
        {
            let whole = line.ends_with(b"\n") || (line.len() as u64) < LONGEST_LINE;
            let text = String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned();
            line.clear();
            if sender.send(Heard { from_stdout, line: text, whole }).is_err() {
                break;
            }
        }
    });
}

/// Whether an error is an interruption, and by which signal.
pub fn interrupted(error: &anyhow::Error) -> Option<i32> {
    error.downcast_ref::<Interrupted>().map(|interrupted| interrupted.0)
}

#[cfg(test)]
mod tests;

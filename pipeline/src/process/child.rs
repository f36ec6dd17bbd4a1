// SPDX-License-Identifier: GPL-2.0-or-later
//! A child that was started: its environment, its standard streams, and the lines that come of them.

use super::reaper::Reaper;
use super::{Invocation, Pipes};
use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// A longer line is taken in pieces of this size: nobody's output may fill this machine's memory.
const LONGEST_LINE: u64 = 1 << 16;
/// Lines that may wait to be looked at before a child has to.
const WAITING: usize = 256;
/// What a child may see of this program's environment: where to find programs, homes and sockets,
/// how to reach the network, and the settings of the container engine.
pub(super) const ENVIRONMENT: &[&str] = &[
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

/// A line that came.
pub(super) struct OutputLine {
    pub source: Source,
    pub line: String,
    /// A piece of a long line does not end one.
    pub whole: bool,
}

/// Where a line is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Stdout,
    Stderr,
    /// The marks of a program on pipes of our own.
    End,
    /// A child that has such a program started for us.
    Between,
    /// That child's standard output has ended, and so has what it started.
    Gone,
}

/// A child, what it says, and its standard input, which the handle keeps open.
pub(super) struct Started {
    pub child: Child,
    pub lines: Receiver<OutputLine>,
    pub reaper: Reaper,
    /// See [`super::pipes::Ends`].
    pub held: Vec<File>,
    pub _input: Option<JoinHandle<Box<dyn Write + Send>>>,
}

/// A command with the environment that every child gets.
pub(super) fn prepared(call: &Invocation) -> Result<Command> {
    let mut command: Command = call.command()?;
    command
        .env_clear()
        .envs(ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .env("LC_ALL", "C.UTF-8")
        .envs(call.variables());
    Ok(command)
}

pub(super) fn start(call: &Invocation) -> Result<Started> {
    let reaper = Reaper::stand_by(call)?;
    let mut command = prepared(call)?;
    let ends = call.own_pipes().map(Pipes::open).transpose()?;
    let speaks = ends.is_none() && call.input().is_some();
    let stdin = if speaks { Stdio::piped() } else { Stdio::null() };
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.process_group(reaper.group());
    let mut child = command.spawn().with_context(|| format!("cannot start `{call}`"))?;
    let (sender, lines) = sync_channel(WAITING);
    let between = ends.is_some();
    let source = |own| if between { Source::Between } else { own };
    if let Some(stdout) = child.stdout.take() {
        listen(stdout, source(Source::Stdout), sender.clone());
    }
    if let Some(stderr) = child.stderr.take() {
        listen(stderr, source(Source::Stderr), sender.clone());
    }
    let mut input = child.stdin.take().map(|pipe| Box::new(pipe) as Box<dyn Write + Send>);
    let mut held = Vec::new();
    if let Some(ends) = ends {
        listen(ends.stdout, Source::Stdout, sender.clone());
        listen(ends.stderr, Source::Stderr, sender.clone());
        listen(ends.end, Source::End, sender);
        // Held open even where nothing is said: what reads a standard input finds no end.
        input = Some(Box::new(ends.input));
        held = ends.held;
    }
    let text = call.input().unwrap_or_default().to_owned();
    let input = input.map(|mut pipe| {
        std::thread::spawn(move || {
            // Whether anybody listened shows in what is answered.
            let _ = pipe.write_all(text.as_bytes());
            pipe
        })
    });
    Ok(Started { child, lines, reaper, held, _input: input })
}

/// The signal that a program can take its time for, and that an engine hands on into a container.
pub(super) fn ask_to_end(child: &Child) {
    if let Some(process) = Pid::from_raw(child.id().cast_signed()) {
        let _ = kill_process(process, Signal::TERM);
    }
}

/// Lines as they come; what is not UTF-8 is shown as well as it can be.
fn listen(pipe: impl Read + Send + 'static, source: Source, sender: SyncSender<OutputLine>) {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        let mut line = Vec::new();
        loop {
            let read = reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line);
            let Ok(count) = read else { break };
            if count == 0 && line.is_empty() {
                break;
            }
            let whole = line.ends_with(b"\n") || (count as u64) < LONGEST_LINE;
            let rest = if whole { Vec::new() } else { unfinished(&mut line) };
            let mut text = String::from_utf8_lossy(&line).into_owned();
            if whole {
                text.truncate(text.trim_end_matches(['\n', '\r']).len());
            }
            line = rest;
            if sender.send(OutputLine { source, line: text, whole }).is_err() {
                return;
            }
        }
        if source == Source::Between {
            let _ =
                sender.send(OutputLine { source: Source::Gone, line: String::new(), whole: true });
        }
    });
}

/// Takes the start of a character off the end of a piece, for the next one to have it whole.
fn unfinished(piece: &mut Vec<u8>) -> Vec<u8> {
    let first = piece.iter().rposition(|byte| byte & 0xc0 != 0x80);
    match first.filter(|at| piece.len() - at < 4) {
        Some(at) if std::str::from_utf8(&piece[at..]).is_err() => piece.split_off(at),
        _ => Vec::new(),
    }
}

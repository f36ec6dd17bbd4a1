// SPDX-License-Identifier: GPL-2.0-or-later
//! One call: a program, its arguments, and what is particular about running it.

use super::Pipes;
use crate::text::{masked, word};
use anyhow::Result;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use xshell::Shell;

/// Where a call that is alone has its folder: it is there on every machine, and podman, which keeps its
/// locks there, takes no long path.
pub const OWN: &str = "/dev/shm";
/// Runs the words after the first one with the first one's folder at [`OWN`].
const IN_OWN: &str = r#"mount --bind "$0" /dev/shm && exec "$@""#;

/// An argv. Nothing in it is ever read by a shell.
#[derive(Debug, Clone)]
pub struct Invocation {
    program: PathBuf,
    args: Vec<OsString>,
    variables: Vec<(String, OsString)>,
    current_dir: Option<PathBuf>,
    cleanup: Option<Box<Invocation>>,
    capture_stdout: bool,
    limit: Option<Duration>,
    max_file_size: Option<(PathBuf, u64)>,
    secret_output: bool,
    stdin: String,
    stop_line: Option<&'static str>,
    max_output: Option<u64>,
    pipes: Option<Arc<Pipes>>,
    known_as: Option<&'static str>,
}

impl Invocation {
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            variables: Vec::new(),
            current_dir: None,
            cleanup: None,
            capture_stdout: false,
            limit: None,
            max_file_size: None,
            secret_output: false,
            stdin: String::new(),
            stop_line: None,
            max_output: None,
            pipes: None,
            known_as: None,
        }
    }

    /// A call of root's in namespaces of processes and mounts of its own: what it starts and mounts ends
    /// with this process, whatever ends that. What it writes on its way goes to a folder that it has at
    /// [`OWN`], since not every program likes every path.
    pub fn alone_in(folder: &Path, program: &'static str) -> Self {
        let call = Self::new("setpriv").args(["--pdeathsig=KILL", "unshare", "--pid", "--fork"]);
        let call = call.args(["--kill-child", "--mount-proc", "/bin/sh", "-c", IN_OWN]);
        call.arg(folder).arg(program).env("TMPDIR", OWN).known_as(program)
    }

    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    #[must_use]
    pub fn args<I: IntoIterator<Item: AsRef<OsStr>>>(mut self, args: I) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// A variable on top of the allow-list.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    /// The folder that it runs in.
    #[must_use]
    pub fn current_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.current_dir = Some(dir.into());
        self
    }

    /// What ends this call's work where killing the process is not enough.
    #[must_use]
    pub fn on_kill(mut self, cleanup: Invocation) -> Self {
        self.cleanup = Some(Box::new(cleanup));
        self
    }

    /// Keep the standard output for the caller; without this it goes to the log alone.
    #[must_use]
    pub fn capture_stdout(mut self) -> Self {
        self.capture_stdout = true;
        self
    }

    /// The longest that it may take.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The most bytes that a file may grow to meanwhile.
    #[must_use]
    pub fn max_file_size(mut self, file: impl Into<PathBuf>, bytes: u64) -> Self {
        self.max_file_size = Some((file.into(), bytes));
        self
    }

    /// Leave its output out of the log: it may hold a secret of the user's own configuration.
    #[must_use]
    pub fn secret_output(mut self) -> Self {
        self.secret_output = true;
        self
    }

    /// What it is told on its standard input, which stays open until it ends.
    #[must_use]
    pub fn stdin(mut self, text: impl Into<String>) -> Self {
        self.stdin = text.into();
        self
    }

    /// A line of its standard output after which it has said everything: it is asked to end, and that
    /// is a success. For what would go on listening for ever.
    #[must_use]
    pub fn stop_after_line(mut self, line: &'static str) -> Self {
        self.stop_line = Some(line);
        self
    }

    /// The most bytes that it may print.
    #[must_use]
    pub fn max_output(mut self, bytes: u64) -> Self {
        self.max_output = Some(bytes);
        self
    }

    /// The program that it starts speaks through these, and its own output is only about that.
    #[must_use]
    pub fn pipes(mut self, pipes: Pipes) -> Self {
        self.pipes = Some(Arc::new(pipes));
        self
    }

    pub(super) fn own_pipes(&self) -> Option<&Pipes> {
        self.pipes.as_deref()
    }

    pub(super) fn command(&self) -> Result<Command> {
        let shell = Shell::new()?;
        if let Some(dir) = &self.current_dir {
            shell.change_dir(dir);
        }
        Ok(shell.cmd(&self.program).args(&self.args).into())
    }

    pub(super) fn variables(&self) -> impl Iterator<Item = (&str, &OsStr)> {
        self.variables.iter().map(|(name, value)| (name.as_str(), value.as_os_str()))
    }

    pub(super) fn cleanup(&self) -> Option<&Invocation> {
        self.cleanup.as_deref()
    }

    /// The words of its command line.
    pub(super) fn argv(&self) -> impl Iterator<Item = OsString> {
        std::iter::once(self.program.clone().into_os_string()).chain(self.args.iter().cloned())
    }

    /// Says what errors call it, where its program only leads to another one.
    #[must_use]
    pub fn known_as(self, name: &'static str) -> Self {
        Self { known_as: Some(name), ..self }
    }

    /// The program and its subcommand: a whole argv of podman fills a screen.
    pub(super) fn short(&self) -> String {
        if let Some(name) = self.known_as {
            return name.to_owned();
        }
        let program = self.program.display().to_string();
        match self.args.first().map(|arg| arg.to_string_lossy()) {
            Some(word)
                if word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
                    && !word.starts_with('-') =>
            {
                format!("{program} {word}")
            }
            _ => program,
        }
    }

    pub(super) fn time_limit(&self) -> Option<Duration> {
        self.limit
    }

    /// The file that grew too large, if it did.
    pub(super) fn outgrown(&self) -> Option<(&Path, u64)> {
        let (file, bytes) = self.max_file_size.as_ref()?;
        let size = file.metadata().map_or(0, |meta| meta.len());
        (size > *bytes).then_some((file, *bytes))
    }

    pub(super) fn input(&self) -> Option<&str> {
        Some(self.stdin.as_str()).filter(|input| !input.is_empty())
    }

    pub(super) fn ends_with(&self, line: &str) -> bool {
        self.stop_line == Some(line)
    }

    /// The limit, its own or the common one, where so many bytes of output are beyond it.
    pub(super) fn overflown(&self, printed: u64, common: u64) -> Option<u64> {
        Some(self.max_output.unwrap_or(common)).filter(|most| printed > *most)
    }

    pub(super) fn has_secret_output(&self) -> bool {
        self.secret_output
    }

    pub(super) fn keeps_stdout(&self) -> bool {
        self.capture_stdout
    }
}

/// As somebody would type it, with the password of a URL masked.
impl fmt::Display for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.program.display())?;
        for arg in &self.args {
            write!(f, " {}", word(&masked(&arg.to_string_lossy())))?;
        }
        Ok(())
    }
}

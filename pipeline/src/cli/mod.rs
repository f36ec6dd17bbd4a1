// SPDX-License-Identifier: GPL-2.0-or-later
//! The command line: its types, one file per command, and how results are shown.

/// Prints a line on standard output. `println!` would panic where a reader, such as `head`, went away.
macro_rules! say {
    ($($part:tt)*) => { $crate::cli::say_line(&format!($($part)*)) };
}

/// Prints a line on standard error, for people. It may be a file on a full disk: that is no reason to
/// end in a panic.
macro_rules! tell {
    ($($part:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stderr().lock(), $($part)*);
    }};
}

mod args;
mod bump;
mod check;
mod completions;
mod disk;
mod error;
mod init;
mod inspection;
mod key;
mod lock;
mod notes;
mod plan;
mod progress;
mod run;
mod schema;
mod shell;
mod verify;

use crate::config::KeySource;
use crate::error::Help;
use crate::process::interrupt;
use crate::project::Project;
use crate::run::Event;
use crate::sign;
use crate::text::{self, visible};
use anyhow::{Result, anyhow};
use args::{FetchArgs, ONE_OF_THEM, ProjectArgs, SigningArgs};
use clap::{Parser, Subcommand};
use error::{Classify, CommandError};
pub use notes::render as render_note;
use std::process::ExitCode;
use std::sync::OnceLock;

/// Builds, proves, signs and publishes a QEMU RPM that carries a PCI device of your own.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a first device of your own, with its contract and a pipeline
    Init(init::Init),
    /// Read and validate a pipeline file; nothing is fetched and nothing is run
    Check(check::Check),
    /// Show what a run would do, and what the store already has
    Plan(plan::Plan),
    /// Run a pipeline and publish its repository
    Run(run::Run),
    /// Pin what the environment is made of, or say what moved upstream since
    Lock(lock::Lock),
    /// Move the pins to what is upstream today, where every edit still applies
    Bump(bump::Bump),
    /// Enter the build environment at the stage that failed, with the tree as it stood
    Shell(shell::Shell),
    /// Judge an RPM or a QEMU binary alone: is the device in it?
    Verify(verify::Verify),
    /// Make or show a signing key
    #[command(subcommand)]
    Key(key::Key),
    /// Print the JSON schema of the pipeline file
    Schema(schema::Schema),
    /// Print completions for a shell
    Completions(completions::Completions),
}

/// Prints a line of JSON on standard output.
fn print_json(line: &str) {
    say_whole(&text::json(line));
}

/// Prints an event as one line of JSON.
fn print_event(event: &Event) {
    if let Ok(line) = serde_json::to_string(event) {
        print_json(&line);
    }
}

/// Why standard output is not whole, where it is not.
static UNSAID: OnceLock<std::io::Error> = OnceLock::new();

fn say_line(text: &str) {
    say_whole(&visible(text));
}

fn say_whole(text: &str) {
    use std::io::{ErrorKind, Write};
    match writeln!(std::io::stdout().lock(), "{text}") {
        // Whoever stopped reading has what they wanted; a disk that is full is another thing.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let _ = UNSAID.set(error);
        }
        _ => {}
    }
}

/// Parses, runs, and turns the result into an exit code.
pub fn main() -> ExitCode {
    if let Err(error) = sign::take_over() {
        return CommandError::Failed(error).report();
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => return usage_error(&usage),
    };
    if let Err(error) = std::env::current_dir() {
        let error = anyhow!("the current folder: {error}").help("change into one that is there");
        return CommandError::Usage(error).report();
    }
    let command = cli.command.chosen();
    if let Err(error) = put_secrets_away(command) {
        return CommandError::Usage(error).report();
    }
    // The builder in a container reads what is laid out here; secrets have modes of their own.
    rustix::process::umask(rustix::fs::Mode::from_bits_truncate(0o022));
    let result = interrupt::listen().usage().and_then(|()| command.run());
    let result = result.and_then(|()| match UNSAID.get() {
        Some(error) => Err(unsaid(error)),
        None => Ok(()),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if command.prints_json() {
                print_event(&Event::Failed(error.failure()));
            }
            error.report()
        }
    }
}

/// What the program asks of a command.
trait Execute {
    fn run(&self) -> Result<(), CommandError>;

    /// Whether a program reads what it prints.
    fn prints_json(&self) -> bool {
        false
    }

    /// The pipeline that it is about, which may name variables with secrets.
    fn project(&self) -> Option<&ProjectArgs> {
        None
    }

    /// The variables with secrets that its own arguments name.
    fn secrets(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Whether it reads the secrets, or has them taken out of its environment and no more.
    fn reads_secrets(&self) -> bool {
        true
    }
}

impl Command {
    fn chosen(&self) -> &dyn Execute {
        match self {
            Self::Init(init) => init,
            Self::Check(check) => check,
            Self::Plan(plan) => plan,
            Self::Run(run) => run,
            Self::Lock(lock) => lock,
            Self::Bump(bump) => bump,
            Self::Shell(shell) => shell,
            Self::Verify(verify) => verify,
            Self::Key(key) => key,
            Self::Schema(schema) => schema,
            Self::Completions(completions) => completions,
        }
    }
}

/// Takes secrets out of this program's environment, which ends in its start without them.
fn put_secrets_away(command: &dyn Execute) -> Result<()> {
    let mut names: Vec<String> = command.secrets().into_iter().map(str::to_owned).collect();
    let file = command.project().and_then(|project| project.file.as_deref());
    // A file that is no good is refused by the command itself.
    if let Some(sign) = file.and_then(|file| Project::read(file).ok()).map(|it| it.pipeline.sign) {
        if let Some(KeySource::Env(name)) = sign.key {
            names.push(name.to_string());
        }
        names.extend(sign.passphrase_env.map(|name| name.to_string()));
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    sign::put_away(&names, command.reads_secrets())
}

/// What the arguments lack, or what was asked for, such as `--help`: by clap itself, unless it would
/// repeat what no terminal should see.
fn usage_error(usage: &clap::Error) -> ExitCode {
    let said = usage.render().to_string();
    if usage.use_stderr() {
        if std::env::args_os().any(|arg| arg == "--json") {
            let first = said.lines().next().unwrap_or_default();
            let message = first.strip_prefix("error: ").unwrap_or(first);
            print_event(&Event::Failed(CommandError::Usage(anyhow!("{message}")).failure()));
        }
        if said == text::message(&said) {
            let _ = usage.print();
        } else {
            tell!("{}", text::message(&said).trim_end());
        }
        return ExitCode::from(2);
    }
    let printed = usage.print();
    match printed.and_then(|()| std::io::Write::flush(&mut std::io::stdout())) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => unsaid(&error).report(),
        _ => ExitCode::SUCCESS,
    }
}

/// Whoever asked for something and did not get it, as on a full disk, is told so.
fn unsaid(error: &std::io::Error) -> CommandError {
    CommandError::Failed(anyhow!("cannot write to standard output: {error}"))
}

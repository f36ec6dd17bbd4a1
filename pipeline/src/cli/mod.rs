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

mod check;
mod completions;
mod disk;
mod error;
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

use crate::config::{KeySource, Settings};
use crate::error::Help;
use crate::fetch::{Mirror, Network, Origins};
use crate::files;
use crate::folders;
use crate::process::interrupt;
use crate::project::Project;
use crate::run::Event;
use crate::sign;
use crate::store::Store;
use crate::store::owned::refuse_others_word;
use crate::text::{self, visible};
use anyhow::{Context, Result, anyhow};
use clap::{Args, Parser, Subcommand};
use error::{Classify, CommandError};
pub use notes::render as render_note;
use std::path::PathBuf;
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
    /// Read and validate a pipeline file; nothing is fetched and nothing is run
    Check(check::Check),
    /// Show what a run would do, and what the store already has
    Plan(plan::Plan),
    /// Run a pipeline and publish its repository
    Run(run::Run),
    /// Pin what the environment is made of, or say what moved upstream since
    Lock(lock::Lock),
    /// Enter the build environment at the stage that failed, with the tree as it stood
    Shell(shell::Shell),
    /// Judge an RPM or a QEMU binary alone: is the device in it?
    Verify(verify::Verify),
    /// Make or show a signing key
    #[command(subcommand)]
    Key(key::Key),
    /// Print the JSON schema of the pipeline file
    Schema,
    /// Print completions for a shell
    Completions(completions::Completions),
}

/// Which pipeline, and where results are kept.
#[derive(Debug, Args)]
struct ProjectArgs {
    /// The pipeline file [default: the workstation pipeline that this program carries]
    file: Option<PathBuf>,
    /// The folder that keeps results between runs [default: vgpu-pipeline in the user's cache folder]
    #[arg(long, env = "VGPU_PIPELINE_STORE", value_name = "DIR")]
    store: Option<PathBuf>,
}

/// Whose repository it becomes.
#[derive(Debug, Args)]
struct SigningArgs {
    /// Sign with the armoured key in this file, whatever the pipeline says
    #[arg(long, value_name = "FILE", conflicts_with = "key_env")]
    key: Option<PathBuf>,
    /// Sign with the armoured key that this environment variable holds, whatever the pipeline says
    #[arg(long, value_name = "NAME")]
    key_env: Option<String>,
}

/// What to try where an option would do nothing beside another one.
const ONE_OF_THEM: &str = "leave out one of them";

/// Where content may come from.
#[derive(Debug, Args)]
struct FetchArgs {
    /// A folder or URL that is asked for content, by its digest, before its origin is; repeatable
    #[arg(long, value_name = "DIR|URL")]
    mirror: Vec<String>,
    /// Open no connection: what is neither in the store nor in a mirror folder is listed
    #[arg(long)]
    offline: bool,
}

impl FetchArgs {
    /// What the command line says, then what the user's settings say.
    fn origins(&self) -> Result<Origins> {
        let network = if self.offline { Network::Off } else { Network::On };
        let parse = |texts: &[String]| -> Result<Vec<Mirror>> {
            texts.iter().map(|text| Mirror::parse(text)).collect()
        };
        let mut mirrors = parse(&self.mirror)?;
        if let Some(server) =
            mirrors.iter().find(|mirror| self.offline && mirror.folder().is_none())
        {
            return Err(anyhow!("`--offline` asks no server, the mirror `{server}` neither")
                .help(ONE_OF_THEM.to_string()));
        }
        mirrors.extend(parse(&settings()?.mirrors)?);
        Ok(Origins { network, mirrors })
    }
}

/// The user's settings, if there are any.
fn settings() -> Result<Settings> {
    let Some(folder) = folders::config() else { return Ok(Settings::default()) };
    let file = folder.join("config.yaml");
    refuse_others_word(&file, "the settings")?;
    match files::read_text_if_there(&file, &files::SETTINGS)? {
        Some(text) => Ok(Settings::parse(&text, &file.display().to_string())?),
        None => Ok(Settings::default()),
    }
}

impl ProjectArgs {
    fn store(&self) -> Result<Store> {
        let root = match &self.store {
            Some(root) => root.clone(),
            None => default_store()?,
        };
        Store::open(&root)
    }

    fn load(&self, store: &Store) -> Result<Project> {
        match &self.file {
            Some(file) => Project::read(file),
            None => Project::default_in(store),
        }
    }
}

impl SigningArgs {
    /// The pipeline, signed as the command line says.
    fn apply(&self, mut project: Project) -> Result<Project> {
        if let Some(key) = self.key_source()? {
            project.pipeline.sign.key = Some(key);
        }
        Ok(project)
    }

    fn key_source(&self) -> Result<Option<KeySource>> {
        if let Some(file) = &self.key {
            // The pipeline's own paths start from its folder, a flag's from where it is typed.
            return Ok(Some(KeySource::File(std::path::absolute(file)?)));
        }
        let name = self.key_env.clone().map(TryInto::try_into).transpose();
        Ok(name.map_err(anyhow::Error::msg)?.map(KeySource::Env))
    }
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
    if let Err(error) = cli.put_secrets_away() {
        return CommandError::Usage(error).report();
    }
    // The builder in a container reads what is laid out here; secrets have modes of their own.
    rustix::process::umask(rustix::fs::Mode::from_bits_truncate(0o022));
    let result = interrupt::listen().usage().and_then(|()| match &cli.command {
        Command::Check(command) => command.run(),
        Command::Plan(command) => command.run(),
        Command::Run(command) => command.run(),
        Command::Lock(command) => command.run(),
        Command::Shell(command) => command.run(),
        Command::Verify(command) => command.run(),
        Command::Key(command) => command.run(),
        Command::Schema => schema::run(),
        Command::Completions(command) => {
            command.run();
            Ok(())
        }
    });
    let result = result.and_then(|()| match UNSAID.get() {
        Some(error) => Err(unsaid(error)),
        None => Ok(()),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if cli.command.prints_json() {
                print_event(&Event::Failed(error.failure()));
            }
            error.report()
        }
    }
}

impl Command {
    /// Whether a program reads what it prints.
    fn prints_json(&self) -> bool {
        match self {
            Self::Plan(plan) => plan.json(),
            Self::Run(run) => run.json(),
            Self::Verify(verify) => verify.json(),
            Self::Key(key) => key.json(),
            Self::Check(_)
            | Self::Lock(_)
            | Self::Shell(_)
            | Self::Schema
            | Self::Completions(_) => false,
        }
    }
}

impl Cli {
    /// Takes secrets out of this program's environment, which ends in its start without them.
    fn put_secrets_away(&self) -> Result<()> {
        let mut names: Vec<String> = Vec::new();
        let (project, signer) = match &self.command {
            Command::Check(check) => (check.project(), Some(check.signer())),
            Command::Plan(plan) => (plan.project(), Some(plan.signer())),
            Command::Run(run) => (run.project(), Some(run.signer())),
            Command::Lock(lock) => (lock.project(), None),
            Command::Shell(shell) => (shell.project(), None),
            Command::Key(key) => {
                names.extend(key.secrets().map(str::to_owned));
                return sign::put_away(&names.iter().map(String::as_str).collect::<Vec<_>>(), true);
            }
            Command::Verify(_) | Command::Schema | Command::Completions(_) => return Ok(()),
        };
        names.extend(signer.and_then(|signer| signer.key_env.clone()));
        // A file that is no good is refused by the command itself.
        let project = project.file.as_deref().and_then(|file| Project::read(file).ok());
        if let Some(sign) = project.map(|project| project.pipeline.sign) {
            if let Some(KeySource::Env(name)) = sign.key {
                names.push(name.to_string());
            }
            names.extend(sign.passphrase_env.map(|name| name.to_string()));
        }
        // Whoever enters a container by hand wants a terminal there, and signs nothing.
        let chown_to_builder = !matches!(self.command, Command::Shell(_));
        sign::put_away(&names.iter().map(String::as_str).collect::<Vec<_>>(), chown_to_builder)
    }
}

/// What the arguments lack, or what was asked for, such as `--help`: by clap itself, unless it would
/// repeat what no terminal should see.
fn usage_error(usage: &clap::Error) -> ExitCode {
    let said = usage.render().to_string();
    if usage.use_stderr() {
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

/// Where results are kept unless somebody says otherwise (XDG Base Directory Specification).
fn default_store() -> Result<PathBuf> {
    folders::cache()
        .context("neither XDG_CACHE_HOME nor HOME says where results are kept")
        .help("use `--store`")
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! `shell`: into the build environment at the stage that failed.

use super::{Classify, CommandError, Execute, ProjectArgs};
use crate::error::Help;
use crate::process::{Runner, interrupt};
use crate::sandbox::FailedJob;
use anyhow::{Context, anyhow};
use clap::Args;

#[derive(Debug, Args)]
pub struct Shell {
    #[command(flatten)]
    project: ProjectArgs,
    /// The command to run instead of a shell
    #[arg(last = true)]
    command: Vec<String>,
}

impl Execute for Shell {
    fn run(&self) -> Result<(), CommandError> {
        let store = self.project.store().usage()?;
        let project = self.project.load(&store).usage()?;
        let name = project.name();
        let failed_job = || {
            FailedJob::load(&store.failed_folder(&project.own_name()))?
                .with_context(|| format!("no stage of `{name}` has failed in its environment"))
                .help("a `run` whose stage `build` or `verify` fails keeps the tree for this")
        };
        // Without one, nobody waits.
        failed_job().usage()?;
        // A new run would take the tree away, and one that is at work may have left another.
        let _held = store.lock("run", name, || Ok(interrupt::check()?)).failed()?;
        let failed_job = failed_job().usage()?;
        for (host, inside) in failed_job.mounts() {
            tell!("{inside:<10} {}", host.display());
        }
        if !failed_job.command().is_empty() {
            tell!("failed: {}", failed_job.command().join(" "));
        }
        let shell = ["bash".to_owned()];
        let command = if self.command.is_empty() { &shell[..] } else { &self.command };
        let log = store.log_file(name, "shell").failed()?;
        let runner = Runner::new(&log, |_| {}).failed()?.working_for(store.root());
        let status = failed_job.enter(command, &runner).failed()?;
        if status.success() {
            return Ok(());
        }
        Err(anyhow!("`{}` in the environment ended with {status}", command.join(" "))).failed()
    }

    fn project(&self) -> Option<&ProjectArgs> {
        Some(&self.project)
    }

    /// Whoever enters a container by hand wants a terminal there, and signs nothing.
    fn reads_secrets(&self) -> bool {
        false
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! `run`: the main job.

use super::progress::ProgressReporter;
use super::{Classify, CommandError, Execute, FetchArgs, ONE_OF_THEM, ProjectArgs, SigningArgs};
use crate::error::Help;
use crate::run::{Consent, Request, Session};
use crate::sandbox::Engine;
use crate::stage::Stage;
use anyhow::{Result, anyhow};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct Run {
    #[command(flatten)]
    project: ProjectArgs,
    #[command(flatten)]
    signer: SigningArgs,
    #[command(flatten)]
    reach: FetchArgs,
    /// Stop after this stage
    #[arg(long, value_enum, default_value = "publish")]
    until: Stage,
    /// The folder that the repository is written to [default: out/NAME]
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Let another key sign the repository than has signed it so far
    #[arg(long)]
    accept_new_signer: bool,
    /// Let packages replace published ones of the same name and version, as after an edit of a device
    #[arg(long)]
    replace: bool,
    /// The container engine [default: podman, else docker, whichever is on PATH]
    #[arg(long, value_enum)]
    engine: Option<Engine>,
    /// Print one JSON event a line on standard output
    #[arg(long)]
    json: bool,
}

impl Execute for Run {
    fn run(&self) -> Result<(), CommandError> {
        self.publishes_or_says_nothing_of_it().usage()?;
        let store = self.project.store().usage()?;
        let project = self.project.load(&store).and_then(|it| self.signer.apply(it)).usage()?;
        let request = Request {
            until: self.until,
            output: self.output.clone().unwrap_or_else(|| project.default_output()),
            consent: Consent { new_signer: self.accept_new_signer, replace: self.replace },
            engine: self.engine,
            origins: self.reach.origins().usage()?,
        };
        let session = Session::new(project, request, store).usage()?;
        session.preflight().usage()?;
        if self.json {
            session.run(&|event| super::print_event(&event)).failed()?;
            return Ok(());
        }
        let reporter = ProgressReporter::new();
        let outcome = session.run(&|event| reporter.show(&event)).failed()?;
        reporter.close(&outcome);
        Ok(())
    }

    fn prints_json(&self) -> bool {
        self.json
    }

    fn project(&self) -> Option<&ProjectArgs> {
        Some(&self.project)
    }

    fn secrets(&self) -> Vec<&str> {
        self.signer.secrets()
    }
}

impl Run {
    /// Refuses to be silent about what is asked of a repository that is not to be written.
    fn publishes_or_says_nothing_of_it(&self) -> Result<()> {
        let asked = [
            ("--output", self.output.is_some()),
            ("--accept-new-signer", self.accept_new_signer),
            ("--replace", self.replace),
        ];
        let until = self.until.name();
        match asked.into_iter().find(|(_, given)| *given && self.until != Stage::Publish) {
            Some((option, _)) => {
                Err(anyhow!("`{option}` is about the repository, and `--until {until}` makes none")
                    .help(ONE_OF_THEM.to_string()))
            }
            None => Ok(()),
        }
    }
}

//! `run`: the main job.

use super::{Classify, CommandError, ONE_OF_THEM, Place, Reach, Signer, json, people};
use crate::error::Help;
use crate::plan::Stage;
use crate::run::{Consent, Prepared, Request, default_output};
use crate::sandbox::Engine;
use anyhow::{Result, anyhow};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct Run {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    signer: Signer,
    #[command(flatten)]
    reach: Reach,
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

impl Run {
    pub fn place(&self) -> &Place {
        &self.place
    }

    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    pub fn run(&self) -> Result<(), CommandError> {
        self.publishes_or_says_nothing_of_it().usage()?;
        let store = self.place.store().usage()?;
        let loaded = self.place.load(&store).and_then(|it| self.signer.of(it)).usage()?;
        let output = self.output.clone().unwrap_or_else(|| default_output(&loaded.pipeline));
        let origins = self.reach.origins().usage()?;
        let consent = Consent { new_signer: self.accept_new_signer, replace: self.replace };
        let (until, engine) = (self.until, self.engine);
        let request = Request { loaded, until, output, consent, engine, origins };
        let prepared = Prepared::new(request, store).usage()?;
        prepared.preflight().usage()?;
        if self.json {
            prepared.run(&|event| json::print(&event)).failed()?;
            return Ok(());
        }
        let screen = people::Screen::new();
        let outcome = prepared.run(&|event| screen.show(&event)).failed()?;
        screen.close(&outcome);
        Ok(())
    }

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
                return Err(anyhow!(
                    "`{option}` is about the repository, and `--until {until}` makes none"
                )
                .help(format!("{ONE_OF_THEM}")));
            }
            None => Ok(()),
        }
    }
}

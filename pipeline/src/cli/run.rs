//! `run`: the main job.

use super::{Failed, IntoFailed, Place, Reach, json, people};
use crate::plan::Stage;
use crate::run::{Consent, Prepared, Request, default_output};
use crate::sandbox::Engine;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct Run {
    #[command(flatten)]
    place: Place,
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

    pub fn run(&self) -> Result<(), Failed> {
        let store = self.place.store().input()?;
        let loaded = self.place.load(&store).input()?;
        let output = self.output.clone().unwrap_or_else(|| default_output(&loaded.pipeline));
        let origins = self.reach.origins().input()?;
        let consent = Consent { new_signer: self.accept_new_signer, replace: self.replace };
        let (until, engine) = (self.until, self.engine);
        let request = Request { loaded, until, output, consent, engine, origins };
        let prepared = Prepared::new(request, store).input()?;
        prepared.preflight().input()?;
        if self.json {
            prepared.run(&|event| json::print(&event)).work()?;
            return Ok(());
        }
        let screen = people::Screen::new();
        let outcome = prepared.run(&|event| screen.show(&event)).work()?;
        screen.close(&outcome);
        Ok(())
    }
}

//! `run`: the main job.

use super::{Failed, IntoFailed, Place, Reach, json, people};
use crate::plan::Stage;
use crate::run::{Prepared, Request, default_output};
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
        let request = Request { loaded, until: self.until, output, engine: self.engine, origins };
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

//! `check`: is this pipeline file good?

use super::{Failed, IntoFailed, Place};
use crate::plan::Stage;
use crate::run::{Prepared, Request, default_output};
use clap::Args;

#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    place: Place,
}

impl Check {
    pub fn run(&self) -> Result<(), Failed> {
        let store = self.place.store().input()?;
        let loaded = self.place.load(&store).input()?;
        let output = default_output(&loaded.pipeline);
        let request = Request { loaded, until: Stage::Publish, output, engine: None };
        let prepared = Prepared::new(request, store).input()?;
        eprintln!("pipeline `{}` is good", prepared.pipeline().name);
        Ok(())
    }
}

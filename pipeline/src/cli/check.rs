//! `check`: is this pipeline file good?

use super::{Failed, IntoFailed, Place};
use crate::fetch::Origins;
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
        let request = Request {
            loaded,
            until: Stage::Publish,
            output,
            engine: None,
            origins: Origins::none(),
        };
        let prepared = Prepared::new(request, store).input()?;
        if prepared.spec().is_none() {
            eprintln!(
                "the spec is in a git source that was not fetched yet: its edits are not checked"
            );
        }
        if let Some(why) = prepared.lock_wanting() {
            eprintln!("{why}");
        }
        eprintln!("pipeline `{}` is good", prepared.pipeline().name);
        Ok(())
    }
}

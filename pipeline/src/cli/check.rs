//! `check`: is this pipeline file good?

use super::{Failed, IntoFailed, Place};
use crate::run::{Prepared, Request};
use clap::Args;

#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    place: Place,
}

impl Check {
    pub fn place(&self) -> &Place {
        &self.place
    }

    pub fn run(&self) -> Result<(), Failed> {
        let store = self.place.store().input()?;
        let loaded = self.place.load(&store).input()?;
        let prepared = Prepared::new(Request::whole(loaded), store).input()?;
        if prepared.spec().is_none() {
            tell!(
                "the spec is in a git source that was not fetched yet: its edits are not checked"
            );
        }
        if let Some(why) = prepared.lock_wanting() {
            tell!("{why}");
        }
        tell!("pipeline `{}` is good", prepared.pipeline().name);
        Ok(())
    }
}

//! `check`: is this pipeline file good?

use super::{Classify, CommandError, Place, Signer};
use crate::run::{Prepared, Request};
use clap::Args;

#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    signer: Signer,
}

impl Check {
    pub fn place(&self) -> &Place {
        &self.place
    }

    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    pub fn run(&self) -> Result<(), CommandError> {
        let store = self.place.store().usage()?;
        let loaded = self.place.load(&store).and_then(|it| self.signer.of(it)).usage()?;
        let prepared = Prepared::new(Request::whole(loaded), store).usage()?;
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

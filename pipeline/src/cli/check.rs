// SPDX-License-Identifier: GPL-2.0-or-later
//! `check`: is this pipeline file good?

use super::{Classify, CommandError, Execute, ProjectArgs, SigningArgs};
use crate::run::{Request, Session};
use clap::Args;

#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    project: ProjectArgs,
    #[command(flatten)]
    signer: SigningArgs,
}

impl Execute for Check {
    fn run(&self) -> Result<(), CommandError> {
        let store = self.project.store().usage()?;
        let project = self.project.load(&store).and_then(|it| self.signer.apply(it)).usage()?;
        let request = Request::whole(&project);
        let session = Session::new(project, request, store).usage()?;
        if session.known_specs().is_none() {
            tell!(
                "the spec is in a git source that was not fetched yet: its edits are not checked"
            );
        }
        if let Some(why) = session.inputs.lock.unusable() {
            tell!("{why}");
        }
        tell!("pipeline `{}` is good", session.project.name());
        Ok(())
    }

    fn project(&self) -> Option<&ProjectArgs> {
        Some(&self.project)
    }

    fn secrets(&self) -> Vec<&str> {
        self.signer.secrets()
    }
}

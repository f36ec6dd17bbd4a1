// SPDX-License-Identifier: GPL-2.0-or-later
//! The stage `verify` as a step.

use super::{Installed, Made, Verified, judge, keep_failed};
use crate::build::Built;
use crate::config::Edit;
use crate::digest::blake3;
use crate::dom0::Dom0;
use crate::environment::Environment;
use crate::inject::Injected;
use crate::note::Note;
use crate::process::interrupted;
use crate::project::{Inputs, Project};
use crate::source::Sources;
use crate::stage::{Context, KeyBuilder, Needs, Network, Slot, Stage, Step, Taken, Value};
use crate::store::Stored;
use anyhow::{Context as _, Result};

pub struct VerifyStep<'p> {
    project: &'p Project,
    /// What the hosts have, where the pipeline names a list.
    installed: Option<Installed>,
}

impl<'p> VerifyStep<'p> {
    /// The step, unless the list of what is installed is no good.
    pub fn new(project: &'p Project, inputs: &'p Inputs) -> Result<Self> {
        let installed = inputs.installed.clone().map(Installed::parse);
        Ok(Self { project, installed: installed.transpose().context("`verify.installed`")? })
    }

    fn made<'v>(&self, (sources, _, injected, built, stock, dom0): &Taken<'v, Self>) -> Made<'v> {
        let dropped = Edit::dropped_patches(&self.project.pipeline.spec.edits);
        let given = sources.files().filter(|(name, _)| !dropped.contains(name));
        let given = given.chain(injected.devices());
        let mut given: std::collections::BTreeMap<_, _> =
            given.map(|(name, path)| (name.to_owned(), path)).collect();
        given.insert(self.project.spec_name().to_owned(), injected.spec());
        Made { built, stock: *stock, dom0: *dom0, given }
    }
}

impl Step for VerifyStep<'_> {
    const STAGE: Stage = Stage::Verify;
    const REVISION: u32 = 10;
    type Value = Verified;
    /// The source package has to hold what went in, so that is read again.
    type Takes<'s> = (
        &'s Slot<Sources>,
        &'s Slot<Environment>,
        &'s Slot<Injected>,
        &'s Slot<Built>,
        Option<&'s Slot<Built>>,
        Option<&'s Slot<Dom0>>,
    );

    fn recipe(&self, key: KeyBuilder, _: &Self::Takes<'_>) -> Option<KeyBuilder> {
        let mut key = key.config("verify", &self.project.pipeline.verify);
        if let Some(installed) = &self.installed {
            key = key.text("installed", &blake3(installed.text().as_bytes()));
        }
        let guest = self.project.pipeline.verify.guest.as_ref();
        Some(match guest.and_then(super::guest_digest) {
            Some(guest) => key.text("guest", &guest),
            None => key,
        })
    }

    fn needs(&self, _network: Network) -> Result<Needs> {
        Ok(Needs::engine())
    }

    fn run(&self, cx: &Context, taken: Taken<'_, Self>) -> Result<Verified> {
        let made = self.made(&taken);
        let image = taken.1.image(cx)?;
        let pipeline = &self.project.pipeline;
        let verified = judge(&made, pipeline, self.installed.as_ref(), &image, cx);
        if verified.as_ref().is_err_and(|error| interrupted(error).is_none()) {
            keep_failed(made.built, &image, &self.project.own_name(), cx.store())?;
        }
        verified
    }

    fn recall(&self, stored: Stored, taken: Taken<'_, Self>) -> Result<Verified> {
        Verified::recall(stored, &self.made(&taken))
    }

    fn notes(&self, verified: &Verified) -> Result<Vec<Note>> {
        Ok(verified.report().notes())
    }
}

impl Value for Verified {
    fn stored(&self) -> &Stored {
        &self.stored
    }

    /// A judgement has no files: what it says is what is in it.
    fn content(&self) -> Result<String> {
        Ok(self.stored.content_with_facts())
    }

    /// What leaves is read from the results that it was judged in.
    fn damaged(&self) -> Vec<Stored> {
        let leaving = self.packages.iter().chain(&self.sources).chain(&self.wrapper);
        let mut damaged: Vec<Stored> = Vec::new();
        for file in leaving.filter(|file| !file.is_intact()) {
            if !damaged.iter().any(|known| known.name() == file.stored().name()) {
                damaged.push(file.stored().clone());
            }
        }
        damaged
    }
}

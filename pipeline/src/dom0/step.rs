// SPDX-License-Identifier: GPL-2.0-or-later
//! The stage `dom0` as a step.

use super::{Dom0, PATCHED, SHIPPED, ServedDevices, assets, vendor};
use crate::config::Wrapper;
use crate::environment::Environment;
use crate::note::Note;
use crate::project::Project;
use crate::stage::{
    Context, KeyBuilder, Material, Materials, Needs, Network, Slot, Stage, Step, Taken, Value,
};
use crate::store::Stored;
use anyhow::Result;

pub struct Dom0Step<'p> {
    pub project: &'p Project,
    pub wrapper: &'p Wrapper,
}

impl Step for Dom0Step<'_> {
    const STAGE: Stage = Stage::Dom0;
    const REVISION: u32 = 5;
    type Value = Dom0;
    type Takes<'s> = (&'s Slot<Environment>,);

    fn recipe(&self, key: KeyBuilder, _: &Self::Takes<'_>) -> Option<KeyBuilder> {
        let key = key.config("wrapper", self.wrapper).text("assets", &assets::digest());
        Some(key.text("served", &ServedDevices::of(&self.project.pipeline).digest()))
    }

    fn needs(&self, _network: Network) -> Result<Needs> {
        let is_fetched = self.wrapper.vendor.path().is_none();
        let tools: &[_] = if is_fetched { &["curl"] } else { &[] };
        Ok(Needs { content: vendor::pins(self.wrapper), ..Needs::engine().tools(tools) })
    }

    fn run(&self, cx: &Context, (environment,): Taken<'_, Self>) -> Result<Dom0> {
        let Self { project, wrapper } = self;
        let served = ServedDevices::of(&project.pipeline);
        super::make(wrapper, &served, &project.base_dir, &environment.image(cx)?, cx)
    }

    fn recall(&self, stored: Stored, _: Taken<'_, Self>) -> Result<Dom0> {
        Dom0::of(stored)
    }

    fn notes(&self, dom0: &Dom0) -> Result<Vec<Note>> {
        let package = Note::Dom0Package { file: dom0.facts.package.clone() };
        Ok(vec![package, Note::WrapperPatched { lines: dom0.facts.added }])
    }
}

impl Value for Dom0 {
    fn stored(&self) -> &Stored {
        &self.stored
    }

    fn materials(&self) -> Result<Materials> {
        let shipped = Material::of("wrapper", &self.stored, SHIPPED)?;
        let files = vec![shipped.named(PATCHED).from(self.facts.origin.as_deref())];
        Ok(Materials { files, contacted: self.facts.contacted.clone() })
    }
}

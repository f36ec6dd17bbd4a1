// SPDX-License-Identifier: GPL-2.0-or-later
//! The stage `inject` as a step: what the edits made of the spec, and the devices' files beside it.

use super::Specs;
use crate::config::Device;
use crate::digest::blake3;
use crate::note::{EditOutcome, Note};
use crate::project::{Inputs, Project};
use crate::source::Sources;
use crate::stage::{
    Context, KeyBuilder, Material, Materials, Needs, Network, Slot, Stage, Step, Taken, Value,
};
use crate::store::Stored;
use anyhow::{Context as _, Result};
use fs_err as fs;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The folder of what is made for `build.test-binary`, and that of the spec as it stands.
const FOR_TESTS: &str = "test";
const ORIGINAL: &str = "original";

pub struct InjectStep<'p> {
    pub project: &'p Project,
    pub inputs: &'p Inputs,
    /// None while the spec's git source was not fetched.
    pub specs: Option<&'p Specs>,
}

/// The edited spec and what it builds with.
#[derive(Debug)]
pub struct Injected {
    stored: Stored,
    facts: Facts,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Facts {
    spec: String,
    devices: Vec<String>,
    edits: Vec<(String, EditOutcome)>,
}

impl Injected {
    pub fn spec(&self) -> PathBuf {
        self.stored.path(&self.facts.spec)
    }

    /// The spec that the test binary is built by, where there is one.
    pub fn test_spec(&self) -> Option<PathBuf> {
        let name = Path::new(FOR_TESTS).join(&self.facts.spec).to_string_lossy().into_owned();
        self.stored.has(&name).then(|| self.stored.path(&name))
    }

    /// The devices' C files, by name.
    pub fn devices(&self) -> impl Iterator<Item = (&str, PathBuf)> {
        self.facts.devices.iter().map(|name| (name.as_str(), self.stored.path(name)))
    }
}

impl Step for InjectStep<'_> {
    const STAGE: Stage = Stage::Inject;
    const REVISION: u32 = 3;
    type Value = Injected;
    type Takes<'s> = (&'s Slot<Sources>,);

    fn recipe(&self, key: KeyBuilder, _: &Self::Takes<'_>) -> Option<KeyBuilder> {
        let pipeline = &self.project.pipeline;
        let mut key = spec(key, self.project, self.inputs)
            .config("edits", &pipeline.spec.edits)
            // A file's name may be made of macros that the builder sets.
            .config("define", &pipeline.build.define);
        for (device, file) in pipeline.device.iter().zip(&self.inputs.devices) {
            key = key
                .text("device", device.qom_type.as_str())
                .text("file", device.file_name())
                .text("directory", device.directory.as_str())
                .text("condition", device.condition.as_str())
                .text("content", &blake3(&file.bytes));
            if !device.defines.is_empty() {
                key = key.config("defines", &device.defines);
            }
        }
        Some(match &pipeline.build.test_binary {
            Some(binary) => key.config("test-edits", &binary.edits),
            None => key,
        })
    }

    fn needs(&self, _network: Network) -> Result<Needs> {
        Ok(Needs::default())
    }

    fn run(&self, cx: &Context, _: Taken<'_, Self>) -> Result<Injected> {
        let specs = self.specs.context("the spec was not fetched yet")?;
        let work = cx.store().work()?;
        let files = work.files();
        let spec = self.project.spec_name();
        fs::write(files.join(spec), &specs.edited.spec)?;
        let beside = [
            (ORIGINAL, Some(&specs.text)),
            (FOR_TESTS, specs.for_tests.as_ref().map(|it| &it.spec)),
        ];
        for (folder, text) in beside {
            let Some(text) = text else { continue };
            fs::create_dir(files.join(folder))?;
            fs::write(files.join(folder).join(spec), text)?;
        }
        let devices = &self.project.pipeline.device;
        for (device, file) in devices.iter().zip(&self.inputs.devices) {
            fs::write(files.join(device.file_name()), &file.bytes)?;
        }
        let facts = Facts {
            spec: spec.to_owned(),
            devices: devices.iter().map(Device::file_name).map(str::to_owned).collect(),
            edits: specs.edited.edits.clone(),
        };
        Ok(Injected { stored: cx.keep(work, &facts)?, facts })
    }

    fn recall(&self, stored: Stored, _: Taken<'_, Self>) -> Result<Injected> {
        let facts = stored.facts()?;
        Ok(Injected { stored, facts })
    }

    fn notes(&self, injected: &Injected) -> Result<Vec<Note>> {
        let edits = injected.facts.edits.iter();
        Ok(edits
            .map(|(edit, outcome)| Note::Edit { edit: edit.clone(), outcome: *outcome })
            .collect())
    }
}

impl Value for Injected {
    fn stored(&self) -> &Stored {
        &self.stored
    }

    fn materials(&self) -> Result<Materials> {
        let Facts { spec, devices, .. } = &self.facts;
        let original = format!("{ORIGINAL}/{spec}");
        let mut files = vec![
            Material::of("spec", &self.stored, &original)?.named(spec),
            Material::of("edited-spec", &self.stored, spec)?,
        ];
        for device in devices {
            files.push(Material::of("device", &self.stored, device)?);
        }
        Ok(Materials { files, ..Materials::default() })
    }
}

/// The spec as it stands, in a key: its digest, or its place in the sources, which the key holds.
pub fn spec(key: KeyBuilder, project: &Project, inputs: &Inputs) -> KeyBuilder {
    match (&inputs.spec, &project.pipeline.spec.git) {
        (Some(text), _) => key.text("spec", &blake3(text)),
        (None, path) => key.text("spec-path", path.as_ref().map_or("", |path| path.as_str())),
    }
}

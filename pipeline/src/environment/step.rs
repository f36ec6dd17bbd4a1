// SPDX-License-Identifier: GPL-2.0-or-later
//! The stage `environment` as a step.

use super::{Environment, INPUTS, Identity, check_containerfile, locked};
use crate::config::{Base, Lock};
use crate::digest::blake3;
use crate::files;
use crate::note::Note;
use crate::project::{Inputs, Project};
use crate::sandbox;
use crate::stage::{Context, KeyBuilder, Material, Materials, Needs, Network, Stage, Step, Value};
use crate::store::Stored;
use anyhow::Result;

pub struct EnvironmentStep<'p> {
    project: &'p Project,
    inputs: &'p Inputs,
}

impl<'p> EnvironmentStep<'p> {
    /// The step, unless the Containerfile is no good.
    pub fn new(project: &'p Project, inputs: &'p Inputs) -> Result<Self> {
        let path = files::join(&project.base_dir, &project.pipeline.environment.containerfile);
        check_containerfile(&inputs.containerfile, &path.display().to_string())?;
        Ok(Self { project, inputs })
    }

    fn base(&self) -> &'p Base {
        &self.project.pipeline.environment.base
    }

    fn lock(&self) -> Option<&'p Lock> {
        self.inputs.lock.current()
    }
}

impl Step for EnvironmentStep<'_> {
    const STAGE: Stage = Stage::Environment;
    const REVISION: u32 = 7;
    type Value = Environment;
    type Takes<'s> = ();

    /// Without its lock an image base has no key.
    fn recipe(&self, key: KeyBuilder, (): &()) -> Option<KeyBuilder> {
        let containerfile = blake3(self.inputs.containerfile.as_bytes());
        let key = key.config("base", self.base()).text("containerfile", &containerfile);
        match (self.base(), self.lock()) {
            (Base::Debian(_), _) => Some(key),
            (Base::Image(_), Some(lock)) => Some(key.config("lock", lock)),
            (Base::Image(_), None) => None,
        }
    }

    fn needs(&self, _network: Network) -> Result<Needs> {
        let mut needs = Needs::engine();
        needs.tools.extend(sandbox::tools().iter().map(|any| any.to_vec()));
        Ok(match (self.base(), self.lock()) {
            (Base::Debian(_), _) => Needs {
                unpinned: Some("the environment's Debian packages, which no lock pins"),
                ..needs.tools(&["apt-get", "mmdebstrap"])
            },
            (Base::Image(_), lock) => Needs {
                content: lock.map(locked::pins).unwrap_or_default(),
                ..needs.tools(&["curl"])
            },
        })
    }

    fn run(&self, cx: &Context, (): ()) -> Result<Environment> {
        super::make_environment(self.base(), self.lock(), &self.inputs.containerfile, cx)
    }

    fn recall(&self, stored: Stored, (): ()) -> Result<Environment> {
        Environment::of(stored, self.lock())
    }

    fn notes(&self, environment: &Environment) -> Result<Vec<Note>> {
        let Identity { digest, packages, .. } = &environment.identity;
        let (packages, closure, locked) = (*packages, digest.clone(), self.lock().is_some());
        Ok(vec![Note::Closure { packages, closure, locked }])
    }
}

impl Value for Environment {
    const KEYED_BY_CONTENT: bool = true;

    fn stored(&self) -> &Stored {
        &self.stored
    }

    fn content(&self) -> Result<String> {
        Ok(self.identity.digest.clone())
    }

    /// The base beside these is half a gigabyte, and is checked when an engine wants it: one that has the
    /// image needs nothing of it.
    fn damaged(&self) -> Vec<Stored> {
        let intact = INPUTS.iter().all(|name| self.stored.is_intact(name));
        if intact { Vec::new() } else { vec![self.stored.clone()] }
    }

    fn materials(&self) -> Result<Materials> {
        let files = INPUTS.iter().map(|name| Material::of("environment", &self.stored, name));
        let contacted = self.identity.contacted.clone();
        Ok(Materials { files: files.collect::<Result<_>>()?, contacted })
    }
}

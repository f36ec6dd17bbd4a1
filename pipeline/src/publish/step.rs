// SPDX-License-Identifier: GPL-2.0-or-later
//! The stage `publish` as a step.

use super::manifest::Provenance;
use super::{MadeOf, Published, Repository, make_repository, statement};
use crate::digest::blake3;
use crate::dom0::Dom0;
use crate::environment::Environment;
use crate::inject::Injected;
use crate::note::Note;
use crate::project::Project;
use crate::sign::{Signed, Signer};
use crate::source::Sources;
use crate::stage::{
    Context, KeyBuilder, Material, Materials, Needs, Network, Slot, Stage, Step, Taken, Value,
};
use crate::store::Stored;
use crate::verify::Verified;
use anyhow::{Context as _, Result};

pub struct PublishStep<'p> {
    pub project: &'p Project,
    /// None while the development key was not made yet.
    pub signer: Option<&'p Signer>,
}

impl Step for PublishStep<'_> {
    const STAGE: Stage = Stage::Publish;
    const REVISION: u32 = 8;
    type Value = Published;
    /// All that the manifest tells of.
    type Takes<'s> = (
        &'s Slot<Sources>,
        &'s Slot<Environment>,
        &'s Slot<Injected>,
        Option<&'s Slot<Dom0>>,
        &'s Slot<Verified>,
        &'s Slot<Signed>,
    );

    fn recipe(&self, key: KeyBuilder, _: &Self::Takes<'_>) -> Option<KeyBuilder> {
        let pipeline = &self.project.pipeline;
        let key = key.config("publish", &pipeline.publish).text("name", pipeline.name.as_str());
        let written = self.project.written();
        Some(written.fold(key, |key, it| {
            key.text(it.role, it.name).text("text", &blake3(it.text.as_bytes()))
        }))
    }

    fn needs(&self, _network: Network) -> Result<Needs> {
        Ok(Needs::default().tools(&["createrepo_c"]))
    }

    fn run(&self, cx: &Context, taken: Taken<'_, Self>) -> Result<Published> {
        let signer = self.signer.context("no signing key was loaded")?;
        let (sources, environment, injected, dom0, verified, signed) = taken;
        let mut all = Materials::default();
        for more in [
            sources.materials()?,
            injected.materials()?,
            environment.materials()?,
            dom0.map(Dom0::materials).transpose()?.unwrap_or_default(),
        ] {
            all.files.extend(more.files);
            all.contacted.extend(more.contacted);
        }
        let written = self.project.written();
        all.files.extend(written.map(|it| Material::of_text(it.role, it.name, it.text)));
        let pipeline = &self.project.pipeline;
        let provenance = Provenance {
            pipeline: pipeline.name.to_string(),
            builder: concat!("vgpu-pipeline ", env!("CARGO_PKG_VERSION")).to_owned(),
            signer: signer.fingerprint(),
            development_key: signer.is_development(),
            keys: cx.steps.to_vec(),
            compiler_cache: verified.compiler_cache().cloned(),
            inputs: all.files,
            contacted: all.contacted,
            verified: serde_json::to_value(verified.report())?,
        };
        let repository = Repository { name: &pipeline.name, publish: &pipeline.publish };
        let packages = environment.packages()?;
        let image = environment.base_image();
        let image = image.map(|it| (it.reference.as_str(), it.digest.sha256()));
        let containerfile = environment.containerfile()?;
        let mut texts: Vec<(String, &str)> =
            self.project.written().map(|it| (it.place(), it.text)).collect();
        texts.push(("Containerfile".to_owned(), &containerfile));
        let made_of = MadeOf {
            provenance: &provenance,
            environment: statement::Environment { packages: &packages, image },
            texts,
        };
        make_repository(signed, signer, &repository, &made_of, cx)
    }

    fn recall(&self, stored: Stored, _: Taken<'_, Self>) -> Result<Published> {
        Ok(Published { stored })
    }

    fn notes(&self, _published: &Published) -> Result<Vec<Note>> {
        Ok(Vec::new())
    }
}

impl Value for Published {
    fn stored(&self) -> &Stored {
        &self.stored
    }
}

//! What a run tells of its results: to people while it goes, and in the manifest.

use super::Walk;
use crate::build::Built;
use crate::environment;
use crate::error::Help;
use crate::plan::Stage;
use crate::publish::{Entry, Provenance};
use crate::run::event::State;
use crate::run::needed;
use crate::source;
use crate::store::Stored;
use crate::verify::Verified;
use crate::wrapper::{SHIPPED, Wrapped};
use anyhow::{Context, Result, anyhow};

impl Walk<'_> {
    /// What people want to see of a stage that ran.
    pub(super) fn notes(&self, stage: Stage, state: State) -> Result<Vec<String>> {
        if state == State::Cached {
            // Whoever wants the test binary has no other way to it.
            return match stage {
                Stage::Build => Ok(self.test_binary()?.into_iter().collect()),
                _ => Ok(Vec::new()),
            };
        }
        Ok(match stage {
            Stage::Environment => {
                let environment::Identity { digest, packages, .. } =
                    environment::identity(self.result(stage)?)?;
                let pinned = match self.gathered.lock.current() {
                    Some(_) => "as locked",
                    None => "as served today: Debian keeps no old states",
                };
                let digest = digest.get(..16).unwrap_or(&digest);
                vec![format!("{packages} packages, closure {digest} ({pinned})")]
            }
            Stage::Inject => self
                .spec()?
                .edited
                .edits
                .iter()
                .map(|(edit, outcome)| format!("{edit}: {outcome}"))
                .collect(),
            Stage::Build => {
                let shown = self.built()?.shown()?;
                let missing = shown.not_compiled.iter();
                let missing =
                    missing.map(|name| format!("the log shows no compilation of `{name}`"));
                let wrote = shown.wrote.iter().map(|path| format!("Wrote: {path}"));
                shown
                    .compiled
                    .iter()
                    .chain(&shown.linked)
                    .cloned()
                    .chain(missing)
                    .chain(wrote)
                    .chain(self.test_binary()?)
                    .collect()
            }
            Stage::Wrapper => {
                let facts = Wrapped::recall(self.result(stage)?.clone()).facts()?;
                vec![facts.package, format!("qemu-wrapper, patched: {} lines more", facts.added)]
            }
            Stage::Verify => {
                let verified = Verified::recall(self.result(stage)?.clone(), &self.made()?)?;
                verified.report().summary()
            }
            Stage::Sign => {
                let signer = self.signer()?;
                let others = signer.others().iter().map(|other| format!("passed over: {other}"));
                [format!("key {}", signer.fingerprint())].into_iter().chain(others).collect()
            }
            Stage::Stock => {
                let built = Built::recall(self.result(stage)?.clone());
                built.shown()?.wrote.iter().map(|path| format!("Wrote: {path}")).collect()
            }
            Stage::Source => needed::notes(&self.sources()?.facts()?.skipped),
            Stage::Publish => Vec::new(),
        })
    }

    fn test_binary(&self) -> Result<Option<String>> {
        let built = self.built()?;
        let path = built.test_binary().map(|name| built.stored().path(name));
        Ok(path.map(|path| format!("test binary, in no package: {}", path.display())))
    }

    pub(super) fn provenance(&self) -> Result<Provenance> {
        let pipeline = &self.request.loaded.pipeline;
        let beside = &self.request.loaded.beside;
        let sources = self.sources()?;
        let mut inputs = Vec::new();
        let facts = sources.facts()?;
        for fact in &facts.files {
            let entry = of_record("source", &source::stored_name(&fact.file), sources.stored())?;
            inputs.push(Entry { name: fact.file.clone(), ..entry }.from(&fact.origin));
        }
        let spec = match &pipeline.spec.file {
            Some(file) => beside.join(file),
            None => sources.spec().context("the sources hold no spec")?,
        };
        inputs.push(Entry::of("spec", self.spec_name(), &spec)?);
        let injected = self.result(Stage::Inject)?;
        inputs.push(of_record("edited-spec", self.spec_name(), injected)?);
        for device in &pipeline.device {
            inputs.push(of_record("device", device.file_name(), injected)?);
        }
        let environment = self.result(Stage::Environment)?;
        for name in environment::INPUTS {
            // The base beside it is half a gigabyte: it is checked when an engine wants it.
            inputs.push(of_record("environment", name, environment)?);
        }
        let mut contacted = facts.contacted;
        if let Some(wrapped) = self.made()?.wrapped {
            let facts = wrapped.facts()?;
            let entry = of_record("wrapper", SHIPPED, wrapped.stored())?;
            let entry = Entry { name: "qemu-wrapper".to_owned(), ..entry };
            inputs.push(entry.from(&facts.origin));
            contacted.extend(facts.contacted);
        }
        contacted.extend(environment::identity(environment)?.contacted);
        let verified = Verified::recall(self.result(Stage::Verify)?.clone(), &self.made()?)?;
        Ok(Provenance {
            pipeline: pipeline.name.to_string(),
            builder: concat!("vgpu-pipeline ", env!("CARGO_PKG_VERSION")).to_owned(),
            signer: self.signer()?.fingerprint(),
            development_key: self.signer()?.is_development(),
            keys: self.plan.steps.clone(),
            compiler_cache: self.plan.compiler_cache.clone(),
            inputs,
            contacted,
            verified: serde_json::to_value(verified.report())?,
        })
    }
}

/// A file of a result, which is still what the result was kept with.
fn of_record(role: &'static str, name: &str, stored: &Stored) -> Result<Entry> {
    let entry = Entry::of(role, name, &stored.path(name))?;
    if stored.files().get(name).is_none_or(|record| record.blake3 != entry.blake3) {
        return Err(anyhow!("`{name}` is damaged in the store")
            .help(format!("remove {} and run again", stored.path("").display())));
    }
    Ok(entry)
}

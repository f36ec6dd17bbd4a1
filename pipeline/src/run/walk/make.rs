//! One stage made anew: what it takes is handed to its room, and what the room kept is handed back.

use super::Walk;
use crate::build::{self, Built, SourceName};
use crate::cmd::{Runner, interrupted};
use crate::config::{Edit, Stock};
use crate::environment;
use crate::fetch::Fetch;
use crate::plan::{CompilerCache, Key, Stage};
use crate::publish::{self, Repository};
use crate::run::event::Event;
use crate::run::{gather, log_file};
use crate::sandbox::Image;
use crate::sign::{self, Signed};
use crate::source;
use crate::store::Stored;
use crate::verify::{self, Verified};
use crate::wrapper;
use anyhow::{Context, Result, bail};
use fs_err as fs;
use std::cell::Cell;

/// The folder of what `inject` made for `build.test-binary`.
const FOR_TESTS: &str = "test";

impl Walk<'_> {
    pub(super) fn make(&self, stage: Stage, key: &Key) -> Result<Stored> {
        let log = log_file(&self.store, &self.request.loaded.pipeline, stage)?;
        (self.on_event)(Event::Started { stage, key, log: &log });
        let shown = Cell::new(0);
        let cmd = Runner::new(&log, |line| {
            // A build prints a thousand of these; one in a hundred parts is enough to see it move.
            if let Some(progress) = build::progress(line)
                && shown.replace(progress.percent()) != progress.percent()
            {
                let (done, total) = (progress.done.into(), progress.total.into());
                (self.on_event)(Event::Progress { stage, done, total });
            }
        })?
        .working_for(self.store.root())
        .on_note(|text| (self.on_event)(Event::Note { stage, text }));
        let pipeline = &self.request.loaded.pipeline;
        let beside = &self.request.loaded.beside;
        let store = &self.store;
        // What an earlier run left to look into is no picture of this one.
        let own_name = self.request.loaded.own_name();
        store.drop_set_aside(&own_name)?;
        let fetch = Fetch::new(store, &self.request.origins, &cmd);
        Ok(match stage {
            Stage::Source => {
                let spec = pipeline.spec.git.as_ref();
                source::run(&pipeline.source, spec, beside, key, store, &fetch)?.stored().clone()
            }
            Stage::Environment => {
                let declared = environment::Declared {
                    containerfile: &self.gathered.containerfile,
                    base: &pipeline.environment.base,
                    lock: self.gathered.lock.current(),
                };
                environment::run(&declared, key, self.engine()?, &fetch)?.stored().clone()
            }
            Stage::Inject => self.inject(key)?,
            Stage::Build => {
                let injected = self.result(Stage::Inject)?;
                let for_tests = injected.path(FOR_TESTS).join(self.spec_name());
                let given = self.given()?;
                let inputs = build::Inputs {
                    name: &own_name,
                    kind: stage.name(),
                    sources: given.iter().map(|(name, path)| (&**name, path.clone())).collect(),
                    spec: injected.path(self.spec_name()),
                    test_spec: for_tests.exists().then_some(for_tests),
                    not_for_tests: self.not_for_tests(),
                    names: self.source_names(),
                    cache: self.compiler_cache()?,
                };
                let image = self.image(&fetch)?;
                build::run(&inputs, &pipeline.build, &image, key, store, &cmd)?.stored().clone()
            }
            Stage::Stock => self.stock(key, &fetch)?,
            Stage::Wrapper => {
                let image = self.image(&fetch)?;
                let config = pipeline.wrapper.as_ref().context("no section `wrapper`")?;
                wrapper::run(config, beside, &image, key, &fetch)?.stored().clone()
            }
            Stage::Verify => {
                let image = self.image(&fetch)?;
                let made = self.made()?;
                let installed = self.gathered.installed.as_ref();
                let verified = verify::run(&made, pipeline, installed, &image, key, store, &cmd);
                if verified.as_ref().is_err_and(|error| interrupted(error).is_none()) {
                    verify::set_aside(&made.built, &image, &own_name, store)?;
                }
                verified?.stored().clone()
            }
            Stage::Sign => {
                let verified =
                    Verified::recall(self.result(Stage::Verify)?.clone(), &self.made()?)?;
                sign::run(&verified, self.signer()?, key, store)?.stored().clone()
            }
            Stage::Publish => {
                let signed = Signed::recall(self.result(Stage::Sign)?.clone())?;
                let repository = Repository { name: &pipeline.name, publish: &pipeline.publish };
                let provenance = self.provenance()?;
                let signer = self.signer()?;
                publish::run(&signed, signer, &repository, &provenance, key, store, &cmd)?
                    .stored()
                    .clone()
            }
        })
    }

    /// The package without the devices, whose build fills the compiler cache.
    fn stock(&self, key: &Key, fetch: &Fetch) -> Result<Stored> {
        let (store, own_name) = (&self.store, self.request.loaded.own_name());
        let edited = self.spec()?.stock.as_ref().context("no section `verify.stock`")?;
        let work = store.work()?;
        let spec = work.scratch("spec")?.join(self.spec_name());
        fs::write(&spec, &edited.spec)?;
        let mut test_spec = None;
        if let Some(edited) = &self.spec()?.stock_for_tests {
            let spec = work.scratch("test-spec")?.join(self.spec_name());
            fs::write(&spec, &edited.spec)?;
            test_spec = Some(spec);
        }
        let sources = self.sources()?;
        let dropped = self
            .request
            .loaded
            .pipeline
            .verify
            .stock
            .as_ref()
            .map_or_else(Vec::new, |Stock::Build(stock)| Edit::dropped(&stock.edits));
        let inputs = build::Inputs {
            name: &own_name,
            kind: Stage::Stock.name(),
            sources: sources.files().filter(|(name, _)| !dropped.contains(name)).collect(),
            spec,
            test_spec,
            not_for_tests: self.not_for_tests(),
            names: Vec::new(),
            cache: build::Cache::Fill,
        };
        let image = self.image(fetch)?;
        let build = &self.request.loaded.pipeline.build;
        Ok(build::run(&inputs, build, &image, key, store, fetch.cmd())?.stored().clone())
    }

    fn not_for_tests(&self) -> Vec<&str> {
        let binary = self.request.loaded.pipeline.build.test_binary.as_ref();
        binary.map_or_else(Vec::new, |binary| Edit::dropped(&binary.edits))
    }

    /// The cache that the devices are built with.
    fn compiler_cache(&self) -> Result<build::Cache> {
        match &self.plan.compiler_cache {
            Some(CompilerCache::Stock(_)) => {
                let stock = Built::recall(self.result(Stage::Stock)?.clone());
                Ok(build::Cache::Read(stock))
            }
            Some(CompilerCache::Own(key)) => Ok(build::Cache::Own(key.clone())),
            None => bail!("the compiler cache has no key yet"),
        }
    }

    fn image(&self, fetch: &Fetch) -> Result<Image> {
        let lock = self.gathered.lock.current();
        self.environment()?.image(lock, fetch)
    }

    /// The edited spec and the devices beside it; the edits themselves are pure and were made early,
    /// so that a bad one is refused before any work.
    fn inject(&self, key: &Key) -> Result<Stored> {
        let work = self.store.work()?;
        let gather::Spec { edited, for_tests, .. } = self.spec()?;
        fs::write(work.files().join(self.spec_name()), &edited.spec)?;
        if let Some(edited) = for_tests {
            fs::create_dir(work.files().join(FOR_TESTS))?;
            fs::write(work.files().join(FOR_TESTS).join(self.spec_name()), &edited.spec)?;
        }
        let devices = self.request.loaded.pipeline.device.iter().zip(&self.gathered.devices);
        for (device, (_, bytes)) in devices {
            fs::write(work.files().join(device.file_name()), bytes)?;
        }
        self.store.keep(work, Stage::Inject.name(), key.as_str(), &edited.edits)
    }

    fn source_names(&self) -> Vec<SourceName> {
        let devices = self.request.loaded.pipeline.device.iter().zip(&self.gathered.devices);
        devices
            .map(|(device, (path, _))| {
                SourceName::new(device.directory.as_str(), device.file_name(), path.clone())
            })
            .collect()
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The stages `build` and `stock` as steps: the package with the devices, and the one without, whose
//! build fills the compiler cache that the other one reads.

use super::{Built, Cache, CompilerCache, DevicePath, Facts, Inputs as Job, LOG};
use crate::config::{Edit, Pipeline, Stock};
use crate::environment::Environment;
use crate::inject::{Injected, Specs, spec_recipe};
use crate::note::Note;
use crate::project::{Inputs, Project};
use crate::source::Sources;
use crate::stage::{
    CacheKey, Context, KeyBuilder, Needs, Network, Slot, Stage, Step, Taken, Value,
};
use crate::store::Stored;
use anyhow::{Context as _, Result};
use fs_err as fs;

pub struct BuildStep<'p> {
    pub project: &'p Project,
    pub inputs: &'p Inputs,
}

impl BuildStep<'_> {
    /// The cache that this pipeline alone has.
    fn own_cache(&self, sources: &str, closure: &str) -> CompilerCache {
        CompilerCache::Own(own_cache(self.project, self.inputs, sources, closure))
    }
}

impl Step for BuildStep<'_> {
    const STAGE: Stage = Stage::Build;
    const REVISION: u32 = 3;
    type Value = Built;
    type Takes<'s> =
        (&'s Slot<Sources>, &'s Slot<Environment>, &'s Slot<Injected>, Option<&'s Slot<Built>>);

    fn recipe(&self, key: KeyBuilder, takes: &Self::Takes<'_>) -> Option<KeyBuilder> {
        let (sources, environment, _, stock) = takes;
        // Without a stock package, what its own cache is kept under.
        let cache = match stock {
            Some(stock) => CompilerCache::Stock(stock.key()?.clone()),
            None => self.own_cache(sources.id()?, environment.id()?),
        };
        let build = &self.project.pipeline.build;
        let mut key = key
            .config("define", &build.define)
            .config("nodeps", &build.nodeps)
            .config("without", &Edit::dropped_patches(&self.project.pipeline.spec.edits))
            // The objects are the same, whichever cache they come from, as long as nobody put others
            // there: a result is good for whoever would have used the same cache, and for nobody else.
            .config("cache", &cache);
        if let Some(binary) = &build.test_binary {
            key = key.text("test-binary", binary.file.as_str());
            key = key.config("test-without", &Edit::dropped_patches(&binary.edits));
        }
        Some(key)
    }

    fn needs(&self, _network: Network) -> Result<Needs> {
        Ok(Needs::engine())
    }

    fn run(
        &self,
        cx: &Context,
        (sources, environment, injected, stock): Taken<'_, Self>,
    ) -> Result<Built> {
        let pipeline = &self.project.pipeline;
        let cache = match stock {
            Some(stock) => CompilerCache::Stock(CacheKey::of(stock.stored())),
            None => self.own_cache(sources.stored().key(), environment.closure()),
        };
        let dropped = Edit::dropped_patches(&pipeline.spec.edits);
        // A patch that an edit dropped is not there, so that nothing in the spec can apply it by
        // another road.
        let sources = sources.files().filter(|(name, _)| !dropped.contains(name));
        let devices = pipeline.device.iter().zip(&self.inputs.devices);
        let job = Job {
            name: &self.project.own_name(),
            sources: sources.chain(injected.devices()).collect(),
            spec: injected.spec(),
            test_spec: injected.test_spec(),
            not_for_tests: not_for_tests(pipeline),
            names: devices
                .map(|(device, file)| {
                    DevicePath::new(
                        device.directory.as_str(),
                        device.file_name(),
                        file.path.clone(),
                    )
                })
                .collect(),
            cache: match (&cache, stock) {
                (CompilerCache::Own(key), _) => Cache::Own(key.clone()),
                (CompilerCache::Stock(_), stock) => Cache::Read(stock.context("no stock package")?),
            },
        };
        let image = environment.image(cx)?;
        super::run(&job, &pipeline.build, &image, Some(cache.clone()), cx)
    }

    fn recall(&self, stored: Stored, _: Taken<'_, Self>) -> Result<Built> {
        Built::of(stored)
    }

    fn notes(&self, built: &Built) -> Result<Vec<Note>> {
        let Facts { log, .. } = &built.facts;
        let own = |lines: &[String], note: fn(String) -> Note| {
            lines.iter().cloned().map(note).collect::<Vec<_>>()
        };
        let mut notes = own(&log.compiled, |line| Note::Compiled { line });
        notes.extend(own(&log.linked, |line| Note::Linked { line }));
        notes.extend(own(&log.not_compiled, |file| Note::NotCompiled { file }));
        notes.extend(wrote(built));
        notes.extend(self.notes_when_cached(built)?);
        Ok(notes)
    }

    /// Whoever wants the test binary has no other way to it.
    fn notes_when_cached(&self, built: &Built) -> Result<Vec<Note>> {
        let path = built.test_binary().map(|name| built.stored.path(name));
        Ok(path.map(|path| Note::TestBinary { path }).into_iter().collect())
    }
}

/// The package without the devices.
pub struct StockStep<'p> {
    pub project: &'p Project,
    pub inputs: &'p Inputs,
    /// None while the spec's git source was not fetched.
    pub specs: Option<&'p Specs>,
}

impl StockStep<'_> {
    fn edits(&self) -> &[Edit] {
        match &self.project.pipeline.verify.stock {
            Some(Stock::Build(stock)) => &stock.edits,
            None => &[],
        }
    }
}

impl Step for StockStep<'_> {
    const STAGE: Stage = Stage::Stock;
    const REVISION: u32 = 4;
    type Value = Built;
    type Takes<'s> = (&'s Slot<Sources>, &'s Slot<Environment>);

    fn recipe(&self, key: KeyBuilder, _: &Self::Takes<'_>) -> Option<KeyBuilder> {
        let build = &self.project.pipeline.build;
        let key = spec_recipe(key, self.project, self.inputs)
            .config("edits", &self.edits())
            .config("define", &build.define)
            .config("nodeps", &build.nodeps);
        // Its compiler cache holds the objects of the test binary's tree too.
        Some(for_tests(key, &self.project.pipeline))
    }

    fn needs(&self, _network: Network) -> Result<Needs> {
        Ok(Needs::engine())
    }

    fn run(&self, cx: &Context, (sources, environment): Taken<'_, Self>) -> Result<Built> {
        let pipeline = &self.project.pipeline;
        let specs = self.specs.context("the spec was not fetched yet")?;
        let edited = specs.stock.as_ref().context("no section `verify.stock`")?;
        let work = cx.store().work()?;
        let write = |folder: &str, text: &[u8]| -> Result<_> {
            let path = work.scratch(folder)?.join(self.project.spec_name());
            fs::write(&path, text)?;
            Ok(path)
        };
        let test_spec = specs.stock_for_tests.as_ref();
        let dropped = Edit::dropped_patches(self.edits());
        let job = Job {
            name: &self.project.own_name(),
            sources: sources.files().filter(|(name, _)| !dropped.contains(name)).collect(),
            spec: write("spec", &edited.spec)?,
            test_spec: test_spec.map(|edited| write("test-spec", &edited.spec)).transpose()?,
            not_for_tests: not_for_tests(pipeline),
            names: Vec::new(),
            cache: Cache::Fill,
        };
        let image = environment.image(cx)?;
        super::run(&job, &pipeline.build, &image, None, cx)
    }

    fn recall(&self, stored: Stored, _: Taken<'_, Self>) -> Result<Built> {
        Built::of(stored)
    }

    fn notes(&self, built: &Built) -> Result<Vec<Note>> {
        Ok(wrote(built).collect())
    }
}

impl Value for Built {
    fn stored(&self) -> &Stored {
        &self.stored
    }

    /// The log is for people, and no two builds have the same.
    fn content(&self) -> Result<String> {
        Ok(self.stored.content_of(|name| name != LOG))
    }

    fn damaged(&self) -> Vec<Stored> {
        let mut read = self.stored.names().filter(|name| *name != LOG);
        if read.all(|name| self.stored.is_intact(name)) {
            Vec::new()
        } else {
            vec![self.stored.clone()]
        }
    }
}

fn wrote(built: &Built) -> impl Iterator<Item = Note> {
    built.facts.log.wrote.iter().map(|path| Note::Wrote { path: path.clone() })
}

fn not_for_tests(pipeline: &Pipeline) -> Vec<&str> {
    let binary = pipeline.build.test_binary.as_ref();
    binary.map_or_else(Vec::new, |binary| Edit::dropped_patches(&binary.edits))
}

/// With what the tree of the test binary is built by, where there is one.
fn for_tests(key: KeyBuilder, pipeline: &Pipeline) -> KeyBuilder {
    match &pipeline.build.test_binary {
        Some(binary) => key.config("test-edits", &binary.edits),
        None => key,
    }
}

/// What one pipeline's own cache is kept under: the pipeline, and all that runs in its build but its
/// devices. An edit runs too, one for the test binary as well, and what it left must not outlive it.
fn own_cache(project: &Project, inputs: &Inputs, sources: &str, closure: &str) -> CacheKey {
    let pipeline = &project.pipeline;
    let key = KeyBuilder::new(Stage::Build, BuildStep::REVISION)
        .text("place", &project.place)
        .text("name", pipeline.name.as_str());
    let key = spec_recipe(key, project, inputs)
        .config("edits", &pipeline.spec.edits)
        .config("define", &pipeline.build.define)
        .text("sources", sources)
        .text("closure", closure);
    for_tests(key, pipeline).key()
}

#[cfg(test)]
pub fn own_cache_of(project: &Project, inputs: &Inputs) -> CompilerCache {
    CompilerCache::Own(own_cache(project, inputs, "sources", "closure"))
}

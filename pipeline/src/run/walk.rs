//! One run: what the store has is skipped, what it lacks is done and kept.

mod make;
mod told;

use super::event::{Event, State};
use super::gather::{self, Gathered};
use super::{Outcome, Request, needed};
use crate::build::Built;
use crate::cmd::interrupt;
use crate::config::{self, Edit};
use crate::environment::{self, Environment};
use crate::error::Help;
use crate::plan::{Key, Plan, Stage, plan};
use crate::publish::{self, Published};
use crate::sandbox::Engine;
use crate::sign::{self, Signer};
use crate::source::Sources;
use crate::store::{Store, Stored};
use crate::verify::Made;
use crate::wrapper::Wrapped;
use anyhow::{Context, Error, Result};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::time::Instant;

pub struct Walk<'a> {
    request: Request,
    store: Store,
    gathered: Gathered,
    /// Absent only where the run ends before anything is signed.
    signer: Option<Signer>,
    plan: Plan,
    /// The results so far, from the store or made now.
    done: BTreeMap<Stage, Stored>,
    on_event: &'a dyn Fn(Event),
}

impl<'a> Walk<'a> {
    pub fn new(
        request: Request,
        store: Store,
        mut gathered: Gathered,
        on_event: &'a dyn Fn(Event),
    ) -> Result<Self> {
        let signer = match gathered.signer.take() {
            None if request.until >= Stage::Sign => {
                Some(sign::make_development_key(&store.scratch(sign::PUBLIC_KEYS)?)?)
            }
            signer => signer,
        };
        gathered.inputs.signer = signer.as_ref().map(Signer::fingerprint);
        let plan = plan(&request.loaded.pipeline, &gathered.inputs);
        let done = BTreeMap::new();
        Ok(Self { request, store, gathered, signer, plan, done, on_event })
    }

    pub fn run(mut self) -> Result<Outcome> {
        // Logs and trees that failed are kept under the pipeline's name.
        let _held =
            self.wait_for(Stage::Source, "run", self.request.loaded.pipeline.name.as_str())?;
        self.announce();
        self.recall()?;
        let until = self.request.until;
        let stages: Vec<Stage> = self.plan.stages(until).collect();
        for stage in stages {
            interrupt::check()?;
            self.step(stage).map_err(|error| self.failed(stage, error))?;
        }
        // All that is signed is signed.
        sign::wipe();
        if self.request.until < Stage::Publish {
            return Ok(Outcome { output: None, development_key: false });
        }
        let development_key = self.signer()?.is_development();
        let published = Published::recall(self.result(Stage::Publish)?.clone());
        let output = std::path::absolute(&self.request.output)?;
        let signer = self.signer()?.fingerprint();
        let written =
            publish::write(published.stored(), &self.request.output(Some(&signer), &self.store))?;
        let stage = Stage::Publish;
        for name in &written.kept {
            let text = format!("`{name}` in the output is not this program's, and stays");
            (self.on_event)(Event::Note { stage, text: &text });
        }
        for folder in &written.left {
            let folder = folder.display();
            let text = format!("`{folder}` has what a run that was killed could not carry over");
            (self.on_event)(Event::Note { stage, text: &text });
        }
        for (ours, newer) in &written.overtaken {
            let text = format!(
                "`{ours}` is older than `{newer}`, which was published before: nobody updates to it"
            );
            (self.on_event)(Event::Note { stage, text: &text });
        }
        (self.on_event)(Event::Output { path: &output, rewritten: written.anew });
        Ok(Outcome { output: Some(output), development_key })
    }

    /// Says at once what is wrong for a release though it is right for a try: in CI nobody reads the end,
    /// and the key may be gone with the machine.
    fn announce(&self) {
        if sign::in_ci()
            && let Some(signer) = self.signer.as_ref().filter(|signer| signer.is_development())
        {
            let text = format!(
                "WARNING: `CI` is set and no signing key is named: a development key, {}, signs this. \
                 It is no release. `sign.key`, `--key` or `--key-env` names a key",
                signer.fingerprint()
            );
            (self.on_event)(Event::Note { stage: Stage::Sign, text: &text });
        }
    }

    /// Holds other runs off, after waiting for one that came first.
    fn wait_for(&self, stage: Stage, what: &str, name: &str) -> Result<File> {
        let told = Cell::new(false);
        self.store.lock(what, name, || {
            if !told.replace(true) {
                let text = "another run or shell is at this: waiting for its end";
                (self.on_event)(Event::Note { stage, text });
            }
            Ok(interrupt::check()?)
        })
    }

    /// What failed, and how to look into it.
    fn failed(&self, stage: Stage, error: Error) -> Error {
        let error = error.context(format!("stage `{}`", stage.name()));
        if !self.store.set_aside_folder(&self.request.loaded.own_name()).exists() {
            return error;
        }
        let file = self.request.loaded.file.as_ref();
        let file = file.map(|file| format!(" {}", file.display())).unwrap_or_default();
        error.help(format!(
            "`vgpu-pipeline shell{file}` enters its environment, with the tree as it stood"
        ))
    }

    /// Takes what the store has. Where a stage that has to run would read a damaged result, that
    /// result is dropped, and its stage runs too.
    fn recall(&mut self) -> Result<()> {
        for step in &self.plan.steps {
            let Some(key) = &step.key else { continue };
            if let Some(stored) = self.store.get(step.stage.name(), key.as_str())? {
                self.done.insert(step.stage, stored);
            }
        }
        let stages: Vec<Stage> = self.plan.stages(self.request.until).collect();
        for &stage in stages.iter().rev() {
            let Some(stored) = self.done.get(&stage) else { continue };
            let read = match stage {
                Stage::Publish => !publish::is_current(stored, &self.request.output),
                // An engine that has the image needs nothing of the store's.
                Stage::Environment => false,
                _ => stages
                    .iter()
                    .any(|later| later.takes().contains(&stage) && !self.done.contains_key(later)),
            };
            if read && !stored.intact() {
                let text = "its result in the store was damaged and is made again";
                (self.on_event)(Event::Note { stage, text });
                self.store.discard(stage.name(), self.key(stage)?.as_str())?;
                self.done.remove(&stage);
                // A judgement is one of bytes: of what is made anew there is none yet.
                if [Stage::Build, Stage::Wrapper].contains(&stage)
                    && self.done.remove(&Stage::Verify).is_some()
                {
                    self.store.discard(Stage::Verify.name(), self.key(Stage::Verify)?.as_str())?;
                    return self.recall();
                }
                if stage == Stage::Source && self.request.loaded.pipeline.spec.git.is_some() {
                    self.gathered.spec = None;
                }
            }
        }
        Ok(())
    }

    fn step(&mut self, stage: Stage) -> Result<()> {
        let began = Instant::now();
        let key = self.key(stage)?.clone();
        let mut state = State::Cached;
        if !self.done.contains_key(&stage) {
            let lock = self.wait_for(stage, stage.name(), key.as_str())?;
            // Whoever held the lock may have made it.
            let stored = if let Some(stored) = self.store.get(stage.name(), key.as_str())? {
                stored
            } else {
                state = State::Ran;
                self.make(stage, &key)?
            };
            drop(lock);
            self.done.insert(stage, stored);
        }
        let seconds = began.elapsed().as_secs_f64();
        (self.on_event)(Event::Finished { stage, key: &key, state, seconds });
        for text in self.notes(stage, state)? {
            (self.on_event)(Event::Note { stage, text: &text });
        }
        if stage == Stage::Source && self.gathered.spec.is_none() {
            self.gathered.spec = Some(gather::from_source(&self.request.loaded, &self.sources()?)?);
        }
        if stage == Stage::Source {
            let spec = self.spec()?;
            let specs = [&spec.edited].into_iter().chain(&spec.stock);
            let defines = &self.request.loaded.pipeline.build.define;
            let skipped = self.sources()?.facts()?.skipped;
            let specs = specs.map(|edited| edited.spec.as_slice());
            if let Err(error) = needed::check(&skipped, specs, defines) {
                // What a server does not have today it may have tomorrow: it is asked again.
                self.store.discard(stage.name(), key.as_str())?;
                return Err(error);
            }
        }
        if stage == Stage::Environment && self.gathered.inputs.closure.is_none() {
            let identity = environment::identity(self.result(stage)?)?;
            self.gathered.inputs.closure = Some(identity.digest);
            self.plan = plan(&self.request.loaded.pipeline, &self.gathered.inputs);
            self.recall()?;
        }
        Ok(())
    }

    fn environment(&self) -> Result<Environment> {
        let stored = self.result(Stage::Environment)?.clone();
        Ok(Environment::recall(stored, self.key(Stage::Environment)?, self.engine()?))
    }

    fn spec(&self) -> Result<&gather::Spec> {
        self.gathered.spec.as_ref().context("the spec was not fetched yet")
    }

    fn sources(&self) -> Result<Sources> {
        Ok(Sources::recall(self.result(Stage::Source)?.clone()))
    }

    fn built(&self) -> Result<Built> {
        Ok(Built::recall(self.result(Stage::Build)?.clone()))
    }

    /// All that `verify` judges.
    fn made(&self) -> Result<Made> {
        let wrapped = self.done.get(&Stage::Wrapper).cloned().map(Wrapped::recall);
        let stock = self.done.get(&Stage::Stock).cloned().map(Built::recall);
        let spec = self.result(Stage::Inject)?.path(self.spec_name());
        let mut given: BTreeMap<_, _> = self.given()?.into_iter().collect();
        given.insert(self.spec_name().to_owned(), spec);
        Ok(Made { built: self.built()?, stock, wrapped, given })
    }

    /// The files that the build has beside its spec: the sources and the devices. A patch that an edit
    /// dropped is not among them, so that nothing in the spec can apply it by another road.
    fn given(&self) -> Result<Vec<(String, PathBuf)>> {
        let pipeline = &self.request.loaded.pipeline;
        let dropped = Edit::dropped(&pipeline.spec.edits);
        let injected = self.result(Stage::Inject)?;
        let sources = self.sources()?;
        let sources = sources.files().filter(|(name, _)| !dropped.contains(name));
        let devices = pipeline.device.iter().map(config::Device::file_name);
        let devices = devices.map(|name| (name, injected.path(name)));
        Ok(sources.chain(devices).map(|(name, path)| (name.to_owned(), path)).collect())
    }

    fn result(&self, stage: Stage) -> Result<&Stored> {
        self.done.get(&stage).with_context(|| format!("stage `{}` has no result yet", stage.name()))
    }

    fn key(&self, stage: Stage) -> Result<&Key> {
        self.plan.key(stage).with_context(|| format!("stage `{}` has no key yet", stage.name()))
    }

    fn signer(&self) -> Result<&Signer> {
        self.signer.as_ref().context("no signing key was loaded")
    }

    fn engine(&self) -> Result<Engine> {
        self.request.engine.or_else(Engine::detect).context("no podman or docker on PATH")
    }

    fn spec_name(&self) -> &str {
        self.request.loaded.pipeline.spec.file_name()
    }
}

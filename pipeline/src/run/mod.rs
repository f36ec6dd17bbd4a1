// SPDX-License-Identifier: GPL-2.0-or-later
//! One run of a pipeline: what it asks for, looked at before any work, and the stages composed.
//!
//! The stages know nothing of each other; their order is in [`compose`] and in the types of what they take.

mod compose;
mod event;
mod executor;
mod needed;
mod plan;
mod preflight;
mod progress;

use crate::fetch::{Mirror, Origins};
use crate::inject::Specs;
use crate::project::{Inputs, Project};
pub use crate::publish::Consent;
use crate::publish::{self, Output};
use crate::sandbox::Engine;
use crate::sign::{self, Signer};
use crate::source::Sources;
use crate::stage::Stage;
use crate::store::{Store, layout};
use anyhow::Result;
pub use event::{Event, Failure, FailureKind, FileMistake, State};
use executor::Executor;
pub use plan::Plan;
use std::cell::OnceCell;
use std::fmt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// What somebody wants to have run.
#[derive(Debug)]
pub struct Request {
    /// The last stage.
    pub until: Stage,
    /// The folder that the repository is written to.
    pub output: PathBuf,
    /// What may happen to what was published there before.
    pub consent: Consent,
    /// The container engine; the first on PATH where none is named.
    pub engine: Option<Engine>,
    /// Where content may come from.
    pub origins: Origins,
}

impl Request {
    /// All of a pipeline, to be looked at and not to be run.
    pub fn whole(project: &Project) -> Self {
        let (output, origins) = (project.default_output(), Origins::none());
        Self { until: Stage::Publish, output, consent: Consent::default(), engine: None, origins }
    }
}

/// A request whose input is known to be good: everything that is left can only fail as work.
pub struct Session {
    pub project: Project,
    pub inputs: Inputs,
    pub request: Request,
    store: Store,
    /// The key, unless it is the development key and was not made yet.
    signer: Option<Signer>,
    /// The edited specs, unless the spec comes with sources that were not fetched yet.
    specs: OnceCell<Rc<Specs>>,
}

/// What a whole run leads to.
#[derive(Debug)]
pub struct Outcome {
    /// The repository, where the run went as far as `publish`.
    pub output: Option<PathBuf>,
    pub development_key: bool,
}

/// The stage that failed, in the chain of causes.
#[derive(Debug)]
pub struct StageFailed {
    pub stage: Stage,
    pub log: Option<PathBuf>,
}

impl fmt::Display for StageFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stage `{}`", self.stage.name())
    }
}

impl std::error::Error for StageFailed {}

impl Session {
    /// Reads everything, applies the edits to the spec, and looks at the store. Runs nothing.
    pub fn new(project: Project, request: Request, store: Store) -> Result<Self> {
        let inputs = Inputs::read(&project)?;
        let specs = inputs.spec.as_ref().map(|text| {
            let shown = project.spec_shown();
            Specs::of(&project.pipeline, text.clone(), &shown).map(Rc::new)
        });
        let memory = store.folder_for(layout::PUBLIC_KEYS)?;
        let signer = sign::load(&project.pipeline.sign, &project.base_dir, &memory)?;
        let specs = specs.transpose()?.map_or_else(OnceCell::new, OnceCell::from);
        let session = Self { project, inputs, request, store, signer, specs };
        // Whatever a stage reads of this machine is looked at once.
        Plan::of(&session)?;
        Ok(session)
    }

    pub fn plan(&self) -> Result<Plan> {
        Plan::of(self)
    }

    /// The spec as it stands and as it will be built; none while its git source was not fetched.
    pub fn specs(&self, sources: Option<&Sources>) -> Result<Option<Rc<Specs>>> {
        if let Some(specs) = self.specs.get().filter(|_| self.inputs.spec.is_some()) {
            return Ok(Some(Rc::clone(specs)));
        }
        let Some(text) = sources.map(Sources::spec_text).transpose()?.flatten() else {
            return Ok(None);
        };
        let specs = Specs::of(&self.project.pipeline, text, self.project.spec_name())?;
        let specs = Rc::new(specs);
        let _ = self.specs.set(Rc::clone(&specs));
        Ok(Some(specs))
    }

    /// The same, as far as it is known when a session begins.
    pub fn known_specs(&self) -> Option<&Specs> {
        self.specs.get().map(Rc::as_ref)
    }

    /// Refuses what cannot go well: a lock that is not usable, an output folder that is somebody else's,
    /// and, each named at once, tools that are missing and content that the network would have to bring.
    pub fn preflight(&self) -> Result<()> {
        let Request { until, .. } = self.request;
        if until >= Stage::Environment
            && let Some(why) = self.inputs.lock.unusable()
        {
            return Err(why.clone().into());
        }
        let plan = self.plan()?;
        if until == Stage::Publish {
            let ready = plan.node(Stage::Publish).and_then(|node| node.stored.as_ref());
            publish::examine(&self.output(), ready)?;
        }
        preflight::tools(&plan, &self.request)?;
        preflight::content(self, &plan)?;
        if until >= Stage::Sign && self.signer.is_none() {
            sign::development_place()?;
        }
        Ok(())
    }

    /// Runs it.
    pub fn run(mut self, on_event: &dyn Fn(Event)) -> Result<Outcome> {
        crate::process::interrupt::check()?;
        if self.signer.is_none() && self.request.until >= Stage::Sign {
            let memory = self.store.folder_for(layout::PUBLIC_KEYS)?;
            self.signer = Some(sign::make_development_key(&memory)?);
        }
        Executor::new(&self, on_event).run()
    }

    /// The output, and what it has to keep clear of.
    fn output(&self) -> Output<'_> {
        let Self { project, request, store, signer, .. } = self;
        let here = Path::new(".");
        let base = Some(project.base_dir.as_path()).filter(|path| !path.as_os_str().is_empty());
        let mut apart = vec![
            (here.to_owned(), "the current folder"),
            (base.unwrap_or(here).to_owned(), "the folder of the pipeline"),
        ];
        apart.extend(std::env::home_dir().map(|home| (home, "your home folder")));
        let mirrors = request.origins.mirrors.iter().filter_map(Mirror::folder);
        apart.extend(mirrors.map(|folder| (folder.to_owned(), "a mirror")));
        Output {
            folder: &request.output,
            pipeline: project.name(),
            signer: signer.as_ref().map(Signer::fingerprint),
            consent: request.consent,
            apart,
            store: store.root(),
        }
    }
}

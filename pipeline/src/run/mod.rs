//! Walks the plan: gathers what a pipeline reads, checks for the tools that its steps need, skips what
//! the store has, and hands the value of each stage to the next.
//!
//! The stages know nothing of each other; their order is here and in the types of what they take.

mod event;
mod gather;
mod load;
mod needed;
mod preflight;
mod walk;

use crate::cmd::interrupt;
use crate::config::Pipeline;
use crate::error::Reason;
use crate::fetch::{Mirror, Network, Origins};
use crate::inject::Edited;
use crate::plan::{Plan, Stage, plan};
pub use crate::publish::Consent;
use crate::publish::{self, Output};
use crate::sandbox::Engine;
use crate::sign;
use crate::store::Store;
use anyhow::Result;
pub use event::{Event, State};
use gather::{Gathered, Locked, Spec};
pub use load::Loaded;
use std::path::{Path, PathBuf};
use walk::Walk;

/// What somebody wants to have run.
#[derive(Debug)]
pub struct Request {
    pub loaded: Loaded,
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
    pub fn whole(loaded: Loaded) -> Self {
        let output = default_output(&loaded.pipeline);
        let (origins, consent) = (Origins::none(), Consent::default());
        Self { loaded, until: Stage::Publish, output, consent, engine: None, origins }
    }

    /// The output, and what it has to keep clear of.
    fn output<'a>(&'a self, signer: Option<&'a str>, store: &'a Store) -> Output<'a> {
        let here = Path::new(".");
        let beside = Some(self.loaded.beside.as_path()).filter(|path| !path.as_os_str().is_empty());
        let mut apart = vec![
            (here.to_owned(), "the current folder"),
            (beside.unwrap_or(here).to_owned(), "the folder of the pipeline"),
        ];
        apart.extend(std::env::home_dir().map(|home| (home, "your home folder")));
        let mirrors = self.origins.mirrors.iter().filter_map(Mirror::folder);
        apart.extend(mirrors.map(|folder| (folder.to_owned(), "a mirror")));
        Output {
            folder: &self.output,
            pipeline: self.loaded.pipeline.name.as_str(),
            signer,
            consent: self.consent,
            apart,
            store: store.root(),
        }
    }
}

/// A request whose input is known to be good: everything that is left can only fail as work.
pub struct Prepared {
    request: Request,
    store: Store,
    gathered: Gathered,
}

/// What a whole run leads to.
#[derive(Debug)]
pub struct Outcome {
    /// The repository, where the run went as far as `publish`.
    pub output: Option<PathBuf>,
    pub development_key: bool,
}

impl Prepared {
    /// Reads everything, applies the edits to the spec, and looks at the store. Runs nothing.
    pub fn new(request: Request, store: Store) -> Result<Self> {
        let gathered = gather::gather(&request.loaded, &store)?;
        Ok(Self { request, store, gathered })
    }

    pub fn pipeline(&self) -> &Pipeline {
        &self.request.loaded.pipeline
    }

    pub fn plan(&self) -> Plan {
        plan(self.pipeline(), &self.gathered.inputs)
    }

    /// The spec as it stands and as it will be built; none while its git source was not fetched.
    pub fn spec(&self) -> Option<(&[u8], &Edited)> {
        self.gathered.spec.as_ref().map(|Spec { text, edited, .. }| (text.as_slice(), edited))
    }

    /// Why the environment cannot be built yet, if its lock is missing or old.
    pub fn lock_wanting(&self) -> Option<&Reason> {
        match &self.gathered.lock {
            Locked::Wanting(why) => Some(why),
            Locked::Never | Locked::Current(_) => None,
        }
    }

    /// Whether the store has a stage's result.
    pub fn is_cached(&self, stage: Stage) -> Result<bool> {
        let plan = self.plan();
        let Some(key) = plan.key(stage) else { return Ok(false) };
        Ok(self.store.get(stage.name(), key.as_str())?.is_some())
    }

    /// Refuses what cannot go well: a lock that is wanting, an output folder that is somebody else's,
    /// and, each named at once, tools that are missing and content that the network would have to bring.
    pub fn preflight(&self) -> Result<()> {
        if self.request.until >= Stage::Environment
            && let Some(why) = self.lock_wanting()
        {
            return Err(why.clone().into());
        }
        if self.request.until == Stage::Publish {
            let ready = match self.plan().key(Stage::Publish) {
                Some(key) => self.store.get(Stage::Publish.name(), key.as_str())?,
                None => None,
            };
            let signer = self.gathered.inputs.signer.as_deref();
            publish::examine(&self.request.output(signer, &self.store), ready.as_ref())?;
        }
        let mut stages = Vec::new();
        for stage in self.plan().stages(self.request.until) {
            if !self.is_cached(stage)? {
                stages.push(stage);
            }
        }
        let network = self.request.origins.network;
        preflight::tools(self.pipeline(), &stages, self.request.engine, network)?;
        if network == Network::Off {
            preflight::content(self, &stages)?;
        }
        if self.request.until >= Stage::Sign && self.gathered.inputs.signer.is_none() {
            sign::development_place()?;
        }
        Ok(())
    }

    /// Walks the plan.
    pub fn run(self, on_event: &dyn Fn(Event)) -> Result<Outcome> {
        interrupt::check()?;
        Walk::new(self.request, self.store, self.gathered, on_event)?.run()
    }
}

/// Where the log of a pipeline's stage is.
fn log_file(store: &Store, pipeline: &Pipeline, stage: Stage) -> Result<PathBuf> {
    let folder = store.scratch(&format!("logs/{}", pipeline.name))?;
    Ok(folder.join(format!("{}.log", stage.name())))
}

/// The default output folder of a pipeline.
pub fn default_output(pipeline: &Pipeline) -> PathBuf {
    Path::new("out").join(pipeline.name.as_str())
}

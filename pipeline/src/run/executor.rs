// SPDX-License-Identifier: GPL-2.0-or-later
//! The composition walked for real: what the store has is skipped, what it lacks is made and kept.

use super::compose::{StageVisitor, compose};
use super::event::{Event, State};
use super::plan::{Plan, key, recall};
use super::progress::Progress;
use super::{Outcome, Session, StageFailed};
use crate::error::Help;
use crate::fetch::Fetch;
use crate::note::Note;
use crate::process::{Runner, interrupt};
use crate::publish::{self, Published};
use crate::sandbox::Engine;
use crate::sign;
use crate::stage::{CacheKey, Context, PlannedStep, Slot, Stage, Step, Takes, Value};
use crate::store::Stored;
use anyhow::{Context as _, Error, Result};
use std::cell::Cell;
use std::fs::File;
use std::path::PathBuf;
use std::time::Instant;

pub struct Executor<'s> {
    session: &'s Session,
    on_event: &'s dyn Fn(Event),
    steps: Vec<PlannedStep>,
    results: Vec<Stored>,
}

impl<'s> Executor<'s> {
    pub fn new(session: &'s Session, on_event: &'s dyn Fn(Event)) -> Self {
        Self { session, on_event, steps: Vec::new(), results: Vec::new() }
    }

    pub fn run(mut self) -> Result<Outcome> {
        let session = self.session;
        // Logs and trees that failed are kept under the pipeline's name.
        let _held = self.wait_for(Stage::Source, "run", session.project.name())?;
        self.announce();
        self.drop_damaged()?;
        let published = compose(&mut self, session)?;
        // All that is signed is signed.
        sign::wipe();
        match published.value() {
            Some(published) => self.write(published),
            None => Ok(Outcome { output: None, development_key: false }),
        }
    }

    /// Brings the output to the state of what was published.
    fn write(&self, published: &Published) -> Result<Outcome> {
        let request = &self.session.request;
        let path = std::path::absolute(&request.output)?;
        let written = publish::write(published.stored(), &self.session.output())?;
        let notes = written.kept.into_iter().map(|name| Note::Foreign { name });
        let notes = notes.chain(written.left.into_iter().map(|folder| Note::LeftBehind { folder }));
        let overtaken = written.overtaken.into_iter();
        let overtaken = overtaken.map(|(ours, newer)| Note::Overtaken {
            ours: ours.to_string(),
            newer: newer.to_string(),
        });
        for note in notes.chain(overtaken) {
            self.note(Stage::Publish, note);
        }
        (self.on_event)(Event::Output { path: path.clone(), rewritten: written.anew });
        let development_key =
            self.session.signer.as_ref().is_some_and(sign::Signer::is_development);
        Ok(Outcome { output: Some(path), development_key })
    }

    fn note(&self, stage: Stage, note: Note) {
        (self.on_event)(Event::Note { stage, note });
    }

    /// Says at once what is wrong for a release though it is right for a try: in CI nobody reads the end,
    /// and the key may be gone with the machine.
    fn announce(&self) {
        let signer = self.session.signer.as_ref().filter(|signer| signer.is_development());
        if let Some(signer) = signer.filter(|_| sign::in_ci()) {
            let fingerprint = signer.fingerprint();
            self.note(Stage::Sign, Note::DevelopmentKeyInCi { fingerprint });
        }
    }

    /// Holds other runs off, after waiting for one that came first.
    fn wait_for(&self, stage: Stage, what: &str, name: &str) -> Result<File> {
        let reported = Cell::new(false);
        self.session.store.lock(what, name, || {
            if !reported.replace(true) {
                self.note(stage, Note::Waiting);
            }
            Ok(interrupt::check()?)
        })
    }

    /// Drops the results that this run would read and that are damaged, so that they are made again.
    fn drop_damaged(&self) -> Result<()> {
        let Session { store, request, .. } = self.session;
        let plan = Plan::of(self.session)?;
        let published = plan.node(Stage::Publish).and_then(|node| node.stored.as_ref());
        let last = request.until == Stage::Publish
            && published.is_some_and(|it| !publish::is_current(it, &request.output));
        for stored in plan.damaged(request.until, last) {
            let node = plan.nodes.iter().find(|node| stored.is_of(node.stage.name()));
            self.note(node.map_or(request.until, |node| node.stage), Note::Damaged);
            store.discard(&stored)?;
        }
        Ok(())
    }

    fn ensure<S: Step>(&mut self, step: &S, takes: &S::Takes<'_>) -> Result<Slot<S::Value>> {
        let began = Instant::now();
        let stage = S::STAGE;
        let key =
            key(step, takes).context("it has no key: something that it depends on is not there")?;
        self.steps.push(PlannedStep { stage, key: Some(key.clone()) });
        let mut state = State::Cached;
        let value = if let Some(value) = self.recalled(step, &key, takes)? {
            value
        } else {
            let _lock = self.wait_for(stage, stage.name(), key.as_str())?;
            // Whoever held the lock may have made it.
            if let Some(value) = self.recalled(step, &key, takes)? {
                value
            } else {
                state = State::Ran;
                self.make(step, &key, takes)?
            }
        };
        let seconds = began.elapsed().as_secs_f64();
        (self.on_event)(Event::Finished { stage, key: key.clone(), state, seconds });
        let notes = match state {
            State::Cached => step.notes_when_cached(&value)?,
            State::Ran => step.notes(&value)?,
        };
        for note in notes {
            self.note(stage, note);
        }
        self.results.push(value.stored().clone());
        Slot::filled(stage, key, value)
    }

    fn recalled<S: Step>(
        &self,
        step: &S,
        key: &CacheKey,
        takes: &S::Takes<'_>,
    ) -> Result<Option<S::Value>> {
        let stored = self.session.store.get(S::STAGE.name(), key.as_str())?;
        let values = takes.values().context("what it takes is not there")?;
        Ok(stored.and_then(|stored| recall(step, &stored, takes, values)))
    }

    fn make<S: Step>(&self, step: &S, key: &CacheKey, takes: &S::Takes<'_>) -> Result<S::Value> {
        let Session { project, store, request, .. } = self.session;
        let stage = S::STAGE;
        if let Some(damaged) = takes.damaged().first() {
            let what = damaged.what_changed();
            store.discard(damaged)?;
            return Err(what);
        }
        let values = takes.values().context("what it takes is not there")?;
        let log = self.log(stage)?;
        (self.on_event)(Event::Started { stage, key: key.clone(), log: log.clone() });
        let progress = Progress::new(&log);
        let runner = Runner::new(&log, |line| {
            if let Some((done, total)) = progress.read(line) {
                (self.on_event)(Event::Progress { stage, done, total });
            }
        })?
        .working_for(store.root())
        .on_note(|note| self.note(stage, note));
        // What an earlier run left to look into is no picture of this one.
        store.drop_failed(&project.own_name())?;
        let fetch = Fetch::new(store, &request.origins, &runner);
        let edges = takes.edges();
        let engine = request.engine.or_else(Engine::detect);
        let cx = Context { stage, key, fetch: &fetch, engine, steps: &self.steps, edges: &edges };
        step.run(&cx, values)
    }

    fn log(&self, stage: Stage) -> Result<PathBuf> {
        self.session.store.log_file(self.session.project.name(), stage.name())
    }

    /// What failed, and how to look into it.
    fn failed(&self, stage: Stage, error: Error) -> Error {
        let Session { project, store, .. } = self.session;
        let log = self.log(stage).ok().filter(|log| log.exists());
        let error = error.context(StageFailed { stage, log });
        if !store.failed_folder(&project.own_name()).exists() {
            return error;
        }
        let shell = project.command("shell");
        error.help(format!("`{shell}` enters its environment, with the tree as it stood"))
    }
}

impl StageVisitor for Executor<'_> {
    fn step<S: Step>(&mut self, step: &S, takes: S::Takes<'_>) -> Result<Slot<S::Value>> {
        if S::STAGE > self.session.request.until {
            return Ok(Slot::empty(S::STAGE, None));
        }
        interrupt::check()?;
        self.ensure(step, &takes).map_err(|error| self.failed(S::STAGE, error))
    }

    fn check(&mut self, stage: Stage, check: impl FnOnce() -> Result<()>) -> Result<()> {
        check().map_err(|error| {
            // What a server does not have today it may have tomorrow: it is asked again.
            let result = self.results.iter().find(|stored| stored.is_of(stage.name()));
            let error = match result.map(|stored| self.session.store.discard(stored)) {
                Some(Err(failed)) => error.context(format!("{failed:#}")),
                _ => error,
            };
            self.failed(stage, error)
        })
    }
}

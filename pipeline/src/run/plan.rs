// SPDX-License-Identifier: GPL-2.0-or-later
//! The composition walked dry: keys, and what the store has. Nothing is run.

use super::Session;
use super::compose::{StageVisitor, compose};
use crate::stage::{
    CacheKey, KeyBuilder, Needs, Network, PlannedStep, Slot, Stage, Step, Takes, Value, made_of,
};
use crate::store::{Store, Stored};
use anyhow::Result;
use std::collections::BTreeSet;

/// What a run would do.
pub struct Plan {
    pub nodes: Vec<Node>,
}

/// One step of it.
pub struct Node {
    pub stage: Stage,
    pub key: Option<CacheKey>,
    /// The result, where the store has it.
    pub stored: Option<Stored>,
    pub needs: Needs,
    takes: Vec<Stage>,
    damaged: Box<dyn Fn() -> Vec<Stored>>,
}

impl Plan {
    pub fn of(session: &Session) -> Result<Self> {
        let network = session.request.origins.network;
        let mut visitor = Dry { store: &session.store, network, nodes: Vec::new() };
        compose(&mut visitor, session)?;
        Ok(Self { nodes: visitor.nodes })
    }

    pub fn node(&self, stage: Stage) -> Option<&Node> {
        self.nodes.iter().find(|node| node.stage == stage)
    }

    /// The steps up to a stage that have to run.
    pub fn to_run(&self, until: Stage) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(move |node| node.stage <= until && node.stored.is_none())
    }

    /// The results that a run up to a stage would read and that are not as they were kept. `last` says
    /// whether it reads the last one.
    pub fn damaged(&self, until: Stage, last: bool) -> Vec<Stored> {
        let mut read: BTreeSet<Stage> = last.then_some(until).into_iter().collect();
        let mut gone: Vec<Stored> = Vec::new();
        for node in self.nodes.iter().rev().filter(|node| node.stage <= until) {
            let is_gone = |gone: &[Stored]| gone.iter().any(|it| it.is_of(node.stage.name()));
            if read.contains(&node.stage) && !is_gone(&gone) {
                gone.extend((node.damaged)());
            }
            if node.stored.is_none() || is_gone(&gone) {
                read.extend(&node.takes);
            }
        }
        gone
    }
}

struct Dry<'s> {
    store: &'s Store,
    network: Network,
    nodes: Vec<Node>,
}

impl StageVisitor for Dry<'_> {
    fn step<S: Step>(&mut self, step: &S, takes: S::Takes<'_>) -> Result<Slot<S::Value>> {
        let edges = takes.edges();
        let key = key(step, &takes);
        let mut slot = Slot::empty(S::STAGE, key.clone());
        let mut stored = match &key {
            Some(key) => self.store.get(S::STAGE.name(), key.as_str())?,
            None => None,
        };
        if let (Some(there), Some(key), Some(values)) = (&stored, &key, takes.values()) {
            match recall(step, there, &takes, values) {
                Some(value) => slot = Slot::filled(S::STAGE, key.clone(), value)?,
                None => stored = None,
            }
        }
        let (value, kept) = (slot.shared(), stored.clone());
        self.nodes.push(Node {
            stage: S::STAGE,
            key,
            needs: if stored.is_none() { step.needs(self.network)? } else { Needs::default() },
            stored,
            takes: edges.iter().map(|edge| edge.stage).collect(),
            damaged: Box::new(move || match (&value, &kept) {
                (Some(value), _) => value.damaged(),
                // What it was made of is not there: all of it counts.
                (None, Some(stored)) if !stored.intact() => vec![stored.clone()],
                (None, _) => Vec::new(),
            }),
        });
        Ok(slot)
    }

    fn check(&mut self, _stage: Stage, _check: impl FnOnce() -> Result<()>) -> Result<()> {
        Ok(())
    }
}

/// A step's key, as soon as everything in it is known.
pub fn key<S: Step>(step: &S, takes: &S::Takes<'_>) -> Option<CacheKey> {
    let key = KeyBuilder::new(S::STAGE, S::REVISION).takes(&takes.edges())?;
    Some(step.recipe(key, takes)?.key())
}

/// The value of a result, if it was made of what is there now.
pub fn recall<S: Step>(
    step: &S,
    stored: &Stored,
    takes: &S::Takes<'_>,
    values: <S::Takes<'_> as Takes>::Values,
) -> Option<S::Value> {
    if *stored.made_of() != made_of(&takes.edges()) {
        return None;
    }
    step.recall(stored.clone(), values).ok()
}

impl From<&Node> for PlannedStep {
    fn from(node: &Node) -> Self {
        Self { stage: node.stage, key: node.key.clone() }
    }
}

#[cfg(test)]
mod tests;

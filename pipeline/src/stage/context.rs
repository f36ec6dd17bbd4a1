// SPDX-License-Identifier: GPL-2.0-or-later
//! What a step has at hand while it runs.

use super::{CacheKey, Edge, PlannedStep, Stage};
use crate::fetch::Fetch;
use crate::process::Runner;
use crate::sandbox::Engine;
use crate::store::{Store, Stored, Work};
use anyhow::{Context as _, Result};
use serde::Serialize;
use std::collections::BTreeMap;

pub struct Context<'a> {
    pub stage: Stage,
    pub key: &'a CacheKey,
    pub fetch: &'a Fetch<'a>,
    /// The container engine, where there is one.
    pub engine: Option<Engine>,
    /// The steps so far, this one among them.
    pub steps: &'a [PlannedStep],
    /// What the step takes.
    pub edges: &'a [Edge],
}

impl<'a> Context<'a> {
    pub fn store(&self) -> &'a Store {
        self.fetch.store()
    }

    pub fn runner(&self) -> &'a Runner<'a> {
        self.fetch.runner()
    }

    pub fn engine(&self) -> Result<Engine> {
        self.engine.context("no podman or docker on PATH")
    }

    /// Keeps what is in a work's files as this step's result.
    pub fn keep<T: Serialize>(&self, work: Work, facts: &T) -> Result<Stored> {
        self.store().keep(work, self.stage.name(), self.key.as_str(), made_of(self.edges), facts)
    }
}

/// What a result with these edges is made of, as the store writes it down.
pub fn made_of(edges: &[Edge]) -> BTreeMap<String, String> {
    let known = |edge: &Edge| Some((edge.stage.name().to_owned(), edge.content.clone()?));
    edges.iter().filter_map(known).collect()
}

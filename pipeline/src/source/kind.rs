// SPDX-License-Identifier: GPL-2.0-or-later
//! What the stage asks of a kind of source. Each kind has a module of its own that answers.

use super::Brought;
use crate::config::TreePath;
use crate::fetch::{Fetch, Pin};
use crate::stage::{KeyBuilder, Network};
use crate::store::Work;
use anyhow::Result;
use std::path::{Path, PathBuf};

/// A kind of source.
pub trait SourceKind {
    /// Adds it to the key. Where content comes from says nothing about it, so only names and pins count.
    fn recipe(&self, key: KeyBuilder) -> KeyBuilder;

    /// The programs that bring it.
    fn tools(&self, network: Network) -> &'static [&'static str];

    /// The content that it pins, with a name for people: what a mirror has to hold. Files on this machine
    /// are not in it, and what a commit pins itself is known once that is there.
    fn pins(&self) -> Vec<(Pin, String)>;

    /// Puts its files into the work's files.
    fn bring(&self, cx: &BringContext, brought: &mut Brought) -> Result<()>;
}

/// What bringing a source takes.
pub struct BringContext<'a> {
    /// The spec's place in the git source.
    pub spec: Option<&'a TreePath>,
    /// The folder that relative paths start from.
    pub base_dir: &'a Path,
    pub work: &'a Work,
    pub fetch: &'a Fetch<'a>,
}

impl BringContext<'_> {
    /// Where one of rpmbuild's SOURCES belongs.
    pub fn place_of(&self, name: &str) -> PathBuf {
        self.work.files().join(super::SOURCES).join(name)
    }
}

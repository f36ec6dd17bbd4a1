// SPDX-License-Identifier: GPL-2.0-or-later
//! What a stage needs of the machine before any work.

pub use crate::fetch::Network;
use crate::fetch::Pin;

/// Programs of which any one will do.
pub type Tool = Vec<&'static str>;

/// What a stage that has to run needs.
#[derive(Debug, Default)]
pub struct Needs {
    pub tools: Vec<Tool>,
    /// Whether it works in the environment.
    pub engine: bool,
    /// The content that it fetches, with a name for people.
    pub content: Vec<(Pin, String)>,
    /// What it fetches that nothing pins.
    pub unpinned: Option<&'static str>,
}

impl Needs {
    /// What runs in the environment and needs nothing else.
    pub fn engine() -> Self {
        Self { engine: true, ..Self::default() }
    }

    #[must_use]
    pub fn tools(mut self, programs: &[&'static str]) -> Self {
        self.tools.extend(programs.iter().map(|program| vec![*program]));
        self
    }
}

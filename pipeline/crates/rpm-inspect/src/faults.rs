// SPDX-License-Identifier: GPL-2.0-or-later
//! What reading a package showed to be wrong, gathered as it is found.

use crate::package::{Fault, FaultKind};
use std::collections::HashMap;

/// More faults than this are counted, not listed.
const MOST_FAULTS: usize = 40;

/// Faults, as many as anybody reads.
#[derive(Default)]
pub struct Faults {
    listed: Vec<Fault>,
    more: HashMap<FaultKind, usize>,
}

impl Faults {
    pub fn push(&mut self, kind: FaultKind, what: String) {
        // For each kind, since a rule may only warn of the other.
        if self.listed.iter().filter(|listed| listed.kind == kind).count() < MOST_FAULTS {
            self.listed.push(Fault { kind, what });
        } else {
            *self.more.entry(kind).or_default() += 1;
        }
    }

    pub fn finish(mut self) -> Vec<Fault> {
        for (kind, more) in self.more {
            self.listed.push(Fault { kind, what: format!("and {more} more like these") });
        }
        self.listed
    }
}

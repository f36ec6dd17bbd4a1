//! What reading a package showed to be wrong, gathered as it is found.

use crate::package::{Fault, FaultKind};
use std::collections::HashMap;

/// More faults than this are counted, not told.
const MOST_FAULTS: usize = 40;

/// Faults, as many as anybody reads.
#[derive(Default)]
pub struct Faults {
    told: Vec<Fault>,
    more: HashMap<FaultKind, usize>,
}

impl Faults {
    pub fn push(&mut self, kind: FaultKind, what: String) {
        // For each kind, since a rule may only warn of the other.
        if self.told.iter().filter(|told| told.kind == kind).count() < MOST_FAULTS {
            self.told.push(Fault { kind, what });
        } else {
            *self.more.entry(kind).or_default() += 1;
        }
    }

    pub fn finish(mut self) -> Vec<Fault> {
        for (kind, more) in self.more {
            self.told.push(Fault { kind, what: format!("and {more} more like these") });
        }
        self.told
    }
}

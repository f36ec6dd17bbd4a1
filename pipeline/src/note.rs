// SPDX-License-Identifier: GPL-2.0-or-later
//! What a run has to say to people while it goes, as data. `cli` makes sentences of it.

use crate::error::Reason;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One thing that people want to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Note {
    /// Another run or shell is at the same, and is waited for.
    Waiting,
    /// A result in the store was damaged, and is made again.
    Damaged,
    /// No signing key is named where `CI` is set.
    DevelopmentKeyInCi { fingerprint: String },
    /// A container gave no whole answer, and is asked again.
    AskedAgain { purpose: String, why: String },
    /// A mirror is not asked any more.
    MirrorGivenUp { mirror: String, why: String },

    /// A file of a repository was not taken; no spec names it.
    NotTaken { why: Reason },
    /// So many more were not.
    MoreNotTaken { count: usize },
    /// What the environment consists of. `closure` is the digest of the list of its packages.
    Closure { packages: usize, closure: String, locked: bool },
    /// What became of an edit of the spec.
    Edit { edit: String, outcome: EditOutcome },
    /// The log shows that a device was compiled.
    Compiled { line: String },
    /// It does not show that.
    NotCompiled { file: String },
    /// A system emulator was linked.
    Linked { line: String },
    /// rpmbuild wrote a package, by its path in the container.
    Wrote { path: String },
    /// A binary for tests that is in no package.
    TestBinary { path: PathBuf },
    /// The package for dom0.
    Dom0Package { file: String },
    /// The vendor's qemu-wrapper with the device's lines.
    WrapperPatched { lines: usize },

    /// An expected type is in a system emulator.
    TypeFound {
        name: String,
        binary: PathBuf,
        parent: String,
        interfaces: Vec<String>,
        properties: Vec<String>,
    },
    /// A rule that only warns is broken.
    RuleWarning { package: String, rule: String, what: String },
    /// How many changes there are to the stock package; where it was asserted, all that is added.
    Compared { only_adds: Option<Vec<String>>, changes: usize },
    /// One of them.
    Difference { what: String },
    /// QEMU's own line about a device.
    DeviceListed { version: String, line: String },
    /// What QEMU was held to, and was found to do.
    ChecksPassed { binary: String, checks: Vec<Check> },
    /// What could not be tried on this machine.
    CheckNotRun { binary: String, check: Check },

    /// The key that signs.
    SigningKey { fingerprint: String },
    /// Another key in its file.
    KeyPassedOver { what: String },

    /// Somebody else's file in the output.
    Foreign { name: String },
    /// A folder beside the output that holds what a killed run could not carry over.
    LeftBehind { folder: PathBuf },
    /// A package that no client updates to, and the newer one that was published before.
    Overtaken { ours: String, newer: String },
}

/// A check that `verify` makes of a binary, and what it found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub name: String,
    pub why: String,
}

/// What became of an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EditOutcome {
    Applied,
    AlreadySatisfied,
}

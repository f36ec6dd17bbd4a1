// SPDX-License-Identifier: GPL-2.0-or-later
//! The rules for packages: what each asks, and how a package is held to them.
//!
//! [`judge`] holds what was read of a package against a [`Policy`], and touches no file: so a package is
//! judged again, or compared with another, without being read again.
//!
//! `list` has one file for each rule, with its name, its level, what it asks and its check; `rule` (what a
//! rule is), `inspected` (what is known of a package), `elf_names` (of its ELF files), `host_profile` (what
//! a family of hosts takes), `version_order` (ours between stock and the next), `installed` (what is on the
//! hosts).
//!
//! What never enters: I/O, and any trust in what the writer of a package said.

mod elf_names;
mod host_profile;
mod inspected;
mod installed;
mod list;
mod rule;
#[cfg(test)]
mod tests;
pub mod version_order;

pub use elf_names::{ElfNames, is_among_symbols};
use host_profile::HostProfile;
pub use host_profile::Target;
pub use inspected::{Binary, ElfFile, InspectedPackage};
pub use installed::Installed;
pub use list::{BuildIdPath, NEVRA, build_id_path, debug_promise, shared_folders};
use rpm_inspect::Nevra;
use rule::RuleSpec;
pub use rule::{Level, Rule};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
#[cfg(test)]
pub use tests::sample;

/// One thing that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub rule: Rule,
    pub level: Level,
    /// In one line, which names the file, the requirement or the tag.
    pub what: String,
    /// What to try.
    pub help: Cow<'static, str>,
}

/// What packages are held to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Policy<'a> {
    /// The hosts; the rules about their rpm and libraries are asked for some only.
    pub target: Option<Target>,
    /// Levels other than the rules' own.
    pub levels: Option<&'a BTreeMap<Rule, Level>>,
    /// The folders that files may be in; without it, those that packages commonly have.
    pub paths: Option<&'a [String]>,
    /// What the hosts have.
    pub installed: Option<&'a Installed>,
    /// The package that this one is to replace, until the vendor's next.
    pub stock: Option<&'a Nevra>,
    /// The source package of the same build, whose epoch its binary packages have.
    pub siblings: Option<&'a Nevra>,
    /// What the pipeline ends each release with, so that none has the vendor's own.
    pub suffix: Option<&'a str>,
    /// The build ids of all programs of the build, whose symbols it may have and no others'.
    pub build_ids: Option<&'a BTreeSet<&'a str>>,
    /// The sticky folders that stock has, and everybody may write to.
    pub shared: Option<&'a BTreeSet<String>>,
    pub signature: SignatureCheck,
}

/// What is asked of a package's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SignatureCheck {
    /// Nothing.
    #[default]
    Skip,
    /// The stage `sign` makes the signature header anew, and judges that itself.
    Deferred,
    /// A key was given that must have signed it.
    Required,
}

/// The rules as a table of Markdown, for the documents.
pub fn rules_table() -> String {
    let head =
        "| rule | level | targets | what it asks | when broken |\n| --- | --- | --- | --- | --- |";
    let rows = list::LIST.iter().map(RuleSpec::row);
    std::iter::once(head.to_owned()).chain(rows).collect::<Vec<_>>().join("\n")
}

/// Everything that breaks a rule which applies.
pub fn judge(package: &InspectedPackage, policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    for spec in list::LIST {
        let rule = spec.rule();
        let level = policy.levels.and_then(|levels| levels.get(&rule)).copied();
        findings.extend(spec.broken_by(package, policy).into_iter().map(|what| Finding {
            rule,
            level: level.unwrap_or(spec.level),
            what,
            help: Cow::Borrowed(spec.help),
        }));
    }
    findings
}

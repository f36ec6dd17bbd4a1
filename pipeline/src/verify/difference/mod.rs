// SPDX-License-Identifier: GPL-2.0-or-later
//! `verify/difference`: what one package or binary has that another has not.
//!
//! Each is written down as a [`Snapshot`], a flat table of what is said of them; the difference of two is
//! then the difference of two tables, and nothing that is in a snapshot can be forgotten in it.
//! `only_adds` reads a difference as an assertion.
//!
//! What never enters: build times and addresses, which tell nothing to anybody who installs a package.

mod only_adds;
mod snapshot;
#[cfg(test)]
mod tests;

pub use only_adds::{Allowed, only_adds};
use serde::{Deserialize, Serialize};
pub use snapshot::Snapshot;
use std::collections::BTreeMap;
use std::fmt;

/// As many digits of a digest as people compare.
const DIGEST: usize = 16;

/// What something is said of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Area {
    /// NEVRA, compressor, digests, and every tag of the header that nothing else here tells of.
    Package,
    Requires,
    Provides,
    Conflicts,
    Obsoletes,
    /// Scriptlets and triggers.
    Scriptlet,
    Changelog,
    /// A path with its mode, owner and flags.
    File,
    /// What is in a file: its size and the SHA-256 of its bytes.
    Content,
    /// The same of an ELF file whose facts are known.
    Binary,
    /// A QOM type.
    Type,
    /// A property of a QOM type.
    Property,
    /// An ELF file's interpreter, libraries, symbol versions and hardening.
    Elf,
}

impl Area {
    /// As it is shown and as JSON has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Package => "package",
            Self::Requires => "requires",
            Self::Provides => "provides",
            Self::Conflicts => "conflicts",
            Self::Obsoletes => "obsoletes",
            Self::Scriptlet => "scriptlet",
            Self::Changelog => "changelog",
            Self::File => "file",
            Self::Content => "content",
            Self::Binary => "binary",
            Self::Type => "type",
            Self::Property => "property",
            Self::Elf => "elf",
        }
    }
}

/// One line of a snapshot: where, of what, its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Attribute {
    /// The path of the binary, or nothing for what is said of the whole package.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub place: String,
    pub area: Area,
    pub name: String,
}

/// What became of a attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "lowercase")]
pub enum Fate {
    Added { is: String },
    Removed { was: String },
    Changed { was: String, is: String },
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    #[serde(flatten)]
    pub attribute: Attribute,
    #[serde(flatten)]
    pub fate: Fate,
}

/// In one line, as a table has it.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Attribute { place, area, name } = &self.attribute;
        let (sign, text) = match &self.fate {
            Fate::Added { is } => ('+', shortened(is)),
            Fate::Removed { was } => ('-', shortened(was)),
            Fate::Changed { was, is } => ('~', format!("{} → {}", shortened(was), shortened(is))),
        };
        let place = if place.is_empty() { String::new() } else { format!(" in {place}") };
        let line = format!("{:<9} {sign} {name}{place}  {text}", area.name());
        f.write_str(line.trim_end())
    }
}

/// Digests in full are for programs.
fn shortened(text: &str) -> String {
    let short = |word: &str| match word.get(..DIGEST) {
        Some(begin) if word.len() > DIGEST && word.chars().all(|c| c.is_ascii_hexdigit()) => {
            begin.to_owned()
        }
        _ => word.to_owned(),
    };
    text.split(' ').map(short).collect::<Vec<_>>().join(" ")
}

/// Everything that differs, in the order of a snapshot's lines.
pub fn difference(before: &Snapshot, after: &Snapshot) -> Vec<Change> {
    let (before, after) = (before.lines(), after.lines());
    let mut changes: BTreeMap<&Attribute, Fate> = BTreeMap::new();
    for (attribute, was) in &before {
        let was = was.clone();
        match after.get(attribute) {
            None => changes.insert(attribute, Fate::Removed { was }),
            Some(is) if *is != was => {
                changes.insert(attribute, Fate::Changed { was, is: is.clone() })
            }
            Some(_) => None,
        };
    }
    for (attribute, is) in after.iter().filter(|(attribute, _)| !before.contains_key(*attribute)) {
        changes.insert(attribute, Fate::Added { is: is.clone() });
    }
    changes
        .into_iter()
        .map(|(attribute, fate)| Change { attribute: attribute.clone(), fate })
        .collect()
}

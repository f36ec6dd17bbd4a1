// SPDX-License-Identifier: GPL-2.0-or-later
//! The assertion that a custom build adds what it should, and changes nothing that nobody asked for.

use super::{Area, Change, Fate};
use crate::config::{Line, QomType, Verify};
use crate::error::Help;
use crate::verify::cut::Cut;
use anyhow::{Result, anyhow, bail};
use std::collections::BTreeSet;

/// What the pipeline asks for.
pub struct Allowed<'a> {
    /// The QOM types that are to be new.
    pub types: BTreeSet<&'a str>,
    /// Capabilities that may be, as rpm writes them.
    pub provides: BTreeSet<&'a str>,
}

/// Refuses every change that was not asked for, all at once, and a type that is not new.
pub fn only_adds(changes: &[Change], allowed: &Allowed) -> Result<()> {
    let unasked: Vec<&Change> = changes.iter().filter(|change| !allowed.allows(change)).collect();
    if !unasked.is_empty() {
        return Err(anyhow!(
            "compared with the stock package, more changed than `verify.only-adds` has:\n  {}",
            Cut::default().lines(&unasked, ToString::to_string).join("\n  ")
        )
        .help(
            "an edit of the spec or the environment did this; `only-adds` lists QOM types alone",
        ));
    }
    let added = |name: &str| {
        changes.iter().any(|change| {
            change.attribute.area == Area::Type
                && change.attribute.name == name
                && matches!(change.fate, Fate::Added { .. })
        })
    };
    if let Some(missing) = allowed.types.iter().find(|name| !added(name)) {
        bail!(
            "`verify.only-adds` names `{missing}`, and the stock package has it too or ours has not"
        );
    }
    Ok(())
}

impl<'a> Allowed<'a> {
    /// What the section `verify` asks for.
    pub fn by(verify: &'a Verify) -> Self {
        Self {
            types: verify.only_adds.iter().flatten().map(QomType::as_str).collect(),
            provides: verify.provides.iter().map(Line::as_str).collect(),
        }
    }

    fn allows(&self, change: &Change) -> bool {
        let name = change.attribute.name.as_str();
        let added = matches!(change.fate, Fate::Added { .. });
        match change.attribute.area {
            Area::Type => added && self.types.contains(name),
            Area::Property => {
                added && name.split_once('.').is_some_and(|(of, _)| self.types.contains(of))
            }
            // The release is the stock one with something behind it.
            Area::Package => {
                let longer = |was: &str, is: &str| {
                    is.strip_prefix(was).is_some_and(|more| {
                        more.starts_with('.') && !more[1..].contains(['-', ':'])
                    })
                };
                name == "version"
                    && matches!(&change.fate, Fate::Changed { was, is } if longer(was, is))
            }
            Area::Provides => added && self.provides.contains(name),
            Area::Changelog => added,
            // A program has its package's version in it; what it is made of stands in `elf`.
            Area::Binary => matches!(change.fate, Fate::Changed { .. }),
            Area::Requires
            | Area::Conflicts
            | Area::Obsoletes
            | Area::Scriptlet
            | Area::File
            | Area::Content
            | Area::Elf => false,
        }
    }
}

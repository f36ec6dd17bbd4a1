// SPDX-License-Identifier: GPL-2.0-or-later
//! Which macros give the numbers of sources and patches their meaning.
//!
//! rpm defines them by the tags; a spec that defines one of them by itself makes a number mean
//! another file. No definition is carried out in this module.

use super::Declarations;
use crate::error::Help;
use crate::inject::macros::word;
use crate::inject::spec::SpecText;
use anyhow::{Result, anyhow};
use std::collections::BTreeMap;

/// Macros and directives of rpm that lead to the declared files.
const LEADING: [&str; 8] =
    ["P", "S", "_sourcedir", "_topdir", "autosetup", "patches", "setup", "sources"];

/// Whether what rpm makes of the numbers hangs on the macro `name`.
pub fn is_one(name: &str) -> bool {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    LEADING.contains(&name)
        || ["SOURCE", "PATCH", "SOURCEURL", "PATCHURL", "patch", "autopatch"].contains(&stem)
}

/// Whether a line defines such a macro or takes it back, in rpm's way or in Lua's.
pub fn redefines(text: &str) -> bool {
    ["define", "global"].into_iter().any(|directive| {
        text.match_indices(directive).any(|(at, _)| {
            // An option of another rpmbuild, which the spec may start, is no definition here.
            if text[..at].ends_with("--") {
                return false;
            }
            let rest = &text[at + directive.len()..];
            let name = rest.trim_start_matches([' ', '\t', ':', '(', '"', '\'', '[']);
            name.len() < rest.len() && is_one(&name[..word(name)])
        })
    })
}

/// Refuses what the builder itself sets, where a number would mean another file by it.
pub fn hold(spec: &SpecText, edit: &str) -> Result<()> {
    if let Some(name) = spec.defines.keys().find(|name| is_one(name.as_str())) {
        return Err(anyhow!("{}: {edit} relies on the numbers of sources and patches, and `build.define` has `{name}`, on \
             which their meaning hangs", spec.name).help("leave it out there"));
    }
    Ok(())
}

/// Refuses a spec in which two tags surely have one number: rpm takes either, or none, by its age.
pub fn each_once(declarations: &Declarations, spec: &SpecText, edit: &str) -> Result<()> {
    for declared in [&declarations.sources, &declarations.patches] {
        let mut numbers = BTreeMap::new();
        for one in declared.iter().filter(|one| one.certain) {
            if let Some(first) = numbers.insert(one.number, one.line) {
                return Err(anyhow!("{}: {edit} relies on the numbers of sources and patches, and these lines have one and \
                     the same{}", spec.name, spec.show(&[first, one.line])).help("give one of them another number, with `replace` before this edit"));
            }
        }
    }
    Ok(())
}

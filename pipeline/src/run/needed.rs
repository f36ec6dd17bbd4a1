// SPDX-License-Identifier: GPL-2.0-or-later
//! What the sources could not bring, against what the spec wants of them.

use crate::config::{Line, MacroName};
use crate::inject;
use crate::inject::Specs;
use crate::source::{Skipped, Sources};
use anyhow::Result;
use std::collections::BTreeMap;

/// Refuses what was not taken and one of the specs names. A name that rpm alone can tell is left to
/// rpmbuild, which looks for every one.
pub fn check(sources: &Sources, specs: &Specs, defines: &BTreeMap<MacroName, Line>) -> Result<()> {
    let specs = [&specs.edited].into_iter().chain(&specs.stock);
    refuse(sources.skipped(), specs.map(|edited| edited.spec.as_slice()), defines)
}

fn refuse<'s>(
    skipped: &[Skipped],
    specs: impl Iterator<Item = &'s [u8]>,
    defines: &BTreeMap<MacroName, Line>,
) -> Result<()> {
    if skipped.is_empty() {
        return Ok(());
    }
    for spec in specs {
        let declared = inject::declared(spec, defines)?;
        if let Some(needed) = skipped.iter().find(|it| declared.contains(&it.name)) {
            let why = needed.why.clone().within("the spec needs what the sources do not have: ");
            return Err(why.into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Reason, render};

    fn skipped(name: &str) -> Skipped {
        Skipped {
            name: name.to_owned(),
            why: Reason::new(format!("`{name}` is a folder")).help("no"),
        }
    }

    #[test]
    fn only_what_a_spec_names_is_needed() {
        let spec = b"Name: a\nVersion: 1\nSource0: https://h/%{name}-%{version}.tar.gz\nPatch1: b c.patch\n";
        let check = |name| {
            refuse(
                &[skipped("tests"), skipped(name)],
                [spec.as_slice()].into_iter(),
                &BTreeMap::new(),
            )
        };
        for name in ["a-1.tar.gz", "b c.patch"] {
            let error = check(name).unwrap_err();
            let error = render(&error);
            assert!(error.contains(&format!("`{name}` is a folder\nhelp: no")), "{error}");
        }
        check("c.patch").unwrap();
    }
}

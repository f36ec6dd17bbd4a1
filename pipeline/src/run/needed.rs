//! What the sources could not bring, against what the spec wants of them.

use crate::config::{Line, MacroName};
use crate::inject;
use crate::source::Skipped;
use anyhow::Result;
use std::collections::BTreeMap;

/// The most that is told of what nobody needs.
const MOST_NOTES: usize = 10;

/// What was not taken, a line each.
pub fn notes(skipped: &[Skipped]) -> Vec<String> {
    let first = skipped.iter().take(MOST_NOTES);
    let mut notes: Vec<String> = first.map(|it| format!("not taken: {}", it.why.message)).collect();
    let more = skipped.len().saturating_sub(MOST_NOTES);
    if more > 0 {
        notes.push(format!("not taken: {more} more"));
    }
    notes
}

/// Refuses what was not taken and one of the specs names. A name that rpm alone can tell is left to
/// rpmbuild, which looks for every one.
pub fn check<'s>(
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
            check(
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

    #[test]
    fn notes_are_few() {
        let many: Vec<Skipped> = (0..100).map(|number| skipped(&number.to_string())).collect();
        let notes = notes(&many);
        assert_eq!(notes[0], "not taken: `0` is a folder");
        assert_eq!(notes.len(), MOST_NOTES + 1);
        assert_eq!(notes[MOST_NOTES], "not taken: 90 more");
    }
}

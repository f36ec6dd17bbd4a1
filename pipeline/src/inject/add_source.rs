// SPDX-License-Identifier: GPL-2.0-or-later
//! The edit `add-source`, and the number by which a source is known in the spec.

use super::declared::{Declarations, Declared, FileIs};
use super::line_context::Section;
use super::preamble_tag::Tag;
use super::spec::SpecText;
use super::{EditResult, Outcome};
use crate::error::Help;
use anyhow::{Result, anyhow};

/// The highest number that rpm takes: it counts in an `int`.
const HIGHEST: u32 = i32::MAX.unsigned_abs();

/// Declares `file` behind the last Source, under the number after the highest in use.
pub fn add(spec: &mut SpecText, file: &str) -> Result<EditResult> {
    let label = |number: u32| format!("add-source {file} as Source{number}");
    let declarations = Declarations::read(spec);
    let edit = format!("`add-source: {file}`");
    if let Some(number) = declared(spec, &declarations, file)? {
        declarations.numbers_hold(spec, &edit)?;
        return Ok((label(number), Outcome::AlreadySatisfied));
    }
    declarations.all_seen(spec, &edit)?;
    declarations.numbers_hold(spec, &edit)?;
    let sources = &declarations.sources;
    let number = match sources.iter().max_by_key(|source| source.number) {
        Some(last) if last.number >= HIGHEST => {
            return Err(anyhow!(
                "{}: `add-source: {file}` has no number above that of this source{}",
                spec.name,
                spec.show(&[last.line])
            )
            .help("give that source a smaller number, with `replace` before this edit"));
        }
        Some(last) => last.number + 1,
        None => 0,
    };
    let listed = |line: &usize| spec.line_context(*line).section == Section::SourceList;
    if let Some(list) = (0..spec.len()).rev().find(listed) {
        return listed_last(spec, &declarations, list, file, number)
            .map(|()| (label(number), Outcome::Applied));
    }
    let place = sources
        .iter()
        .rev()
        .filter(|source| {
            let place = spec.line_context(source.line);
            place.section == Section::Preamble && !place.in_macro_body
        })
        .find_map(|source| Some((source.line, spec.clear_of_conditionals(source.line)?)));
    let Some((above, at)) = place else {
        return Err(anyhow!("{}: no `Source` tag, so `add-source {file}` has no place", spec.name)
            .help("a spec that builds QEMU declares its archive as `Source0:`"));
    };
    // A source without a number that comes behind would take the one that is chosen.
    if let Some(moved) = sources.iter().find(|source| source.automatic && source.line >= at) {
        return Err(anyhow!(
            "{}: `add-source {file}` would change the number of this source{}",
            spec.name,
            spec.show(&[moved.line])
        )
        .help(format!("number the sources of the spec, as in `Source{}: …`", moved.number)));
    }
    let line = match Tag::parse(spec.text(above)) {
        Some(tag) if tag.is("source") => tag.alike(&format!("{}{number}", tag.name), file),
        _ => format!("Source{number}: {file}"),
    };
    spec.insert(at, &[line]);
    Ok((label(number), Outcome::Applied))
}

/// Puts `file` at the end of the last `%sourcelist`, whose order gives the numbers.
fn listed_last(
    spec: &mut SpecText,
    declarations: &Declarations,
    list: usize,
    file: &str,
    number: u32,
) -> Result<()> {
    let unsure = declarations.sources.iter().find(|source| !source.certain);
    if let Some(after) = unsure.or(declarations.sources.iter().find(|source| source.line > list)) {
        return Err(anyhow!(
            "{}: `add-source {file}` cannot tell its number in the `%sourcelist`{}",
            spec.name,
            spec.show(&[after.line])
        )
        .help("declare the files as `SourceN:` tags, so that their numbers stay theirs"));
    }
    let start =
        (0..=list).rev().take_while(|&line| spec.line_context(line).section == Section::SourceList);
    let start = start.last().unwrap_or(list);
    let last = (start..=list).rev().find(|&line| {
        let text = spec.text(line).trim();
        !text.is_empty() && !text.starts_with('#')
    });
    let at = spec.clear_of_conditionals(last.unwrap_or(list)).unwrap_or(list + 1);
    debug_assert!(number > 0 || declarations.sources.is_empty());
    spec.insert(at, &[file.to_owned()]);
    Ok(())
}

/// The number under which the spec declares `file`, if it does.
pub fn number_of(spec: &SpecText, file: &str) -> Result<Option<u32>> {
    let declarations = Declarations::read(spec);
    let number = declared(spec, &declarations, file)?;
    declarations.numbers_hold(spec, &format!("the number of `{file}`"))?;
    Ok(number)
}

fn declared(spec: &SpecText, declarations: &Declarations, file: &str) -> Result<Option<u32>> {
    let which =
        |is: FileIs| declarations.sources.iter().filter(move |source| source.file.is(file) == is);
    let found: Vec<&Declared> = which(FileIs::It).collect();
    match found.iter().find(|source| source.certain).or(found.first()) {
        Some(source) if !source.certain => {
            return Err(anyhow!(
                "{}: `{file}` is declared, but under a condition or in a macro{}",
                spec.name,
                spec.show(&[source.line])
            )
            .help("take that line out of there, or give the device's file another name"));
        }
        Some(source) => {
            if source.automatic {
                declarations.all_seen(spec, &format!("the number of `{file}`"))?;
            }
            return Ok(Some(source.number));
        }
        None => {}
    }
    if let Some(unclear) = which(FileIs::Unclear).next() {
        return Err(anyhow!(
            "{}: whether this source is `{file}` cannot be told{}",
            spec.name,
            spec.show(&[unclear.line])
        )
        .help(
            "write its name without macros, with `replace` before this edit, or set the macro \
             in `build.define`",
        ));
    }
    Ok(None)
}

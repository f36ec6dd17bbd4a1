//! The edit `add-source`, and the number by which a source is known in the spec.

use super::scan::Section;
use super::spec::SpecText;
use super::tag::{Numbered, Tag, numbered};
use super::{Done, Outcome};
use anyhow::{Context, Result, bail};

/// Declares `file` behind the last Source, under the number after the highest in use.
pub fn add(spec: &mut SpecText, file: &str) -> Result<Done> {
    let label = |number: u32| format!("add-source {file} as Source{number}");
    if let Some(number) = number_of(spec, file)? {
        return Ok((label(number), Outcome::AlreadySatisfied));
    }
    let sources = numbered(spec, "source");
    let number = match sources.iter().map(|source| source.number).max() {
        Some(highest) => highest.checked_add(1).context("the spec's source numbers are used up")?,
        None => 0,
    };
    let place = sources
        .iter()
        .rev()
        .filter(|source| {
            let place = spec.place(source.line);
            place.section == Section::Preamble && !place.body
        })
        .find_map(|source| Some((source.line, spec.clear_of_conditionals(source.line)?)));
    let Some((above, at)) = place else {
        bail!(
            "{}: no `Source` tag, so `add-source {file}` has no place\n\
             help: a spec that builds QEMU declares its archive as `Source0:`",
            spec.name
        );
    };
    let Some(tag) = Tag::parse(spec.text(above)) else {
        bail!("{}: the line of the last `Source` is no tag{}", spec.name, spec.show(&[above]));
    };
    let line = tag.alike(&format!("{}{number}", tag.name), file);
    spec.insert(at, &[line]);
    Ok((label(number), Outcome::Applied))
}

/// The number under which the spec declares `file`, if it does.
pub fn number_of(spec: &SpecText, file: &str) -> Result<Option<u32>> {
    let listed: Vec<usize> =
        spec.live().filter(|&line| spec.place(line).section == Section::SourceList).collect();
    if !listed.is_empty() {
        bail!(
            "{}: the spec has a `%sourcelist`, whose sources are numbered by their order{}\n\
             help: declare its files as `SourceN:` tags, so that their numbers stay theirs",
            spec.name,
            spec.show(&listed)
        );
    }
    let declared: Vec<Numbered> =
        numbered(spec, "source").into_iter().filter(|source| source.file == file).collect();
    match declared.iter().find(|source| source.certain).or(declared.first()) {
        Some(source) if !source.certain => bail!(
            "{}: `{file}` is declared, but under a condition or in a macro{}\n\
             help: take that line out of there, or give the device's file another name",
            spec.name,
            spec.show(&[source.line])
        ),
        source => Ok(source.map(|source| source.number)),
    }
}

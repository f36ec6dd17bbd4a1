// SPDX-License-Identifier: GPL-2.0-or-later
//! The edit `provide`: a tag of the main package.

use super::preamble_tag::{Tag, capabilities};
use super::spec::SpecText;
use super::{EditResult, Outcome, line_context};
use crate::error::Help;
use anyhow::{Context, Result, anyhow};
use std::collections::BTreeSet;

/// Lets the main package provide `capability`.
pub fn provide(spec: &mut SpecText, capability: &str) -> Result<EditResult> {
    let capability = capability.trim();
    let label = format!("provide {capability}");
    if line_context::leaves_open(capability) {
        return Err(anyhow!("{}: `provide {capability}` would swallow the next line", spec.name)
            .help("end it without `\\` and close every `%{`"));
    }
    // What a conditional provides is not sure to be provided.
    let provided: BTreeSet<String> = spec
        .preamble()
        .filter(|&line| spec.line_context(line).depth == 0)
        .filter_map(|line| Tag::parse(spec.text(line)).filter(|tag| tag.is("provides")))
        .flat_map(|tag| tag.capabilities())
        .collect();
    if capabilities(capability).iter().all(|wanted| provided.contains(wanted)) {
        return Ok((label, Outcome::AlreadySatisfied));
    }
    let (above, at) = behind(spec, &["provides"])
        .or_else(|| behind(spec, &["requires", "buildrequires", "source", "patch"]))
        .or_else(|| behind(spec, &["name", "version", "release", "license", "summary"]))
        .with_context(|| {
            format!("{}: no place for `provide {capability}` before the first section", spec.name)
        })
        .help("it stands behind the main package's own tags, and there are none")?;
    let line = match Tag::parse(spec.text(above)) {
        Some(tag) => tag.alike("Provides", capability),
        None => format!("Provides: {capability}"),
    };
    spec.insert(at, &[line]);
    Ok((label, Outcome::Applied))
}

/// The last of these tags that has a place behind it outside of conditionals, and that place.
fn behind(spec: &SpecText, names: &[&str]) -> Option<(usize, usize)> {
    spec.preamble()
        .rev()
        .filter(|&line| {
            Tag::parse(spec.text(line)).is_some_and(|tag| names.iter().any(|name| tag.is(name)))
        })
        .find_map(|line| Some((line, spec.clear_of_conditionals(line)?)))
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The check that a type is all that the pipeline says of it, and no more.

use crate::config::{self, ExpectedType};
use crate::error::Help;
use anyhow::{Result, anyhow, bail};
use qom_census::Census;
use std::collections::BTreeSet;

/// Refuses a binary that lacks the type, or in which it is another one.
pub fn check_type(census: &Census, expected: &ExpectedType) -> Result<()> {
    let name = expected.name.as_str();
    if census.names().len() == 0 {
        return Err(anyhow!("the binary has no QOM types, and so no `{name}`")
            .help("is it QEMU's system emulator, and is the file whole?"));
    }
    let Some(found) = census.find(name)? else {
        let near = match config::nearest(name, census.names()) {
            Some(near) => format!("; the nearest is `{near}`"),
            None => String::new(),
        };
        return Err(anyhow!(
            "the binary registers no QOM type `{name}` among its {}{near}",
            census.names().len()
        )
        .help(
            "the device was not built in; does an edit of the spec register it in QEMU's build?",
        ));
    };
    if found.is_abstract {
        bail!("type `{name}` is abstract, so nobody can have one");
    }
    if let Some(condition) = &found.conditional {
        return Err(anyhow!("type `{name}` may be registered or not: {condition}")
            .help("register it by `type_init` and nothing else, so that every host has it"));
    }
    let parent = expected.parent.as_str();
    if found.parent != parent {
        bail!("type `{name}` derives from `{}`, expected `{parent}`", found.parent);
    }
    if let Some(interfaces) = &expected.interfaces {
        let wanted = interfaces.iter().map(|interface| interface.as_str().to_owned()).collect();
        same_set(name, "interface", &wanted, &found.interfaces.iter().cloned().collect())?;
    }
    if let Some(properties) = &expected.properties {
        let wanted = properties.iter().map(|(name, kind)| format!("{name}=<{kind}>")).collect();
        let present = found.properties.iter().flatten().map(ToString::to_string).collect();
        same_set(name, "property", &wanted, &present)?;
    }
    Ok(())
}

/// Refuses what is missing of a type, and what it has too much.
fn same_set(
    name: &str,
    what: &str,
    wanted: &BTreeSet<String>,
    present: &BTreeSet<String>,
) -> Result<()> {
    let has = if present.is_empty() { "none".to_owned() } else { joined(present) };
    if let Some(missing) = wanted.difference(present).next() {
        bail!("type `{name}` has no {what} `{missing}`; it has: {has}");
    }
    if let Some(more) = present.difference(wanted).next() {
        bail!("type `{name}` has the {what} `{more}`, which is not expected; it has: {has}");
    }
    Ok(())
}

fn joined<T: ToString>(things: impl IntoIterator<Item = T>) -> String {
    things.into_iter().map(|thing| thing.to_string()).collect::<Vec<_>>().join(", ")
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The types of the running binary, over QMP, against those of its file: on what is expected the two
//! have to agree, and the numbers for all of them are told.

use super::program::{Program, Session};
use super::qmp::{BARE, Number, Replies, Script};
use super::{Check, QomType};
use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const NAME: &str = "types";
/// How many names a line for people holds.
const SHOWN: usize = 8;

/// Compares the types of a file with those of the program that it is.
pub fn check(program: &Program, types: &[QomType], census: &[String]) -> Result<Check> {
    let (script, questions) = script(types);
    let args = [["-machine", "none,accel=qtest"].as_slice(), &BARE].concat();
    let session = Session { args, input: script.input(), ..Session::default() };
    let said = match program.attempt(session)? {
        Ok(said) => said,
        Err(exit) if !exit.greeted() => {
            let why = format!("no QMP with `-machine none`: {}", exit.words());
            return Ok(Check::not_run(NAME, why));
        }
        Err(exit) => bail!("{} gave up in a QMP session: {}", program.display_name, exit.words()),
    };
    let shown = || format!("QMP of {}", program.display_name);
    let replies = script.replies(&said).with_context(shown)?;
    compare(types, census, &questions, &replies).with_context(shown)
}

/// What is asked of the types.
struct Questions {
    all: Number,
    each: Vec<OfType>,
}

struct OfType {
    implements: Vec<(String, Number)>,
    /// Of a device that can be made: what `-device` takes.
    properties: Number,
    /// Of any object, what it has; without the command before 2.12.
    all: Number,
}

fn script(types: &[QomType]) -> (Script, Questions) {
    let mut script = Script::new();
    let all = script.execute("qom-list-types", &json!({ "abstract": true }));
    let each = types.iter().map(|found| {
        // What it derives from counts as implemented, too.
        let ancestors = std::iter::once(&found.parent).chain(&found.interfaces);
        let implements = ancestors.map(|name| {
            let arguments = json!({ "implements": name, "abstract": true });
            (name.clone(), script.execute("qom-list-types", &arguments))
        });
        OfType {
            implements: implements.collect(),
            properties: script
                .execute("device-list-properties", &json!({ "typename": found.name })),
            all: script.execute("qom-list-properties", &json!({ "typename": found.name })),
        }
    });
    let each = each.collect();
    (script, Questions { all, each })
}

fn compare(
    types: &[QomType],
    census: &[String],
    questions: &Questions,
    replies: &Replies,
) -> Result<Check> {
    let listed = replies.list(questions.all).context("qom-list-types")?;
    let running: BTreeMap<&str, &Value> =
        listed.iter().filter_map(|entry| Some((text(entry, "name")?, entry))).collect();
    let mut unseen = Vec::new();
    for (found, asked) in types.iter().zip(&questions.each) {
        let name = found.name.as_str();
        let Some(entry) = running.get(name) else {
            bail!("it does not know type `{name}`, which its file registers");
        };
        let parent = text(entry, "parent").unwrap_or_default();
        ensure!(
            parent == found.parent,
            "type `{name}` derives from `{parent}`, and by its file from `{}`",
            found.parent
        );
        let is_abstract = entry.get("abstract") == Some(&Value::Bool(true));
        ensure!(
            is_abstract == found.is_abstract,
            "type `{name}` is {}abstract, and by its file it is {}",
            if is_abstract { "" } else { "not " },
            if found.is_abstract { "so" } else { "not" }
        );
        for (ancestor, number) in &asked.implements {
            let implementing = replies.list(*number).context("qom-list-types")?;
            ensure!(
                implementing.iter().any(|entry| text(entry, "name") == Some(name)),
                "type `{name}` does not implement `{ancestor}`, and by its file it does"
            );
        }
        unseen.extend(properties(found, replies, asked)?);
    }
    let mut seen = numbers(running.keys().copied(), census);
    if !unseen.is_empty() {
        seen = format!(
            "{seen}; by its file alone, since QMP does not list them: {}",
            unseen.join(", ")
        );
    }
    Ok(Check::passed(NAME, seen))
}

/// The program lists the properties of all ancestors, so the file's own have to be among them, as far
/// as it lists any: those that it has no list for are returned.
///
/// `device-list-properties` (qom/qom-qmp-cmds.c) has no list for what is no device or abstract; it
/// leaves out every name that begins with `legacy-`, which QEMU itself gives to a second form of some
/// properties (a type that has the same name once more ends QEMU), five names of the base class, and,
/// up to 5.x, what has no setter.
/// `qom-list-properties` has them, but of an abstract type only what is in its class, and up to 5.x
/// that is not the table of its file.
fn properties(found: &QomType, replies: &Replies, asked: &OfType) -> Result<Vec<String>> {
    let name = found.name.as_str();
    let mut own = found.properties.iter().flatten().peekable();
    if own.peek().is_none() {
        return Ok(Vec::new());
    }
    let of_device = listed(replies, asked.properties);
    let of_object = listed(replies, asked.all);
    if !found.is_abstract && of_object.is_err() {
        of_device.as_ref().map_err(|why| anyhow!("device-list-properties: {why:#}"))?;
    }
    let one_list = of_object.is_err();
    let is_hidden = |name: &str| found.is_abstract || (one_list && is_left_out(name));
    let (of_device, of_object) = (of_device.unwrap_or_default(), of_object.unwrap_or_default());
    let mut unseen = Vec::new();
    for property in own {
        let property_name = property.name.as_str();
        let kind = of_device.get(property_name);
        let Some(kind) = kind.or_else(|| of_object.get(property_name)) else {
            if is_hidden(property_name) {
                unseen.push(format!("`{property_name}` of `{name}`"));
                continue;
            }
            bail!("type `{name}` has no property `{property_name}`, and by its file it has");
        };
        if let Some(expected) = &property.kind {
            ensure!(
                kind == expected,
                "property `{property_name}` of `{name}` is a `{kind}`, and by its file a `{expected}`"
            );
        }
    }
    Ok(unseen)
}

/// The properties of a reply, and their kinds.
fn listed(replies: &Replies, number: Number) -> Result<BTreeMap<&str, &str>> {
    let entry = |entry| Some((text(entry, "name")?, text(entry, "type")?));
    Ok(replies.list(number)?.iter().filter_map(entry).collect())
}

/// Names that no listing for `-device` has, in any version.
pub fn is_left_out(property: &str) -> bool {
    let of_base = ["type", "realized", "hotpluggable", "hotplugged", "parent_bus"];
    property.starts_with("legacy-") || of_base.contains(&property)
}

/// How far a file's types and a program's are the same. The program also lists what each interface of
/// each type is made into (`type_initialize_interface`); those are no types that anybody registered.
fn numbers<'a>(running: impl Iterator<Item = &'a str>, census: &[String]) -> String {
    let running: BTreeSet<&str> = running.filter(|name| !name.contains("::")).collect();
    let in_file: BTreeSet<&str> = census.iter().map(String::as_str).collect();
    let both = running.intersection(&in_file).count();
    let unknown: Vec<&str> = in_file.difference(&running).copied().collect();
    let tail = match unknown.len() {
        0 => "and it knows all of the file's".to_owned(),
        more => {
            let dots = if more > SHOWN { ", …" } else { "" };
            let names = unknown.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
            format!("{more} of the file's it does not know: {names}{dots}")
        }
    };
    format!("{} run, {both} of them are in the file, {tail}", running.len())
}

fn text<'a>(entry: &'a Value, field: &str) -> Option<&'a str> {
    entry.get(field)?.as_str()
}

#[cfg(test)]
mod tests;

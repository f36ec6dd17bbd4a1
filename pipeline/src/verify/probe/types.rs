//! The types of the running binary, over QMP, against those of its file: on what is expected the two
//! have to agree, and the numbers for all of them are told.

use super::program::{Program, Session};
use super::qmp::{BARE, Number, Replies, Script};
use super::{Check, QomType};
use anyhow::{Context, Result, bail, ensure};
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
        Err(gave_up) if !gave_up.greeted() => {
            let why = format!("no QMP with `-machine none`: {}", gave_up.words());
            return Ok(Check::not_run(NAME, why));
        }
        Err(gave_up) => bail!("{} gave up in a QMP session: {}", program.shown, gave_up.words()),
    };
    let shown = || format!("QMP of {}", program.shown);
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
    properties: Number,
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
        properties(found, replies, asked.properties)?;
    }
    Ok(Check::passed(NAME, numbers(running.keys().copied(), census)))
}

/// The program lists the properties of all ancestors, so the file's own have to be among them.
fn properties(found: &QomType, replies: &Replies, number: Number) -> Result<()> {
    let name = found.name.as_str();
    if replies.get(number).is_err()
        && (found.is_abstract || found.properties.iter().flatten().next().is_none())
    {
        // Only a device that can be made has a list.
        return Ok(());
    }
    let listed = replies.list(number).context("device-list-properties")?;
    let listed: BTreeMap<&str, &str> = listed
        .iter()
        .filter_map(|entry| Some((text(entry, "name")?, text(entry, "type")?)))
        .collect();
    for property in found.properties.iter().flatten() {
        let Some(kind) = listed.get(property.name.as_str()) else {
            bail!("type `{name}` has no property `{}`, and by its file it has", property.name);
        };
        if let Some(expected) = &property.kind {
            ensure!(
                kind == expected,
                "property `{}` of `{name}` is a `{kind}`, and by its file a `{expected}`",
                property.name
            );
        }
    }
    Ok(())
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

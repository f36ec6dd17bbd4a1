// SPDX-License-Identifier: GPL-2.0-or-later
//! The reference of the pipeline file, from the schema that the program prints.

use super::cell;
use crate::support::{ends_with, program};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The sections in the order in which a file has them.
const SECTIONS: [&str; 11] = [
    "version",
    "name",
    "source",
    "environment",
    "device",
    "spec",
    "build",
    "wrapper",
    "verify",
    "sign",
    "publish",
];

pub struct Schema(Value);

impl Schema {
    pub fn of_the_program() -> Self {
        let output = ends_with(0, program().arg("schema"));
        Self(serde_json::from_slice(&output.stdout).unwrap())
    }

    fn definition(&self, name: &str) -> &Value {
        &self.0["$defs"][name]
    }

    pub fn edits(&self) -> String {
        self.choices(self.definition("Edit"))
    }

    pub fn sections(&self) -> String {
        let properties = self.0["properties"].as_object().unwrap();
        let known: BTreeSet<&str> = SECTIONS.into();
        assert_eq!(properties.keys().map(String::as_str).collect::<BTreeSet<_>>(), known);
        let mut text = "| section | needed | what it says |\n| --- | --- | --- |\n".to_owned();
        for name in SECTIONS {
            let needed = if required(&self.0, name) { "yes" } else { "" };
            let what = cell(description(&properties[name]));
            writeln!(text, "| [`{name}`](#{name}) | {needed} | {what} |").unwrap();
        }
        for name in SECTIONS {
            let section = &properties[name];
            writeln!(text, "\n### {name}\n\n{}", description(section)).unwrap();
            if let Some((list, name)) = self.inner(section) {
                let body = self.body(self.definition(&name));
                let each = if list { "A list. Each entry:" } else { "" };
                write!(text, "\n{each}\n\n{body}").unwrap();
            }
        }
        text.replace("\n\n\n", "\n\n").replace("\n\n\n", "\n\n")
    }

    /// The type of a section that has one with keys; and whether it is a list of them.
    fn inner(&self, section: &Value) -> Option<(bool, String)> {
        let (list, schema) = match section.get("items") {
            Some(items) => (true, items),
            None => (false, section),
        };
        let name = references(schema).into_iter().next()?;
        (!is_scalar(self.definition(&name))).then_some((list, name))
    }

    /// Every type that is no section's own, in the order of the alphabet; words in a table of their own.
    pub fn types(&self) -> String {
        let sections = self.0["properties"].as_object().unwrap().values();
        let shown: Vec<String> =
            sections.filter_map(|section| Some(self.inner(section)?.1)).collect();
        let mut text = String::new();
        let mut words = "| word | what it is |\n| --- | --- |\n".to_owned();
        for (name, definition) in self.0["$defs"].as_object().unwrap() {
            if is_scalar(definition) {
                writeln!(words, "| {name} | {} |", cell(description(definition))).unwrap();
            } else if !shown.contains(name) && name != "Edit" {
                let body = self.body(definition);
                writeln!(text, "### {name}\n\n{}\n\n{body}", description(definition)).unwrap();
            }
        }
        format!("{text}### Words\n\nText of one line that has to have a form:\n\n{words}")
    }

    fn body(&self, definition: &Value) -> String {
        match definition.get("oneOf") {
            Some(_) => self.choices(definition),
            None => self.keys(definition),
        }
    }

    /// A table of what may be written.
    fn choices(&self, definition: &Value) -> String {
        let mut text = "| choice | what it is |\n| --- | --- |\n".to_owned();
        for choice in definition["oneOf"].as_array().unwrap() {
            let what = cell(description(choice));
            let values = choice.get("const").into_iter();
            let values =
                values.chain(choice.get("enum").and_then(Value::as_array).into_iter().flatten());
            for value in values {
                writeln!(text, "| `{}` | {what} |", value.as_str().unwrap()).unwrap();
            }
            for (key, inner) in
                choice.get("properties").and_then(Value::as_object).into_iter().flatten()
            {
                writeln!(text, "| `{key}:` {} | {what} |", self.kind(inner)).unwrap();
            }
        }
        text
    }

    /// A table of keys.
    fn keys(&self, definition: &Value) -> String {
        let none = Map::new();
        let properties = definition["properties"].as_object().unwrap_or(&none);
        let mut text =
            "| key | value | default | what it says |\n| --- | --- | --- | --- |\n".to_owned();
        for (key, inner) in properties {
            let default = match inner.get("default") {
                _ if required(definition, key) => "needed".to_owned(),
                None | Some(Value::Null) => String::new(),
                Some(Value::Array(list)) if list.is_empty() => String::new(),
                Some(Value::Object(map)) if map.is_empty() => String::new(),
                Some(Value::String(text)) => format!("`{text}`"),
                Some(other) => format!("`{}`", other.to_string().replace('"', "")),
            };
            let what = cell(description(inner));
            writeln!(text, "| `{key}` | {} | {default} | {what} |", self.kind(inner)).unwrap();
        }
        text
    }

    /// What a value is, in a few words, with a link to its type.
    fn kind(&self, schema: &Value) -> String {
        if let Some(name) = schema["$ref"].as_str() {
            return self.link(name.rsplit('/').next().unwrap());
        }
        if let Some(either) = schema["anyOf"].as_array() {
            let kinds = either.iter().filter(|one| one["type"] != "null");
            return kinds.map(|one| self.kind(one)).collect::<Vec<_>>().join(" or ");
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds[0].as_str().unwrap(),
            kind => kind.as_str().unwrap_or("anything"),
        };
        match kind {
            "array" => format!("list of {}", self.kind(&schema["items"])),
            "object" => {
                let values = ["patternProperties", "additionalProperties"].iter();
                let values =
                    values.filter_map(|key| schema.get(*key).filter(|one| one.is_object()));
                let value = values.flat_map(references).next();
                format!("map to {}", value.map_or("numbers".to_owned(), |name| self.link(&name)))
            }
            "integer" => "number".to_owned(),
            "boolean" => "`true` or `false`".to_owned(),
            "string" => "text".to_owned(),
            other => other.to_owned(),
        }
    }

    fn link(&self, name: &str) -> String {
        match name {
            "Edit" => "[edit](#spec-edits)".to_owned(),
            _ if is_scalar(self.definition(name)) => match self.definition(name)["enum"].as_array()
            {
                Some(values) => {
                    let values =
                        values.iter().map(|value| format!("`{}`", value.as_str().unwrap()));
                    values.collect::<Vec<_>>().join(" or ")
                }
                None => format!("[{name}](#words)"),
            },
            _ => format!("[{name}](#{})", name.to_lowercase()),
        }
    }
}

fn description(schema: &Value) -> &str {
    schema["description"].as_str().unwrap_or_default()
}

fn required(schema: &Value, key: &str) -> bool {
    schema["required"].as_array().is_some_and(|keys| keys.iter().any(|one| one == key))
}

fn is_scalar(definition: &Value) -> bool {
    definition["type"] == "string"
}

/// The names of the types in a schema, but not those in these types.
fn references(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(map) => map
            .iter()
            .flat_map(|(key, value)| match value {
                Value::String(path) if key == "$ref" => {
                    vec![path.rsplit('/').next().unwrap_or_default().to_owned()]
                }
                other => references(other),
            })
            .collect(),
        Value::Array(list) => list.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! What a schema wants in a place, read once into a type.

use crate::config::nearest::quoted;
use crate::config::scalars::{self, AnyText, Scalar};
use serde_json::{Map, Value};

/// What is wanted, and whether nothing at all will do.
#[derive(Debug)]
pub struct Wanted<'s> {
    pub shape: Shape<'s>,
    pub optional: bool,
}

#[derive(Debug)]
pub enum Shape<'s> {
    /// A mapping with these keys.
    Record {
        fields: &'s Map<String, Value>,
        required: Vec<&'s str>,
    },
    /// A mapping whose keys are somebody's own.
    Table {
        keys: &'s Value,
        values: &'s Value,
    },
    /// A mapping with one of these keys.
    Choice(Vec<(&'s str, &'s Value)>),
    /// One of these words.
    Words(Vec<&'s str>),
    List {
        items: &'s Value,
        least: u64,
    },
    Text(&'static Scalar),
    Integer {
        least: u64,
        most: u64,
    },
    Flag,
}

/// A schema and its definitions.
#[derive(Debug, Clone, Copy)]
pub struct Schema<'s> {
    pub root: &'s Value,
}

impl<'s> Schema<'s> {
    /// What stands behind a `$ref`, and its name.
    pub fn resolve(self, schema: &'s Value) -> (&'s Value, Option<&'s str>) {
        let name = schema.get("$ref").and_then(Value::as_str);
        let name = name.and_then(|path| path.strip_prefix("#/$defs/"));
        let found = name.and_then(|name| self.root.get("$defs")?.get(name));
        (found.unwrap_or(schema), name)
    }

    pub fn wanted(self, schema: &'s Value) -> Wanted<'s> {
        if let Some(parts) = schema.get("anyOf").and_then(Value::as_array) {
            // `Option`: what it is of, or null.
            let some = parts.iter().find(|part| part.get("type") != Some(&Value::from("null")));
            return Wanted { shape: self.shape(some.unwrap_or(schema)), optional: true };
        }
        let (inner, _) = self.resolve(schema);
        let types = inner.get("type").and_then(Value::as_array);
        let optional = types.is_some_and(|types| types.contains(&Value::from("null")));
        Wanted { shape: self.shape(schema), optional }
    }

    fn shape(self, schema: &'s Value) -> Shape<'s> {
        let (inner, name) = self.resolve(schema);
        if let Some(scalar) = name.and_then(scalars::named) {
            return Shape::Text(scalar);
        }
        if let Some(parts) = inner.get("oneOf").and_then(Value::as_array) {
            return choice(parts);
        }
        if let Some(words) = inner.get("enum").and_then(Value::as_array) {
            return Shape::Words(words.iter().filter_map(Value::as_str).collect());
        }
        let number = |key: &str| inner.get(key).and_then(Value::as_u64);
        match kind(inner) {
            "object" => match (inner.get("propertyNames"), inner.get("additionalProperties")) {
                (Some(keys), Some(values)) => Shape::Table { keys, values },
                _ => record(inner),
            },
            "array" => Shape::List {
                items: inner.get("items").unwrap_or(&Value::Null),
                least: number("minItems").unwrap_or(0),
            },
            "integer" => match number("const") {
                Some(only) => Shape::Integer { least: only, most: only },
                None => Shape::Integer {
                    least: number("minimum").unwrap_or(0),
                    most: number("maximum").unwrap_or(u64::MAX),
                },
            },
            "boolean" => Shape::Flag,
            _ => Shape::Text(AnyText::rule()),
        }
    }

    /// The names of fields and the words of a schema, sorted.
    pub fn words(self) -> Vec<&'s str> {
        let mut words = Vec::new();
        collect(self.root, &mut words);
        words.sort_unstable();
        words.dedup();
        words
    }
}

/// The one type of a schema that is not `null`.
fn kind(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or_default()
        }
        _ => "",
    }
}

/// Alternatives: words with a description each, or mappings of one key.
fn choice(parts: &[Value]) -> Shape<'_> {
    let words: Vec<&str> = parts
        .iter()
        .flat_map(|part| {
            let one = part.get("const").and_then(Value::as_str);
            let several = part.get("enum").and_then(Value::as_array).into_iter().flatten();
            one.into_iter().chain(several.filter_map(Value::as_str))
        })
        .collect();
    if !words.is_empty() {
        return Shape::Words(words);
    }
    let fields = parts.iter().filter_map(|part| part.get("properties")?.as_object());
    Shape::Choice(fields.flatten().map(|(name, value)| (name.as_str(), value)).collect())
}

fn record(schema: &Value) -> Shape<'_> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    Shape::Record {
        fields: schema.get("properties").and_then(Value::as_object).unwrap_or(&NONE),
        required: required.filter_map(Value::as_str).collect(),
    }
}

fn collect<'s>(schema: &'s Value, words: &mut Vec<&'s str>) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                match (key.as_str(), value) {
                    ("default" | "description", _) => {}
                    ("const", Value::String(word)) => words.push(word),
                    ("enum", Value::Array(all)) => {
                        words.extend(all.iter().filter_map(Value::as_str));
                    }
                    ("properties", Value::Object(fields)) => {
                        words.extend(fields.keys().map(String::as_str));
                        fields.values().for_each(|field| collect(field, words));
                    }
                    _ => collect(value, words),
                }
            }
        }
        Value::Array(all) => all.iter().for_each(|value| collect(value, words)),
        _ => {}
    }
}

/// What a shape is called.
pub fn expected(shape: &Shape) -> String {
    match shape {
        Shape::Record { .. } | Shape::Table { .. } => "a mapping".to_owned(),
        Shape::Choice(variants) => {
            format!("a mapping with one of {}", quoted(variants.iter().map(|(name, _)| *name)))
        }
        Shape::Words(words) => format!("one of {}", quoted(words.iter().copied())),
        Shape::List { .. } => "a list".to_owned(),
        Shape::Text(scalar) => scalar.expected.to_owned(),
        Shape::Integer { least, most } => number_words(*least, *most),
        Shape::Flag => "`true` or `false`".to_owned(),
    }
}

/// The same in a word or two.
pub fn kind_of(shape: &Shape) -> &'static str {
    match shape {
        Shape::Record { .. } | Shape::Table { .. } | Shape::Choice(_) => "a mapping",
        Shape::List { .. } => "a list",
        _ => "one value",
    }
}

pub fn number_words(least: u64, most: u64) -> String {
    match (least, most) {
        (least, most) if least == most => format!("the number {least}"),
        (least, u64::MAX) => format!("a number from {least} on"),
        (least, most) => format!("a number from {least} to {most}"),
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The formats that are read here, each by the schema that is made of its types, and which of them a file
//! is in.

use super::yaml::Node;
use super::{ExpectedType, Lock, Pipeline, Settings};
use schemars::Schema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::transform::RecursiveTransform;
use serde_json::Value;
use std::sync::LazyLock;

fn generator() -> SchemaGenerator {
    SchemaSettings::default().with_transform(RecursiveTransform(bounded)).into_generator()
}

/// Integers of 32 bits have no bound in what schemars says of them.
fn bounded(schema: &mut Schema) {
    let is_u32 = schema.get("format").is_some_and(|format| format == "uint32");
    if is_u32 && schema.get("maximum").is_none() {
        schema.insert("maximum".to_owned(), u32::MAX.into());
    }
}

/// A format, and what people call it.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    pub schema: &'static Value,
    pub name: &'static str,
    /// How one comes by a file of it.
    pub begin: &'static str,
    /// What tells which keys it has.
    pub describes: &'static str,
    /// What to do with one that was named as a pipeline.
    instead: &'static str,
}

impl Format {
    /// Its keys at the top.
    fn keys(self) -> impl Iterator<Item = &'static str> {
        let fields = self.schema.get("properties").and_then(Value::as_object);
        fields.into_iter().flat_map(|fields| fields.keys().map(String::as_str))
    }

    /// Whether it has a key at the top.
    pub fn has(self, key: &str) -> bool {
        self.keys().any(|known| known == key)
    }

    /// How many of its keys a file has.
    fn alike(self, root: &Node) -> usize {
        self.keys().filter(|key| root.get(key).is_some()).count()
    }

    /// The format that a file is in, where that is another.
    pub fn in_place(self, root: &Node) -> Option<Self> {
        let all = [pipeline(), contract(), lock(), settings()];
        let most = all.into_iter().map(|format| (format.alike(root), format));
        // Of two that are as near, the first.
        let most = most.reduce(|best, next| if next.0 > best.0 { next } else { best });
        // One key alone may have got here by a slip, but where a file of that format has no more.
        let enough = |(alike, format): &(usize, Self)| {
            *alike > self.alike(root) && (*alike > 1 || format.keys().count() == 1)
        };
        most.filter(enough).map(|(_, format)| format)
    }

    /// What to try where a file of another format stands in its place.
    pub fn instead_of(self, other: Self) -> &'static str {
        if self.name == pipeline().name { other.instead } else { self.begin }
    }
}

macro_rules! formats {
    ($($(#[$doc:meta])* $name:ident: $type:ty { $($field:ident: $words:expr,)* })*) => {
        $(
            $(#[$doc])*
            pub fn $name() -> Format {
                static SCHEMA: LazyLock<Value> =
                    LazyLock::new(|| generator().into_root_schema_for::<$type>().to_value());
                Format { schema: &SCHEMA, $($field: $words),* }
            }
        )*
    };
}

formats! {
    /// A pipeline file.
    pipeline: Pipeline {
        name: "a pipeline",
        begin: "`vgpu-pipeline schema` describes the format",
        describes: "`vgpu-pipeline schema` describes them",
        instead: "",
    }
    /// A contract of `verify.contracts`.
    contract: ExpectedType {
        name: "a contract",
        begin: "a contract says of one type what it must be, as an entry of `verify.types` does: `name:` is \
                the least of it",
        describes: "`vgpu-pipeline schema` describes them, at `ExpectedType`",
        instead: "a pipeline names it in `verify.contracts`: give the file of that pipeline",
    }
    /// What `lock` writes.
    lock: Lock {
        name: "a lock",
        begin: "`vgpu-pipeline lock FILE` writes it, with the pipeline for FILE",
        describes: "nobody writes a lock by hand: `vgpu-pipeline lock FILE` does, with the pipeline for FILE",
        instead: "give the file of the pipeline: its lock is found beside it",
    }
    /// The user's own settings.
    settings: Settings {
        name: "a file of settings",
        begin: "settings have one key, `mirrors:`",
        describes: "settings have one key, `mirrors:`",
        instead: "settings are found by themselves: give the file of a pipeline",
    }
}

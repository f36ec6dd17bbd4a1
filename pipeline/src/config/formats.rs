// SPDX-License-Identifier: GPL-2.0-or-later
//! The formats that are read here, each by the schema that is made of its types.

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

macro_rules! formats {
    ($($(#[$doc:meta])* $name:ident: $type:ty;)*) => {
        $(
            $(#[$doc])*
            pub fn $name() -> &'static Value {
                static SCHEMA: LazyLock<Value> =
                    LazyLock::new(|| generator().into_root_schema_for::<$type>().to_value());
                &SCHEMA
            }
        )*
    };
}

formats! {
    /// A pipeline file.
    pipeline: Pipeline;
    /// A contract of `verify.contracts`.
    contract: ExpectedType;
    /// What `lock` writes.
    lock: Lock;
    /// The user's own settings.
    settings: Settings;
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! Values on their way from one stage to the next, known or to come.

use super::{CacheKey, Stage, Value};
use crate::store::Stored;
use anyhow::Result;
use std::rc::Rc;

/// A stage's place in a composition: its key as soon as that is known, its value as soon as it is there.
#[derive(Debug)]
pub struct Slot<T> {
    stage: Stage,
    key: Option<CacheKey>,
    content: Option<String>,
    value: Option<Rc<T>>,
}

impl<T: Value> Slot<T> {
    /// One without a value.
    pub fn empty(stage: Stage, key: Option<CacheKey>) -> Self {
        Self { stage, key, content: None, value: None }
    }

    pub fn filled(stage: Stage, key: CacheKey, value: T) -> Result<Self> {
        let content = value.content()?;
        Ok(Self { stage, key: Some(key), content: Some(content), value: Some(Rc::new(value)) })
    }

    /// One of which a test knows all but the value.
    #[cfg(test)]
    pub fn known(stage: Stage, key: Option<CacheKey>, content: Option<String>) -> Self {
        Self { stage, key, content, value: None }
    }

    pub fn value(&self) -> Option<&T> {
        self.value.as_deref()
    }

    /// The value, for whoever looks at it when the composition is over.
    pub fn shared(&self) -> Option<Rc<T>> {
        self.value.clone()
    }

    pub fn key(&self) -> Option<&CacheKey> {
        self.key.as_ref()
    }

    /// What a key that depends on it holds.
    pub fn id(&self) -> Option<&str> {
        if T::KEYED_BY_CONTENT {
            self.content.as_deref()
        } else {
            self.key.as_ref().map(CacheKey::as_str)
        }
    }
}

/// What one stage takes of another.
#[derive(Debug, Clone)]
pub struct Edge {
    pub stage: Stage,
    /// What the taker's key depends on.
    pub id: Option<String>,
    /// What the taker's result is made of.
    pub content: Option<String>,
}

/// All that a stage takes: a tuple of slots, some of which a pipeline may not have.
pub trait Takes {
    /// The same tuple of values.
    type Values;

    /// The values, once all are there.
    fn values(&self) -> Option<Self::Values>;

    fn edges(&self) -> Vec<Edge>;

    /// The results among them of which something is not as it was kept.
    fn damaged(&self) -> Vec<Stored>;
}

impl<'s, T: Value> Takes for &'s Slot<T> {
    type Values = &'s T;

    fn values(&self) -> Option<&'s T> {
        self.value()
    }

    fn edges(&self) -> Vec<Edge> {
        let (id, content) = (self.id().map(str::to_owned), self.content.clone());
        vec![Edge { stage: self.stage, id, content }]
    }

    fn damaged(&self) -> Vec<Stored> {
        self.value().map(Value::damaged).unwrap_or_default()
    }
}

/// What a pipeline may lack.
impl<'s, T: Value> Takes for Option<&'s Slot<T>> {
    type Values = Option<&'s T>;

    fn values(&self) -> Option<Option<&'s T>> {
        self.map_or(Some(None), |slot| slot.value().map(Some))
    }

    fn edges(&self) -> Vec<Edge> {
        self.as_ref().map(Takes::edges).unwrap_or_default()
    }

    fn damaged(&self) -> Vec<Stored> {
        self.as_ref().map(Takes::damaged).unwrap_or_default()
    }
}

macro_rules! takes {
    ($($name:ident)*) => {
        impl<$($name: Takes),*> Takes for ($($name,)*) {
            type Values = ($($name::Values,)*);

            #[allow(non_snake_case, clippy::unused_unit, reason = "one pattern for every length")]
            fn values(&self) -> Option<Self::Values> {
                let ($($name,)*) = self;
                Some(($($name.values()?,)*))
            }

            #[allow(non_snake_case, reason = "one pattern for every length")]
            fn edges(&self) -> Vec<Edge> {
                let ($($name,)*) = self;
                let edges: [Vec<Edge>; _] = [$($name.edges()),*];
                edges.concat()
            }

            #[allow(non_snake_case, reason = "one pattern for every length")]
            fn damaged(&self) -> Vec<Stored> {
                let ($($name,)*) = self;
                let damaged: [Vec<Stored>; _] = [$($name.damaged()),*];
                damaged.concat()
            }
        }
    };
}

takes!(A);
takes!(A B);
takes!(A B C);
takes!(A B C D);
takes!(A B C D E);
takes!(A B C D E F);
takes!(A B C D E F G);
takes!(A B C D E F G H);

impl Takes for () {
    type Values = ();

    fn values(&self) -> Option<()> {
        Some(())
    }

    fn edges(&self) -> Vec<Edge> {
        Vec::new()
    }

    fn damaged(&self) -> Vec<Stored> {
        Vec::new()
    }
}

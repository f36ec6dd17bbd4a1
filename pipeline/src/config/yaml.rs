//! YAML as these files have it, and no more work than a file of such a size is worth.
//!
//! The reader's scanner looks at every open bracket for every further one, and an alias makes a large
//! value out of a few letters; so what could take long is refused by its look, and what would grow is
//! counted before it is built.

use super::error;
use anyhow::{Result, bail};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use std::cell::Cell;
use std::fmt;

/// The most `[` and `{` of a file, in its text or not. The largest pipeline of ours has 40.
const BRACKETS: usize = 2000;
/// A file of ours has no `%TAG` at all, and each is compared with each.
const DIRECTIVES: usize = 8;
/// The most values and bytes that aliases may make of a file.
const VALUES: usize = 1 << 17;
const BYTES: usize = 32 << 20;

/// Reads a value. `file` is the name that errors carry.
pub fn read<T: DeserializeOwned>(text: &str, file: &str) -> Result<T> {
    let brackets = text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count();
    if brackets > BRACKETS {
        bail!(
            "{file}: it has {brackets} `[` and `{{`, and {BRACKETS} are the most\n\
             help: write lists and mappings as lines, with `- ` and `key: `"
        );
    }
    if text.lines().filter(|line| line.starts_with('%')).count() > DIRECTIVES {
        bail!(
            "{file}: it has more than {DIRECTIVES} lines that begin with `%`\nhelp: leave them out"
        );
    }
    let left = Left { values: Cell::new(VALUES), bytes: Cell::new(BYTES) };
    let counted = Count(&left).deserialize(serde_yaml::Deserializer::from_str(text));
    counted.map_err(|e| error::render(&e, file))?;
    serde_yaml::from_str(text).map_err(|e| error::render(&e, file))
}

struct Left {
    values: Cell<usize>,
    bytes: Cell<usize>,
}

/// Reads any value, and keeps nothing of it.
#[derive(Clone, Copy)]
struct Count<'a>(&'a Left);

impl Count<'_> {
    fn one<E: Error>(self, bytes: usize) -> Result<(), E> {
        let Left { values, bytes: left } = self.0;
        match (values.get().checked_sub(1), left.get().checked_sub(bytes)) {
            (Some(fewer), Some(less)) => {
                values.set(fewer);
                left.set(less);
                Ok(())
            }
            _ => Err(E::custom("its aliases repeat more than any file needs")),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Count<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Count<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.one(1)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.one(8)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.one(8)
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<(), E> {
        self.one(16)
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<(), E> {
        self.one(16)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.one(8)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.one(text.len())
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<(), E> {
        self.one(bytes.len())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.one(0)
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        self.one(0)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.one(0)?;
        while items.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        self.one(0)?;
        while entries.next_entry_seed(self, self)?.is_some() {}
        Ok(())
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<(), A::Error> {
        let ((), value) = tagged.variant_seed(self)?;
        value.newtype_variant_seed(self)
    }
}

#[cfg(test)]
mod tests;

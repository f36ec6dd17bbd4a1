// SPDX-License-Identifier: GPL-2.0-or-later
//! `Property` and `PropertyInfo`, one entry of a table, in each layout.
//!
//! Source: `struct Property` and `struct PropertyInfo` in QEMU's `include/hw/qdev-core.h` (4.2.1)
//! and `include/hw/qdev-properties.h` (5.0.0, 5.2.0, 7.2.0, 10.0.13, 10.2.2);
//! 11.1.3 by its binaries. In words of 8 bytes, with `name` and `info` first in all:
//!
//! | | 4.2 to 5.2 | 7.2 | 10.0 |
//! | --- | --- | --- | --- |
//! | words | 9 | 11 | 9 |
//! | `bitnr`, `set_default` | 3, a byte each | 3 and 5 | 8, a byte each |
//! | `arrayinfo`, `link_type` | 6, 8 | 8, 10 | 6, 3 |
//! | the table ends | at an entry of zeros | at an entry of zeros | where `class_init` says |

use super::functions::Functions;
use super::image::{Image, Word};
use serde::{Deserialize, Serialize};
use std::fmt;

/// `bitnr` counts the bits of a `uint64_t`.
const BITS: u64 = 64;

/// The form of `Property` that a binary was compiled with, by the first version of QEMU that is known to
/// have it. Shown as JSON has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PropertyLayout {
    /// 4.2 to 5.2, in nine words.
    #[serde(rename = "4.2")]
    V4_2,
    /// 7.2 and later, in eleven words.
    #[serde(rename = "7.2")]
    V7_2,
    /// Since 10.0, in nine words, and without an entry that ends the table.
    #[serde(rename = "10.0")]
    V10_0,
}

/// As JSON has it.
impl fmt::Display for PropertyLayout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl PropertyLayout {
    pub(crate) const ALL: [Self; 3] = [Self::V4_2, Self::V7_2, Self::V10_0];

    pub(crate) fn size(self) -> u64 {
        match self {
            Self::V4_2 | Self::V10_0 => 9 * 8,
            Self::V7_2 => 11 * 8,
        }
    }

    /// The word of the name of the type that a link leads to.
    pub(crate) fn link(self) -> u64 {
        match self {
            Self::V4_2 => 8,
            Self::V7_2 => 10,
            Self::V10_0 => 3,
        }
    }

    /// Whether the entry at `address` has this form, and no other: one with a default value does.
    pub(crate) fn explains(self, image: &Image, address: u64) -> bool {
        let bit_with_default = |word| match word {
            Word::Plain(bytes) => bytes >> 8 == 1 && bytes & 0xff < BITS,
            _ => false,
        };
        let links = |info: Word, link: Word| info.is_null_or_pointer() && link.is_null_or_pointer();
        let fits = match self {
            Self::V4_2 => image.words(address).map(|[_, _, _, bit, _, _, info, _, link]| {
                bit_with_default(bit) && links(info, link)
            }),
            Self::V7_2 => {
                image.words(address).map(|[_, _, _, bit, _, has_default, _, _, info, _, link]| {
                    bit.is_number_up_to(BITS) && has_default == Word::Plain(1) && links(info, link)
                })
            }
            Self::V10_0 => image.words(address).map(|[_, _, _, link, _, _, info, _, bit]| {
                bit_with_default(bit) && links(info, link)
            }),
        };
        fits.unwrap_or(false)
    }
}

/// The name of the property at `address`, where a name and a `PropertyInfo` stand there.
pub fn entry<'a>(
    image: &Image<'a>,
    functions: &Functions,
    address: u64,
) -> Option<(&'a str, &'a str)> {
    let name = image.name(image.pointer(address)?)?;
    let info = image.pointer(address.checked_add(8)?)?;
    // `name` (`type` since 10.0), `description`, `enum_table`, a flag in some versions, functions:
    // a getter or a constructor at the least
    let [kind, description, enumeration, rest @ ..] = image.words::<9>(info)?;
    let kind = image.name(kind.target()?)?;
    let function = |word: &Word| word.target().is_some_and(|to| functions.is_start(to));
    let fits = description.is_null_or_pointer()
        && enumeration.is_null_or_pointer()
        && rest.iter().all(|word| word.is_number_up_to(1) || function(word))
        && rest.iter().any(function);
    fits.then_some((name, kind))
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! What an operator may set of a device for a VM: `settings` of its contract.
//!
//! Out of it come the options of `qemu-device attach`, and what the shim in dom0 lets through to QEMU; nothing
//! else ever gets there. So what it admits is closed: words, a range of numbers, or text of literal classes.

mod check;

use super::pattern::{LONGEST_TEXT, Pattern};
use super::scalars::{Line, PropertyName, SettingWord, TextPattern};
use super::table::Table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub use check::check;

// Slots go from 0x14, since xenopsd and QEMU give away those of 16 network interfaces by themselves, to 0x1e,
// since 0x1f is the chipset's on other machines than `pc`.

const SLOT: u8 = 0x1e;
/// Beyond any pool's network interfaces.
const CHOICES: std::ops::RangeInclusive<u8> = 0x18..=0x1e;

/// What an operator may set of a device for a VM.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DeviceSettings {
    /// The properties that may be set, each one of the type's own `properties`.
    #[serde(default)]
    #[schemars(with = "Table<PropertyName, PropertySetting>")]
    pub properties: BTreeMap<PropertyName, PropertySetting>,
    /// The PCI slot.
    #[serde(default)]
    pub slot: SlotSetting,
    /// How many of it a VM may have.
    #[serde(default = "once")]
    #[schemars(range(min = 1, max = 11))]
    pub max_per_vm: u8,
}

/// What a property may be set to: one of `one-of`, `range` and `pattern`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PropertySetting {
    /// One of these words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub one_of: Option<Vec<SettingWord>>,
    /// A number, which is written in digits without leading zeros.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<NumberRange>,
    /// A text that is, from its beginning to its end, literal characters and classes of them, each with
    /// `{m}`, `{m,n}`, `?`, `*` or `+` behind it where it may stand more often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<TextPattern>,
    /// The most characters of a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = LONGEST_TEXT))]
    pub max_length: Option<u16>,
    /// What the device gets where nothing is set; it must behave as if the property were not given. Without
    /// it, the property is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<SettingWord>,
    /// Whether no two devices of a pool may have the same value.
    #[serde(default)]
    pub unique: bool,
    /// What it is, for operators.
    pub help: Line,
}

/// Numbers from one to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NumberRange {
    pub from: u64,
    pub to: u64,
}

/// The PCI slots that a device may be in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlotSetting {
    /// The one that it gets where it is free.
    #[serde(default = "slot")]
    #[schemars(range(min = 0x14, max = 0x1e))]
    pub default: u8,
    /// What else may be chosen.
    #[serde(default = "choices")]
    #[schemars(inner(range(min = 0x14, max = 0x1e)))]
    pub choices: Vec<u8>,
}

fn once() -> u8 {
    1
}

fn slot() -> u8 {
    SLOT
}

fn choices() -> Vec<u8> {
    CHOICES.collect()
}

impl Default for SlotSetting {
    fn default() -> Self {
        Self { default: slot(), choices: choices() }
    }
}

impl SlotSetting {
    /// Every slot that it may be in, in order.
    pub fn all(&self) -> BTreeSet<u8> {
        self.choices.iter().copied().chain([self.default]).collect()
    }
}

/// What a value has to be: the three kinds, once a setting is known to be of one of them.
#[derive(Debug, Clone)]
pub enum Admitted<'s> {
    Words(&'s [SettingWord]),
    Numbers(NumberRange),
    Text { pattern: Pattern, source: &'s str, max_length: usize },
}

impl Admitted<'_> {
    /// Whether a value is one of them, as the host judges it.
    pub fn admits(&self, text: &str) -> bool {
        match self {
            Self::Words(words) => words.iter().any(|word| word.as_str() == text),
            Self::Numbers(range) => {
                number(text).is_some_and(|n| (range.from..=range.to).contains(&n))
            }
            Self::Text { pattern, max_length, .. } => {
                text.len() <= *max_length && pattern.matches(text)
            }
        }
    }

    fn longest(&self) -> usize {
        match self {
            Self::Words(words) => words.iter().map(|word| word.as_str().len()).max().unwrap_or(0),
            Self::Numbers(range) => range.to.to_string().len(),
            Self::Text { max_length, .. } => *max_length,
        }
    }
}

/// A number in digits, without leading zeros.
fn number(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let led = text.len() > 1 && text.starts_with('0');
    if plain && !led { text.parse().ok() } else { None }
}

impl PropertySetting {
    /// What it admits; [`check`] has seen that there is just one kind, and that it can be read.
    pub fn admitted(&self) -> Option<Admitted<'_>> {
        let Self { one_of, range, pattern, max_length, .. } = self;
        match (one_of, range, pattern) {
            (Some(words), None, None) => Some(Admitted::Words(words)),
            (None, Some(range), None) => Some(Admitted::Numbers(*range)),
            (None, None, Some(source)) => {
                let source = source.as_str();
                let pattern = Pattern::parse(source).ok()?;
                let bound = pattern.longest().unwrap_or(usize::MAX);
                let most = usize::from(max_length.unwrap_or(LONGEST_TEXT));
                let max_length = bound.min(most);
                Some(Admitted::Text { pattern, source, max_length })
            }
            _ => None,
        }
    }
}

impl DeviceSettings {
    /// The most bytes that the value of its platform key may have.
    fn longest(&self) -> usize {
        let one: usize = self
            .properties
            .iter()
            .map(|(name, setting)| {
                let value = setting.admitted().map_or(0, |admitted| admitted.longest());
                name.as_str().len() + "=,".len() + value
            })
            .sum();
        (one + "addr=0x1e;".len()) * usize::from(self.max_per_vm)
    }
}

#[cfg(test)]
mod tests;

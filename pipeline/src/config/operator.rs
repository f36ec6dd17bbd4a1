// SPDX-License-Identifier: GPL-2.0-or-later
//! What an operator may set of a device for a VM: `settings` of its contract.
//!
//! Out of it come the options of `qemu-device attach`, and what the shim in dom0 lets through to QEMU; nothing
//! else ever gets there. So what it admits is closed: words, a range of numbers, or text of literal classes.

use super::file::Violation;
use super::path::Path;
use super::pattern::{LONGEST_TEXT, Pattern};
use super::scalars::{Line, PropertyName, SettingWord, TextPattern};
use super::table::Table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

// Slots go from 0x14, since xenopsd and QEMU give away those of 16 network interfaces by themselves, to 0x1e,
// since 0x1f is the chipset's on other machines than `pc`.

const SLOT: u8 = 0x1e;
/// Beyond any pool's network interfaces.
const CHOICES: std::ops::RangeInclusive<u8> = 0x18..=0x1e;
/// The longest value of a platform key; `XenStore` keeps 2048 bytes (`wrapper/qemu_device/setting.py`).
const LONGEST_SETTING: usize = 1024;
/// Options that `qemu-device attach` has for every device.
const OPTIONS: [&str; 6] = ["addr", "dry-run", "help", "instance", "json", "yes"];

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
                let bound = pattern.longest().unwrap_or(usize::from(LONGEST_TEXT));
                let max_length = max_length.map_or(bound, |most| bound.min(usize::from(most)));
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

/// The kinds of a type's own properties by name; none where its contract does not say which it has.
pub type Kinds<'k> = Option<BTreeMap<&'k str, &'k str>>;

/// What is wrong with the settings of one type.
pub fn check(settings: &DeviceSettings, own: &Kinds, path: &Path) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut options: BTreeMap<String, Path> = BTreeMap::new();
    for (name, setting) in &settings.properties {
        let path = path.key("properties").key(name);
        violations.extend(of_type(name.as_str(), own, &path));
        violations.extend(option(name.as_str(), &path, &mut options));
        violations.extend(property(setting, &path));
        violations.extend(kind(name.as_str(), setting, own, &path));
    }
    let slots = settings.slot.all();
    if usize::from(settings.max_per_vm) > slots.len() {
        let what = format!(
            "{} of it would need as many slots, and it has {}",
            settings.max_per_vm,
            slots.len()
        );
        violations
            .push(Violation::new(path.key("max-per-vm"), what).help("name more in `slot.choices`"));
    }
    if let (true, longest @ LONGEST_SETTING..) = (violations.is_empty(), settings.longest()) {
        let what =
            format!("a setting might have {longest} bytes, and {LONGEST_SETTING} are the most");
        violations.push(
            Violation::new(path.clone(), what)
                .on_key()
                .help("XenStore has no room for more: shorter texts, or fewer of them"),
        );
    }
    violations
}

fn of_type(name: &str, own: &Kinds, path: &Path) -> Option<Violation> {
    if own.as_ref().is_some_and(|own| own.contains_key(name)) {
        return None;
    }
    let what = format!("`{name}` is none of the type's `properties`");
    let help = match own {
        Some(_) => "what every PCI device has, such as `romfile`, is not an operator's to set",
        None => "say with `properties` which it has",
    };
    Some(Violation::new(path.clone(), what).on_key().help(help))
}

/// Whether an option of the command may have its name.
fn option(name: &str, path: &Path, options: &mut BTreeMap<String, Path>) -> Option<Violation> {
    let option = name.replace('_', "-");
    let plain = option.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !plain || OPTIONS.contains(&option.as_str()) || option.starts_with('-') {
        let what = format!("`--{option}` cannot be an option of `qemu-device attach`");
        let violation = Violation::new(path.clone(), what).on_key();
        return Some(violation.help("give the property another name in the device"));
    }
    if let Some(first) = options.insert(option.clone(), path.clone()) {
        let what = format!("`--{option}` would be an option of two properties");
        return Some(Violation::new(path.clone(), what).on_key().other(first, "here too"));
    }
    None
}

fn property(setting: &PropertySetting, path: &Path) -> Vec<Violation> {
    let mut violations = Vec::new();
    let kinds = [setting.one_of.is_some(), setting.range.is_some(), setting.pattern.is_some()];
    if kinds.iter().filter(|given| **given).count() != 1 {
        let what = "just one of `one-of`, `range` and `pattern` says what it may be";
        return vec![Violation::new(path.clone(), what).on_key()];
    }
    if let Some(words) = &setting.one_of {
        let mut seen = BTreeSet::new();
        for (number, word) in words.iter().enumerate() {
            if !seen.insert(word) {
                let path = path.key("one-of").item(number);
                violations.push(Violation::new(path, format!("`{word}` is given twice")));
            }
        }
    }
    if let Some(NumberRange { from, to }) = setting.range
        && from > to
    {
        violations.push(Violation::new(path.key("range"), format!("{from} is more than {to}")));
    }
    match setting.pattern.as_ref().map(|source| Pattern::parse(source.as_str())) {
        Some(Err(why)) => violations.push(Violation::new(path.key("pattern"), why).help(
            "such as `[a-z][a-z0-9-]{0,31}`: literal characters, classes of them, and how often",
        )),
        Some(Ok(pattern)) if pattern.longest().is_none() && setting.max_length.is_none() => {
            violations.push(
                Violation::new(
                    path.key("pattern"),
                    "it has no end, and no `max-length` says how long a text may be",
                )
                .help("add `max-length`, or write `{m,n}`"),
            );
        }
        None if setting.max_length.is_some() => violations.push(
            Violation::new(path.key("max-length"), "this is for a `pattern`, and there is none")
                .on_key(),
        ),
        _ => {}
    }
    if let (Some(default), true, Some(admitted)) =
        (&setting.default, violations.is_empty(), setting.admitted())
        && !admitted.admits(default.as_str())
    {
        let what = format!("the default `{default}` is not what it may be set to");
        violations.push(Violation::new(path.key("default"), what));
    }
    violations
}

/// A number fits the kind of its property.
fn kind(name: &str, setting: &PropertySetting, own: &Kinds, path: &Path) -> Option<Violation> {
    let kind = *own.as_ref()?.get(name)?;
    let bits: Option<u32> =
        kind.trim_start_matches('u').strip_prefix("int").and_then(|bits| bits.parse().ok());
    if let Some(range) = setting.range {
        let bits = match (kind, bits) {
            ("str" | "size", _) => 64,
            (_, Some(bits)) => bits - u32::from(!kind.starts_with('u')),
            _ => {
                let what = format!("`{name}` is a `{kind}`, which takes no range of numbers");
                return Some(Violation::new(path.key("range"), what));
            }
        };
        let most = u64::MAX >> (64 - bits);
        let what = format!("{} is more than a `{kind}` holds, {most}", range.to);
        return (range.to > most).then(|| Violation::new(path.key("range").key("to"), what));
    }
    if setting.pattern.is_some() && kind != "str" {
        let what = format!("`{name}` is a `{kind}`, and a text is for a `str`");
        return Some(Violation::new(path.key("pattern"), what));
    }
    None
}

#[cfg(test)]
mod tests;

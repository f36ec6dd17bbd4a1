// SPDX-License-Identifier: GPL-2.0-or-later
//! What is wrong with settings: beside what they say for themselves, they have to fit the type and a host.

use super::{DeviceSettings, NumberRange, PropertySetting};
use crate::config::file::Violation;
use crate::config::path::Path;
use crate::config::pattern::{LONGEST_TEXT, Pattern};
use std::collections::{BTreeMap, BTreeSet};

/// The longest value of a platform key; `XenStore` keeps 2048 bytes (`wrapper/qemu_device/setting.py`).
const LONGEST_SETTING: usize = 1024;
/// Options that `qemu-device attach` has for every device.
const OPTIONS: [&str; 6] = ["addr", "dry-run", "help", "instance", "json", "yes"];
/// What QEMU reads on `-device` of any device or any PCI device (`qdev_device_add`, `pci_props`), whatever a type
/// says of it.
const EVERY_DEVICES: [&str; 12] = [
    "acpi-index",
    "addr",
    "bus",
    "driver",
    "failover_pair_id",
    "hotplugged",
    "id",
    "multifunction",
    "realized",
    "rombar",
    "romfile",
    "romsize",
];

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
    if EVERY_DEVICES.contains(&name) {
        let what = format!(
            "`{name}` means something to QEMU for every device, and is not an operator's to set"
        );
        return Some(
            Violation::new(path.clone(), what)
                .on_key()
                .help("give the property another name in the device"),
        );
    }
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
        Some(Ok(pattern)) if pattern.shortest() > longest_text(setting) => {
            let what = format!(
                "its shortest text has {} characters, and {} are the most",
                pattern.shortest(),
                longest_text(setting)
            );
            violations.push(Violation::new(path.key("pattern"), what));
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

fn longest_text(setting: &PropertySetting) -> usize {
    usize::from(setting.max_length.unwrap_or(LONGEST_TEXT))
}

/// Numbers and words fit the kind of their property.
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
    if let Some((number, word)) = setting.one_of.as_ref().and_then(|words| {
        words.iter().enumerate().find(|(_, word)| !fits(word.as_str(), kind, bits))
    }) {
        let what = format!("`{name}` is a `{kind}`, and `{word}` is none");
        let violation = Violation::new(path.key("one-of").item(number), what);
        return Some(if kind == "bool" { violation.help("`on` and `off`") } else { violation });
    }
    if setting.pattern.is_some() && kind != "str" {
        let what = format!("`{name}` is a `{kind}`, and a text is for a `str`");
        return Some(Violation::new(path.key("pattern"), what));
    }
    None
}

/// Whether QEMU of any version takes a word for a property of that kind; what a kind of its own admits, a
/// contract cannot say.
fn fits(word: &str, kind: &str, bits: Option<u32>) -> bool {
    let digits = word.strip_prefix('-').unwrap_or(word);
    let number = || digits.parse::<u64>().ok().filter(|_| digits == word || !kind.starts_with('u'));
    match (kind, bits) {
        ("bool", _) => ["on", "off"].contains(&word),
        (_, Some(bits)) => {
            let most = u64::MAX >> (64 - bits + u32::from(!kind.starts_with('u')));
            number().is_some_and(|number| number <= most)
        }
        _ => true,
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! A contract: what one device must be, said once, in a file that its pipelines share.
//!
//! An entry of `verify.types` has the same form, and is held to the same sense.

use super::file::{File, Violation};
use super::mistake::Mistakes;
use super::nearest::nearer;
use super::operator::{self, DeviceSettings};
use super::path::Path;
use super::verify::{Bar, BarKind, ExpectedType, Pci, Start};
use super::{Pipeline, formats, platform_key, validate};
use std::collections::BTreeMap;

/// Where a device is plugged in; whoever starts it chooses that.
const PLACE: [&str; 4] = ["addr", "bus", "driver", "id"];
/// The registers of a function's header that may be base addresses (PCI Local Bus 3.0, 6.2.5).
const BARS: u8 = 6;

/// Reads a contract. `name` is what errors call the file.
pub fn parse(text: &str, name: &str) -> Result<ExpectedType, Mistakes> {
    let mut file = File::read(text, name, formats::contract());
    let pci: Option<Pci> = file.section("pci");
    let starts: Option<Vec<Start>> = file.section("starts");
    let properties: Option<BTreeMap<String, String>> = file.section("properties");
    let root = Path::default();
    let mut violations = Vec::new();
    if let Some(pci) = &pci {
        violations.extend(function(pci, &root.key("pci")));
    }
    if let Some(starts) = &starts {
        // With a function that is wrong, nothing can be said of its registers.
        let known = violations.is_empty() && (pci.is_some() || !file.has("pci"));
        let bar = known.then(|| pci.iter().flat_map(|pci| &pci.bars).find(|bar| bar.index == 0));
        let names: Vec<&str> =
            properties.iter().flat_map(|it| it.keys().map(String::as_str)).collect();
        violations.extend(all_starts(starts, bar, &names, &root));
    }
    // With properties that are wrong, nothing can be said of those that may be set.
    if file.is_clean()
        && let Some(settings) = file.section::<DeviceSettings>("settings")
    {
        let own = properties.as_ref();
        let own =
            own.map(|it| it.iter().map(|(name, kind)| (name.as_str(), kind.as_str())).collect());
        violations.extend(operator::check(&settings, &own, &root.key("settings")));
    }
    file.report(violations);
    file.finish()
}

impl Pipeline {
    /// Takes in what its contracts say. `text` and `name` are the pipeline's own.
    pub fn with_contracts(
        mut self,
        contracts: Vec<ExpectedType>,
        text: &str,
        name: &str,
    ) -> Result<Self, Mistakes> {
        let mut violations = validate::types(&self.verify.types, &contracts, &self.device);
        violations.extend(platform_key::check(&self, &contracts));
        if !violations.is_empty() {
            let mut file = File::read(text, name, formats::pipeline());
            file.report(violations);
            return Err(file.mistakes());
        }
        self.verify.types.extend(contracts);
        Ok(self)
    }
}

/// What is wrong between the fields of one expected type.
pub fn check(expected: &ExpectedType, path: &Path) -> Vec<Violation> {
    let mut violations = Vec::new();
    if let Some(pci) = &expected.pci {
        violations.extend(function(pci, &path.key("pci")));
    }
    let bar = expected.pci.iter().flat_map(|pci| &pci.bars).find(|bar| bar.index == 0);
    let bar = violations.is_empty().then_some(bar);
    let names =
        expected.properties.iter().flat_map(|it| it.keys().map(super::PropertyName::as_str));
    violations.extend(all_starts(&expected.starts, bar, &names.collect::<Vec<_>>(), path));
    if let Some(settings) = &expected.settings {
        let own = expected.properties.as_ref();
        let own =
            own.map(|it| it.iter().map(|(name, kind)| (name.as_str(), kind.as_str())).collect());
        violations.extend(operator::check(settings, &own, &path.key("settings")));
    }
    violations
}

fn function(pci: &Pci, path: &Path) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut taken: BTreeMap<u8, Path> = BTreeMap::new();
    for (number, bar) in pci.bars.iter().enumerate() {
        let path = path.key("bars").item(number);
        // The upper half of a 64-bit address is the next register.
        let last = bar.index.saturating_add(u8::from(bar.kind == BarKind::Memory64));
        for index in bar.index..=last {
            if index >= BARS {
                violations.push(
                    Violation::new(
                        path.key("index"),
                        format!("there is no BAR {index}: 5 is the last"),
                    )
                    .help("a BAR of 64 bits takes the next one too: its index is 4 at most"),
                );
            } else if let Some(first) = taken.get(&index) {
                violations.push(
                    Violation::new(path.key("index"), format!("BAR {index} is given twice"))
                        .other(first.clone(), "here first")
                        .help("a BAR of 64 bits takes the next one too"),
                );
            } else {
                taken.insert(index, path.key("index"));
            }
        }
        violations.extend(size(bar, &path));
    }
    violations
}

fn size(bar: &Bar, path: &Path) -> Vec<Violation> {
    let Bar { size, prefetchable, .. } = *bar;
    let (least, most) = match bar.kind {
        BarKind::Io => (4, 0x1000),
        BarKind::Memory32 => (16, 1 << 31),
        BarKind::Memory64 => (16, 1 << 40),
    };
    let mut violations = Vec::new();
    if !size.is_power_of_two() || !(least..=most).contains(&size) {
        let up = size.checked_next_power_of_two().filter(|up| (least..=most).contains(up));
        let help = match up {
            Some(up) => format!("the next one is {up:#x}"),
            None => format!("it goes from {least:#x} to {most:#x}"),
        };
        let what = format!("{size:#x} is not a power of two from {least:#x} to {most:#x}");
        violations.push(Violation::new(path.key("size"), what).help(help));
    }
    if prefetchable && bar.kind == BarKind::Io {
        let what = "a BAR of I/O ports, which no bridge fetches early";
        let violation = Violation::new(path.key("prefetchable"), what);
        violations.push(violation.help("leave `prefetchable` out"));
    }
    violations
}

/// `bar` is BAR 0, if there is one; none says that this is not known.
#[expect(clippy::option_option, reason = "none, not known, and one")]
fn all_starts(
    starts: &[Start],
    bar: Option<Option<&Bar>>,
    properties: &[&str],
    path: &Path,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut lost = false;
    for (number, start) in starts.iter().enumerate() {
        let path = path.key("starts").item(number);
        violations.extend(sense(start, &path));
        violations.extend(
            start.with.keys().filter_map(|name| {
                property(name.as_str(), properties, &path.key("with").key(name))
            }),
        );
        // Without a BAR, the first start with registers says so for all.
        if let (Some(bar), None, false) = (bar, &start.refused, lost) {
            let found = registers(start, bar, &path);
            lost = bar.is_none() && !found.is_empty();
            violations.extend(found);
        }
    }
    violations
}

fn sense(start: &Start, path: &Path) -> Vec<Violation> {
    let mut violations = Vec::new();
    let asked = [("reads", &start.reads), ("writes", &start.writes), ("then", &start.then)];
    let asked = asked.iter().find(|(_, registers)| !registers.is_empty());
    if let (Some(_), Some((name, _))) = (&start.refused, asked) {
        violations.push(
            Violation::new(
                path.key(name),
                "a start that is `refused` has no registers to read or write",
            )
            .on_key()
            .other(path.key("refused"), "refused here")
            .help("leave out `reads`, `writes` and `then`, or `refused`"),
        );
    } else if start.writes.is_empty() && !start.then.is_empty() {
        violations.push(
            Violation::new(
                path.key("then"),
                "this is what registers read after `writes`, and there are none",
            )
            .on_key()
            .help("what they read at once is `reads`"),
        );
    }
    violations
}

/// A property that is given, and is nearly one of the type's own. Those of its parents are as good, and
/// nothing here knows them all.
fn property(name: &str, own: &[&str], path: &Path) -> Option<Violation> {
    if PLACE.contains(&name) {
        let what =
            format!("`{name}` says where a device is plugged in, and the proof chooses that");
        return Some(Violation::new(path.clone(), what).on_key().help("leave it out"));
    }
    let plain = name.to_ascii_lowercase().replace('-', "_");
    if own.contains(&name) {
        return None;
    }
    let same = own.iter().find(|own| own.to_ascii_lowercase().replace('-', "_") == plain);
    let near = same.copied().or_else(|| nearer(name, own.iter().copied(), 0.7));
    near.map(|near| {
        let what = format!("`{name}` is none of the type's `properties`");
        Violation::new(path.clone(), what).on_key().help(format!("did you mean `{near}`?"))
    })
}

fn registers(start: &Start, bar: Option<&Bar>, path: &Path) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (name, registers) in
        [("reads", &start.reads), ("writes", &start.writes), ("then", &start.then)]
    {
        let path = path.key(name);
        let Some(bar) = bar else {
            if !registers.is_empty() {
                violations.push(
                    Violation::new(path, "nothing says where these registers are")
                        .on_key()
                        .help("add `pci:` with a BAR 0"),
                );
                return violations;
            }
            continue;
        };
        for offset in registers.keys().filter(|at| **at % 4 != 0 || **at >= bar.size) {
            let what = format!("register {offset:#05x} is not one of 32 bits in BAR 0");
            let help = format!("a multiple of 4 below its size, {:#x}", bar.size);
            violations
                .push(Violation::new(path.key(format!("{offset:#05x}")), what).on_key().help(help));
        }
    }
    violations
}

#[cfg(test)]
mod tests;

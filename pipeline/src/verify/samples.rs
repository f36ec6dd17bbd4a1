// SPDX-License-Identifier: GPL-2.0-or-later
//! Settings to try of what a contract admits: all words, the edges of a range and some of its middle, short and
//! long texts; and what lies just outside.

use crate::config::{Admitted, ExpectedType, PropertySetting};
use std::collections::{BTreeMap, BTreeSet};

/// What no setting admits, whatever its kind: the marks of QEMU's options, of a setting, and of a shell.
const MARKS: [&str; 11] =
    ["", " ", ",", "=", "a,b c", "x;y", "A\n", "\u{7f}", "'A'", "A,romfile=/x", "A -device e1000"];

/// A device as an operator sets it: its type and the properties that QEMU gets.
pub struct Sample<'s> {
    pub expected: &'s ExpectedType,
    /// What the operator names.
    pub set: Vec<(&'s str, String)>,
}

impl<'s> Sample<'s> {
    /// Every sample of the types with settings: all defaults, and each value of each property for itself.
    pub fn admitted(types: &'s [ExpectedType]) -> Vec<Self> {
        let mut samples = Vec::new();
        for (expected, properties) in with_settings(types) {
            samples.push(Self { expected, set: Vec::new() });
            for (name, setting) in properties {
                let values = setting.admitted().iter().flat_map(inside).collect::<Vec<_>>();
                samples.extend(
                    values.into_iter().map(|value| Self { expected, set: vec![(name, value)] }),
                );
            }
        }
        samples
    }

    /// Every sample of what lies just outside.
    pub fn refused(types: &'s [ExpectedType]) -> Vec<Self> {
        let mut samples = Vec::new();
        for (expected, properties) in with_settings(types) {
            for (name, setting) in properties {
                let values = setting.admitted().iter().flat_map(outside).collect::<Vec<_>>();
                samples.extend(
                    values.into_iter().map(|value| Self { expected, set: vec![(name, value)] }),
                );
            }
        }
        samples
    }

    /// The properties that QEMU gets: what is set, and the defaults of the others.
    pub fn properties(&self) -> BTreeMap<&'s str, String> {
        let settings = self.expected.settings.iter().flat_map(|settings| &settings.properties);
        let defaults = settings.filter_map(|(name, setting)| {
            Some((name.as_str(), setting.default.as_ref()?.as_str().to_owned()))
        });
        defaults.chain(self.set.iter().cloned()).collect()
    }
}

type Properties<'s> = Vec<(&'s str, &'s PropertySetting)>;

fn with_settings(types: &[ExpectedType]) -> impl Iterator<Item = (&ExpectedType, Properties<'_>)> {
    types.iter().filter_map(|expected| {
        let properties = expected.settings.as_ref()?.properties.iter();
        Some((expected, properties.map(|(name, setting)| (name.as_str(), setting)).collect()))
    })
}

/// Values that a setting admits.
fn inside(admitted: &Admitted) -> Vec<String> {
    let found: BTreeSet<String> = match admitted {
        Admitted::Words(words) => words.iter().map(|word| word.as_str().to_owned()).collect(),
        Admitted::Numbers(range) => {
            let middle = range.from + (range.to - range.from) / 2;
            let near = [
                range.from,
                range.from.saturating_add(1),
                middle,
                range.to.saturating_sub(1),
                range.to,
            ];
            // Powers of two are where a number no longer fits.
            let powers = (0..64).map(|bit| 1_u64 << bit).flat_map(|power| [power - 1, power]);
            let every = [8, 16, 31, 32, 63].map(|bit: u32| 1_u64 << bit);
            let powers =
                powers.filter(|number| every.iter().any(|edge| number.abs_diff(*edge) <= 1));
            let all = near.into_iter().chain(powers);
            all.filter(|n| (range.from..=range.to).contains(n)).map(|n| n.to_string()).collect()
        }
        Admitted::Text { pattern, max_length, .. } => {
            let text = |count: &dyn Fn(u16, Option<u16>) -> usize, last: bool| -> String {
                let piece = pattern.pieces.iter().map(|piece| {
                    let one = if last { piece.characters.last() } else { piece.characters.first() };
                    one.map(char::to_string)
                        .unwrap_or_default()
                        .repeat(count(piece.least, piece.most))
                });
                piece.collect()
            };
            let short = |least: u16, _| usize::from(least);
            let one = |least: u16, most: Option<u16>| {
                usize::from(least.max(1)).min(most.map_or(usize::MAX, usize::from))
            };
            let long = |_, most: Option<u16>| most.map_or(*max_length, usize::from);
            let mut texts =
                vec![text(&short, false), text(&short, true), text(&one, false), text(&one, true)];
            let mut longest = text(&long, true);
            // As long as it may be, if the pattern can be cut off there.
            longest.truncate(*max_length);
            texts.push(longest);
            texts.into_iter().collect()
        }
    };
    found.into_iter().filter(|text| admitted.admits(text)).collect()
}

/// Values that a setting does not admit, near those that it does.
fn outside(admitted: &Admitted) -> Vec<String> {
    let mut found: BTreeSet<String> = MARKS.map(str::to_owned).into();
    for text in inside(admitted) {
        found.extend([
            format!("{text} "),
            format!(" {text}"),
            format!("{text}{text}x"),
            format!("{text}\0"),
        ]);
        found.extend([text.to_uppercase(), text.to_lowercase()]);
    }
    match admitted {
        Admitted::Words(_) => {}
        Admitted::Numbers(range) => {
            found.extend(range.from.checked_sub(1).map(|number| number.to_string()));
            found.insert((u128::from(range.to) + 1).to_string());
            found.extend([
                format!("0{}", range.from),
                format!("+{}", range.to),
                format!("-{}", range.to),
            ]);
            found.extend([format!("{:#x}", range.to), format!("{}.0", range.from), "9".repeat(40)]);
        }
        Admitted::Text { max_length, .. } => {
            found.extend(
                inside(admitted)
                    .into_iter()
                    .map(|text| text.repeat(max_length / text.len().max(1) + 1)),
            );
        }
    }
    found.into_iter().filter(|text| !admitted.admits(text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Project;

    #[test]
    fn what_is_tried_is_inside_and_outside() {
        let project = Project::with_contracts(&[
            include_str!("../../../device/vgpu-stub.yaml"),
            include_str!("../../../tests/fixtures/contracts/meter.yaml"),
            include_str!("../../../tests/fixtures/contracts/tag.yaml"),
        ]);
        let admits = |sample: &Sample| {
            let (name, value) = &sample.set[0];
            let mut settings = sample.expected.settings.as_ref().unwrap().properties.iter();
            let (_, setting) = settings.find(|(known, _)| known.as_str() == *name).unwrap();
            setting.admitted().unwrap().admits(value)
        };
        for expected in project.pipeline.verify.types.chunks(1) {
            let good = Sample::admitted(expected);
            assert!(good.iter().skip(1).all(admits) && good.len() > 8, "{}", expected[0].name);
            let bad = Sample::refused(expected);
            assert!(!bad.iter().any(admits) && bad.len() > 40, "{}", expected[0].name);
        }
    }
}

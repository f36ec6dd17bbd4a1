// SPDX-License-Identifier: GPL-2.0-or-later
//! The edits `insert-after` and `insert-before`.

use super::line_context::Section;
use super::spec::SpecText;
use super::{EditResult, Outcome, add_source, anchor, hanging, prep_snippet};
use crate::config::{Device, Edit, Insert, Insertion};
use crate::error::Help;
use anyhow::{Context, Result, anyhow, bail};

#[derive(Clone, Copy)]
pub enum Side {
    After,
    Before,
}

/// Where a block belongs: the line before which it goes, and whether it stands there already.
struct InsertPoint {
    at: usize,
    already_present: bool,
}

/// Applies the edit at `position`. Several edits at one anchor keep the order in which they are
/// written, on whichever side.
pub fn insert(
    spec: &mut SpecText,
    side: Side,
    edits: &[Edit],
    position: usize,
    devices: &[Device],
) -> Result<EditResult> {
    let Some(insertion) = side.of(&edits[position]) else {
        bail!("{}: the edit {position} is no `{}`", spec.name, side.name());
    };
    let anchor = insertion.anchor.as_str();
    let what = format!("anchor `{anchor}` of `{}`", side.name());
    let (block, label) = block(spec, &insertion.insert, devices)?;
    let label = format!("{} `{anchor}`: {label}", side.name());

    // What stands between this block and the anchor, when all edits are applied.
    let between: Vec<&Edit> = match side {
        Side::After => edits[..position].iter().collect(),
        Side::Before => edits[position + 1..].iter().rev().collect(),
    };
    let neighbours: Vec<Vec<String>> = between
        .into_iter()
        .filter_map(|edit| Some(self::block(spec, &side.of(edit)?.insert, devices).ok()?.0))
        .collect();

    let matching_lines = anchor::matching_lines(spec, anchor);
    let point = match matching_lines.as_slice() {
        [] => {
            return Err(anchor::missing(spec, anchor, &format!("{what} is in no line")));
        }
        [line] => side.point(spec, *line, &block, &neighbours),
        // The block itself may hold its anchor; when it stands, that is no second place.
        several => several
            .iter()
            .map(|&line| (line, side.point(spec, line, &block, &neighbours)))
            .find(|(line, point)| {
                let own = point.at..point.at + block.len();
                point.already_present
                    && several.iter().all(|other| other == line || own.contains(other))
            })
            .map(|(_, point)| point)
            .ok_or_else(|| anchor::ambiguous(spec, several, several.len(), &what))?,
    };
    if let Insert::Device(device) = &insertion.insert {
        in_prep(spec, point.at, device.as_str(), &what)?;
    }
    if point.already_present {
        return Ok((label, Outcome::AlreadySatisfied));
    }
    spec.insert(point.at, &block);
    Ok((hanging(label, spec, point.at), Outcome::Applied))
}

impl Side {
    fn name(self) -> &'static str {
        match self {
            Side::After => "insert-after",
            Side::Before => "insert-before",
        }
    }

    fn of(self, edit: &Edit) -> Option<&Insertion> {
        match (self, edit) {
            (Side::After, Edit::InsertAfter(insertion))
            | (Side::Before, Edit::InsertBefore(insertion)) => Some(insertion),
            _ => None,
        }
    }

    fn point(
        self,
        spec: &SpecText,
        anchor: usize,
        block: &[String],
        others: &[Vec<String>],
    ) -> InsertPoint {
        let begin = |edge: usize, block: &[String]| match self {
            Side::After => Some(edge),
            Side::Before => edge.checked_sub(block.len()),
        };
        let stands = |edge: usize, block: &[String]| {
            begin(edge, block).filter(|&at| spec.has_block_at(block, at))
        };
        let mut edge = match self {
            Side::After => anchor + 1,
            Side::Before => anchor,
        };
        for other in others {
            if stands(edge, block).is_some() {
                break;
            }
            edge = match (self, stands(edge, other)) {
                (Side::After, Some(at)) => at + other.len(),
                (Side::Before, Some(at)) => at,
                (_, None) => edge,
            };
        }
        match stands(edge, block) {
            Some(at) => InsertPoint { at, already_present: true },
            None => InsertPoint { at: edge, already_present: false },
        }
    }
}

/// The lines that are inserted, and what they are.
fn block(spec: &SpecText, insert: &Insert, devices: &[Device]) -> Result<(Vec<String>, String)> {
    match insert {
        Insert::Lines(lines) => {
            if lines.is_empty() {
                return Err(anyhow!("{}: `lines` of an insertion is empty", spec.name)
                    .help("drop that edit"));
            }
            let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
            let label = match lines.as_slice() {
                [line] => format!("`{}`", line.trim()),
                lines => format!("{} lines", lines.len()),
            };
            Ok((lines, label))
        }
        Insert::Device(name) => {
            let device = devices
                .iter()
                .find(|device| device.qom_type == *name)
                .with_context(|| {
                    format!("{}: `{name}` is not a device of this pipeline", spec.name)
                })
                .help("name it as the `type` of a `device`")?;
            let file = device.file_name();
            let number = add_source::number_of(spec, file)?.with_context(|| format!("{}: the device `{name}` is to be copied in, but no `Source` declares `{file}`", spec.name)).with_help(|| format!("put `- add-source: {file}` before this edit"))?;
            let label = format!("device {name} from Source{number} to {}/{file}", device.directory);
            Ok((prep_snippet::lines(device, number)?, label))
        }
    }
}

/// A device's lines are commands of %prep, so they stand there, not inside another one.
fn in_prep(spec: &SpecText, at: usize, device: &str, what: &str) -> Result<()> {
    let above = at.checked_sub(1);
    let (problem, help) = match above.map(|line| spec.line_context(line)) {
        Some(place) if place.section == Section::Prep && place.read.is_none() => {
            ("where a condition decides", "take an anchor outside of conditionals")
        }
        Some(place) if place.section == Section::Prep && !place.continues => return Ok(()),
        Some(place) if place.section == Section::Prep => {
            ("in the middle of a command", "take an anchor at the end of the command")
        }
        _ => ("outside of %prep", "take an anchor in %prep, behind the line that unpacks the tree"),
    };
    let lines: Vec<usize> = above.into_iter().chain((at < spec.len()).then_some(at)).collect();
    Err(anyhow!(
        "{}: {what} would put the device `{device}` {problem}{}",
        spec.name,
        spec.show(&lines)
    )
    .help(help.to_string()))
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! What an operator may set is what the device takes: every sample of its settings starts, and its defaults
//! behave as if nothing were set.

use super::machine::{EMPTY_INSIDE, Machine};
use super::pci_function::{FIRST_SLOT, PciFunction, SLOTS};
use super::program::{Program, Session};
use super::qtest::{LAST_LINE, Script};
use super::{Check, DeviceInstance, HELP, PLAIN};
use crate::config::{ExpectedType, PropertyName, PropertyValue, Start};
use crate::error::Help;
use crate::verify::samples::Sample;
use anyhow::{Context, Result, anyhow, ensure};
use std::collections::BTreeMap;

const NAME: &str = "settings";

pub fn check(
    program: &Program,
    machine: &Machine,
    expected: &[ExpectedType],
) -> Result<Option<Check>> {
    let samples = Sample::admitted(expected);
    if samples.is_empty() {
        return Ok(None);
    }
    for chunk in samples.chunks(SLOTS) {
        let starts = chunk.iter().map(start_of).collect::<Result<Vec<_>>>()?;
        let instances = chunk.iter().zip(&starts);
        let instances: Vec<_> = instances
            .map(|(sample, start)| DeviceInstance { expected: sample.expected, start })
            .collect();
        if session(program, machine, &instances, &Script::default())?.is_ok() {
            continue;
        }
        // One at a time, to say which.
        for instance in &instances {
            let alone =
                session(program, machine, std::slice::from_ref(instance), &Script::default())?;
            alone.map_err(|words| refused(program, instance, &words))?;
        }
        let words = session(program, machine, &instances, &Script::default())?;
        words.map_err(|words| anyhow!("{} does not start with {} devices at once that it starts with one at a time: {words}", program.display_name, instances.len()).help(HELP))?;
    }
    let mut values = 0;
    for expected in expected.iter().filter(|expected| expected.settings.is_some()) {
        values += defaults(program, machine, expected)?;
    }
    let seen = format!("{} starts, defaults as unset in {values} values", samples.len());
    Ok(Some(Check::passed(NAME, seen)))
}

fn refused(program: &Program, instance: &DeviceInstance, words: &str) -> anyhow::Error {
    anyhow!(
        "{}: `settings` of `{}` admits what the device refuses: {instance}: {words}",
        program.display_name,
        instance.expected.name
    )
    .help("narrow `settings` in its contract, or let the device take it")
}

/// The start that gives a device what an operator's setting gives it.
fn start_of(sample: &Sample) -> Result<Start> {
    let properties = sample.properties().into_iter().map(|(name, value)| {
        let name = PropertyName::try_from(name.to_owned()).map_err(anyhow::Error::msg)?;
        Ok((name, PropertyValue::try_from(value).map_err(anyhow::Error::msg)?))
    });
    Ok(Start { with: properties.collect::<Result<BTreeMap<_, _>>>()?, ..PLAIN.clone() })
}

/// Compares a device without properties with one that has each default, and with one that has all of them, in
/// all registers that can be read; how many values that were.
fn defaults(program: &Program, machine: &Machine, expected: &ExpectedType) -> Result<usize> {
    let all = start_of(&Sample { expected, set: Vec::new() })?;
    let each = all.with.iter().map(|(name, value)| Start {
        with: BTreeMap::from([(name.clone(), value.clone())]),
        ..PLAIN.clone()
    });
    let starts: Vec<Start> =
        std::iter::once(PLAIN.clone()).chain(each).chain([all.clone()]).collect();
    let instances: Vec<_> = starts.iter().map(|start| DeviceInstance { expected, start }).collect();
    let Some(pci) = &expected.pci else { return Ok(0) };
    let mut values = 0;
    let (unset, others) = instances.split_at(1);
    for chunk in others.chunks(SLOTS - 1) {
        let instances = [unset, chunk].concat();
        let mut script = Script::default();
        let mut each = 0;
        for (slot, instance) in (FIRST_SLOT..).zip(&instances) {
            each = PciFunction { instance, pci, slot }.read_all(&mut script);
        }
        let said = session(program, machine, &instances, &script)?.map_err(|words| {
            anyhow!(
                "{} does not start with defaults of `{}`: {words}",
                program.display_name,
                expected.name
            )
            .help(HELP)
        })?;
        let found = script.values(&said).with_context(|| program.display_name.clone())?;
        ensure!(found.len() == each * instances.len(), "{} left out answers", program.display_name);
        let (plain, rest) = found.split_at(each);
        for (instance, values) in instances[1..].iter().zip(rest.chunks(each.max(1))) {
            if let Some(at) = plain.iter().zip(values).position(|(unset, set)| unset != set) {
                let (unset, set) = (plain[at], values[at]);
                return Err(anyhow!("{}: {instance} does not behave as unset: register {:#05x} reads {set:#x}, and {unset:#x} without properties", program.display_name, at * 4)
                    .help("`default` in `settings` is what the device does where nothing is set"));
            }
        }
        values += rest.len();
    }
    Ok(values)
}

/// Starts devices, each in a slot of its own, and drives them; what was said, or why it gave up.
fn session(
    program: &Program,
    machine: &Machine,
    instances: &[DeviceInstance],
    script: &Script,
) -> Result<Result<String, String>> {
    let options: Vec<String> =
        (FIRST_SLOT..).zip(instances).map(|(slot, instance)| instance.option(Some(slot))).collect();
    let machine = format!("{},accel=qtest", machine.name);
    let mut args = vec!["-L", EMPTY_INSIDE, "-nodefaults", "-no-user-config", "-display", "none"];
    args.extend(["-qtest", "stdio", "-qtest-log", "/dev/null", "-machine", &machine]);
    args.extend(options.iter().flat_map(|option| ["-device", option]));
    let session = Session { args, input: script.input(), until: Some(LAST_LINE), limit: None };
    Ok(program.attempt(session)?.map_err(|exit| exit.words()))
}

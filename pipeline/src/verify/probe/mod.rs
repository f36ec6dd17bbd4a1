// SPDX-License-Identifier: GPL-2.0-or-later
//! `verify/probe`: what a built QEMU says and does when it runs, in the build container with the
//! network off.
//!
//! In order: it is asked for its version and its devices (`help`); over QMP for its types, which have
//! to be what its file says (`types`); a machine is started, in which the devices behave as their
//! contract says (`machine`, `pci_function`), and a Linux guest sees them (`guest`). What a binary or this
//! machine cannot do is a check that was not run, with the reason, and never one that passed; what is
//! wrong is an error.
//!
//! Never enters here: trust in the binary. It may print anything, for ever, or nothing; every session
//! has a limit of time and of output.

mod guest;
mod help;
mod machine;
mod pci_function;
mod program;
mod qmp;
mod qtest;
mod settings;
mod types;

use super::QomType;
use crate::config::{ExpectedType, Guest, Start};
use crate::note::{self, Note};
use crate::process::Runner;
use crate::sandbox::Image;
use anyhow::Result;
pub use guest::digest;
use program::Program;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// What to try where a device is not what it has to be.
const HELP: &str = "fix the device, or its contract in the section `verify`";

/// What is asked, and what it is held to.
pub struct ProbeInput<'a> {
    /// A folder of its own, which the binary is in and to which more may be written.
    pub folder: &'a Path,
    /// The binary's name there.
    pub name: &'a str,
    /// What its file says of the expected types.
    pub types: &'a [QomType],
    /// All the types that are in its file.
    pub census: &'a [String],
    pub expected: &'a [ExpectedType],
    /// Of the same sources, and built so that it starts a machine.
    pub test_binary: Option<&'a Path>,
    pub guest: Option<&'a Guest>,
}

/// What a binary answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probed {
    pub binary: String,
    /// The first line of `-version`.
    pub version: String,
    /// The lines of `-device help` that name the expected devices.
    pub devices: Vec<String>,
    pub checks: Vec<Check>,
}

/// One thing that was to be proven.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub name: String,
    pub state: State,
    /// What was seen, or why it was not run.
    pub why: String,
}

/// How a check came out; a failed one is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Passed,
    NotRun,
}

impl Check {
    fn passed(name: &str, seen: impl Into<String>) -> Self {
        Self { name: name.to_owned(), state: State::Passed, why: seen.into() }
    }

    fn not_run(name: &str, why: impl Into<String>) -> Self {
        Self { name: name.to_owned(), state: State::NotRun, why: why.into() }
    }
}

impl Probed {
    /// What passed, and each check that was not run.
    pub fn notes(&self) -> Vec<Note> {
        let checks = |state: State| {
            let checks = self.checks.iter().filter(move |check| check.state == state);
            checks.map(|check| note::Check { name: check.name.clone(), why: check.why.clone() })
        };
        let binary = || self.binary.clone();
        let missing = checks(State::NotRun);
        let passed =
            Note::ChecksPassed { binary: binary(), checks: checks(State::Passed).collect() };
        let missing = missing.map(|check| Note::CheckNotRun { binary: binary(), check });
        std::iter::once(passed).chain(missing).collect()
    }
}

/// A device as it is plugged in: its type, and the properties that one start gives it.
#[derive(Clone, Copy)]
struct DeviceInstance<'a> {
    expected: &'a ExpectedType,
    start: &'a Start,
}

/// What starts where nothing else is declared.
static PLAIN: Start = Start {
    with: BTreeMap::new(),
    refused: None,
    reads: BTreeMap::new(),
    writes: BTreeMap::new(),
    then: BTreeMap::new(),
};

impl<'a> DeviceInstance<'a> {
    /// Every start that has to go well.
    fn accepted(expected: &'a [ExpectedType]) -> Vec<Self> {
        let starts = |expected: &'a ExpectedType| {
            let mut starts: Vec<&'a Start> =
                expected.starts.iter().filter(|start| start.refused.is_none()).collect();
            if starts.is_empty() && expected.pci.is_some() {
                starts.push(&PLAIN);
            }
            starts.into_iter().map(move |start| Self { expected, start })
        };
        expected.iter().flat_map(starts).collect()
    }

    /// Every start that has to be refused, and the words.
    fn refused(expected: &'a [ExpectedType]) -> Vec<(Self, &'a str)> {
        let starts = |expected: &'a ExpectedType| {
            expected.starts.iter().filter_map(move |start| {
                Some((Self { expected, start }, start.refused.as_ref()?.as_str()))
            })
        };
        expected.iter().flat_map(starts).collect()
    }

    /// The option's value on QEMU's command line (`qemu_opts_parse`: a comma is doubled). What is no
    /// PCI function has no slot.
    fn option(&self, slot: Option<u8>) -> String {
        let slot = slot.filter(|_| self.expected.pci.is_some());
        let place = slot.map(|slot| format!("addr={slot:x}"));
        let properties = self.start.with.iter();
        let properties =
            properties.map(|(name, value)| format!("{name}={}", value.as_str().replace(',', ",,")));
        let name = self.expected.name.to_string();
        std::iter::once(name).chain(place).chain(properties).collect::<Vec<_>>().join(",")
    }
}

impl fmt::Display for DeviceInstance<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.expected.name)?;
        for (number, (name, value)) in self.start.with.iter().enumerate() {
            write!(f, "{} `{name}={value}`", if number == 0 { " with" } else { "," })?;
        }
        if self.start.with.is_empty() { f.write_str(" without properties") } else { Ok(()) }
    }
}

/// Asks the binary everything that it can answer, and its test binary what it cannot.
pub fn run(input: &ProbeInput, image: &Image, runner: &Runner) -> Result<Vec<Probed>> {
    let ProbeInput { folder, name, expected, .. } = *input;
    let packaged = Program { folder, name, display_name: format!("`{name}`"), image, runner };
    let mut probed = help::ask(&packaged, expected)?;
    probed.checks.push(types::check(&packaged, input.types, input.census)?);
    let asked = DeviceInstance::accepted(expected).len() + DeviceInstance::refused(expected).len();
    if asked == 0 && expected.iter().all(|expected| expected.settings.is_none()) {
        return Ok(vec![probed]);
    }
    let why = match machine::Machine::start(&packaged, expected)? {
        Ok(machine) => {
            probed.checks.extend(drive(&packaged, &machine, input)?);
            return Ok(vec![probed]);
        }
        Err(why) => why,
    };
    let Some(path) = input.test_binary else {
        probed.checks.extend(undriven(input, &why));
        return Ok(vec![probed]);
    };
    let name = program::bring(path, folder, "test")?;
    let mut program = Program { name: &name, ..packaged };
    program.display_name = format!("test binary `{}`", program.own_name());
    let why = format!("{why}; the test binary was driven in its place");
    probed.checks.push(Check::not_run("machine", why));
    let mut tested = help::ask(&program, expected)?;
    match machine::Machine::start(&program, expected)? {
        Ok(machine) => tested.checks.extend(drive(&program, &machine, input)?),
        Err(why) => tested.checks.extend(undriven(input, &why)),
    }
    Ok(vec![probed, tested])
}

/// What is proven in a machine.
fn drive(program: &Program, machine: &machine::Machine, input: &ProbeInput) -> Result<Vec<Check>> {
    let mut checks = vec![Check::passed("machine", machine.name.clone())];
    checks.extend(pci_function::check(program, machine, input.expected)?);
    checks.extend(machine.refused(program, input.expected)?);
    checks.extend(settings::check(program, machine, input.expected)?);
    if let Some(declared) = input.guest {
        checks.push(guest::check(program, machine, input.expected, declared)?);
    }
    Ok(checks)
}

/// What was to be proven in a machine, where there is none.
fn undriven(input: &ProbeInput, why: &str) -> Vec<Check> {
    let declared = [
        ("starts", !DeviceInstance::accepted(input.expected).is_empty()),
        ("refused", !DeviceInstance::refused(input.expected).is_empty()),
        ("settings", input.expected.iter().any(|expected| expected.settings.is_some())),
        ("guest", input.guest.is_some()),
    ];
    let machine = Check::not_run("machine", why);
    let declared = declared.into_iter().filter(|(_, declared)| *declared);
    let rest = declared.map(|(name, _)| Check::not_run(name, "it needs a machine"));
    std::iter::once(machine).chain(rest).collect()
}

#[cfg(test)]
mod tests;

// SPDX-License-Identifier: GPL-2.0-or-later
//! A machine that executes nothing: does the binary start one, and does it refuse the devices that it
//! must refuse, with the right words.

use super::program::{Program, Session};
use super::qmp::{BARE, Number, Replies, Script, quoted};
use super::{Check, DeviceInstance, HELP};
use crate::config::ExpectedType;
use crate::error::Help;
use anyhow::{Context, Result, anyhow};
use fs_err as fs;
use std::path::Path;

/// The machines that have PCI configuration space behind ports 0xcf8 and 0xcfc, by their aliases and
/// by how the names of their versions begin. The first takes devices while it runs.
const MACHINES: [(&str, &str); 2] = [("pc", "pc-i440fx-"), ("q35", "pc-q35-")];
/// What a machine loads, with a size that it takes. Nothing of it is executed.
const FIRMWARE: [(&str, usize); 2] = [("bios-256k.bin", 256 << 10), ("kvmvapic.bin", 512)];
/// Where that is, in the binary's folder and inside.
const EMPTY: &str = "empty-firmware";
pub const EMPTY_INSIDE: &str = "/probe/empty-firmware";

/// A machine that was started once.
pub struct Machine {
    pub name: String,
    replies: Replies,
    /// One for each start that has to be refused.
    numbers: Vec<Number>,
}

impl Machine {
    /// Starts the best machine that the binary has, and tries in it what must be refused; or says why
    /// there is none.
    pub fn start(program: &Program, expected: &[ExpectedType]) -> Result<Result<Self, String>> {
        let args = vec!["-machine", "help"];
        let listing = match program.attempt(Session { args, ..Session::default() })? {
            Ok(listing) => listing,
            Err(exit) => return Ok(Err(format!("it lists no machines: {}", exit.words()))),
        };
        let names = candidates(&listing);
        let mut whys = Vec::new();
        empty_firmware(program.folder)?;
        for name in names {
            let mut script = Script::new();
            let numbers = DeviceInstance::refused(expected)
                .iter()
                .map(|(instance, _)| {
                    script.monitor(&format!("device_add {}", quoted(&instance.option(None))))
                })
                .collect();
            let machine = format!("{name},accel=qtest");
            let args = [["-L", EMPTY_INSIDE, "-machine", &machine].as_slice(), &BARE].concat();
            let session = Session { args, input: script.input(), ..Session::default() };
            match program.attempt(session)? {
                Ok(said) => {
                    let replies = script.replies(&said);
                    let replies =
                        replies.with_context(|| format!("QMP of {}", program.display_name))?;
                    return Ok(Ok(Self { name: name.to_owned(), replies, numbers }));
                }
                Err(exit) => {
                    whys.push(format!("it cannot start machine `{name}`: {}", exit.words()));
                }
            }
        }
        if whys.is_empty() {
            whys.push("it has no machine `pc` or `q35`".to_owned());
        }
        Ok(Err(whys.join("; ")))
    }

    /// Judges what was refused.
    pub fn refused(&self, program: &Program, expected: &[ExpectedType]) -> Result<Option<Check>> {
        let refused = DeviceInstance::refused(expected);
        for ((instance, expected), number) in refused.iter().zip(&self.numbers) {
            let reply = match self.replies.get(*number) {
                Ok(printed) => printed.as_str().unwrap_or_default(),
                Err(why) => why,
            };
            let found = message(reply);
            // q35's root bus, and devices that are only there from the start.
            if found != *expected && found.contains("hotplug") {
                let why = format!("machine `{}` takes none while it runs: {found}", self.name);
                return Ok(Some(Check::not_run("refused", why)));
            }
            if found.is_empty() {
                return Err(anyhow!(
                    "{}: {instance} starts, and has to be refused with `{expected}`",
                    program.display_name
                )
                .help(HELP));
            }
            if found != *expected {
                return Err(anyhow!("{}: {instance} is refused with other words\n  found    {found}\n  expected {expected}", program.display_name).help(HELP));
            }
        }
        let count = refused.len();
        Ok((count > 0).then(|| Check::passed("refused", format!("{count} starts"))))
    }
}

/// What the monitor says of an error: behind `Error: `, in its first line; hints follow.
fn message(printed: &str) -> &str {
    let line = printed.lines().next().unwrap_or_default();
    line.strip_prefix("Error: ").unwrap_or(line)
}

/// The machines of a listing that are worth a try.
fn candidates(listing: &str) -> Vec<&str> {
    let names = || listing.lines().skip(1).filter_map(|line| line.split_whitespace().next());
    let best = MACHINES.iter().filter_map(|(alias, family)| {
        names().find(|name| name == alias).or_else(|| names().find(|name| name.starts_with(family)))
    });
    best.collect()
}

/// Firmware that nobody will read, so that none is needed on this machine.
fn empty_firmware(folder: &Path) -> Result<()> {
    let folder = folder.join(EMPTY);
    fs::create_dir_all(&folder)?;
    for (name, size) in FIRMWARE {
        fs::write(folder.join(name), vec![0; size])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_machines_are_tried() {
        let listing = "Supported machines are:\nmicrovm   microvm (i386)\n\
            pc-i440fx-9.2  Standard PC\nq35   Standard PC (alias of pc-q35-10.0)\n\
            pc   Standard PC (alias of pc-i440fx-10.0)\nnone  empty machine\n";
        assert_eq!(candidates(listing), ["pc", "q35"]);
        assert_eq!(candidates("Supported machines are:\npc-q35-rhel9 x\n"), ["pc-q35-rhel9"]);
        assert!(candidates("Supported machines are:\nvirt   QEMU ARM\n").is_empty());
        assert!(candidates("").is_empty());
    }

    #[test]
    fn a_message_is_read_without_its_hints() {
        assert_eq!(message("Error: property 'a' is bad\r\nTry b\r\n"), "property 'a' is bad");
        assert_eq!(message(""), "");
    }
}

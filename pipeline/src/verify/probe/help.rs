// SPDX-License-Identifier: GPL-2.0-or-later
//! What a binary tells people: `-version`, `-device help` and `-device TYPE,help`.

use super::program::{Program, Session};
use super::types::is_left_out;
use super::{Check, Probed};
use crate::config::ExpectedType;
use anyhow::{Result, bail};

/// Asks for the expected devices.
pub fn ask(program: &Program, expected: &[ExpectedType]) -> Result<Probed> {
    let ask = |args: &[&str]| program.say(Session { args: args.to_vec(), ..Session::default() });
    let version = ask(&["-version"])?.lines().next().unwrap_or_default().to_owned();
    let help = ask(&["-device", "help"])?;
    let mut devices = Vec::new();
    for expected in expected {
        let name = expected.name.as_str();
        let quoted = format!("name \"{name}\"");
        let Some(line) = help.lines().find(|line| line.starts_with(&quoted)) else {
            bail!("{} lists no `{name}` for `-device help`", program.display_name);
        };
        devices.push(line.to_owned());
        let properties = ask(&["-device", &format!("{name},help")])?;
        for property in expected.properties.iter().flatten().map(|(name, _)| name.as_str()) {
            // Whether it has one of these is for QMP to say.
            if !has_property(&properties, property) && !is_left_out(property) {
                bail!(
                    "{} lists no property `{property}` for `-device {name},help`",
                    program.display_name
                );
            }
        }
    }
    let names: Vec<&str> = expected.iter().map(|expected| expected.name.as_str()).collect();
    let checks = vec![Check::passed("help", names.join(", "))];
    Ok(Probed { binary: program.display_name.replace('`', ""), version, devices, checks })
}

/// A property's line is `  pool_id=<str>`, with or without a description (`qdev_device_help`).
fn has_property(help: &str, property: &str) -> bool {
    help.lines()
        .any(|line| line.trim_start().split_once('=').is_some_and(|(name, _)| name == property))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_is_a_line_of_its_own() {
        let help = "vgpu-stub options:\n  addr=<int32>   - Slot\n  pool_id=<str>\n";
        assert!(has_property(help, "pool_id") && has_property(help, "addr"));
        assert!(!has_property(help, "pool") && !has_property(help, "id"));
    }
}

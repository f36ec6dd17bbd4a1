// SPDX-License-Identifier: GPL-2.0-or-later
//! What a host lets through to QEMU: all that a contract admits, written as QEMU is to get it, and nothing
//! else.

use super::samples::Sample;
use crate::config::{ExpectedType, Wrapper};
use crate::dom0::{Judged, ServedDevices, judge};
use crate::error::Help;
use crate::process::Runner;
use crate::sandbox::Image;
use anyhow::{Result, anyhow};
use std::path::Path;

const HELP: &str = "this is a mistake of vgpu-pipeline's: its two readings of `settings` differ";

/// Asks the host's own judge of every sample.
pub fn check(
    types: &[ExpectedType],
    host: (&Wrapper, &ServedDevices),
    folder: &Path,
    image: &Image,
    runner: &Runner,
) -> Result<()> {
    let (admitted, refused) = (Sample::admitted(types), Sample::refused(types));
    let settings = admitted.iter().chain(&refused);
    let settings: Vec<_> =
        settings.map(|sample| (sample.expected.name.to_string(), sample.text())).collect();
    if settings.is_empty() {
        return Ok(());
    }
    let found = judge(&settings, host, folder, image, runner)?;
    let (passed, kept) = found.split_at(admitted.len());
    for (sample, found) in admitted.iter().zip(passed) {
        let expected = Judged::Passed(vec![sample.option()]);
        if *found != expected {
            let what = format!(
                "dom0 makes {found:?} of the setting `{}`, not {expected:?}",
                sample.text()
            );
            return Err(anyhow!(what).help(HELP));
        }
    }
    for (sample, found) in refused.iter().zip(kept) {
        if let Judged::Passed(options) = found {
            let text = sample.text();
            let text = text.escape_debug();
            let what = format!(
                "dom0 makes {options:?} of the setting `{text}`, which its contract does not admit"
            );
            return Err(anyhow!(what).help(HELP));
        }
    }
    Ok(())
}

impl Sample<'_> {
    /// As an operator's platform key has it.
    fn text(&self) -> String {
        let set: Vec<String> =
            self.set.iter().map(|(name, value)| format!("{name}={value}")).collect();
        // A setting says something: where it names no property, it is the slot.
        if set.is_empty() { self.slot() } else { set.join(",") }
    }

    fn slot(&self) -> String {
        let slot = self.expected.settings.as_ref().map_or(0, |settings| settings.slot.default);
        format!("addr={slot:#x}")
    }

    /// As QEMU is to get it.
    fn option(&self) -> String {
        let properties = self.properties();
        let properties = properties.iter().map(|(name, value)| format!("{name}={value}"));
        let name = std::iter::once(self.expected.name.to_string());
        name.chain(properties).chain([self.slot()]).collect::<Vec<_>>().join(",")
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! A Linux guest under TCG that looks at its PCI bus: what a guest's kernel says of the devices is what
//! the contract says.
//!
//! Kernel, busybox and firmware are this machine's own (`boot_files`), the root filesystem is made here
//! (`initramfs`). Depth is no aim: that the devices work is for the qtest session to show, and this,
//! that a guest that boots for real finds them.

mod boot_files;
mod initramfs;

use super::machine::Machine;
use super::pci_function::{FIRST_SLOT, SLOTS};
use super::program::{Program, Session};
use super::{Check, DeviceInstance, HELP};
use crate::config::{ExpectedType, Guest, Pci};
use crate::error::Help;
use anyhow::{Context, Result, anyhow, bail, ensure};
use boot_files::BootFiles;
pub use boot_files::digest;
use fs_err as fs;
use initramfs::Archive;
use std::time::Duration;

const NAME: &str = "guest";
/// A boot takes 3 s; a machine that is busy with other things may need much more.
const LIMIT: Duration = Duration::from_secs(300);
/// Linux panics where its timer does not tick in time, which under TCG is for a busy machine to say.
const CMDLINE: &str = "console=ttyS0 loglevel=1 panic=-1 no_timer_check";
/// How the guest's own lines begin, among whatever else its kernel says.
const MARK: &str = "vgpu-pipeline:";
/// The first process of the guest. Each function is a line of the files in its folder of sysfs.
const INIT: &str = "#!/bin/busybox sh
export PATH=/bin
busybox mount -t sysfs sysfs /sys
for function in /sys/bus/pci/devices/*; do
    line=${function##*/}
    for file in vendor device class revision subsystem_vendor subsystem_device; do
        read -r value <\"$function/$file\"
        line=\"$line $value\"
    done
    echo \"vgpu-pipeline: $line\"
done
echo 'vgpu-pipeline: end'
busybox poweroff -f
";

/// Boots a guest with every device that has to start.
pub fn check(
    program: &Program,
    machine: &Machine,
    expected: &[ExpectedType],
    declared: &Guest,
) -> Result<Check> {
    let boot_files = match BootFiles::look(declared) {
        Ok(boot_files) => boot_files,
        Err(why) => return Ok(Check::not_run(NAME, why)),
    };
    let instances: Vec<DeviceInstance> = DeviceInstance::accepted(expected)
        .into_iter()
        .filter(|instance| instance.expected.pci.is_some())
        .take(SLOTS)
        .collect();
    if instances.is_empty() {
        return Ok(Check::not_run(NAME, "nothing says what a device's `pci:` must be"));
    }
    bring(program, &boot_files)?;
    let mut args: Vec<String> = ["-nodefaults", "-no-user-config", "-display", "none"]
        .into_iter()
        .chain(["-serial", "stdio", "-no-reboot", "-m", "256", "-L", "/probe/guest"])
        .chain(["-kernel", "/probe/guest/kernel", "-initrd", "/probe/guest/initrd"])
        .chain(["-accel", "tcg", "-append", CMDLINE, "-machine"])
        .chain([machine.name.as_str()])
        .map(str::to_owned)
        .collect();
    for (slot, instance) in (FIRST_SLOT..).zip(&instances) {
        args.extend(["-device".to_owned(), instance.option(Some(slot))]);
    }
    let session = Session {
        args: args.iter().map(String::as_str).collect(),
        limit: Some(LIMIT),
        ..Session::default()
    };
    let said = match program.attempt(session)? {
        Ok(said) => said,
        Err(exit) if exit.words().contains("accel") => {
            let why = format!("the binary has no TCG: {}", exit.words());
            return Ok(Check::not_run(NAME, why));
        }
        Err(exit) => bail!("{} starts no guest: {}", program.display_name, exit.words()),
    };
    seen(&said, &instances).with_context(|| format!("a guest in {}", program.display_name))?;
    let count = instances.len();
    Ok(Check::passed(NAME, format!("Linux {} sees {count} devices", boot_files.version())))
}

/// Puts what the guest needs where the sandbox can read it.
fn bring(program: &Program, boot_files: &BootFiles) -> Result<()> {
    let folder = program.folder.join(NAME);
    fs::create_dir_all(&folder)?;
    for (name, bytes) in boot_files.files()? {
        fs::write(folder.join(name), bytes)?;
    }
    let mut archive = Archive::new();
    archive.folder("bin").folder("dev").folder("sys");
    archive.program("bin/busybox", &boot_files.busybox()?)?.program("init", INIT.as_bytes())?;
    fs::write(folder.join("initrd"), archive.finish())?;
    Ok(())
}

/// Holds what the guest printed to what it had to see.
fn seen(said: &str, instances: &[DeviceInstance]) -> Result<()> {
    let lines: Vec<&str> =
        said.lines().filter_map(|line| Some(line.split_once(MARK)?.1.trim())).collect();
    if lines.last() != Some(&"end") {
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("nothing");
        return Err(anyhow!(
            "it did not come to its end; the last that it said: {}",
            super::qmp::excerpt(last)
        )
        .help("`verify.guest.kernel` names another kernel"));
    }
    for (slot, instance) in (FIRST_SLOT..).zip(instances) {
        let Some(pci) = &instance.expected.pci else { continue };
        let address = format!("0000:00:{slot:02x}.0");
        let line = lines.iter().find_map(|line| line.strip_prefix(&address));
        let line = line.with_context(|| format!("{instance}: Linux sees nothing at {address}"))?;
        let found: Vec<Option<u32>> = line.split_whitespace().map(hexadecimal).collect();
        for ((what, expected), found) in fields(pci).into_iter().zip(found) {
            let found =
                found.with_context(|| format!("{instance}: Linux says `{}`", line.trim()))?;
            // The class has the programming interface below it.
            let found = if what == "class" { found >> 8 } else { found };
            ensure!(
                found == expected,
                anyhow!("{instance}: Linux sees the {what} {found:#x}, expected {expected:#x}")
                    .help(HELP)
            );
        }
    }
    Ok(())
}

/// In the order of [`INIT`].
fn fields(pci: &Pci) -> [(&'static str, u32); 6] {
    [
        ("vendor id", pci.vendor.into()),
        ("device id", pci.device.into()),
        ("class", pci.class.into()),
        ("revision", pci.revision.into()),
        ("subsystem's vendor id", pci.subsystem_vendor.into()),
        ("subsystem id", pci.subsystem.into()),
    ]
}

fn hexadecimal(word: &str) -> Option<u32> {
    u32::from_str_radix(word.strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests;

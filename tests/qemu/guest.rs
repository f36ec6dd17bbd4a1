// SPDX-License-Identifier: GPL-2.0-or-later
//! What a guest sees of the device: QEMU boots Debian's kernel under TCG, and programs in the guest
//! look at the PCI bus and at the registers, while the device comes, goes and is reset.

mod initramfs;
mod machine;

use crate::qemu::device::Version;
use crate::support;
use crate::support::{campaign, debian_archive, requirements};
use machine::{Boot, Guest};
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const DEVICE: &str = "vgpu-stub,id=stub,addr=5,pool_id=B,priority=high,vm_id=200";

/// Starts a guest on Debian 12's kernel in the workstation's QEMU.
fn start(part: &str, devices: &[&str], options: &[&str]) -> Guest {
    let (qemu, kernel) = (Version::V7_2.binary(), kernel());
    Boot { qemu: &qemu, kernel: &kernel, part, devices, options }.start()
}

/// The newest of Debian's cloud kernels that is installed.
fn kernel() -> PathBuf {
    newest(Path::new("/boot"))
}

/// The one of Debian 13, which is not installed.
fn newer_kernel() -> &'static Path {
    static KERNEL: OnceLock<PathBuf> = OnceLock::new();
    KERNEL.get_or_init(|| {
        let package = debian_archive::package("trixie", "linux-image-cloud-amd64");
        let tree = support::kept("suites/trixie/kernel");
        requirements::run(Command::new("dpkg-deb").arg("--extract").args([&package, &tree]));
        newest(&tree.join("boot"))
    })
}

fn newest(folder: &Path) -> PathBuf {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let version = |name: &OsStr| {
        let version = name.to_str()?.strip_prefix("vmlinuz-")?.strip_suffix("-cloud-amd64")?;
        Some(
            version
                .split(['.', '-', '+'])
                .map(|part| part.parse().unwrap_or(0))
                .collect::<Vec<u32>>(),
        )
    };
    let kernels = names.filter_map(|name| Some((version(&name)?, name)));
    let Some((_, newest)) = kernels.max() else {
        requirements::missing("a kernel `vmlinuz-*-cloud-amd64`", "linux-image-cloud-amd64")
    };
    folder.join(newest)
}

/// One device's registers, as the guest prints them.
fn device(slot: u32, command: u32, pool: char, priority: u32, vm_id: u32) -> Value {
    json!({
        "address": format!("0000:00:{slot:02x}.0"), "command": command,
        "status": u32::from(command != 0), "pool": u32::from(pool), "priority": priority, "vm_id": vm_id,
    })
}

/// [`DEVICE`] alone, with this command.
fn registers(command: u32) -> Value {
    json!([device(5, command, 'B', 2, 200)])
}

/// All that a guest that looks at [`DEVICE`] has to see.
#[track_caller]
fn looks_right(guest: &Guest) {
    let line = "Processing accelerators [1200]: Red Hat, Inc. Device [1af4:1111] (rev 01)";
    let listed = guest.section("lspci");
    assert_eq!(listed.lines().filter(|found| found.ends_with(line)).count(), 1, "{guest}");

    let details = guest.section("details");
    let regions: Vec<_> = details.lines().filter(|line| line.contains("Region ")).collect();
    assert_eq!(regions.len(), 1, "{guest}");
    assert!(regions[0].trim().starts_with("Region 0: Memory at "), "{regions:?}");
    assert!(regions[0].ends_with(" (32-bit, non-prefetchable) [size=4K]"), "{regions:?}");
    assert!(details.contains("Subsystem: Red Hat, Inc. Device [1af4:1100]\n"), "{details}");
    assert!(!details.contains("Interrupt:"), "{details}");
    assert_eq!(guest.section("interrupt pin"), "0x00\n", "{guest}");

    let people = "0000:00:05.0\n\
        \x20 0x000 command   0x00000000\n\
        \x20 0x004 status    0x00000000  no command since reset\n\
        \x20 0x008 pool      0x00000042  B\n\
        \x20 0x00c priority  0x00000002  high\n\
        \x20 0x010 vm id     0x000000c8  200\n";
    assert_eq!(guest.section("for people"), people, "{guest}");
    assert_eq!(guest.registers("at boot"), registers(0));
    assert_eq!(guest.registers("after command 0xffffffff"), registers(u32::MAX));
    // Zero is a command like any other.
    let mut zero = registers(0);
    zero[0]["status"] = json!(1);
    assert_eq!(guest.registers("after command 0"), zero);
    assert_eq!(guest.section("another id"), "vgpu-stub-info: no device 1af4:1112\n", "{guest}");
}

#[test]
fn linux_sees_the_device() {
    looks_right(&start("look", &[DEVICE], &[]).ends());
}

#[test]
fn a_newer_linux_sees_it_in_a_newer_qemu() {
    let qemu = Version::V10_0.binary();
    let boot = Boot {
        qemu: &qemu,
        kernel: newer_kernel(),
        part: "look",
        devices: &[DEVICE],
        options: &[],
    };
    looks_right(&boot.start().ends());
}

#[test]
fn linux_sees_it_in_an_older_qemu() {
    let (qemu, kernel) = (Version::V5_2.binary(), kernel());
    let boot =
        Boot { qemu: &qemu, kernel: &kernel, part: "look", devices: &[DEVICE], options: &[] };
    looks_right(&boot.start().ends());
}

#[test]
fn a_rescan_of_the_bus_finds_it_again() {
    let guest = start("rescan", &[DEVICE], &[]).ends();
    assert_eq!(guest.section("removed"), "");
    // Linux let go of it and took it back; the device itself was not reset.
    assert_eq!(guest.registers("found again"), registers(7));
}

/// Whole JSON, or one line that says why there is none and what to do.
#[test]
fn a_kernel_that_refuses_the_reader_is_understood() {
    let guest = start("refused", &[DEVICE], &[]).ends();
    for (section, expected) in [
        ("no decoding", "memory decoding is off; try --enable"),
        (
            "not root",
            "/enable: cannot turn memory decoding on: Permission denied; the registers are root's",
        ),
        (
            "not root",
            "/resource0: cannot open it: Permission denied; the registers are root's: run it as root",
        ),
        ("no sysfs", "/sys/bus/pci/devices: No such file or directory; is sysfs mounted?"),
        (
            "read-only",
            "/enable: cannot turn memory decoding on: Read-only file system; sysfs is read-only here",
        ),
        ("full disk", "standard output: No space left on device"),
        ("locked down", "cannot map it: Operation not permitted; the kernel forbids even root"),
    ] {
        let said = guest.section(section);
        let lines: Vec<&str> = said.lines().collect();
        assert!(lines.iter().any(|line| line.contains(expected)), "{section}: {said}\n{guest}");
        assert!(lines.iter().all(|line| line.starts_with("vgpu-stub-info: ")), "{section}: {said}");
    }
    let said = guest.section("going");
    assert_eq!(said.lines().count(), 60, "{said}");
    for line in said.lines() {
        let whole = line.starts_with("[{\"address\":") && line.ends_with("}]");
        let why = ["went away while", "no device 1af4:1111"];
        assert!(whole || why.iter().any(|why| line.contains(why)), "{line}\n{said}");
        assert!(!line.contains("4294967295"), "{line}");
    }
    assert!(said.contains("[{") && said.contains("vgpu-stub-info: "), "{said}");
}

#[test]
fn it_is_plugged_in_and_out_of_a_running_guest() {
    let mut guest = start("plug", &[], &[]);
    guest.reaches("ready", 1);
    for number in 1..=3 {
        let properties = json!({
            "driver": "vgpu-stub", "id": "stub", "bus": "pci.0", "addr": "5",
            "pool_id": "B", "priority": "high", "vm_id": 200,
        });
        guest.qmp("device_add", &properties);
        guest.reaches(&format!("used {number}"), 1);
        guest.qmp("device_del", &json!({"id": "stub"}));
        guest.waits_for("DEVICE_DELETED");
        guest.reaches(&format!("gone {number}"), 1);
    }
    guest.answers("enough");
    let guest = guest.ends();
    for number in 1..=3 {
        assert_eq!(guest.registers(&format!("added {number}")), registers(number));
    }
}

#[test]
fn a_guest_that_ejects_it_hurts_nobody() {
    let mut guest = start("eject", &[DEVICE], &[]);
    guest.waits_for("DEVICE_DELETED");
    guest.answers("enough");
    assert_eq!(guest.ends().section("ejected"), "");
}

#[test]
fn a_reboot_resets_it() {
    let mut guest = start("reboot", &[DEVICE], &[]);
    for (round, answer) in [(1, "again"), (2, "again"), (3, "enough")] {
        guest.reaches("asking", round);
        assert_eq!(guest.registers("at boot"), registers(0));
        assert_eq!(guest.registers("after command 7"), registers(7));
        guest.say(answer);
    }
    guest.ends();
}

/// `VGPU_SHUTDOWNS=50` for a campaign.
#[test]
fn shutdowns_and_starts_leave_qemus_memory_as_it_was() {
    let shutdowns = campaign::number("VGPU_SHUTDOWNS", 20);
    let step = shutdowns / 5;
    let options = [
        "-no-shutdown",
        "-object",
        "memory-backend-memfd,id=ram,size=256M,share=on",
        "-machine",
        "memory-backend=ram",
    ];
    let mut guest = start("cycle", &[DEVICE], &options);
    let mut held = Vec::new();
    for round in 1..=shutdowns {
        guest.waits_for("SHUTDOWN");
        guest.reaches("end", round);
        assert_eq!(guest.registers("at boot"), registers(0));
        // The first rounds fill the caches of QEMU and of its translator.
        if round % step == 0 {
            held.push(guest.memory());
        }
        if round < shutdowns {
            guest.qmp("system_reset", &json!({}));
            guest.qmp("cont", &json!({}));
        }
    }
    // A translator under load wavers by MiB; a leak grows each time.
    let grows = held.windows(2).all(|pair| pair[1] > pair[0] + 50 * step as u64);
    assert!(!grows, "KiB in the course of {shutdowns} rounds: {held:?}");
    guest.quit();
    guest.ends();
}

#[test]
fn one_guest_has_several_each_with_its_own_properties() {
    let devices = [
        "vgpu-stub,addr=4",
        "vgpu-stub,addr=5,pool_id=B,priority=low,vm_id=1",
        "vgpu-stub,addr=0x1e,priority=high,vm_id=4294967295",
    ];
    let guest = start("cycle", &devices, &[]).ends();
    let expected = json!([
        device(4, 0, 'A', 1, 0),
        device(5, 0, 'B', 0, 1),
        device(0x1e, 0, 'A', 2, u32::MAX)
    ]);
    assert_eq!(guest.registers("at boot"), expected);
}

#[test]
fn several_guests_at_once_each_have_their_own() {
    let started: Vec<Guest> = (1..=3)
        .map(|vm_id| start("cycle", &[&format!("vgpu-stub,addr=5,vm_id={vm_id}")], &[]))
        .collect();
    for (vm_id, guest) in (1..).zip(started) {
        assert_eq!(guest.ends().registers("at boot"), json!([device(5, 0, 'A', 1, vm_id)]));
    }
}

//! What a guest sees of the device: the QEMU that dnf installed boots Debian's kernel under TCG, and
//! programs in the guest look at the PCI bus and at the registers.

mod initramfs;

use crate::install::{installed, need};
use crate::support;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

const DEVICE: &str = "vgpu-stub,pool_id=B,priority=high,vm_id=200";

/// A boot takes 3 s; a machine that is busy with other things may need much more.
const LIMIT: Duration = Duration::from_secs(120);

/// All that the guest printed on its serial port, from one boot for all tests.
fn serial() -> &'static str {
    static SERIAL: OnceLock<Result<String, String>> = OnceLock::new();
    // A failure is kept too: each boot that hangs takes all of its time.
    SERIAL.get_or_init(boot).as_ref().unwrap_or_else(|failure| panic!("{failure}"))
}

fn boot() -> Result<String, String> {
    let scratch = support::scratch();
    let [tree, initrd, serial, messages] =
        ["tree", "initrd", "serial", "messages"].map(|name| scratch.path().join(name));
    fs::create_dir(&tree).unwrap();
    initramfs::make(&tree, &initrd);
    let firmware = [
        need::file("/usr/share/seabios/bios-256k.bin", "seabios"),
        need::file("/usr/share/qemu/linuxboot_dma.bin", "qemu-system-data"),
    ];
    let mut qemu = Command::new(installed().root().join("usr/bin/qemu-system-x86_64"));
    // QEMU looks beside where it is installed, and this root has no firmware.
    for file in firmware {
        qemu.arg("-L").arg(file.parent().unwrap());
    }
    qemu.args(["-machine", "pc,accel=tcg", "-m", "256", "-nodefaults", "-no-user-config"]);
    qemu.args(["-display", "none", "-no-reboot"]).arg("-serial");
    qemu.arg(format!("file:{}", serial.display())).arg("-kernel").arg(kernel());
    // Only a panic may break into what `init` prints, and it ends the boot.
    qemu.arg("-initrd").arg(initrd).args(["-append", "console=ttyS0 loglevel=1 panic=-1"]);
    qemu.args(["-device", DEVICE]);
    qemu.stdin(Stdio::null()).stderr(File::create(&messages).unwrap());
    let mut child = qemu.spawn().unwrap();
    let start = Instant::now();
    let end = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status.to_string(),
            None if start.elapsed() < LIMIT => thread::sleep(Duration::from_millis(20)),
            None => {
                child.kill().unwrap();
                child.wait().unwrap();
                break format!("nothing more after {} s", LIMIT.as_secs());
            }
        }
    };
    // The serial port sends a carriage return before each newline.
    let read =
        |path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).replace('\r', "");
    let (serial, messages) = (read(serial), read(messages));
    if end == "exit status: 0" && messages.is_empty() && serial.contains("\n== end\n") {
        return Ok(serial);
    }
    Err(format!("{qemu:?}: {end}\n{messages}the guest's serial port:\n{serial}"))
}

/// The newest of Debian's cloud kernels that is installed.
fn kernel() -> PathBuf {
    let names = fs::read_dir("/boot").unwrap().map(|entry| entry.unwrap().file_name());
    let version = |name: &str| {
        let version = name.strip_prefix("vmlinuz-")?.strip_suffix("-cloud-amd64")?;
        Some(version.split(['.', '-']).map(|part| part.parse().unwrap_or(0)).collect::<Vec<u32>>())
    };
    let kernels = names.filter_map(|name| Some((version(name.to_str()?)?, name)));
    let Some((_, newest)) = kernels.max() else {
        need::missing("a kernel `vmlinuz-*-cloud-amd64`", "linux-image-cloud-amd64")
    };
    PathBuf::from("/boot").join(newest)
}

/// What the guest printed under a heading.
fn section(heading: &str) -> &'static str {
    let start = format!("== {heading}\n");
    let (_, rest) = serial().split_once(&start).unwrap_or_else(|| panic!("{}", serial()));
    rest.split_once("== ").unwrap().0
}

/// Fails unless the guest printed just these registers under a heading.
#[track_caller]
fn assert_registers(heading: &str, expected: [(&str, u32); 7]) {
    let line = |(name, value)| format!("{name} {value:#x}\n");
    assert_eq!(section(heading), expected.map(line).concat(), "{}", serial());
}

/// The registers as the properties ask for, with these in command and status.
fn registers(command: u32, status: u32) -> [(&'static str, u32); 7] {
    [
        ("000 command", command),
        ("004 status", status),
        ("008 pool", u32::from(b'B')),
        ("00c priority", 2),
        ("010 vm_id", 200),
        ("014 unused", 0),
        ("ffc unused", 0),
    ]
}

#[test]
fn lspci_shows_the_device() {
    let line = "Processing accelerators [1200]: Red Hat, Inc. Device [1af4:1111] (rev 01)";
    let lines = section("lspci").lines().filter(|found| found.ends_with(line));
    assert_eq!(lines.count(), 1, "{}", serial());
}

#[test]
fn lspci_shows_one_small_bar_and_the_default_subsystem() {
    let details = section("details");
    let regions: Vec<_> = details.lines().filter(|line| line.contains("Region ")).collect();
    assert_eq!(regions.len(), 1, "{}", serial());
    assert!(regions[0].trim().starts_with("Region 0: Memory at "), "{regions:?}");
    assert!(regions[0].ends_with(" (32-bit, non-prefetchable) [size=4K]"), "{regions:?}");
    assert!(details.contains("Subsystem: Red Hat, Inc. Device [1af4:1100]\n"), "{details}");
}

#[test]
fn no_interrupt_pin_is_claimed() {
    assert_eq!(section("interrupt pin"), "0x00\n", "{}", serial());
    assert!(!section("details").contains("Interrupt:"), "{}", serial());
}

#[test]
fn the_registers_hold_the_properties() {
    assert_registers("registers at boot", registers(0, 0));
}

#[test]
fn a_command_is_kept_and_sets_the_status() {
    assert_registers("registers after command 0x1", registers(1, 1));
    // Zero is a command like any other.
    assert_registers("registers after command 0x0", registers(0, 1));
}

#[test]
fn the_other_registers_cannot_be_written() {
    assert_registers("registers after writes to all others", registers(0, 1));
}

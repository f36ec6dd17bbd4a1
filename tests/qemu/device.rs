// SPDX-License-Identifier: GPL-2.0-or-later
//! The device in real QEMUs of several versions, each built by a pipeline in `device/`; 7.2 is the
//! workstation's own. `device/qtest` has the checks, and runs on any other binary by hand.

mod versions;

use crate::support;
use crate::support::{campaign, requirements};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
pub use versions::Version;

/// Runs the driver, which has to succeed.
#[track_caller]
fn qtest(version: Version, arguments: &[&str]) {
    let mut driver = Command::new("setpriv");
    driver.args(["--pdeathsig", "KILL", "--"]).arg(requirements::program("python3", "python3"));
    // Python would leave its compiled files in the tree.
    driver.arg("-B").arg(support::root().join("tests/qemu/device/qtest")).arg(version.binary());
    // QEMU lets go of little at its end, so leaks are looked for while it runs.
    driver.args(arguments).env("ASAN_OPTIONS", "detect_leaks=0");
    let output = driver.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{driver:?}\n{said}{complaint}");
}

/// Every check as a test of its own in every version.
macro_rules! checks {
    ([$($check:ident)*] $($module:ident: $version:ident,)*) => {
        const CHECKS: &[&str] = &[$(stringify!($check)),*];
        checks!(@each [$($check)*] $($module: $version,)*);
    };
    (@each $checks:tt $($module:ident: $version:ident,)*) => {
        $(checks!(@module $checks $module $version);)*
    };
    (@module [$($check:ident)*] $module:ident $version:ident) => {
        mod $module {
            $(#[test]
            fn $check() {
                super::qtest(super::Version::$version, &[stringify!($check)]);
            })*
        }
    };
}

checks! {
    [
        identity bar defaults command reset accesses guest_errors several fuzz
        introspection accepted refused refusals_leave_nothing
        added_and_ejected ejected_by_the_guest ejected_while_another_stays
        migrated migrated_to_other_properties altered_stream snapshot
    ]
    qemu_5_2: V5_2,
    qemu_7_2: V7_2,
    qemu_10_0: V10_0,
}

#[test]
fn every_check_of_the_driver_is_a_test() {
    let listing = requirements::run(
        Command::new("python3")
            .arg("-B")
            .arg(support::root().join("tests/qemu/device/qtest"))
            .arg("--list"),
    );
    let names = listing.lines().filter_map(|line| line.split_whitespace().next());
    assert_eq!(names.collect::<Vec<_>>(), CHECKS);
}

/// `VGPU_ACCESSES=10000000` for a campaign.
#[test]
fn random_accesses_bring_no_word_of_a_sanitizer() {
    let accesses = campaign::number::<u64>("VGPU_ACCESSES", 1_000_000).to_string();
    qtest(Version::V10_0, &["fuzz", "--accesses", &accesses]);
}

/// The second device of the pipeline for 10.0: what its `defines` say is what it was compiled with.
#[test]
fn another_device_of_the_same_build_works_beside_ours() {
    let mut qemu = Command::new("setpriv");
    qemu.args(["--pdeathsig", "KILL", "--"]).arg(Version::V10_0.binary());
    qemu.args(["-L", "/usr/share/seabios", "-L", "/usr/share/qemu", "-machine", "pc,accel=qtest"]);
    qemu.args(["-nodefaults", "-display", "none", "-qtest", "stdio", "-qtest-log", "/dev/null"]);
    qemu.args(["-device", "vgpu-stub,addr=5", "-device", "two-bars,addr=6"]);
    let mut qemu = qemu.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut commands = qemu.stdin.take().unwrap();
    let config = |offset: u32| format!("outl 0xcf8 {:#x}\n", 0x8000_0000 | 6 << 11 | offset);
    let set = |offset, value: u32| format!("{}outl 0xcfc {value:#x}\n", config(offset));
    let get = |offset| format!("{}inl 0xcfc\n", config(offset));
    let size = |offset| set(offset, u32::MAX) + &get(offset);
    let script = get(0) + &size(0x10) + &size(0x14) + &size(0x18);
    let map = set(0x10, 0xe000_0000) + &set(0x18, 0xe001_0000) + &set(0x04, 2);
    commands
        .write_all((script + &map + "readl 0xe0000000\nreadl 0xe0013ffc\n").as_bytes())
        .unwrap();
    // QEMU answers each line, and goes when it is told to no more.
    let answers: Vec<String> =
        BufReader::new(qemu.stdout.take().unwrap()).lines().map(Result::unwrap).take(22).collect();
    qemu.kill().unwrap();
    qemu.wait().unwrap();
    let values = answers.iter().filter_map(|line| line.strip_prefix("OK 0x"));
    let values: Vec<u32> =
        values.map(|value| u64::from_str_radix(value, 16).unwrap().try_into().unwrap()).collect();
    let expected = [0x2222_1af4, 0xffff_f000, 0, 0xffff_c000, 0xcafe_f00d, 0xcafe_f00d];
    assert_eq!(values, expected, "{answers:#?}");
}

#[test]
fn state_goes_from_5_2_to_7_2() {
    migrates(Version::V5_2, Version::V7_2);
}

#[test]
fn state_goes_from_7_2_to_10_0() {
    migrates(Version::V7_2, Version::V10_0);
}

fn migrates(from: Version, to: Version) {
    qtest(from, &["migrated_to_newer", "--newer", to.binary().to_str().unwrap()]);
}

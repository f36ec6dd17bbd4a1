//! What runs in dom0: the shim, the patcher and a patched wrapper, under every Python of a dom0 that this
//! machine has. `wrapper/checks` has the checks, and runs by hand too.

mod language;
pub mod pythons;
mod xen;

use crate::device::Version;
use crate::install::need;
use crate::support;
use pythons::{DEBIANS, Python};
use std::process::Command;

fn driver() -> Command {
    need::file(DEBIANS, "python3");
    let mut driver = Command::new(DEBIANS);
    // Python would leave its compiled files in the tree.
    driver.arg("-B").arg(support::root().join("tests/wrapper/checks"));
    driver
}

/// A check that judges text, or files of its own.
fn of_text(python: Python, check: &str) {
    let Some(path) = python.path() else { return };
    need::program("git", "git");
    passes(driver().arg("--python").arg(path).arg(check));
}

/// A check that starts VMs, with Debian's Xen, in a mount namespace.
fn of_starts(python: Python, check: &str) {
    let Some(path) = python.path() else { return };
    starts(driver().arg("--python").arg(path).arg(check));
}

fn starts(driver: &mut Command) {
    need::program("bwrap", "bubblewrap");
    need::program("gcc", "gcc");
    passes(driver.arg("--xen").arg(xen::unpacked()));
}

#[track_caller]
fn passes(driver: &mut Command) {
    let output = driver.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{driver:?}\n{said}{complaint}");
}

/// Every check as a test of its own under every Python.
macro_rules! checks {
    (text: [$($text:ident)*] starts: [$($start:ident)*] $($module:ident: $python:ident,)*) => {
        const CHECKS: &[&str] = &[$(stringify!($text),)* $(stringify!($start),)* "in_a_real_qemu"];
        checks!(@each [$($text)*] [$($start)*] $($module $python,)*);
    };
    (@each $text:tt $start:tt $($module:ident $python:ident,)*) => {
        $(checks!(@module $text $start $module $python);)*
    };
    (@module [$($text:ident)*] [$($start:ident)*] $module:ident $python:ident) => {
        mod $module {
            use super::Python;
            $(#[test]
            fn $text() {
                super::of_text(Python::$python, stringify!($text));
            })*
            $(#[test]
            fn $start() {
                super::of_starts(Python::$python, stringify!($start));
            })*
        }
    };
}

checks! {
    text: [
        hostile_settings both_keys valid_settings fuzz the_vm_named policies
        known_shapes unknown_shapes other_pythons altered_lines whole_program refusals_of_files
        interrupted_writes odd_names surveys
    ]
    starts: [
        shim_without_a_setting shim_with_a_setting shim_with_a_hostile_setting shim_with_a_policy
        shim_and_odd_domains shim_without_xenstore shim_with_broken_modules shim_and_its_surroundings
        patched_starts patched_refusals patched_without_our_package patched_behind_the_shim
    ]
    python_2_7: V2_7,
    python_3_6: V3_6,
    python_of_debian: Debians,
}

#[test]
fn every_check_of_the_driver_is_a_test() {
    let listing = need::run(driver().arg("--list"));
    let names = listing.lines().filter_map(|line| line.split_whitespace().next());
    assert_eq!(names.collect::<Vec<_>>(), CHECKS);
}

#[test]
fn a_patched_sample_and_the_shim_start_a_real_qemu_with_the_device() {
    let mut driver = driver();
    driver.args(["--python", DEBIANS, "in_a_real_qemu"]).arg("--qemu").arg(Version::V7_2.binary());
    starts(&mut driver);
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! What runs in dom0: the shim, the patcher and a patched wrapper, under every Python of a dom0 that this
//! machine has. `wrapper/checks` has the checks, and runs by hand too.

mod language;
pub mod pythons;
mod xen;

use crate::qemu::device::Version;
use crate::support;
use crate::support::requirements;
use pythons::{DEBIAN_PYTHON, Python};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A driver of checks, in Debian's Python.
fn driver(path: &str) -> Command {
    requirements::file(DEBIAN_PYTHON, "python3");
    let mut driver = Command::new(DEBIAN_PYTHON);
    // Python would leave its compiled files in the tree.
    driver.arg("-B").arg(support::root().join(path));
    driver
}

/// How the checks of a suite are run.
mod of {
    use super::{Python, driver, passes, requirements, xen};

    /// What judges text, or files of its own.
    pub fn text(python: Python, check: &str) {
        let Some(path) = python.path() else { return };
        requirements::program("git", "git");
        passes(driver("tests/host/wrapper/checks").arg("--python").arg(path).arg(check));
    }

    /// The operator's command, each check in a dom0 of its own.
    pub fn command(python: Python, check: &str) {
        let Some(path) = python.path() else { return };
        requirements::program("cc", "gcc libc6-dev");
        passes(driver("tests/host/wrapper/command/checks").arg("--python").arg(path).arg(check));
    }

    /// What starts VMs, with Debian's Xen, in a mount namespace.
    pub fn starts(python: Python, check: &str) {
        let Some(path) = python.path() else { return };
        in_namespace(&[check], &path);
    }

    pub fn in_namespace(words: &[&str], python: &std::path::Path) {
        requirements::program("bwrap", "bubblewrap");
        requirements::program("gcc", "gcc");
        let mut driver = driver("tests/host/wrapper/checks");
        passes(driver.arg("--xen").arg(xen::unpacked()).arg("--python").arg(python).args(words));
    }
}

#[track_caller]
fn passes(driver: &mut Command) {
    let output = driver.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{driver:?}\n{said}{complaint}");
}

/// Every check of a suite as a test of its own under every Python.
macro_rules! checks {
    ($suite:ident [$($check:ident)*]) => {
        mod $suite {
            pub const CHECKS: &[&str] = &[$(stringify!($check)),*];
            checks!(@python python_2_7 V2_7 $suite [$($check)*]);
            checks!(@python python_3_6 V3_6 $suite [$($check)*]);
            checks!(@python python_of_debian Debian $suite [$($check)*]);
        }
    };
    (@python $module:ident $python:ident $suite:ident [$($check:ident)*]) => {
        mod $module {
            use crate::host::wrapper::{Python, of};
            $(#[test]
            fn $check() {
                of::$suite(Python::$python, stringify!($check));
            })*
        }
    };
}

checks! {
    text [
        hostile_settings both_keys valid_settings slots_that_are_taken fuzz the_vm_named
        missing_devices policies
        known_shapes unknown_shapes other_pythons altered_lines
        whole_program refusals_of_files interrupted_writes odd_names surveys
    ]
}

checks! {
    starts [
        shim_without_a_setting shim_with_a_setting shim_with_a_hostile_setting shim_with_a_policy
        shim_and_odd_domains shim_without_xenstore shim_with_broken_modules shim_and_its_surroundings
        shim_with_a_stock_qemu
        patched_starts patched_refusals patched_without_our_package patched_behind_the_shim
    ]
}

checks! {
    command [
        attached_with_defaults attached_with_properties older_spelling_renewed
        foreign_arguments_refused invalid_setting_replaced both_spellings_become_one detached
        dry_run_changes_nothing running_vm_is_asked_for json_of_changes wrong_vms_refused
        wrong_properties_refused usage_errors interrupted_between_steps devices_beside_each_other
        several_of_one_type taken_slots_avoided unique_values_kept options_from_contracts
        completed_by_bash hosts_of_the_pool life_of_a_setting replaced_binary_seen
        other_host_named reused_process_number_refused all_lists_users_alone
        listing_cannot_be_forged suspended_is_unknown gone_process_said healthy qemu_checks
        vendor_wrapper_checks patch_package_checks drop_in_checks folder_checks active_checks
        shim_checks leftovers_and_policy vm_checks pool_checks no_root_says_so log_checks
        huge_log_read_at_its_end versions_compared_as_rpm_does back_in_order
        refused_while_vms_use_it detaches_every_vm keeps_settings_with_consent
        consent_does_not_stay drop_in_without_its_package what_runs_is_told
        patch_package_back_in_order check_for_the_scriptlet dry_run_shows_all asks_first
        no_stock_offered newest_stock_taken build_by_hand_taken_back goes_on_after_a_cut
        interrupted_while_yum_runs what_would_break_is_found_first next_update_told
        notice_raised_and_taken_back notice_renewed_by_changes rpm_that_cannot_answer
        damaged_contracts_named notice_without_xapi failed_starts_in_pairs rotated_logs_read
        hidden_settings_found checkpoints_refused names_are_found_and_shown_plainly
        names_read_on_a_terminal names_with_line_breaks_refused bytes_that_are_no_text_refused
        xapi_down_or_slow xe_fails_midway closed_streams full_disk programs_missing
        environment_does_not_matter
    ]
}

#[test]
fn every_check_of_the_drivers_is_a_test() {
    let found = listed(&mut driver("tests/host/wrapper/command/checks"));
    assert_eq!(found, command::CHECKS);
    let found = listed(&mut driver("tests/host/wrapper/checks"));
    assert_eq!(found, [text::CHECKS, starts::CHECKS, &["in_a_real_qemu"]].concat());
}

fn listed(driver: &mut Command) -> Vec<String> {
    let listing = requirements::run(driver.arg("--list"));
    listing.lines().filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect()
}

#[test]
fn a_patched_sample_and_the_shim_start_a_real_qemu_with_the_device() {
    let qemu = Version::V7_2.binary();
    let folder = support::scratch();
    let stock = stock(folder.path());
    let words =
        ["in_a_real_qemu", "--qemu", qemu.to_str().unwrap(), "--stock", stock.to_str().unwrap()];
    of::in_namespace(&words, DEBIAN_PYTHON.as_ref());
}

/// The workstation's QEMU without devices, as its pipeline built it to compare with.
fn stock(folder: &Path) -> PathBuf {
    support::workstation();
    let mut run = support::program();
    run.args(["run", "pipeline/workstation.yaml", "--until", "verify"]);
    let packages = support::result(&support::events(&mut run), "stock").join("files/RPMS");
    let package = fs::read_dir(packages).unwrap().next().unwrap().unwrap().path();
    let script = "rpm2cpio \"$1\" | cpio --quiet --extract --make-directories";
    let mut unpack = Command::new("sh");
    requirements::run(unpack.args(["-c", script, "sh"]).arg(package).current_dir(folder));
    folder.join("usr/bin/qemu-system-x86_64")
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The tests' own leash: what they start ends with them, also when they are killed.

use crate::support::leash::Leash;
use crate::support::scratch;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Set for the process of its own that the test below starts and kills.
const INSIDE: &str = "VGPU_TESTS_LEASH";

#[test]
fn what_is_held_ends_with_a_test_process_that_is_killed() {
    if let Ok(folder) = std::env::var(INSIDE) {
        let held = Leash::on(Path::new(&folder), &["sleep", "86343"]);
        while !held.folder().join("pid").exists() {
            std::thread::yield_now();
        }
        println!("held");
        std::thread::sleep(std::time::Duration::from_secs(600));
        return;
    }
    let folder = scratch().keep();
    let name = "cli::leash::what_is_held_ends_with_a_test_process_that_is_killed";
    let mut inside = Command::new(std::env::current_exe().unwrap());
    inside.args(["--exact", name, "--nocapture"]).env(INSIDE, &folder).stdout(Stdio::null());
    let mut inside = inside.spawn().unwrap();
    let wait = |what: &dyn Fn() -> bool| {
        let began = std::time::Instant::now();
        while !what() {
            assert!(began.elapsed() < std::time::Duration::from_secs(300), "waited in vain");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    };
    wait(&|| fs::read_to_string(folder.join("pid")).is_ok_and(|pid| pid.ends_with('\n')));
    let pid = fs::read_to_string(folder.join("pid")).unwrap().trim().to_owned();
    let cmdline = PathBuf::from(format!("/proc/{pid}/cmdline"));
    let sleeps = || fs::read(&cmdline).is_ok_and(|line| line == b"sleep\x0086343\0");
    wait(&sleeps);
    inside.kill().unwrap();
    inside.wait().unwrap();
    wait(&|| !folder.exists() && !sleeps());
}

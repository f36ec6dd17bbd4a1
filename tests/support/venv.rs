// SPDX-License-Identifier: GPL-2.0-or-later
//! Other people's Python programs, each at a version of its own, from `PyPI` into a folder under target/.

use crate::support::kept;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// One is made at a time: two tests may want the same.
static MAKING: Mutex<()> = Mutex::new(());

/// The interpreter of an environment that has these packages, or `None` where they cannot be had.
pub fn python(packages: &[&str]) -> Option<PathBuf> {
    let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = kept(&format!("venv-{}", packages.join("-").replace("==", "-")));
    let (python, whole) = (folder.join("bin/python"), folder.join("whole"));
    if whole.exists() {
        return Some(python);
    }
    let made = Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder).output();
    let made = made.unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));
    let mut pip = Command::new(folder.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(packages);
    if !pip.output().unwrap().status.success() {
        return None;
    }
    std::fs::write(whole, "").unwrap();
    Some(python)
}

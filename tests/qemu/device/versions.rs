// SPDX-License-Identifier: GPL-2.0-or-later
//! The QEMUs that the device is tested in, each built once and kept.

use crate::host::install::installed;
use crate::support;
use crate::support::debian_archive;
use crate::support::requirements::run;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

#[derive(Clone, Copy)]
pub enum Version {
    V5_2,
    V7_2,
    /// With sanitizers in it.
    V10_0,
}

impl Version {
    /// Its system emulator. The first to ask builds it, unless the store has it.
    pub fn binary(self) -> PathBuf {
        // Whoever comes after a failed build fails at once, and builds no second time.
        static V5_2: LazyLock<PathBuf> = LazyLock::new(|| build("qemu-5.2"));
        static V10_0: LazyLock<PathBuf> = LazyLock::new(|| build("qemu-10.0"));
        match self {
            Self::V5_2 => V5_2.clone(),
            Self::V7_2 => installed().root().join("usr/bin/qemu-system-x86_64"),
            Self::V10_0 => V10_0.clone(),
        }
    }
}

/// Runs a pipeline to its published package, and takes the program out of that.
fn build(name: &str) -> PathBuf {
    let folder = support::kept("device").join(name);
    fs::create_dir_all(&folder).unwrap();
    // It is laid out anew, and another suite may run what is in it: one at a time, to this one's end.
    let lock = File::create(folder.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    std::mem::forget(lock);
    let ours = support::root().join("tests/qemu/device");
    let pipeline = folder.join("pipeline.yaml");
    // Its paths are relative to where it is written, and what Debian built stands beside it.
    let text = fs::read_to_string(ours.join(format!("{name}.yaml"))).unwrap();
    let text = text.replace("../../../", &format!("{}/", support::root().display()));
    for package in text.lines().filter_map(|line| line.trim().strip_prefix("file: ")) {
        if let Some((debian, _)) =
            package.strip_suffix(".deb").and_then(|file| file.split_once('_'))
        {
            fs::copy(debian_archive::package("trixie", debian), folder.join(package)).unwrap();
        }
    }
    let _ = fs::remove_dir_all(folder.join("device"));
    let _ = fs::remove_dir_all(folder.join("pipeline"));
    let mut init = support::program();
    support::ends_with(0, init.current_dir(&folder).args(["init", "first-device"]));
    fs::write(&pipeline, text).unwrap();
    fs::copy(ours.join("qemu.spec"), folder.join("qemu.spec")).unwrap();
    let output = folder.join("out");
    let mut run = support::program();
    run.arg("run").arg(pipeline).args(["--replace", "--accept-new-signer", "--output"]);
    support::ends_with(0, run.arg(&output));
    unpack(&output.join("Packages"), &folder.join("root")).join("usr/bin/qemu-system-x86_64")
}

/// Unpacks the one package of a folder.
fn unpack(packages: &Path, to: &Path) -> PathBuf {
    let package = fs::read_dir(packages).unwrap().next().unwrap().unwrap().path();
    if to.exists() {
        fs::remove_dir_all(to).unwrap();
    }
    fs::create_dir(to).unwrap();
    let script = "rpm2cpio \"$1\" | cpio --quiet --extract --make-directories";
    run(Command::new("sh").args(["-c", script, "sh"]).arg(package).current_dir(to));
    to.to_owned()
}

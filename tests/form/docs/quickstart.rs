// SPDX-License-Identifier: GPL-2.0-or-later
//! The README's commands for a first device, as far as no container is needed.

use crate::support::{ends_with, root, scratch};
use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn the_readmes_first_device_can_be_planned() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let (_, rest) = readme.split_once("<!-- run: first-device -->\n```sh\n").unwrap();
    let (block, _) = rest.split_once("\n```").unwrap();
    let (commands, run) = block.split_once("\nvgpu-pipeline run ").unwrap();
    assert!(run.starts_with("pipeline/my-device.yaml"), "{run}");

    // A folder with nothing in it but the program.
    let folder = scratch();
    let target = folder.path().join("target/release");
    fs::create_dir_all(&target).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_vgpu-pipeline"));
    std::os::unix::fs::symlink(program, target.join("vgpu-pipeline")).unwrap();
    let mut shell = Command::new("bash");
    shell.args(["-euc", commands]).current_dir(folder.path());
    shell.env("VGPU_PIPELINE_STORE", folder.path().join("store"));
    shell.env("XDG_DATA_HOME", folder.path().join("data"));
    let said = ends_with(0, &mut shell);
    let said = String::from_utf8(said.stdout).unwrap() + &String::from_utf8(said.stderr).unwrap();
    for line in ["+Source2:        my-device.c", "+Provides:       qemu-device(my-device) = 1"] {
        assert!(said.lines().any(|found| found == line), "{said}");
    }
    for file in ["device/my-device.c", "device/my-device.yaml", "pipeline/my-device.yaml"] {
        let text = fs::read_to_string(folder.path().join(file)).unwrap();
        let left = text.to_lowercase();
        assert!(!left.contains("vgpu-stub") && !left.contains("vgpustub"), "{file}");
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The census of a QEMU binary, against what the binary says of itself and against its DWARF.
//!
//! What asks and compares is a command of its own in `tests/qemu/census`, which anybody may run on any
//! binary; here it is run on what Debian packages, and on the fixture.

use crate::qemu::device::Version;
use crate::support::{ends_with, kept, refusal, root, scratch};
use std::path::Path;
use std::process::Command;

/// The command, which cargo builds where that has to be.
fn census() -> Command {
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["run", "--release", "--quiet", "--locked", "--manifest-path"])
        .arg(root().join("tests/qemu/census/Cargo.toml"))
        .arg("--")
        .env("CARGO_TARGET_DIR", kept("census"));
    command
}

#[test]
fn a_packaged_qemu_knows_every_type_that_the_census_claims() {
    let all = ["/usr/bin/qemu-system-x86_64", "/usr/bin/qemu-system-aarch64"];
    if let Some(missing) = all.into_iter().find(|path| !Path::new(path).exists()) {
        crate::support::skip::skipped!("there is no `{missing}` on this machine");
        return;
    }
    let output = ends_with(0, census().args(all));
    let table = String::from_utf8(output.stdout).unwrap();
    println!("{table}");
    let rows: Vec<Vec<&str>> =
        table.lines().skip(2).map(|row| row.split(" | ").collect()).collect();
    assert_eq!(rows.len(), all.len());
    for row in rows {
        let [_, known, found, .., in_modules, not_found, _, _] = row.as_slice() else {
            panic!("{row:?}");
        };
        let number = |cell: &str| cell.split(' ').next().unwrap().parse::<u32>().unwrap();
        // What loadable modules bring is not in the binary.
        assert_eq!(number(known), number(found) + number(in_modules) + number(not_found));
        assert!(number(not_found) < 10, "{row:?}");
    }
}

#[test]
fn every_type_in_the_dwarf_is_found_in_the_stripped_twin() {
    let folder = scratch();
    let (whole, stripped) = (folder.path().join("qemu"), folder.path().join("stripped"));
    for shape in ["-DQEMU=42", "-DQEMU=72", "-DQEMU=100"] {
        for form in [["-fPIE", "-pie"], ["-fno-pie", "-no-pie"]] {
            let mut cc = Command::new("cc");
            cc.args(["-g", "-O2", shape]).args(form).arg("-o").arg(&whole);
            ends_with(0, cc.arg(root().join("pipeline/crates/qom-census/fixtures/qemu.c")));
            ends_with(0, Command::new("strip").arg(&whole).arg("-o").arg(&stripped));
            // But for the one whose parent is not there, which is refused by its name.
            let error = refusal(1, census().arg("--dwarf").arg(&whole).arg(&stripped));
            assert!(error.trim_end().ends_with("did not find: [\"orphan\"]"), "{error}");
        }
    }
}

/// The variables of a whole QEMU, in the test's own build of 10.0.
#[test]
fn every_type_in_the_dwarf_of_a_qemu_is_found_in_its_stripped_twin() {
    let whole = Version::V10_0.binary();
    let folder = scratch();
    let stripped = folder.path().join("stripped");
    ends_with(0, Command::new("strip").arg(&whole).arg("-o").arg(&stripped));
    let said = ends_with(0, census().arg("--dwarf").arg(&whole).arg(&stripped)).stdout;
    let said = String::from_utf8(said).unwrap();
    let numbers: Vec<usize> = said.split(' ').filter_map(|word| word.parse().ok()).collect();
    let [found, all] = numbers[..] else { panic!("{said}") };
    assert!(found == all && all > 100, "{said}");
    println!("{said}");
}

#[test]
fn the_workspace_is_the_runner_and_its_libraries_alone() {
    let output = ends_with(
        0,
        Command::new(env!("CARGO")).current_dir(root()).args([
            "metadata",
            "--no-deps",
            "--format-version=1",
            "--locked",
            "--offline",
        ]),
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let names = metadata["packages"].as_array().unwrap().iter().map(|package| &package["name"]);
    assert_eq!(names.collect::<Vec<_>>(), ["qom-census", "rpm-inspect", "vgpu-pipeline"]);
}

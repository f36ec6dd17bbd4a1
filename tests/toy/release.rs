// SPDX-License-Identifier: GPL-2.0-or-later
//! What a release says of itself, read by other people's code.

use crate::support::{Toy, ends_with, events, venv};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Raised by hand: a newer one may ask for more, and that is no reason for a change to be refused.
const TOOLS: [&str; 2] = ["spdx-tools==0.8.5", "in-toto-attestation==0.9.3"];

fn release(output: &Path) -> PathBuf {
    output.join("releases/4.2.1-5.2.15.2.xcpng8.3.vgpu1")
}

#[test]
fn provenance_and_bills_are_what_other_peoples_code_reads() {
    let toy = Toy::new("toy-release");
    events(&mut toy.run());
    let folder = release(&toy.output());
    // Each has a signature of its own, by the key of the repository.
    let home = tempfile::tempdir().unwrap();
    let gpg = |args: &[&str]| {
        let mut gpg = Command::new("gpg");
        gpg.env("GNUPGHOME", home.path()).args(["--batch", "--quiet"]).args(args);
        gpg.current_dir(&folder).output().unwrap().status.success()
    };
    assert!(gpg(&["--import", toy.output().join("RPM-GPG-KEY-toy-release").to_str().unwrap()]));
    for name in ["provenance.json", "sbom.spdx.json", "environment.spdx.json"] {
        assert!(gpg(&["--verify", &format!("{name}.asc"), name]), "{name}");
    }
    // What people wrote lies beside, as it was read.
    assert_eq!(
        fs::read(folder.join("inputs/pipeline.yaml")).unwrap(),
        fs::read(toy.path("toy.yaml")).unwrap()
    );
    assert!(folder.join("inputs/Containerfile").exists());

    let Some(python) = venv::python(&TOOLS) else {
        println!(
            "SKIPPED: {} cannot be had from PyPI here: nobody else read the release",
            TOOLS.join(" and ")
        );
        return;
    };
    let script = crate::support::root().join("tests/toy/release/validate.py");
    let said = ends_with(0, Command::new(python).arg(script).arg(&folder)).stdout;
    let said = String::from_utf8(said).unwrap();
    let line = |start: &str| said.lines().filter(|line| line.starts_with(start)).count();
    assert_eq!(line("subject qemu-4.2.1-5.2.15.2.xcpng8.3.vgpu1."), 2, "{said}");
    assert!(said.contains("\nbuildconfig 1\n"), "{said}");
    for package in ["qemu", "vgpu-stub.c", "qemu-4.2.1.tar.gz"] {
        assert!(said.contains(&format!("\npackage {package}\n")), "{package}\n{said}");
    }
    let packages: usize = said.lines().last().unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    assert!(packages > 50, "{said}");
}

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

/// Image and packages of a locked environment stand in the provenance by their digests.
pub fn names_what_is_locked(output: &Path, lock: &serde_json::Value) {
    let release = fs::read_dir(output.join("releases")).unwrap().next().unwrap().unwrap().path();
    let provenance = fs::read_to_string(release.join("provenance.json")).unwrap();
    let provenance: serde_json::Value = serde_json::from_str(&provenance).unwrap();
    let made_of = &provenance["predicate"]["buildDefinition"]["resolvedDependencies"];
    let digest = |wanted: &str| {
        let is_it = |it: &&serde_json::Value| it["uri"].as_str().is_some_and(|it| it == wanted);
        let found = made_of.as_array().unwrap().iter().find(is_it);
        found.unwrap_or_else(|| panic!("{wanted}: {made_of:#}"))["digest"]["sha256"].clone()
    };
    let (image, packages) = (&lock["image"], lock["packages"].as_array().unwrap());
    let base = digest(&format!("docker://{}", image["reference"].as_str().unwrap()));
    assert_eq!(format!("sha256:{}", base.as_str().unwrap()), image["digest"].as_str().unwrap());
    for package in packages {
        assert_eq!(digest(package["url"].as_str().unwrap()), package["sha256"]);
    }
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
        crate::support::skip::skipped!(
            "{} cannot be had from PyPI here: nobody else read the release",
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

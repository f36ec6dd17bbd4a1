// SPDX-License-Identifier: GPL-2.0-or-later
//! Files that are swapped in the store, at each moment between two stages: what is signed and published is
//! what was judged, or nothing is.

use super::{RPM, SRPM, result, until};
use crate::support::{Toy, ends_with, events, kept, ran, refusal, root, scratch, stable};
use insta::assert_snapshot;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;
use vgpu_pipeline::{Event, Note};

/// A toy with everything that a result can hold: a test binary, and what goes into a dom0.
fn toy(name: &str) -> Toy {
    let toy = Toy::new(name);
    let binary = "build:\n  test-binary:\n    file: i386-softmmu/qemu-system-i386\n    edits: []\n";
    let sample = fs::read_to_string(root().join("wrapper/sample/qemu-wrapper")).unwrap();
    // Tests share a store, and results of one key: this one is the toy's own.
    let own = format!("{sample}\n# The vendor's, for {}.\n", toy.output().display());
    fs::write(toy.path("wrapper"), own).unwrap();
    let sha256 = crate::support::sha256(&toy.path("wrapper"));
    let wrapper =
        format!("wrapper:\n  vendor:\n    path:\n      file: wrapper\n      sha256: {sha256}\n\n");
    let verify = format!("{wrapper}verify:\n  stock: {{ build: {{}} }}\n");
    toy.with_settings().edit("toy.yaml", "build:\n", binary).edit("toy.yaml", "verify:\n", &verify);
    toy
}

/// One byte of it is another one.
fn swap(file: &Path) -> Vec<u8> {
    let whole = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut other = whole.clone();
    let at = other.len() - 1;
    other[at] ^= 1;
    fs::write(file, other).unwrap();
    whole
}

fn is_well(toy: &Toy) {
    let sums = ["--check", "--quiet", "SHA256SUMS"];
    ends_with(0, Command::new("sha256sum").args(sums).current_dir(toy.output()));
    for package in [toy.output().join("Packages").join(RPM), toy.output().join("SRPMS").join(SRPM)]
    {
        let said = ends_with(0, Command::new("rpm").args(["-K", "--nosignature"]).arg(&package));
        assert!(String::from_utf8(said.stdout).unwrap().contains("digests OK"));
    }
}

#[test]
fn what_was_swapped_between_two_runs_is_made_again() {
    let toy = toy("toy-swap-between");
    until(&toy, "sign");
    let mut wrong = Vec::new();
    for (after, stage, file) in [
        ("build", "build", "test/qemu-system-i386".to_owned()),
        ("build", "build", format!("RPMS/{RPM}")),
        ("dom0", "stock", format!("RPMS/{}", RPM.replace(".vgpu1", ""))),
        ("verify", "build", format!("RPMS/{RPM}")),
        ("verify", "build", format!("SRPMS/{SRPM}")),
        ("verify", "dom0", "qemu-wrapper".to_owned()),
        ("verify", "dom0", "qemu-wrapper.diff".to_owned()),
        ("sign", "sign", format!("Packages/{RPM}")),
        ("sign", "sign", "wrapper/qemu-wrapper".to_owned()),
        ("publish", "publish", format!("Packages/{RPM}")),
    ] {
        let before = events(&mut toy.run());
        let order = ["inject", "build", "stock", "dom0", "verify", "sign", "publish"];
        let from = order.iter().position(|stage| *stage == after).unwrap() + 1;
        for later in &order[from..] {
            fs::remove_dir_all(result(&before, later).parent().unwrap()).unwrap();
        }
        fs::remove_dir_all(toy.output()).unwrap();
        let file = result(&before, stage).join(file);
        let whole = swap(&file);
        let events = events(&mut toy.run());
        let noted = |event: &Event| {
            let note = Note::Damaged;
            matches!(event, Event::Note { stage: of, note: it } if of.name() == stage && *it == note)
        };
        // The same inputs, the same bytes.
        if !events.iter().any(noted) || fs::read(&file).unwrap() != whole {
            wrong.push(format!("{} after {after}: {events:#?}", file.display()));
        }
        is_well(&toy);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A program on PATH that stands in for another one: it does something first, and is that one then.
fn stand_in(program: &str, before: &str, after: &str) -> (TempDir, String) {
    let folder = scratch();
    let real = ends_with(0, Command::new("which").arg(program)).stdout;
    let real = String::from_utf8(real).unwrap();
    let text = format!("#!/bin/sh\nset -eu\n{before}\n{} \"$@\"\n{after}\n", real.trim());
    let path = folder.path().join(program);
    fs::write(&path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    (folder, path)
}

/// While `verify` runs what it judged, somebody puts another file in its place: `sign` sees it.
#[test]
fn what_is_swapped_while_verify_runs_is_not_signed() {
    let toy = toy("toy-swap-during");
    let before = until(&toy, "dom0");
    let results: [(&str, String); 3] = [
        ("build", format!("RPMS/{RPM}")),
        ("build", format!("SRPMS/{SRPM}")),
        ("dom0", "qemu-wrapper".to_owned()),
    ];
    for (stage, name) in results {
        let file = result(&before, stage).join(&name);
        let whole = fs::read(&file).unwrap();
        let swap = format!(
            "case \"$*\" in *vgpu-pipeline-probe-*) echo evil > '{}' ;; esac",
            file.display()
        );
        let (_folder, path) = stand_in("podman", &swap, "");
        let error = refusal(1, toy.run().env("PATH", path));
        assert!(error.contains("stage `sign`"), "{error}");
        let changed = format!("was changed in the store after the stage `{stage}`");
        assert!(error.contains(&changed) && error.contains(&name), "{error}");
        assert!(!toy.output().exists());
        // The next run heals it, and judges anew.
        let healed = events(&mut toy.run());
        assert!(ran(&healed).contains(&stage), "{healed:#?}");
        assert_eq!(fs::read(&file).unwrap(), whole);
        is_well(&toy);
        let published = result(&healed, "publish");
        fs::remove_dir_all(published.parent().unwrap()).unwrap();
        for stage in ["verify", "sign"] {
            fs::remove_dir_all(result(&healed, stage).parent().unwrap()).unwrap();
        }
        fs::remove_dir_all(toy.output()).unwrap();
    }
}

/// The binaries that run are those that were read: swapping them meanwhile changes no judgement.
#[test]
fn what_is_judged_is_a_copy() {
    let toy = toy("toy-swap-test-binary");
    let before = until(&toy, "dom0");
    let file = result(&before, "build").join("test/qemu-system-i386");
    let evil = "printf '#!/bin/sh\\necho evil >&2; exit 7\\n'";
    let swap =
        format!("case \"$*\" in *vgpu-pipeline-probe-*) {evil} > '{}' ;; esac", file.display());
    let (_folder, path) = stand_in("podman", &swap, "");
    // The test binary is shipped nowhere, and was judged as it was built.
    events(toy.run().env("PATH", path));
    is_well(&toy);
    assert!(fs::read_to_string(&file).unwrap().contains("evil"));
}

/// Between the signature and the repository: a tool that changes what it only should read.
#[test]
fn what_changes_after_it_was_signed_is_not_published() {
    let toy = toy("toy-swap-signed");
    let alter = "for tree; do :; done\nfor file in \"$tree\"/Packages/*.rpm; do printf x >> \"$file\"; done";
    let (_folder, path) = stand_in("createrepo_c", "", alter);
    let error = refusal(1, toy.run().env("PATH", path));
    assert_snapshot!(stable(&error), @r#"
    error: stage `publish`: `Packages/qemu-4.2.1-5.2.15.2.xcpng8.3.vgpu1.x86_64.rpm` is not what was signed
    "#);
    assert!(!toy.output().exists());
    let before = events(&mut toy.run());
    // The manifest names the digests of what is there, and those are the signed ones.
    let manifest = fs::read(toy.output().join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let record = result(&before, "sign").parent().unwrap().join("record.json");
    let record: Value = serde_json::from_slice(&fs::read(record).unwrap()).unwrap();
    let signed = record["record"]["files"].as_object().unwrap();
    assert!(signed.len() >= 4);
    for (name, file) in signed {
        let outputs = manifest["outputs"].as_array().unwrap();
        let output = outputs.iter().find(|output| output["name"] == name.as_str()).unwrap();
        assert_eq!(output["blake3"], file["blake3"], "{name}");
    }
    let judged = manifest["verified"]["judged"].as_object().unwrap();
    let built: PathBuf = kept("store");
    assert!(built.exists() && judged.contains_key(&format!("RPMS/{RPM}")), "{judged:?}");
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The stock package as a control: built once, and all that ours may differ by.

use crate::support::{Toy, ends_with, events, program, ran, refusal, stable};
use crate::support::{has_note, result};
use insta::assert_snapshot;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use vgpu_pipeline::Event;

const OURS: &str = "Packages/qemu-4.2.1-5.2.15.2.xcpng8.3.vgpu1.x86_64.rpm";

fn toy_with_control(name: &str) -> Toy {
    let toy = Toy::new(name);
    toy.edit(
        "toy.yaml",
        "verify:\n",
        "verify:\n  stock: { build: {} }\n  only-adds: [vgpu-stub]\n",
    );
    toy
}

/// The stock package in the store, by the key of the stage that built it.
fn stock(events: &[Event]) -> PathBuf {
    let folder = result(events, "stock").join("files/RPMS");
    let mut packages = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    packages.find(|path| path.to_string_lossy().contains("/qemu-4")).unwrap()
}

#[test]
fn a_device_adds_its_type_and_nothing_else() {
    let toy = toy_with_control("toy-control");
    let first = events(&mut toy.run());
    let note = |wanted: &str| has_note(&first, wanted);
    assert!(note("only adds vgpu-stub"), "{first:#?}");
    // Another device is another build, and the same control.
    toy.edit("vgpu-stub.c", "Virtual GPU", "Another GPU");
    let again = events(&mut toy.run());
    assert!(ran(&again).contains(&"build") && !ran(&again).contains(&"stock"), "{again:#?}");

    let stock = stock(&again);
    let ours = toy.output().join(OURS);
    let said = ends_with(0, program().arg("verify").arg(&ours).arg("--against").arg(&stock)).stdout;
    let said = String::from_utf8(said).unwrap();
    let line = |wanted: &str| said.lines().any(|line| line.starts_with(wanted));
    for wanted in [
        "package   ~ version  ",
        "provides  + qemu-device(vgpu-stub) = 1",
        "type      + vgpu-stub in /usr/lib64/xen/bin/qemu-system-i386  pci-device",
        "property  + vgpu-stub.pool_id in /usr/lib64/xen/bin/qemu-system-i386  str",
        "binary    ~ /usr/lib64/xen/bin/qemu-system-i386  ",
    ] {
        assert!(line(wanted), "no `{wanted}` in\n{said}");
    }
    assert!(!line("file") && !line("requires") && !line("elf"), "{said}");
    let only = ["--only-adds", "vgpu-stub", "--provides", "qemu-device(vgpu-stub) = 1"];
    let mut asserted = program();
    asserted.arg("verify").arg(&ours).arg("--against").arg(&stock).args(only);
    ends_with(0, &mut asserted);
    // Without the capability, and the other way round.
    let error = refusal(
        1,
        program().arg("verify").arg(&ours).arg("--against").arg(&stock).args(&only[..2]),
    );
    assert_snapshot!(stable(&error), @"
    error: compared with the stock package, more changed than `verify.only-adds` has:
      provides  + qemu-device(vgpu-stub) = 1
    help: an edit of the spec or the environment did this; `only-adds` lists QOM types alone
    ");
    // What is asked for is asked for, whatever a pipeline file leaves out.
    let text = fs::read_to_string(toy.path("toy.yaml")).unwrap();
    let text = text.replace("  only-adds: [vgpu-stub]\n", "");
    let text = text.replace("  provides:\n    - qemu-device(vgpu-stub) = 1\n", "");
    for without in [text.clone(), text.replace("  stock: { build: {} }\n", "")] {
        fs::write(toy.path("plain.yaml"), without).unwrap();
        let mut held = program();
        held.arg("verify").arg(&ours).arg("--against").arg(&stock);
        held.arg("--pipeline").arg(toy.path("plain.yaml"));
        ends_with(0, &mut held);
        let error = refusal(1, held.args(&only[..2]));
        assert!(error.contains("provides  + qemu-device(vgpu-stub) = 1"), "{error}");
    }
    let error = refusal(
        1,
        program().arg("verify").arg(&stock).arg("--against").arg(&ours).args(&only[..2]),
    );
    assert_snapshot!(stable(&error), @"
    error: compared with the stock package, more changed than `verify.only-adds` has:
      package   ~ version  2:4.2.1-5.2.15.2.xcpng8.3.vgpu1 → 2:4.2.1-5.2.15.2.xcpng8.3
      provides  - qemu-device(vgpu-stub) = 1
      type      - vgpu-stub in /usr/lib64/xen/bin/qemu-system-i386  pci-device, conventional-pci-device, instance of 128 bytes
      property  - vgpu-stub.pool_id in /usr/lib64/xen/bin/qemu-system-i386  str
      property  - vgpu-stub.priority in /usr/lib64/xen/bin/qemu-system-i386  str
      property  - vgpu-stub.vm_id in /usr/lib64/xen/bin/qemu-system-i386  uint32
    help: an edit of the spec or the environment did this; `only-adds` lists QOM types alone
    ");
    let mut json = program();
    json.arg("verify").arg(&stock).arg("--against").arg(&ours).arg("--json");
    let json: Value = serde_json::from_slice(&ends_with(0, &mut json).stdout).unwrap();
    let changes = json["difference"].as_array().unwrap();
    let gone = |change: &&Value| change["area"] == "type" && change["name"] == "vgpu-stub";
    let gone = changes.iter().find(gone).unwrap();
    assert_eq!((&gone["change"], gone.get("is")), (&Value::from("removed"), None));
}

#[test]
fn what_nobody_asked_for_ends_the_run() {
    let toy = toy_with_control("toy-control-more");
    toy.edit(
        "toy.yaml",
        "    - release-suffix",
        "    - provide: something-else\n    - release-suffix",
    );
    let error = refusal(1, &mut toy.run());
    assert_snapshot!(stable(&error), @"
    error: stage `verify`: compared with the stock package, more changed than `verify.only-adds` has:
      provides  + something-else in qemu
    help: an edit of the spec or the environment did this; `only-adds` lists QOM types alone
    help: `vgpu-pipeline shell FOLDER/toy.yaml` enters its environment, with the tree as it stood
    ");
    assert!(!error.contains("+ vgpu-stub") && !toy.output().exists(), "{error}");
}

#[test]
fn an_assertion_without_a_control_is_refused() {
    let toy = Toy::new("toy-no-control");
    toy.edit("toy.yaml", "verify:\n", "verify:\n  only-adds: [vgpu-stub]\n");
    let error = refusal(2, &mut toy.run());
    assert_snapshot!(stable(&error), @"
    error: verify.only-adds: there is no stock package to compare with
      --> FOLDER/toy.yaml:60:3
       |
    60 |   only-adds: [vgpu-stub]
       |   ^^^^^^^^^
       |
       = help: `stock: { build: {} }` builds the spec as it came
    ");
}

#[test]
fn a_subpackage_that_is_not_marked_as_ours_ends_the_run() {
    let toy = Toy::new("toy-unmarked");
    let package =
        "%package more\nRelease: 9\nSummary: x\n%description more\nx\n%files more\n\n%prep\n";
    toy.edit("qemu.spec", "%prep\n", package);
    let error = refusal(1, &mut toy.run());
    assert_snapshot!(stable(&error), @"
    error: stage `verify`: qemu-more-2:4.2.1-9.x86_64 breaks rules of a package:
      nevra: its release `9` does not end in `.vgpu1`: a tag of its own makes it, perhaps
    help: nevra: give the release a suffix behind the dist tag (`release-suffix: .vgpu1`)
    help: `vgpu-pipeline shell FOLDER/toy.yaml` enters its environment, with the tree as it stood
    ");
    assert!(!toy.output().exists());
}

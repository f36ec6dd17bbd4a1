// SPDX-License-Identifier: GPL-2.0-or-later
//! The Makefile.objs road, end to end on the toy tree: real container, real rpmbuild, real signature.

use crate::support::has_note;
use crate::support::{self, Toy, ends_with, events, from, program, ran, refusal, stable};
use insta::assert_snapshot;
use std::fs;
use std::process::Command;
use vgpu_pipeline::{Event, Note};

#[test]
fn a_tree_with_makefile_objs_gets_the_device_and_a_repository() {
    let toy = Toy::new("toy-makefile-objs");
    let events = events(&mut toy.run());
    let note = |wanted: &str| has_note(&events, wanted);
    assert!(note("CC      hw/misc/vgpu-stub.o"), "{events:#?}");
    assert!(note("LINK    i386-softmmu/qemu-system-i386"));
    assert!(note("Wrote: /build/RPMS/x86_64/qemu-4.2.1-5.2.15.2.xcpng8.3.vgpu1.x86_64.rpm"));
    assert!(note("name \"vgpu-stub\", bus PCI"));
    assert_eq!(ran(&events), from(&events, "source", &["environment"]));

    let rpm = toy.output().join("Packages/qemu-4.2.1-5.2.15.2.xcpng8.3.vgpu1.x86_64.rpm");
    let said = ends_with(0, Command::new("rpm").args(["-qp", "--provides"]).arg(&rpm)).stdout;
    assert!(String::from_utf8(said).unwrap().contains("qemu-device(vgpu-stub) = 1"));
    ends_with(
        0,
        Command::new("sha256sum").args(["--check", "SHA256SUMS"]).current_dir(toy.output()),
    );

    let manifest = fs::read(toy.output().join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["development_key"], true);
    let roles: Vec<&str> = manifest["inputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| i["role"].as_str().unwrap())
        .collect();
    for role in ["source", "spec", "edited-spec", "device", "environment"] {
        assert!(roles.contains(&role), "{roles:?}");
    }
    assert!(toy.output().join("DEVELOPMENT-KEY.txt").exists());
}

/// What `init` writes, on a tree of the shape of XCP-ng's 4.2.1.
#[test]
fn a_first_device_gets_into_a_package_with_no_edit() {
    let toy = Toy::new("toy-init");
    ends_with(0, program().current_dir(toy.path("")).args(["init", "first-device"]));
    let text = fs::read_to_string(toy.path("toy.yaml")).unwrap();
    let (text, _) = text.split_once("verify:\n").unwrap();
    let text = text.replace("vgpu-stub", "first-device");
    let text = text.replace("    source: first-device.c", "    source: device/first-device.c");
    let verify = "verify:\n  contracts: [device/first-device.yaml]\n";
    fs::write(toy.path("toy.yaml"), format!("{text}{verify}")).unwrap();
    let events = events(&mut toy.run());
    assert!(has_note(&events, "CC      hw/misc/first-device.o"), "{events:#?}");
    assert!(has_note(&events, "name \"first-device\", bus PCI"), "{events:#?}");
}

#[test]
fn verify_judges_a_package_and_a_binary_alone() {
    let toy = Toy::new("toy-verify");
    events(&mut toy.run());
    let rpm = toy.output().join("Packages/qemu-4.2.1-5.2.15.2.xcpng8.3.vgpu1.x86_64.rpm");
    let asked = [
        "--device=vgpu-stub",
        "--property=pool_id=str",
        "--property=priority=str",
        "--property=vm_id=uint32",
    ];
    let said = ends_with(0, program().arg("verify").arg(&rpm).args(asked).arg("--json")).stdout;
    let said: serde_json::Value = serde_json::from_slice(&said).unwrap();
    let types = said["binaries"][0]["types"].as_array().unwrap();
    let found = types.iter().find(|found| found["name"] == "vgpu-stub").unwrap();
    assert_eq!(found["name"], "vgpu-stub");
    assert_eq!(found["parent"], "pci-device");
    assert_eq!(found["interfaces"], serde_json::json!(["conventional-pci-device"]));

    let binary = toy.path("unpacked");
    fs::create_dir(&binary).unwrap();
    let unpack = "rpm2cpio \"$1\" | cpio --quiet -idm";
    ends_with(0, Command::new("sh").args(["-c", unpack, "sh"]).arg(&rpm).current_dir(&binary));
    let binary = binary.join("usr/lib64/xen/bin/qemu-system-i386");
    let said = ends_with(0, program().arg("verify").arg(&binary).args(&asked[..1])).stdout;
    assert!(String::from_utf8(said).unwrap().contains("pool_id"));
    let error =
        program().arg("verify").arg(&binary).args(["--device", "vgpu-stab"]).output().unwrap();
    assert_eq!(error.status.code(), Some(1));
    assert!(String::from_utf8(error.stderr).unwrap().contains("no QOM type `vgpu-stab`"));
}

#[test]
fn a_second_device_is_carried_beside_the_first() {
    let toy = Toy::new("toy-two-devices");
    let fixture = support::root().join("tests/fixtures/two-bars.c");
    fs::copy(fixture, toy.path("two-bars.c")).unwrap();
    let device = "  - type: two-bars\n    source: two-bars.c\n    directory: hw/display\n    \
                  defines: { TWO_BARS_DEVICE_ID: 0x2222 }\n";
    let edits = "    - add-source: two-bars.c\n    - insert-after:\n        \
                 anchor: tar xzf %{SOURCE2}\n        insert: { device: two-bars }\n";
    toy.edit("toy.yaml", "\nspec:", &format!("{device}\nspec:"))
        .edit("toy.yaml", "    - release-suffix", &format!("{edits}    - release-suffix"))
        .edit("toy.yaml", "  types:\n", "  types:\n    - name: two-bars\n");
    let first = events(&mut toy.run());
    let note = |wanted: &str| has_note(&first, wanted);
    for wanted in [
        "CC      hw/misc/vgpu-stub.o",
        "CC      hw/display/two-bars.o",
        "name \"vgpu-stub\", bus PCI",
        "name \"two-bars\", bus PCI",
    ] {
        assert!(note(wanted), "no `{wanted}` in {first:#?}");
    }
    // A define is compiled in, so another value is another build.
    assert!(ran(&events(&mut toy.run())).is_empty());
    toy.edit("toy.yaml", "0x2222", "0x3333");
    assert_eq!(ran(&events(&mut toy.run()))[0], "inject");
}

#[test]
fn a_test_binary_is_built_beside_and_shipped_nowhere() {
    let toy = Toy::new("toy-test-binary");
    let lines = "echo 4.2.1-tests >VERSION";
    let section = format!(
        "  test-binary:\n    file: i386-softmmu/qemu-system-i386\n    edits:\n      - insert-after:\n          \
         anchor: tar xzf %{{SOURCE2}}\n          insert: {{ lines: [\"{lines}\"] }}\n"
    );
    toy.edit("toy.yaml", "build:\n", &format!("build:\n{section}"));
    let binary = |events: &[Event]| {
        let path = |event: &Event| match event {
            Event::Note { note: Note::TestBinary { path }, .. } => Some(path.display().to_string()),
            _ => None,
        };
        events.iter().find_map(path).unwrap()
    };
    let path = binary(&events(&mut toy.run()));
    assert_eq!(binary(&events(&mut toy.run())), path, "it is named where all is cached, too");
    let version = |binary: &str| {
        String::from_utf8(ends_with(0, Command::new(binary).arg("-version")).stdout).unwrap()
    };
    assert!(version(&path).contains("4.2.1-tests"), "{}", version(&path));
    let published = toy.path("unpacked");
    fs::create_dir(&published).unwrap();
    let rpm = toy.output().join("Packages/qemu-4.2.1-5.2.15.2.xcpng8.3.vgpu1.x86_64.rpm");
    let unpack = "rpm2cpio \"$1\" | cpio --quiet -idm";
    ends_with(0, Command::new("sh").args(["-c", unpack, "sh"]).arg(&rpm).current_dir(&published));
    let shipped = published.join("usr/lib64/xen/bin/qemu-system-i386");
    assert!(!version(shipped.to_str().unwrap()).contains("4.2.1-tests"));

    toy.edit("toy.yaml", "i386-softmmu/qemu", "x86_64-softmmu/qemu");
    let error = refusal(1, &mut toy.run());
    assert_snapshot!(stable(&error), @"
    error: stage `build`: %build left 0 files `x86_64-softmmu/qemu-system-i386`
    help: `build.test-binary.file` is a path in the tree that %prep unpacks
    ");
}

/// The toy is built on Debian 12, whose C library is newer than a dom0's.
#[test]
fn a_package_that_a_dom0_would_not_take_is_refused() {
    let toy = Toy::new("toy-target");
    toy.edit("toy.yaml", "verify:\n", "verify:\n  target: el7\n");
    let error = refusal(1, &mut toy.run());
    assert_snapshot!(stable(&error), @"
    error: stage `verify`: qemu-2:4.2.1-5.2.15.2.xcpng8.3.vgpu1.x86_64 breaks rules of a package for `el7`:
      glibc: it requires `libc.so.6(GLIBC_2.34)(64bit)`, and el7 has 2.17
      glibc: `/usr/lib64/xen/bin/qemu-system-i386` needs glibc 2.34, and el7 has 2.17
    help: glibc: build it in an environment of that target
    help: `vgpu-pipeline shell FOLDER/toy.yaml` enters its environment, with the tree as it stood
    ");
    assert!(!toy.output().exists());
}

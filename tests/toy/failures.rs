// SPDX-License-Identifier: GPL-2.0-or-later
//! Work that fails: exit code 1, one error that says what and what to try, nothing half-written.

use crate::support::{Toy, ends_with, events, program, read_events, refusal, sha256, stable};
use insta::assert_snapshot;
use std::fs;
use vgpu_pipeline::{Event, Failure, FailureKind, Stage};

#[test]
fn a_build_without_the_device_fails_in_verify() {
    let toy = Toy::new("toy-unregistered");
    // The file is copied and nothing registers it: the build is content, and so is rpmbuild.
    toy.edit(
        "toy.yaml",
        "          device: vgpu-stub",
        "          lines: ['cp %{SOURCE3} hw/misc/vgpu-stub.c']",
    );
    let error = refusal(1, &mut toy.run());
    assert_snapshot!(stable(&error), @"
    error: stage `verify`: package `qemu-4.2.1-5.2.15.2.xcpng8.3.vgpu1.x86_64.rpm`: `/usr/lib64/xen/bin/qemu-system-i386`: the binary registers no QOM type `vgpu-stub` among its 5
    help: the device was not built in; does an edit of the spec register it in QEMU's build?
    help: `vgpu-pipeline shell FOLDER/toy.yaml` enters its environment, with the tree as it stood
    ");
    assert!(!toy.output().exists());
}

#[test]
fn an_expected_property_that_is_missing_is_named() {
    let toy = Toy::new("toy-property");
    toy.edit("toy.yaml", "vm_id: uint32 }", "vm_id: uint32, colour: str }");
    let error = refusal(1, &mut toy.run());
    assert_snapshot!(stable(&error), @"
    error: stage `verify`: package `qemu-4.2.1-5.2.15.2.xcpng8.3.vgpu1.x86_64.rpm`: `/usr/lib64/xen/bin/qemu-system-i386`: type `vgpu-stub` has no property `colour=<str>`; it has: pool_id=<str>, priority=<str>, vm_id=<uint32>
    help: `vgpu-pipeline shell FOLDER/toy.yaml` enters its environment, with the tree as it stood
    ");
}

#[test]
fn a_compile_error_is_shown_with_the_path_as_the_user_knows_it() {
    let toy = Toy::new("toy-compile-error");
    toy.edit("vgpu-stub.c", "static uint64_t vgpu_stub_read(", "static uint65_t vgpu_stub_read(");
    let error = refusal(1, &mut toy.run());
    let at = toy.path("vgpu-stub.c").display().to_string() + ":115:8: error: unknown type name";
    assert!(error.contains(&at), "{error}");
    assert_snapshot!(stable(&error), @"
    error: stage `build`: `FOLDER/vgpu-stub.c` does not compile
    help: fix the device and run again; the whole output is in KEPT/store/logs/toy-compile-error/build.log
    help: `vgpu-pipeline shell FOLDER/toy.yaml` enters its environment, with the tree as it stood
    ");
    assert!(!toy.output().exists());
}

fn failure(events: &[Event]) -> &Failure {
    match events.last() {
        Some(Event::Failed(failure)) => failure,
        other => panic!("the last event is no failure: {other:#?}"),
    }
}

#[test]
fn a_program_is_told_of_a_failure_as_people_are() {
    let toy = Toy::new("toy-failed-event");
    toy.edit("vgpu-stub.c", "static uint64_t vgpu_stub_read(", "static uint65_t vgpu_stub_read(");
    let events = read_events(&ends_with(1, toy.run().arg("--json")));
    let Failure { kind, stage, reason, log, .. } = failure(&events);
    assert_eq!((*kind, *stage), (FailureKind::Work, Some(Stage::Build)));
    assert!(reason.message.contains("does not compile"), "{reason}");
    let file = toy.path("toy.yaml");
    let shell = format!("`vgpu-pipeline shell {}`", file.display());
    assert!(reason.helps.iter().any(|help| help.starts_with(&shell)), "{reason}");
    assert!(log.as_ref().is_some_and(|log| log.exists()), "{log:?}");

    for command in ["plan", "run"] {
        let mut wrong = program();
        let events = read_events(&ends_with(2, wrong.args([command, "/no/such.yaml", "--json"])));
        let Failure { kind, stage, reason, log, .. } = failure(&events);
        assert_eq!((*kind, *stage, log), (FailureKind::Usage, None, &None));
        assert!(reason.message.contains("`/no/such.yaml`"), "{reason}");
    }
}

#[test]
fn another_failure_of_rpmbuild_shows_its_last_lines_and_its_log() {
    let toy = Toy::new("toy-build-fails");
    toy.edit("qemu.spec", "\n%install\n", "\necho this is the end >&2; exit 3\n\n%install\n");
    let error = refusal(1, &mut toy.run());
    assert!(error.contains("  | this is the end"), "{error}");
    assert_snapshot!(stable(&error), @"
    error: stage `build`: `podman run` ended with exit code 1
    help: the whole output is in KEPT/store/logs/toy-build-fails/build.log
    help: `vgpu-pipeline shell FOLDER/toy.yaml` enters its environment, with the tree as it stood
    ");
}

#[test]
fn a_source_that_is_not_what_the_pipeline_pins_is_refused() {
    let toy = Toy::new("toy-pin");
    let archive = toy.path("qemu-4.2.1.tar.gz");
    let whole = fs::read(&archive).unwrap();

    let mut flipped = whole.clone();
    flipped[4] ^= 1;
    fs::write(&archive, &flipped).unwrap();
    let error = refusal(1, &mut toy.run());
    assert_snapshot!(stable(&error), @"
    error: stage `source`: `FOLDER/qemu-4.2.1.tar.gz` is not what the pipeline pins: sha256 SHA256, pinned SHA256
    help: get the pinned file; change the pin only if you know why it differs
    ");

    fs::write(&archive, &whole[..whole.len() / 2]).unwrap();
    let error = refusal(1, &mut toy.run());
    assert_snapshot!(stable(&error), @"
    error: stage `source`: `FOLDER/qemu-4.2.1.tar.gz` is not what the pipeline pins: sha256 SHA256, pinned SHA256; the archive ends in the middle
    help: get the pinned file; change the pin only if you know why it differs
    ");

    let pointer = format!(
        "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n",
        "0".repeat(64),
        whole.len()
    );
    fs::write(&archive, pointer).unwrap();
    let error = refusal(1, &mut toy.run());
    assert_snapshot!(stable(&error), @"
    error: stage `source`: `FOLDER/qemu-4.2.1.tar.gz` is a git-lfs pointer of 129 bytes, not the archive itself
    help: fetch the object with `git lfs pull` where the file came from
    ");
    assert!(!toy.output().exists());
}

#[test]
fn an_archive_with_padding_that_is_pinned_so_is_built() {
    let toy = Toy::new("toy-padded");
    let archive = toy.path("qemu-4.2.1.tar.gz");
    let pinned = sha256(&archive);
    let mut padded = fs::read(&archive).unwrap();
    padded.extend([0; 1000]);
    fs::write(&archive, padded).unwrap();
    toy.edit("toy.yaml", &pinned, &sha256(&archive));
    events(&mut toy.until("build"));
}

#[test]
fn an_output_that_cannot_be_written_is_one_clear_error() {
    let toy = Toy::new("toy-unwritable");
    // A file where the folder should be: root may write everywhere else.
    fs::write(toy.output(), "").unwrap();
    let error = refusal(2, &mut toy.run());
    assert_snapshot!(stable(&error), @"
    error: cannot write the output `FOLDER/out`: `FOLDER/out` is no folder
    help: name another folder with `--output`
    ");
    assert_eq!(fs::read_to_string(toy.output()).unwrap(), "");
}

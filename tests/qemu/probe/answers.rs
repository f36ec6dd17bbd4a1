// SPDX-License-Identifier: GPL-2.0-or-later
//! What is asked of a QEMU in a container, and how far the answers go: not whole, or not listed.

use super::{Judgement, said};
use crate::support::notes;
use crate::support::{self, ends_with, events, stable};
use insta::assert_snapshot;
use std::fs;

/// What an engine does of which the runner never hears from inside.
#[test]
fn an_answer_that_is_not_whole_is_asked_for_once_more_and_aloud() {
    let pipes =
        "pipes=$(printf '%s\\n' \"$*\" | sed 's/.*source=\\([^,]*\\),target=.answers,.*/\\1/')";
    let half =
        format!("{pipes}; echo begun >$pipes/end; echo '{{\"QMP\": {{}}}}' >$pipes/out; exit 0");
    for (script, part) in [
        ("exit 0", "none at all"),
        ("exit 125", "none at all"),
        ("kill -9 $$", "none at all"),
        (half.as_str(), "not whole"),
    ] {
        let judgement = Judgement::new();
        let marker = judgement.path("answered");
        let once = format!("if mkdir {} 2>/dev/null; then {script}; fi", marker.display());
        let events = events(&mut judgement.engine("none,accel=qtest", &once));
        let again = |text: &&String| {
            text.starts_with(&format!("probe: the answer from inside is {part}: `podman run` "))
                && text.ends_with("; asked once more")
        };
        assert_eq!(notes(&events).iter().filter(again).count(), 1, "{script}: {events:#?}");
        let judgement = Judgement::new();
        let error = said(&ends_with(1, &mut judgement.engine("none,accel=qtest", script)));
        assert!(error.contains(&format!("the answer from inside is {part}: ")), "{error}");
        assert!(error.contains("; asked once more"), "{error}");
    }
}

/// `-device TYPE,help` and `device-list-properties` leave such a name out.
#[test]
fn a_property_that_one_listing_leaves_out_is_seen_in_the_other() {
    let judgement = Judgement::new();
    let ours = fs::read_to_string(support::root().join("device/vgpu-stub.c")).unwrap();
    let (field, property) =
        ("    char *pool_id;\n", "    DEFINE_PROP_STRING(\"pool_id\", VgpuStubState, pool_id),\n");
    assert!(ours.contains(field) && ours.contains(property), "{ours}");
    let ours = ours.replacen(field, &format!("{field}    char *legacy_mode;\n"), 1);
    let more = "    DEFINE_PROP_STRING(\"legacy-mode\", VgpuStubState, legacy_mode),\n";
    let ours = ours.replacen(property, &format!("{property}{more}"), 1);
    let (count, one_more) = ("vgpu_stub_properties[3 +", "vgpu_stub_properties[4 +");
    assert!(ours.contains(count), "{ours}");
    let ours = ours.replacen(count, one_more, 1);
    fs::write(judgement.path("vgpu-stub.c"), ours).unwrap();
    let source = format!("{}/device/vgpu-stub.c", support::root().display());
    let judgement = judgement.with("p.yaml", &source, "vgpu-stub.c").with(
        "contract.yaml",
        "vm_id: uint32",
        "vm_id: uint32, legacy-mode: str",
    );
    let notes = judgement.notes();
    assert!(notes.iter().any(|note| note.contains("legacy-mode=<str>")), "{notes:#?}");
    assert!(
        notes.iter().any(|note| note.contains("passed: help (vgpu-stub), types (")),
        "{notes:#?}"
    );
    assert!(!notes.iter().any(|note| note.contains("by its file alone")), "{notes:#?}");
    let wrong = judgement.with("contract.yaml", "legacy-mode: str", "legacy-mode: uint32");
    let error = said(&ends_with(1, &mut wrong.run()));
    assert_snapshot!(stable(&error), @"
    error: stage `verify`: package `qemu-7.2.22-1.deb12.vgpu1.x86_64.rpm`: `/usr/bin/qemu-system-x86_64`: type `vgpu-stub` has no property `legacy-mode=<uint32>`; it has: legacy-mode=<str>, pool_id=<str>, priority=<str>, vm_id=<uint32>
    help: `vgpu-pipeline shell FOLDER/p.yaml` enters its environment, with the tree as it stood
    ");
}

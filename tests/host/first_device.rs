// SPDX-License-Identifier: GPL-2.0-or-later
//! From nothing to a VM that is set to have the device: `init`, a run on the workstation's QEMU with a guest that
//! reads the register, and a host that attaches it. Nobody edits a file.

use super::dom0::host::Host;
use crate::support::{self, ends_with, events, has_note, notes_of, program, scratch};
use vgpu_pipeline::Stage;

#[test]
fn nobody_edits_a_file_between_init_and_attach() {
    // The stock package and the environment are the same.
    support::workstation();
    let folder = scratch();
    let init = ends_with(0, program().current_dir(folder.path()).args(["init", "first-device"]));
    let said = String::from_utf8(init.stdout).unwrap();
    assert_eq!(said, "vgpu-pipeline run pipeline/first-device.yaml\n");
    let mut run = program();
    run.current_dir(folder.path()).args(["run", "pipeline/first-device.yaml"]);
    let events = events(&mut run);
    let notes = notes_of(&events, |stage| stage == Stage::Verify);
    let guest = |note: &String| note.contains("guest (Linux ") && note.contains(" sees 2 devices");
    assert!(notes.iter().any(guest), "{notes:#?}");
    assert!(has_note(&events, "name \"first-device\", bus PCI"), "{events:#?}");

    let host = Host::start(&folder.path().join("out/first-device"));
    host.vm("{}");
    host.dnf("install xenopsd xenopsd-xc qemu-device-dom0");
    let shown = host.says("qemu-device attach web first-device --help");
    assert!(shown.contains("--value N"), "{shown}");
    let refused = host.sh("qemu-device attach web vgpu-stub");
    assert!(!refused.success && refused.text.contains("first-device"), "{}", refused.text);
    host.says("qemu-device attach web first-device --value 7");
    assert_eq!(host.xapi()["vms"][0]["platform"]["first-device"], "value=7");
}

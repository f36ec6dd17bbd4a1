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
    // A name of this run's own: what an earlier one proved is not proved again.
    let name = format!("first-{}", std::process::id());
    let init = ends_with(0, program().current_dir(folder.path()).args(["init", &name]));
    let said = String::from_utf8(init.stdout).unwrap();
    assert_eq!(said, format!("vgpu-pipeline run pipeline/{name}.yaml\n"));
    let mut run = program();
    run.current_dir(folder.path()).arg("run").arg(format!("pipeline/{name}.yaml"));
    let events = events(&mut run);
    let notes = notes_of(&events, |stage| stage == Stage::Verify);
    let guest = |note: &String| note.contains("guest (Linux ") && note.contains(" sees 2 devices");
    assert!(notes.iter().any(guest), "{notes:#?}");
    assert!(has_note(&events, &format!("name \"{name}\", bus PCI")), "{events:#?}");

    let host = Host::start(&folder.path().join("out").join(&name));
    host.vm("{}");
    host.dnf("install xenopsd xenopsd-xc qemu-device-dom0");
    let shown = host.says(&format!("qemu-device attach web {name} --help"));
    assert!(shown.contains("--value N"), "{shown}");
    let refused = host.sh("qemu-device attach web vgpu-stub");
    assert!(!refused.success && refused.text.contains(&name), "{}", refused.text);
    host.says(&format!("qemu-device attach web {name} --value 7"));
    assert_eq!(host.xapi()["vms"][0]["platform"][&name], "value=7");
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! What updates do to a host, and what the pool is told of it.

use super::host::Host;
use super::{RESTARTED_WITH, host, publish};
use crate::support::{self, ends_with, program};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The repository of a pipeline with a second device, as `init` writes it.
fn two_devices() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = support::kept("two-devices");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        ends_with(0, program().current_dir(&folder).args(["init", "first-device"]));
        let text = fs::read_to_string(support::root().join("pipeline/workstation.yaml")).unwrap();
        let root = support::root();
        let text = text
            .replace("../", &format!("{}/", root.display()))
            .replace("workstation/qemu.spec", "pipeline/workstation/qemu.spec")
            .replace("name: workstation", "name: two-devices")
            .replace(
                "\nspec:\n",
                "  - type: first-device\n    source: device/first-device.c\n\nspec:\n",
            )
            .replace(
                "    - release-suffix:",
                "    - add-source: first-device.c\n    - insert-after:\n        anchor: grep -qxF \
                 '%{version}' VERSION\n        insert:\n          device: first-device\n    - \
                 provide: qemu-device(first-device) = 1\n    - release-suffix:",
            )
            .replace("device/vgpu-stub.yaml]", "device/vgpu-stub.yaml, device/first-device.yaml]")
            .replace("  provides:\n", "  provides:\n    - qemu-device(first-device) = 1\n")
            .replace("only-adds: [vgpu-stub]", "only-adds: [vgpu-stub, first-device]");
        fs::write(folder.join("p.yaml"), text).unwrap();
        publish(&folder);
        folder
    })
}

/// Xen Orchestra's update never looks at our repository; the pool is told at each step how it stands.
#[test]
fn two_devices_live_through_an_update_that_does_not_see_them() {
    let host = Host::start(&two_devices().join("out"));
    host.vm("{}");
    host.dnf("install qemu-2:4.2.1-5.2.15.2.xcpng8.3.vgpu1 xenopsd xenopsd-xc qemu-device-dom0");
    host.says("qemu-device attach web vgpu-stub && qemu-device attach web first-device --value 7");
    let platform = &host.xapi()["vms"][0]["platform"];
    assert_eq!(platform["vgpu-stub"], "pool_id=A,priority=medium,vm_id=0");
    // Both have 0x1e for their own.
    assert_eq!(platform["first-device"], "value=7,addr=0x1d");
    assert_eq!(host.messages(), [""; 0]);
    host.dnf("--disablerepo=published upgrade qemu");
    assert!(host.says("rpm -q qemu").contains("5.2.15.3.xcpng8.3.noarch"));
    let messages = host.messages();
    let expected =
        "qemu-4.2.1-5.2.15.3.xcpng8.3 does not have first-device, vgpu-stub; 1 VM that is";
    assert!(messages.len() == 1 && messages[0].contains(expected), "{messages:?}");
    assert!(messages[0].contains("yum --enablerepo=two-devices install qemu"), "{messages:?}");
    let warned = host.says("qemu-device status web 2>&1");
    assert!(warned.contains("QEMU of this host does not have first-device"), "{warned}");
    host.says("rpm -U --nodigest --nosignature /scratch/qemu-*.vgpu1.*.rpm");
    assert_eq!(host.messages(), [""; 0]);
    host.says("rpm -e --nodeps qemu");
    assert_eq!(host.messages().len(), 1);
    host.is_well(true, true);
    host.says("touch /run/qemu-device-remove-anyway && rpm -e qemu-device-dom0");
    assert_eq!(host.messages(), [""; 0]);
    host.is_well(true, false);
}

#[test]
fn a_restart_waits_for_what_xapi_is_at() {
    let host = host();
    host.dnf("install xenopsd xenopsd-xc");
    let task = |name: &str| {
        let edit = format!(
            "python3 - <<'END'\nimport json\np = '/opt/dom0/state/xapi.json'\ns = json.load(open(p))\n\
             s['tasks'] = [{{'uuid': '1', 'name-label': '{name}', 'status': 'pending'}}]\n\
             json.dump(s, open(p, 'w'))\nEND"
        );
        host.says(&edit);
    };
    task("Async.VM.migrate_send");
    let said = host.dnf("install qemu-device-dom0");
    assert!(said.contains("xenopsd-xc is not restarted now"), "{said}");
    assert_eq!(host.restarts(), [""; 0]);
    // What Xen Orchestra's own update is.
    task("Async.host.call_plugin");
    host.dnf("reinstall qemu-device-dom0");
    assert_eq!(host.restarts(), [RESTARTED_WITH]);
}

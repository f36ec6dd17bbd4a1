// SPDX-License-Identifier: GPL-2.0-or-later
//! The names of devices that dom0 serves: each is the key of a VM's platform map that asks for one.

use super::file::Violation;
use super::path::Path;
use super::{ExpectedType, Pipeline};

/// Keys of the platform map that XAPI, xenopsd or the vendor's wrapper read (xen-api: `vm_platform.ml`,
/// `xapi_xenops.ml`, `domain.ml`, `device.ml`, `xenops_server_xen.ml`), or an older guide taught.
const PLATFORM_KEYS: &[&str] = &[
    "acpi",
    "acpi_s3",
    "acpi_s4",
    "apic",
    "cores-per-socket",
    "device-model",
    "device-model-args",
    "device_id",
    "disk_type",
    "emu-manager",
    "exp-nested-hvm",
    "featureset",
    "generation-id",
    "hap",
    "hpet",
    "hvm_serial",
    "igd_passthrough",
    "keymap",
    "max_grant_frames",
    "max_maptrack_frames",
    "mmio_size_mib",
    "nested-virt",
    "netscaler",
    "nic_type",
    "nvme",
    "nx",
    "pae",
    "parallel",
    "pvinpvh-xen-cmdline",
    "qemu_disk_cmdline",
    "qemu_stubdom",
    "revision",
    "secureboot",
    "shim_mib",
    "timeoffset",
    "timer_mode",
    "tpm_version",
    "tsc_mode",
    "usb",
    "usb_tablet",
    "vga",
    "videoram",
    "vpmu",
    "vtpm",
    "xenguest",
];
/// Beginnings of families of them.
const PLATFORM_FAMILIES: &[&str] = &["pv-", "vcpu", "vgpu_", "viridian"];

/// Whether XAPI has such a key of its own.
pub fn is_taken(name: &str) -> bool {
    let family = PLATFORM_FAMILIES.iter().any(|family| name.starts_with(family));
    family || PLATFORM_KEYS.contains(&name)
}

/// Every device that the package for dom0 serves can be set for a VM: its contract says how, and its type can
/// be a key of the platform map.
pub fn check(pipeline: &Pipeline, contracts: &[ExpectedType]) -> Vec<Violation> {
    if pipeline.wrapper.is_none() {
        return Vec::new();
    }
    let known = || pipeline.verify.types.iter().chain(contracts);
    let mut violations = Vec::new();
    for (number, device) in pipeline.device.iter().enumerate() {
        let name = device.qom_type.as_str();
        let path = Path::of("device").item(number).key("type");
        let Some(expected) = known().find(|expected| expected.name == device.qom_type) else {
            continue;
        };
        if expected.settings.is_none() {
            let what = format!(
                "the contract of `{name}` has no `settings`, so nobody could give it to a VM"
            );
            let help = "`settings: {}` in its contract lets operators attach it as it is";
            let violation = Violation::new(path.clone(), what).help(help);
            violations.push(violation.other(Path::of("wrapper"), "by the package for dom0"));
        }
        if is_taken(name) {
            let what = format!("`{name}` is a key of XAPI's own in a VM's platform map");
            violations.push(
                Violation::new(path.clone(), what)
                    .help("give the type another name: it is the key that VMs get the device by"),
            );
        }
        // `xs_is_valid_path` and oxenstored's `Store.Path.char_is_valid`.
        if let Some(odd) = name.chars().find(|c| !c.is_ascii_alphanumeric() && *c != '-') {
            let what = format!("`{name}` is no name in XenStore: it has `{odd}` in it");
            violations.push(
                Violation::new(path, what)
                    .help("give the type another name: letters, digits and `-`"),
            );
        }
    }
    violations
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The life of the package for dom0 on a host: real rpm and dnf, in a container. After each step the
//! vendor's packages are untouched and xenopsd's drop-in is there exactly as long as what it names.

pub mod host;
mod updates;

use crate::support::{self, ends_with, program, workstation};
use host::{Host, WRAPPER, published};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const RESTARTED_WITH: &str = "try-restart xenopsd-xc.service with drop-in, with shim";
const RESTARTED_WITHOUT: &str = "try-restart xenopsd-xc.service without drop-in, with shim";
const ONE_VM: &str = r#"{"vgpu-stub": "pool_id=A"}"#;

/// A host without a VM that uses the device.
fn host() -> Host {
    let host = Host::start(&workstation().repository);
    host.vm("{}");
    host
}

#[test]
fn it_comes_after_the_vendors_packages_and_goes() {
    let host = host();
    host.dnf("install xenopsd xenopsd-xc");
    host.dnf("install qemu-device-dom0");
    host.is_well(true, true);
    assert_eq!(host.restarts(), [RESTARTED_WITH]);
    let removed = host.dnf("remove qemu-device-dom0");
    host.is_well(true, false);
    assert_eq!(host.restarts(), [RESTARTED_WITH, RESTARTED_WITHOUT], "{removed}");
    assert!(!removed.to_lowercase().contains("warning"), "{removed}");
}

#[test]
fn it_comes_before_the_vendors_packages_or_with_them() {
    let host = host();
    host.dnf("install qemu-device-dom0");
    host.is_well(false, true);
    host.dnf("install xenopsd xenopsd-xc");
    host.is_well(true, true);
    // Both go at once, then come at once.
    host.dnf("remove qemu-device-dom0 xenopsd xenopsd-xc");
    host.is_well(false, false);
    host.dnf("install qemu-device-dom0 xenopsd xenopsd-xc");
    host.is_well(true, true);
    assert_eq!(host.restarts(), [RESTARTED_WITH, RESTARTED_WITHOUT, RESTARTED_WITH]);
}

#[test]
fn an_upgrade_of_either_leaves_the_other_alone() {
    let host = host();
    host.dnf("install xenopsd-1-1 xenopsd-xc-1-1 qemu-device-dom0");
    host.dnf("upgrade xenopsd xenopsd-xc");
    host.is_well(true, true);
    assert!(host.says(&format!("cat {WRAPPER}")).contains("# Version 2"));
    host.says("echo 'on-invalid = start-without-device' >/etc/qemu-device/policy.conf");
    host.says("rpm -U --nodigest --nosignature /scratch/newer.rpm");
    assert!(host.says("rpm -q qemu-device-dom0").starts_with("qemu-device-dom0-999-"));
    assert!(host.says("cat /etc/qemu-device/policy.conf").contains("start-without-device"));
    assert_eq!(host.restarts(), [RESTARTED_WITH, RESTARTED_WITH]);
    host.says("rpm -V xenopsd xenopsd-xc");
}

#[test]
fn it_stays_while_a_vm_is_set_to_use_it() {
    let host = host();
    host.dnf("install xenopsd xenopsd-xc qemu-device-dom0");
    host.vm(ONE_VM);
    for command in ["dnf -y remove qemu-device-dom0", "rpm -e qemu-device-dom0"] {
        let refused = host.sh(command);
        assert!(!refused.success, "{}", refused.text);
        assert!(refused.text.contains("web"), "{}", refused.text);
        host.is_well(true, true);
    }
    assert_eq!(host.restarts(), [RESTARTED_WITH], "nothing was restarted for nothing");
    host.says("touch /run/qemu-device-remove-anyway && rpm -e qemu-device-dom0");
    host.is_well(true, false);
    assert!(!host.sh("[ -e /run/qemu-device-remove-anyway ]").success, "consent is given once");
}

#[test]
fn it_stays_while_xenopsd_would_still_look_for_it() {
    let host = host();
    host.dnf("install xenopsd xenopsd-xc qemu-device-dom0");
    let refused = |why: &str| {
        let outcome = host.sh("rpm -e qemu-device-dom0");
        assert!(!outcome.success && outcome.text.contains(why), "{}", outcome.text);
        assert!(host.sh("[ -x /usr/libexec/qemu-device/qemu-wrapper ]").success);
    };
    // Every file there counts, whatever its name ends in.
    host.says("cd /etc/xenopsd.conf.d && cp qemu-device.conf qemu-device.conf.bak");
    refused("/etc/xenopsd.conf.d/qemu-device.conf.bak points xenopsd at it too");
    host.says("rm /etc/xenopsd.conf.d/qemu-device.conf.bak; touch /opt/dom0/fails");
    refused("xenopsd-xc, which uses it, cannot be restarted");
    host.says("rm /opt/dom0/fails");
    // The daemon has read it, although it is gone.
    host.says("rm -f /etc/xenopsd.conf.d/qemu-device.conf; rpm -e qemu-device-dom0");
    assert_eq!(host.restarts().last().unwrap(), RESTARTED_WITHOUT);
    host.is_well(true, false);
}

#[test]
fn a_lost_drop_in_comes_back_with_a_reinstallation() {
    let host = host();
    host.dnf("install xenopsd xenopsd-xc qemu-device-dom0");
    host.says("rm /etc/xenopsd.conf.d/qemu-device.conf; touch /run/qemu-device-remove-anyway");
    host.dnf("reinstall qemu-device-dom0");
    host.is_well(true, true);
    assert_eq!(host.restarts(), [RESTARTED_WITH, RESTARTED_WITH]);
    assert!(!host.sh("[ -e /run/qemu-device-remove-anyway ]").success, "consent of another day");
}

#[test]
fn rollback_goes_back_to_stock_with_the_real_package() {
    let host = host();
    host.dnf("install qemu-2:4.2.1-5.2.15.2.xcpng8.3.vgpu1 xenopsd xenopsd-xc qemu-device-dom0");
    host.vm(ONE_VM);
    let refused = host.sh("qemu-device rollback --yes");
    assert!(!refused.success && refused.text.contains("web"), "{}", refused.text);
    host.is_well(true, true);
    let said = host.says("qemu-device rollback --yes --detach-vms");
    assert!(said.contains("this host is back to stock"), "{said}");
    host.is_well(true, false);
    assert!(host.says("rpm -q qemu").contains("5.2.15.3.xcpng8.3"), "{said}");
    assert!(!host.sh("rpm -q qemu-device-dom0").success);
    let first = host.restarts()[1].clone();
    assert!(
        first.contains("xenopsd-xc") && first.contains("without drop-in, with shim"),
        "{first}"
    );
}

#[test]
fn a_transaction_that_another_package_breaks_leaves_it_whole() {
    let host = host();
    host.dnf("install xenopsd xenopsd-xc");
    let outcome = host.sh("dnf -y install qemu-device-dom0 broken");
    assert!(!outcome.success, "{}", outcome.text);
    assert!(!host.sh("rpm -q broken").success);
    // It was whole before the other one broke: the other requires it, so it came first.
    assert!(host.sh("rpm -q qemu-device-dom0").success, "{}", outcome.text);
    host.is_well(true, true);
    assert_eq!(host.restarts(), [RESTARTED_WITH]);
}

#[test]
fn twenty_rounds_leave_nothing_behind() {
    let host = host();
    host.dnf("install xenopsd xenopsd-xc");
    let before = host.files();
    let package = published(&workstation().repository);
    let package = package.file_name().unwrap().to_string_lossy();
    host.says(&format!(
        "set -e; rpm --import /published/RPM-GPG-KEY-*; for round in $(seq 20); do \
         rpm -i /published/Packages/{package}; rpm -e qemu-device-dom0; done"
    ));
    host.is_well(true, false);
    assert_eq!(host.restarts().len(), 40);
    let after = host.files();
    let left: Vec<_> = after.lines().filter(|line| !before.lines().any(|l| l == *line)).collect();
    assert!(left.is_empty() && after.len() == before.len(), "{left:?}");
}

/// A hard requirement on our QEMU would fail a host's whole update on that day.
#[test]
fn a_newer_stock_qemu_replaces_ours_and_doctor_says_so() {
    let host = host();
    host.dnf(
        "install qemu-2:4.2.1-5.2.15.2.xcpng8.3.vgpu1 xenopsd-1-1 xenopsd-xc qemu-device-dom0",
    );
    let judged = |host: &Host| {
        let said = host.sh("qemu-device doctor --json 2>/dev/null").text;
        let said: serde_json::Value =
            serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"));
        let checks = said["checks"].as_array().unwrap().clone();
        let of = |name: &str| {
            let check = checks.iter().find(|check| check["name"] == name);
            check.unwrap_or_else(|| panic!("{said}"))["state"].as_str().unwrap().to_owned()
        };
        [of("qemu-is-ours"), of("qemu-device"), of("vendor-wrapper")]
    };
    assert_eq!(judged(&host), ["ok", "ok", "ok"]);
    host.dnf("upgrade");
    assert!(host.says("rpm -q qemu").contains("5.2.15.3.xcpng8.3"));
    assert!(host.says("rpm -q xenopsd").contains("xenopsd-2"));
    host.is_well(true, true);
    assert_eq!(judged(&host), ["fail", "fail", "ok"]);
}

/// Runs the pipeline `p.yaml` of a folder, and publishes into its `out`.
fn publish(folder: &Path) {
    let mut run = program();
    run.arg("run").arg(folder.join("p.yaml")).args(["--replace", "--accept-new-signer"]);
    ends_with(0, run.arg("--output").arg(folder.join("out")));
}

/// The repository of the variant for hosts without the drop-ins' folder.
fn patching() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = support::kept("patching");
        fs::create_dir_all(&folder).unwrap();
        let text = fs::read_to_string(support::root().join("pipeline/workstation.yaml")).unwrap();
        let text = text
            .replace("../", &format!("{}/", support::root().display()))
            .replace(
                "workstation/qemu.spec",
                &format!("{}/pipeline/workstation/qemu.spec", support::root().display()),
            )
            .replace("\nwrapper:\n", "\nwrapper:\n  integration: patch\n");
        fs::write(folder.join("p.yaml"), text).unwrap();
        publish(&folder);
        folder
    })
}

#[test]
fn the_variant_for_8_2_keeps_its_patch_through_updates() {
    let host = Host::start(&patching().join("out"));
    host.vm("{}");
    host.dnf("install xenopsd-1-1");
    let patched = || host.sh(&format!("qemu-device-patch --check {WRAPPER}")).success;
    host.dnf("install qemu-device-dom0-patch");
    assert!(patched());
    let other = host.sh("rpm -i --nodigest --nosignature /scratch/other.rpm");
    assert!(!other.success && other.text.contains("conflicts with"), "{}", other.text);
    let drop_in = host.sh("[ -e /etc/xenopsd.conf.d/qemu-device.conf ]");
    assert!(!drop_in.success && host.restarts().is_empty());
    host.dnf("upgrade xenopsd");
    assert!(patched() && host.says(&format!("cat {WRAPPER}")).contains("# Version 2"));
    host.dnf("remove qemu-device-dom0-patch");
    let altered = host.sh("rpm -V xenopsd");
    assert!(altered.success, "{}", altered.text);
    // It comes first, and the vendor's package after it.
    host.dnf("remove xenopsd");
    host.dnf("install qemu-device-dom0-patch");
    host.dnf("install xenopsd");
    assert!(patched());
    host.dnf("remove xenopsd qemu-device-dom0-patch");
    assert!(!host.sh("rpm -q qemu-device-dom0-patch").success);
}

#[test]
fn what_is_published_beside_the_packages_is_signed_for() {
    let repository = &workstation().repository;
    let home = support::scratch();
    let gpg = || {
        let mut gpg = Command::new("gpg");
        gpg.args(["--batch", "--quiet", "--homedir"]).arg(home.path());
        gpg
    };
    ends_with(0, gpg().arg("--import").arg(repository.join("RPM-GPG-KEY-workstation")));
    let sums = repository.join("SHA256SUMS");
    ends_with(0, gpg().arg("--verify").arg(repository.join("SHA256SUMS.asc")).arg(&sums));
    let sums = fs::read_to_string(sums).unwrap();
    for name in ["wrapper/qemu-wrapper", "wrapper/qemu-wrapper.diff", "manifest.json"] {
        assert!(sums.lines().any(|line| line.ends_with(&format!("  {name}"))), "{sums}");
    }
    let mut back = Command::new("python3");
    let reverted = home.path().join("reverted");
    back.arg("-B").arg(support::root().join("wrapper/qemu-device-patch")).arg("--revert");
    ends_with(0, back.arg("--output").arg(&reverted).arg(repository.join("wrapper/qemu-wrapper")));
    let sample = support::root().join("wrapper/sample/qemu-wrapper");
    assert_eq!(fs::read(reverted).unwrap(), fs::read(sample).unwrap());
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The files of `wrapper/` that this program carries, so that it makes the package wherever it runs.

use super::{package, scriptlets};
use crate::config::Integration;

/// A file of `wrapper/`.
pub struct Asset {
    pub name: &'static str,
    pub text: &'static str,
    pub kind: Kind,
}

/// What a file is to a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A module of Python's.
    Module,
    /// A program for operators.
    Program,
    /// What xenopsd runs in the place of the vendor's wrapper.
    Shim,
    /// What tells xenopsd to.
    DropIn,
    /// What is the operator's to change.
    Setting,
    Document,
    /// What bash reads.
    Completion,
}

/// Where Python finds the modules on a host.
pub const MODULES: &str = "/usr/lib/qemu-device";

macro_rules! carried {
    ($($kind:ident: $($name:literal)*;)*) => {
        pub const ASSETS: &[Asset] = &[$($(Asset {
            name: $name,
            text: include_str!(concat!("../../../wrapper/", $name)),
            kind: Kind::$kind,
        }),*),*];
    };
}

carried! {
    Module:
        "qemu_device/__init__.py"
        "qemu_device/choice.py"
        "qemu_device/command/__init__.py"
        "qemu_device/command/attach.py"
        "qemu_device/command/check_qemu.py"
        "qemu_device/command/check_update.py"
        "qemu_device/command/check_vms.py"
        "qemu_device/command/check_wrapper.py"
        "qemu_device/command/complete.py"
        "qemu_device/command/doctor.py"
        "qemu_device/command/logs.py"
        "qemu_device/command/main.py"
        "qemu_device/command/notice.py"
        "qemu_device/command/outcome.py"
        "qemu_device/command/packages.py"
        "qemu_device/command/paths.py"
        "qemu_device/command/places.py"
        "qemu_device/command/pool.py"
        "qemu_device/command/programs.py"
        "qemu_device/command/qemu.py"
        "qemu_device/command/report.py"
        "qemu_device/command/rollback.py"
        "qemu_device/command/status.py"
        "qemu_device/command/steps.py"
        "qemu_device/command/troubles.py"
        "qemu_device/command/vm.py"
        "qemu_device/command/xe.py"
        "qemu_device/command/xenopsd.py"
        "qemu_device/contract.py"
        "qemu_device/emulator.py"
        "qemu_device/patch/__init__.py"
        "qemu_device/patch/block.py"
        "qemu_device/patch/files.py"
        "qemu_device/patch/main.py"
        "qemu_device/patch/shape.py"
        "qemu_device/policy.py"
        "qemu_device/served.py"
        "qemu_device/setting.py"
        "qemu_device/slots.py"
        "qemu_device/start.py";
    Program: "qemu-device" "qemu-device-patch";
    Shim: "qemu-wrapper";
    DropIn: "qemu-device.conf";
    Setting: "policy.conf";
    Document: "README.md";
    Completion: "qemu-device.bash";
}

impl Asset {
    /// Where it is on a host.
    pub fn path(&self) -> String {
        let folder = match self.kind {
            Kind::Module => MODULES,
            Kind::Program => "/usr/sbin",
            Kind::Shim => "/usr/libexec/qemu-device",
            Kind::DropIn => "/etc/xenopsd.conf.d",
            Kind::Setting => "/etc/qemu-device",
            Kind::Document => "/usr/share/doc/qemu-device",
            Kind::Completion => "/usr/share/bash-completion/completions",
        };
        // bash finds completions by the command's name.
        format!("{folder}/{}", self.name.trim_end_matches(".bash"))
    }

    pub fn permissions(&self) -> u16 {
        match self.kind {
            Kind::Program | Kind::Shim => 0o755,
            Kind::Module | Kind::DropIn | Kind::Setting | Kind::Document | Kind::Completion => {
                0o644
            }
        }
    }

    /// Whether a package of this integration has it.
    pub fn is_for(&self, integration: Integration) -> bool {
        match self.kind {
            Kind::Shim | Kind::DropIn => integration == Integration::DropIn,
            Kind::Module | Kind::Program | Kind::Setting | Kind::Document | Kind::Completion => {
                true
            }
        }
    }
}

/// blake3 of all that the packages are made of, but for what a pipeline says of its devices.
pub fn digest() -> String {
    let mut digest = blake3::Hasher::new();
    let files = ASSETS.iter().flat_map(|file| [file.name, file.text]);
    for part in files.chain(scriptlets::ALL).chain([package::VERSION]) {
        digest.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    digest.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    #[test]
    fn every_file_for_a_dom0_is_carried() {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("wrapper");
        let mut open = vec![top.clone()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(&top).unwrap().to_str().unwrap().to_owned();
                if path.is_dir() {
                    // The sample is for pipelines and tests.
                    open.extend(
                        (!["sample", "__pycache__"].iter().any(|no| name.ends_with(no)))
                            .then_some(path),
                    );
                } else {
                    assert!(ASSETS.iter().any(|file| file.name == name), "`{name}` is not carried");
                }
            }
        }
    }
}

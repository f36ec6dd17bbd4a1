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
}

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
        "vgpu_stub/__init__.py"
        "vgpu_stub/command/__init__.py"
        "vgpu_stub/command/attach.py"
        "vgpu_stub/command/check_qemu.py"
        "vgpu_stub/command/check_vms.py"
        "vgpu_stub/command/check_wrapper.py"
        "vgpu_stub/command/doctor.py"
        "vgpu_stub/command/logs.py"
        "vgpu_stub/command/main.py"
        "vgpu_stub/command/outcome.py"
        "vgpu_stub/command/packages.py"
        "vgpu_stub/command/paths.py"
        "vgpu_stub/command/programs.py"
        "vgpu_stub/command/qemu.py"
        "vgpu_stub/command/report.py"
        "vgpu_stub/command/rollback.py"
        "vgpu_stub/command/status.py"
        "vgpu_stub/command/steps.py"
        "vgpu_stub/command/vm.py"
        "vgpu_stub/command/xe.py"
        "vgpu_stub/command/xenopsd.py"
        "vgpu_stub/patch/__init__.py"
        "vgpu_stub/patch/block.py"
        "vgpu_stub/patch/files.py"
        "vgpu_stub/patch/main.py"
        "vgpu_stub/patch/shape.py"
        "vgpu_stub/setting.py"
        "vgpu_stub/start.py";
    Program: "vgpu-stub" "vgpu-stub-patch";
    Shim: "qemu-wrapper";
    DropIn: "vgpu-stub.conf";
    Setting: "policy.conf";
    Document: "README.md";
}

impl Asset {
    /// Where it is on a host.
    pub fn path(&self) -> String {
        let folder = match self.kind {
            Kind::Module => "/usr/lib/vgpu-stub",
            Kind::Program => "/usr/sbin",
            Kind::Shim => "/usr/libexec/vgpu-stub",
            Kind::DropIn => "/etc/xenopsd.conf.d",
            Kind::Setting => "/etc/vgpu-stub",
            Kind::Document => "/usr/share/doc/vgpu-stub",
        };
        format!("{folder}/{}", self.name)
    }

    pub fn permissions(&self) -> u16 {
        match self.kind {
            Kind::Program | Kind::Shim => 0o755,
            Kind::Module | Kind::DropIn | Kind::Setting | Kind::Document => 0o644,
        }
    }

    /// Whether a package of this integration has it.
    pub fn is_for(&self, integration: Integration) -> bool {
        match self.kind {
            Kind::Shim | Kind::DropIn => integration == Integration::DropIn,
            Kind::Module | Kind::Program | Kind::Setting | Kind::Document => true,
        }
    }
}

/// blake3 of all that the packages are made of.
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

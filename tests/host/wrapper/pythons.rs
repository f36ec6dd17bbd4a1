// SPDX-License-Identifier: GPL-2.0-or-later
//! The Pythons of a dom0: 3.6 in XCP-ng 8.3, 2.7 in 8.2, and Debian 12's own, which Xen's bindings
//! are packaged for. Debian has no package of the older ones: a test of theirs is skipped aloud where
//! a machine has none, and `tests/run` counts it.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

pub const DEBIAN_PYTHON: &str = "/usr/bin/python3";

#[derive(Clone, Copy)]
pub enum Python {
    V2_7,
    V3_6,
    Debian,
}

impl Python {
    /// Where it is; `None` after saying that it is nowhere.
    pub fn path(self) -> Option<PathBuf> {
        let version = match self {
            Self::V2_7 => "2.7",
            Self::V3_6 => "3.6",
            Self::Debian => return Some(DEBIAN_PYTHON.into()),
        };
        let found = candidates(version).into_iter().find_map(|name| interpreter(&name, version));
        if found.is_none() {
            let test = std::thread::current().name().unwrap_or("a test").to_owned();
            // Not `eprintln!`, which the harness would keep to itself.
            let line = format!("SKIPPED: {test}: this machine has no Python {version}\n");
            std::io::stderr().write_all(line.as_bytes()).unwrap();
        }
        found
    }
}

/// What it may be called: by its name on PATH, or as pyenv lays it out.
fn candidates(version: &str) -> Vec<OsString> {
    let name = format!("python{version}");
    let versions = std::env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".pyenv")))
        .map(|root| root.join("versions"));
    let folders = versions.and_then(|folder| std::fs::read_dir(folder).ok()).into_iter().flatten();
    let installed = folders.filter_map(|entry| Some(entry.ok()?.path().join("bin").join(&name)));
    std::iter::once(OsString::from(&name)).chain(installed.map(Into::into)).collect()
}

/// The file of the interpreter of this name, where it is one and of this version.
fn interpreter(name: &OsString, version: &str) -> Option<PathBuf> {
    let script = "import sys; print('%d.%d %s' % (sys.version_info[:2] + (sys.executable,)))";
    let output = Command::new(name).args(["-c", script]).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    Some(said.trim_end().strip_prefix(version)?.strip_prefix(' ')?.into())
}

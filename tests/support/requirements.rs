// SPDX-License-Identifier: GPL-2.0-or-later
//! What the tests need of the machine: its programs and files. A test never skips itself: where something is missing it
//! fails with one line that names the Debian package that brings it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The full path of a program, which must be there.
pub fn program(name: &str, package: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // An ordinary user's PATH lacks the folders of ldconfig and its like.
    let system = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(system)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .unwrap_or_else(|| missing(&format!("the program `{name}`"), package))
}

/// A file, which must be there.
pub fn file(path: &str, package: &str) -> PathBuf {
    if !Path::new(path).exists() {
        missing(&format!("`{path}`"), package);
    }
    path.into()
}

/// What a program prints, which has to succeed.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Fails the test.
pub fn missing(what: &str, package: &str) -> ! {
    panic!("{what} is missing: apt-get install {package}")
}

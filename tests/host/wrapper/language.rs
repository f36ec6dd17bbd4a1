// SPDX-License-Identifier: GPL-2.0-or-later
//! The language of what runs in dom0: nothing newer than Python 2.7 and 3.6 know, by `vermin`, on every
//! machine, since few have those Pythons.

use crate::support;
use crate::support::requirements::{self, run};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// One version, by the digest of its one file.
const VERMIN: &str = "vermin==1.6.0 \
    --hash=sha256:f1fa9ee40f59983dc40e0477eb2b1fa8061a3df4c3b2bcf349add462a5610efb\n";

/// Asked for before it is used: what Python 2 does not know, or knows under another name.
const OPTIONAL: &[&str] = &["os.listxattr", "os.getxattr", "os.setxattr", "shlex.quote"];

fn vermin() -> PathBuf {
    let folder = support::kept("wrapper/vermin");
    let program = folder.join("bin/vermin");
    if !program.exists() {
        requirements::file("/usr/lib/python3.11/ensurepip", "python3-venv");
        run(Command::new(super::DEBIAN_PYTHON).args(["-m", "venv"]).arg(&folder));
        let pins = folder.join("requirements.txt");
        fs::write(&pins, VERMIN).unwrap();
        let mut pip = Command::new(folder.join("bin/pip"));
        run(pip.args(["install", "--quiet", "--require-hashes", "--no-deps", "-r"]).arg(pins));
    }
    program
}

fn fits(what: &[PathBuf]) -> bool {
    let mut vermin = Command::new(vermin());
    vermin.args(["-t=2.7-", "-t=3.6-", "--no-tips", "--violations"]);
    for name in OPTIONAL {
        vermin.args(["--exclude", name]);
    }
    let output = vermin.args(what).output().unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    output.status.success()
}

#[test]
fn everything_of_dom0_is_for_2_7_and_3_6() {
    let folder = support::root().join("wrapper");
    let names = ["qemu-wrapper", "vgpu-stub", "qemu-device-patch", "qemu_device"];
    assert!(fits(&names.map(|name| folder.join(name))));
    // It sees what it is for.
    let scratch = support::scratch();
    let newer = scratch.path().join("newer.py");
    fs::write(&newer, "print(f'{1}')\n").unwrap();
    assert!(!fits(&[newer]));
}

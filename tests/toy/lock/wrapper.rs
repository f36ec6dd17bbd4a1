// SPDX-License-Identifier: GPL-2.0-or-later
//! `lock --check` and the vendor's qemu-wrapper: a newer package of it may have another one.

use super::World;
use crate::support::{self, sha256};
use std::fs;

#[test]
fn a_newer_package_of_the_vendors_wrapper_is_seen() {
    let world = World::new("vendors-wrapper");
    let sample = support::root().join("wrapper/sample/qemu-wrapper");
    fs::copy(&sample, world.toy.path("qemu-wrapper")).unwrap();
    world.toy.with_settings();
    let section = format!(
        "wrapper:\n  vendor:\n    path: {{ file: qemu-wrapper, sha256: {} }}\n  \
         package: {{ name: toy-libs, version: 0.9-1.el7 }}\n\nverify:\n",
        sha256(&sample)
    );
    world.toy.edit("toy.yaml", "verify:\n", &section);
    let said = || String::from_utf8(world.radar().output().unwrap().stdout).unwrap();
    for (from, to, expected) in [
        (
            "",
            "",
            "ACT the vendor's qemu-wrapper is that of toy-libs 0.9-1.el7, and 1.0-1.el7 is served: look",
        ),
        (
            "version: 0.9-1.el7",
            "version: 1.0-1.el7",
            "    the vendor's qemu-wrapper is that of toy-libs 1.0-1.el7; ",
        ),
        (
            "name: toy-libs,",
            "name: no-such,",
            "ACT the vendor's qemu-wrapper is that of no-such 1.0-1.el7, which no",
        ),
    ] {
        world.toy.edit("toy.yaml", from, to);
        let said = said();
        assert!(said.contains(expected), "{expected}\n{said}");
    }
}

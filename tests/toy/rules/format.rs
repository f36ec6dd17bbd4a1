// SPDX-License-Identifier: GPL-2.0-or-later
//! Packages of rpm's format 6: read and judged like those of format 4, and refused where a run or a
//! target is of format 4 alone.

use super::builder::{Bytes, FILE, of_format_6, plain};
use crate::support::{ends_with, program, refusal, scratch, stable};
use insta::assert_snapshot;
use serde_json::Value;
use std::fs;
use std::path::Path;

fn facts(path: &Path) -> Value {
    let said = ends_with(0, program().arg("verify").arg(path).arg("--json")).stdout;
    serde_json::from_slice(&said).unwrap()
}

#[test]
fn a_package_of_format_6_is_read_in_full() {
    let folder = scratch();
    let package = of_format_6(folder.path());
    assert_eq!(fs::read(&package).unwrap()[4], 4, "the version in its lead");
    let facts = facts(&package);
    assert_eq!(facts["format"], 6);
    assert_eq!(facts["files"][0]["path"], FILE);
    assert_eq!(facts["faults"], serde_json::json!([]));
    let digests = facts["signature"]["digests"].as_array().unwrap();
    for wanted in ["header-sha3-256", "payload-sha512", "payload-sha3-256", "payload-sha256"] {
        assert!(digests.iter().any(|digest| digest == wanted), "{wanted} is not in {digests:?}");
    }
}

#[test]
fn every_target_refuses_it_by_its_format() {
    let folder = scratch();
    let package = of_format_6(folder.path());
    for (target, rpm) in [("el7", "4.11"), ("el8", "4.14"), ("el9", "4.16")] {
        let mut verify = program();
        let output = verify.arg("verify").arg(&package).args(["--target", target]);
        let said = String::from_utf8(ends_with(1, output).stdout).unwrap();
        let line = format!(
            "broken package-format: it is a package of the format 6, and rpm {rpm} of {target} is of \
             the format 4"
        );
        assert!(said.lines().any(|found| found == line), "{said}");
    }
}

/// Each digest that only this format has, and each size, is read and held to.
#[test]
fn a_digest_of_format_6_that_is_not_so_is_told() {
    let folder = scratch();
    let package = of_format_6(folder.path());
    let whole = fs::read(&package).unwrap();
    let payload = whole.windows(6).position(|window| window == b"07070X").unwrap();
    let mut bytes = whole.clone();
    let text = whole.len() - payload;
    let at = payload + text / 3;
    bytes[at] ^= 1;
    fs::write(&package, &bytes).unwrap();
    let output = program().arg("verify").arg(&package).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_snapshot!(stable(&said), @"
    error: `FOLDER/six.rpm` breaks rules
    ");
    bytes.truncate(whole.len() - 1);
    fs::write(&package, &bytes[..whole.len() - 1]).unwrap();
    refusal(1, program().arg("verify").arg(&package));
    // Its main header, which SHA-256 and SHA3-256 are over.
    let mut bytes = whole.clone();
    let name = whole.windows(6).rposition(|window| window == b"ruled\0").unwrap();
    bytes[name] ^= 1;
    fs::write(&package, &bytes).unwrap();
    let output = program().arg("verify").arg(&package).output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_snapshot!(stable(&said), @"
    error: `FOLDER/six.rpm` breaks rules
    ");
}

/// What is a source package by one tag and a binary one by another would be judged as one, and installed
/// as the other.
#[test]
fn a_package_that_is_two_things_at_once_is_refused() {
    let folder = scratch();
    let whole = plain(folder.path());
    let refused = |edit: &dyn Fn(&mut Bytes)| {
        let mut bytes = whole.clone();
        edit(&mut bytes);
        refusal(1, program().arg("verify").arg(bytes.write(folder.path())))
    };
    let expected = "it says in one place that it is a source package, and not in another";
    let header = whole.header();
    for said in [
        // Its lead; neither tag; both, where its size was.
        refused(&|it| it.0[7] = 1),
        refused(&|it| it.0[6] = 1),
        refused(&|it| {
            it.hide(&header, 1044, 1999).fix();
        }),
        refused(&|it| {
            it.hide(&header, 1009, 1106).fix();
        }),
    ] {
        assert!(said.contains(expected), "{said}");
    }
}

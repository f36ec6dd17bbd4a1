// SPDX-License-Identifier: GPL-2.0-or-later
//! Packages with a few bytes changed, or cut: each is refused, or judged to be what it was before.
//!
//! `VGPU_MUTATIONS` is how many; without it a slice that takes seconds. `VGPU_SEED` begins elsewhere.

use super::builder::{Bytes, Recipe, build, of_format_6, plain};
use crate::support::{campaign, program, scratch};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// Marsaglia's xorshift: the same numbers on every machine.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }
}

/// What is found of a file, without its path, the time that it took, and the room in its signature
/// header, which no digest covers; or nothing, where it is refused.
fn judged(path: &Path) -> Option<Value> {
    let began = Instant::now();
    let output = program().arg("verify").arg(path).arg("--json").output().unwrap();
    let (said, error) = (output.stdout, String::from_utf8(output.stderr).unwrap());
    assert!(matches!(output.status.code(), Some(0..=2)), "{:?}: {error}", output.status);
    assert!(!error.contains("panicked"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    if output.status.code() != Some(0) {
        return None;
    }
    let mut facts: Value = serde_json::from_slice(&said).unwrap();
    for name in ["file", "seconds"] {
        facts.as_object_mut().unwrap().remove(name);
    }
    Some(facts)
}

#[test]
fn a_changed_package_is_refused_or_judged_the_same() {
    let folder = scratch();
    let xz = Recipe { define: &["_binary_payload w2.xzdio"], ..Recipe::default() };
    let packages = [
        plain(folder.path()),
        Bytes(fs::read(build(folder.path(), &xz)).unwrap()),
        Bytes(fs::read(of_format_6(folder.path())).unwrap()),
    ];
    let mut numbers = Numbers(campaign::number("VGPU_SEED", 0x9e37_79b9_7f4a_7c15));
    let (count, mut same) = (campaign::number("VGPU_MUTATIONS", 120), 0);
    let mut wrong = Vec::new();
    for at in 0..count {
        let whole = &packages[usize::try_from(at).unwrap() % packages.len()];
        let expected = judged(&whole.write(folder.path())).expect("a good package");
        let mut bytes = whole.clone();
        let (from, length) = (numbers.below(bytes.0.len()), bytes.0.len());
        match numbers.below(4) {
            0 => bytes.0[from] ^= 1 << numbers.below(8),
            1 => {
                for _ in 0..=numbers.below(8) {
                    let at = numbers.below(length);
                    bytes.0[at] = u8::try_from(numbers.below(256)).unwrap();
                }
            }
            2 => bytes.0.truncate(from),
            _ => {
                let end = (from + 1 + numbers.below(64)).min(length);
                bytes.0.drain(from..end);
            }
        }
        if let Some(found) = judged(&bytes.write(folder.path())) {
            same += 1;
            let alike = |facts: &Value| {
                let mut facts = facts.clone();
                // The tags of the signature header are told, and are under no digest: `sign` makes them anew.
                facts.as_object_mut().unwrap().remove("signature");
                facts
            };
            if alike(&found) != alike(&expected) {
                fs::write(folder.path().join(at.to_string()), &bytes.0).unwrap();
                wrong.push(format!("mutation {at} of {count}: {found}\n    was: {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{count} mutations: {} refused, {same} judged the same", count - same);
}

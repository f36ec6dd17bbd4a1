// SPDX-License-Identifier: GPL-2.0-or-later
//! What is in the files, by their bytes and not by what the header says of them.

use super::super::{Snapshot, difference};
use super::judge;
use crate::rules::InspectedPackage;
use crate::rules::sample::package;
use rpm_inspect::{Error, PackageFile};

/// A package of two files and nothing else, with `bytes` in the place of the first one's after its header
/// was made.
fn forged(bytes: &[u8]) -> InspectedPackage {
    let config = rpm::BuildConfig::default().compression(rpm::CompressionType::None);
    let mut builder = rpm::PackageBuilder::new("forged", "1", "MIT", "x86_64", "A test");
    let options = |path: &str| rpm::FileOptions::new(path).permissions(0o644);
    builder
        .using_config(config.source_date(1_700_000_000_u32))
        .with_file_contents("good", options("/etc/a"))
        .and_then(|builder| builder.with_file_contents("else", options("/etc/b")))
        .unwrap();
    let mut whole = Vec::new();
    builder.build().unwrap().write(&mut whole).unwrap();
    let at = whole.windows(4).rposition(|window| window == b"good").unwrap();
    whole[at..at + 4].copy_from_slice(bytes);
    let path = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&path, whole).unwrap();
    let file = PackageFile::open(path.path()).unwrap();
    let package = file.inspect::<Error>(&mut |_, _| Ok(())).unwrap();
    InspectedPackage { package, elf: Vec::new(), binaries: Vec::new() }
}

/// By MD5, a header can be right about both.
#[test]
fn two_contents_under_one_header_are_a_difference() {
    let (stock, ours) = (forged(b"good"), forged(b"evil"));
    assert_eq!(stock.extra_tags, ours.extra_tags);
    let of = |facts: &InspectedPackage| Snapshot::of_package(facts);
    let changes = difference(&of(&stock), &of(&ours));
    let shown: Vec<String> = changes.iter().map(ToString::to_string).collect();
    let [good, evil] = ["good", "evil"].map(|text| crate::digest::sha256(text.as_bytes()));
    assert_eq!(
        shown,
        [format!("content   ~ /etc/a  4 bytes, {} → 4 bytes, {}", &good[..16], &evil[..16])]
    );
    assert!(judge(&changes).unwrap_err().contains("content   ~ /etc/a"));
    assert_eq!(difference(&of(&forged(b"evil")), &of(&ours)), []);
}

#[test]
fn another_algorithm_of_the_files_digests_is_a_difference() {
    let of = |algorithm| {
        let mut facts = package("one", "x86_64");
        facts.package.file_digest_algorithm = algorithm;
        Snapshot::of_package(&facts)
    };
    let changes = difference(&of(8), &of(1));
    assert_eq!(changes[0].to_string(), "package   ~ file digests  SHA-256 → MD5");
    assert!(judge(&changes).is_err());
    assert_eq!(difference(&of(98), &of(99)).len(), 1);
}

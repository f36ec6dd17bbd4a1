// SPDX-License-Identifier: GPL-2.0-or-later
use super::*;
use crate::error::Rendered;
use ::rpm::{BuildConfig, PackageBuilder};

const NOW: u32 = 1_750_000_000;
const DAY: u32 = 24 * 60 * 60;

/// The time that a package says it was built at. The crate takes none in the future.
fn time_of(built: u32, now: u32) -> Result<u32> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("a.rpm");
    let config = BuildConfig::v4().source_date(NOW - DAY);
    let mut builder = PackageBuilder::new("a", "1", "MIT", "noarch", "A test");
    builder.using_config(config).build()?.write_file(&path)?;
    let mut bytes = std::fs::read(&path)?;
    let said = (NOW - DAY).to_be_bytes();
    let at = bytes.windows(4).rposition(|window| window == said).context("no time")?;
    bytes[at..at + 4].copy_from_slice(&built.to_be_bytes());
    std::fs::write(&path, bytes)?;
    build_time(&path, now)
}

#[test]
fn a_package_built_in_the_future_is_not_signed() {
    for built in [0, 1, NOW - DAY, NOW, NOW + DAY, NOW + 2 * DAY] {
        assert_eq!(time_of(built, NOW).unwrap(), built);
    }
    // By a second, by a mistyped year, and to the end of what a signature can say.
    for built in [NOW + 2 * DAY + 1, NOW + 365 * DAY, u32::MAX] {
        let error = time_of(built, NOW).unwrap_err().rendered();
        let expected = format!("it was built in the future, by its own word ({built} seconds");
        assert!(error.starts_with(&expected) && error.contains("\nhelp: "), "{error}");
    }
    // A clock at its own end puts nothing into the future.
    assert_eq!(time_of(u32::MAX, u32::MAX - DAY).unwrap(), u32::MAX);
}

#[test]
fn a_package_that_does_not_say_when_it_was_built_is_not_signed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.rpm");
    let mut builder = PackageBuilder::new("a", "1", "MIT", "noarch", "A test");
    builder.using_config(BuildConfig::v4()).build().unwrap().write_file(&path).unwrap();
    // The tag 1006 becomes one that nobody knows; it is the last of its number in the file.
    let mut bytes = std::fs::read(&path).unwrap();
    let tag = [1006_u32.to_be_bytes(), 4_u32.to_be_bytes()].concat();
    let at = bytes.windows(8).rposition(|window| window == tag).unwrap();
    bytes[at..at + 4].copy_from_slice(&1999_u32.to_be_bytes());
    std::fs::write(&path, bytes).unwrap();
    let error = crate::error::render(&build_time(&path, NOW).unwrap_err());
    assert!(error.contains("does not say when it was built\nhelp: "), "{error}");
}

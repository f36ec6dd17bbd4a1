//! What is known of packages that only tests have.

use super::facts::{FileFacts, PackageFacts, mode};
use super::read::read;

pub const PLAIN: u16 = mode::REGULAR | 0o644;
pub const FOLDER: u16 = mode::DIRECTORY | 0o755;
pub const LINK: u16 = mode::LINK | 0o777;

/// A package without files, which requires nothing.
pub fn facts(name: &str, arch: &str) -> PackageFacts {
    let folder = tempfile::tempdir().unwrap();
    let package = folder.path().join("a.rpm");
    let mut builder = rpm::PackageBuilder::new(name, "1", "MIT", arch, "A test");
    builder.build().unwrap().write_file(&package).unwrap();
    let mut facts = read(&package, &[], &mut |_, _| Ok(None)).unwrap();
    // What the crate writes there, rpmbuild does in other words.
    facts.requires.clear();
    facts
}

/// A file of root's.
pub fn file(path: &str, mode: u16, link: Option<&str>) -> FileFacts {
    FileFacts {
        path: path.to_owned(),
        size: 1,
        mode,
        user: "root".to_owned(),
        group: "root".to_owned(),
        flags: Vec::new(),
        link: link.map(str::to_owned),
        capabilities: None,
        digest: Some("00".to_owned()),
        colour: 0,
    }
}

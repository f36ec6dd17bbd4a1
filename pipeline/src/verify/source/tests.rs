// SPDX-License-Identifier: GPL-2.0-or-later
use super::*;
use crate::error::Rendered;
use crate::rules::sample::{self, FOLDER, LINK, PLAIN};
use md5::{Digest, Md5};
use rpm_inspect::{FileEntry, mode};
use tempfile::TempDir;

/// What a build was given, with a file that its spec does not name.
struct Given {
    folder: TempDir,
    files: BTreeMap<String, PathBuf>,
}

const SPEC: &str = "qemu.spec";
const DEVICE: &str = "vgpu-stub.c";
const PATCH: &str = "0001-speak.patch";

impl Given {
    fn new() -> Self {
        let mut given = Self { folder: tempfile::tempdir().unwrap(), files: BTreeMap::new() };
        for name in [SPEC, DEVICE, "qemu-4.2.1.tar.gz", PATCH, "README"] {
            given.put(name, format!("This is {name}.\n"));
        }
        given
    }

    fn put(&mut self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        self.files.insert(name.to_owned(), path);
    }

    fn held(&self, name: &str) -> FileEntry {
        let sha256 = sha256_file(&self.files[name]).unwrap();
        let flags = if name == SPEC { vec!["spec".to_owned()] } else { Vec::new() };
        FileEntry { sha256: Some(sha256), flags, ..sample::file(name, PLAIN, None) }
    }

    /// The source package as rpmbuild makes it.
    fn packed(&self) -> InspectedPackage {
        let mut facts = sample::package("qemu", "src");
        facts.package.source = true;
        let names = [SPEC, DEVICE, "qemu-4.2.1.tar.gz", PATCH];
        facts.package.files = names.iter().map(|name| self.held(name)).collect();
        facts
    }

    fn refusal(&self, change: impl FnOnce(&mut InspectedPackage)) -> String {
        let mut facts = self.packed();
        change(&mut facts);
        require_given(&facts, &self.files, SPEC, &[DEVICE]).unwrap_err().rendered()
    }
}

fn of<'a>(facts: &'a mut InspectedPackage, name: &str) -> &'a mut FileEntry {
    facts.package.files.iter_mut().find(|file| file.path == name).unwrap()
}

#[test]
fn what_went_in_is_what_comes_out() {
    let given = Given::new();
    let mut facts = given.packed();
    require_given(&facts, &given.files, SPEC, &[DEVICE]).unwrap();
    // It need not be there, for no spec names it; and may be.
    facts.package.files.push(given.held("README"));
    require_given(&facts, &given.files, SPEC, &[DEVICE]).unwrap();
    // As rpm of a dom0 writes it.
    facts.package.file_digest_algorithm = 1;
    require_given(&facts, &given.files, SPEC, &[DEVICE]).unwrap();
}

#[test]
fn another_content_is_refused_whichever_file_has_it() {
    for name in [SPEC, DEVICE, "qemu-4.2.1.tar.gz", PATCH] {
        let mut given = Given::new();
        let packed = given.packed();
        given.put(name, "This is another one.\n");
        let error = require_given(&packed, &given.files, SPEC, &[DEVICE]).unwrap_err().rendered();
        let expected = format!(
            "{} holds another `{name}` than the one that the build was given\nhelp: ",
            packed.nevra
        );
        assert!(error.starts_with(&expected), "{error}");
        // Where there are no bytes, and by no shorter digest of the right ones.
        let md5 = format!("{:x}", Md5::digest(format!("This is {name}.\n")));
        for digest in [None, Some(String::new()), Some("0".repeat(64)), Some(md5)] {
            let given = Given::new();
            let error = given.refusal(|facts| of(facts, name).sha256 = digest);
            assert!(error.contains(&format!("holds another `{name}`")), "{error}");
        }
    }
}

/// 128 bytes, and which of them differ by their highest bit in another 128 of the same MD5 (Wang, Feng, Lai
/// and Yu, "Collisions for hash functions MD4, MD5, HAVAL-128 and RIPEMD", 2004).
const COLLIDES: &str = "d131dd02c5e6eec4693d9a0698aff95c2fcab58712467eab4004583eb8fb7f89\
                        55ad340609f4b30283e488832571415a085125e8f7cdc99fd91dbdf280373c5b\
                        d8823e3156348f5bae6dacd436c919c6dd53e2b487da03fd02396306d248cda0\
                        e99f33420f577ee8ce54b67080a80d1ec69821bcb6a8839396f9652b6ff72a70";
const DIFFER: [usize; 6] = [19, 45, 59, 83, 109, 123];

#[test]
fn another_content_of_the_same_md5_is_refused() {
    let byte = |at: usize| u8::from_str_radix(&COLLIDES[at..at + 2], 16).unwrap();
    let one: Vec<u8> = (0..COLLIDES.len()).step_by(2).map(byte).collect();
    let mut other = one.clone();
    for at in DIFFER {
        other[at] ^= 0x80;
    }
    assert_eq!(Md5::digest(&one), Md5::digest(&other));
    for name in [SPEC, DEVICE, PATCH] {
        let mut given = Given::new();
        given.put(name, &one);
        let mut packed = given.packed();
        packed.package.file_digest_algorithm = 1;
        require_given(&packed, &given.files, SPEC, &[DEVICE]).unwrap();
        given.put(name, &other);
        let error = require_given(&packed, &given.files, SPEC, &[DEVICE]).unwrap_err().rendered();
        assert!(error.contains(&format!("holds another `{name}`")), "{error}");
    }
}

#[test]
fn a_file_more_or_an_important_one_less_is_refused() {
    let given = Given::new();
    for name in ["evil.c", "dropped.patch", "README.md", "\u{1b}[2J"] {
        let file = FileEntry { path: name.to_owned(), ..given.held(PATCH) };
        let error = given.refusal(|facts| facts.package.files.push(file));
        let expected = format!(
            "holds `{}`, which is none of the files that the build was",
            name.escape_debug()
        );
        assert!(error.contains(&expected), "{error}");
    }
    for (name, expected) in [
        (SPEC, "does not hold the spec `qemu.spec`"),
        (DEVICE, "does not hold the device's `vgpu-stub.c`"),
    ] {
        let error = given.refusal(|facts| facts.package.files.retain(|file| file.path != name));
        assert!(error.contains(expected), "{error}");
        // Its digest stands in the header, and rpm packs nothing of it.
        let error = given.refusal(|facts| of(facts, name).flags.push("ghost".to_owned()));
        assert!(error.contains(&format!("only lists `{name}`, and does not hold it")), "{error}");
    }
    let error = given.refusal(|facts| facts.package.files.clear());
    assert!(error.contains("does not hold the spec"), "{error}");
}

#[test]
fn the_spec_is_the_one_that_it_says() {
    let given = Given::new();
    for (name, flags) in [(SPEC, vec![]), (PATCH, vec!["spec".to_owned()])] {
        let error = given.refusal(|facts| of(facts, name).flags = flags);
        assert!(error.contains("says that another file than `qemu.spec` is its spec"), "{error}");
    }
}

#[test]
fn what_no_source_package_of_rpmbuilds_has_is_refused() {
    let given = Given::new();
    let plain = |change: fn(&mut FileEntry)| given.refusal(|facts| change(of(facts, DEVICE)));
    for error in [
        plain(|file| file.mode = LINK),
        plain(|file| file.mode = FOLDER),
        plain(|file| file.mode = mode::CHARACTER_DEVICE | 0o600),
        plain(|file| file.mode |= 0o4000),
        plain(|file| file.mode |= 0o2000),
        plain(|file| file.capabilities = Some("cap_setuid=ep".to_owned())),
    ] {
        assert!(error.contains("`vgpu-stub.c` is no plain file"), "{error}");
    }
    let error = given.refusal(|facts| facts.package.format = 6);
    assert!(error.contains("is a package of the format 6, not 4"), "{error}");
    let error = given.refusal(|facts| {
        let scriptlet =
            serde_json::json!({ "kind": "post", "interpreter": ["/bin/sh"], "text": "x" });
        facts.package.scriptlets.push(serde_json::from_value(scriptlet).unwrap());
    });
    assert!(error.contains("is a source package that would run something"), "{error}");
    let error = given.refusal(|facts| {
        let trigger =
            serde_json::json!({ "kind": "package", "on": ["in bash"], "interpreter": "a", "text": "x" });
        facts.package.triggers.push(serde_json::from_value(trigger).unwrap());
    });
    assert!(error.contains("is a source package that would run something"), "{error}");
    let error = given.refusal(|facts| {
        let fault = serde_json::json!({ "kind": "digest", "what": "its MD5 is not what it says" });
        facts.package.faults.push(serde_json::from_value(fault).unwrap());
    });
    assert!(error.ends_with(": its MD5 is not what it says"), "{error}");
}

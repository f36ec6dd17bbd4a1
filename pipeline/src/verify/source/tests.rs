// SPDX-License-Identifier: GPL-2.0-or-later
use super::*;
use crate::error::Rendered;
use crate::rules::sample::{self, FOLDER, LINK, PLAIN};
use rpm_inspect::{FileEntry, mode};
use tempfile::TempDir;

#[test]
fn a_file_is_known_by_each_digest_that_rpm_writes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, "abc").unwrap();
    for digest in [
        "900150983cd24fb0d6963f7d28e17f72",
        "a9993e364706816aba3e25717850c26c9cd0d89d",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    ] {
        assert!(is_of(&path, digest).unwrap());
        assert!(!is_of(&path, &digest.replace('c', "d")).unwrap());
    }
    assert!(!is_of(&path, "").unwrap());
}

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
            given.put(name, &format!("This is {name}.\n"));
        }
        given
    }

    fn put(&mut self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        self.files.insert(name.to_owned(), path);
    }

    fn held(&self, name: &str) -> FileEntry {
        let digest = digest::of_file::<Sha256>(&self.files[name]).unwrap();
        let flags = if name == SPEC { vec!["spec".to_owned()] } else { Vec::new() };
        FileEntry { digest: Some(digest), flags, ..sample::file(name, PLAIN, None) }
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
    for file in &mut facts.package.files {
        file.digest = Some(digest::of_file::<Md5>(&given.files[&file.path]).unwrap());
    }
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
        // A digest that is none, or of an algorithm that nobody knows, says nothing.
        for digest in [None, Some(String::new()), Some("0".repeat(64)), Some("0".repeat(128))] {
            let given = Given::new();
            let error = given.refusal(|facts| of(facts, name).digest = digest);
            assert!(error.contains(&format!("holds another `{name}`")), "{error}");
        }
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

// SPDX-License-Identifier: GPL-2.0-or-later
use super::record::RECORD;
use super::*;
use crate::store::Store;
use std::collections::BTreeMap;
use std::fs as std_fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use tempfile::TempDir;

mod changed;
mod leftovers;
mod places;
mod published;

/// A store and a folder beside it for outputs.
struct World {
    folder: TempDir,
    store: Store,
}

/// What a repository holds besides its one package: name and text.
const FILES: [(&str, &str); 3] =
    [("repodata/repomd.xml", "index"), ("SHA256SUMS", "sums"), ("manifest.json", "{}")];

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std_fs::create_dir(folder.path().join("place")).unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        Self { folder, store }
    }

    fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join("place").join(name)
    }

    /// A repository in the store: one package of a version, whose content is `text`.
    fn repository(&self, version: &str, text: &str) -> Stored {
        let nevra = format!("qemu-{version}-1.x86_64");
        let file = format!("Packages/{nevra}.rpm");
        self.with(&file, text, BTreeMap::from([(nevra, content(&file, text))]))
    }

    fn with(&self, file: &str, text: &str, packages: BTreeMap<String, Content>) -> Stored {
        let work = self.store.work().unwrap();
        for (name, text) in FILES.into_iter().chain([(file, text)]) {
            let path = work.files().join(name);
            std_fs::create_dir_all(path.parent().unwrap()).unwrap();
            std_fs::write(path, text).unwrap();
        }
        let facts = Facts {
            pipeline: "toy".to_owned(),
            signer: "KEY".to_owned(),
            development_key: false,
            packages,
        };
        self.store
            .keep(
                work,
                "publish",
                &format!("{file}-{text}").replace('/', "-"),
                BTreeMap::new(),
                &facts,
            )
            .unwrap()
    }

    fn output<'a>(&'a self, folder: &'a Path) -> Output<'a> {
        Output {
            folder,
            pipeline: "toy",
            signer: Some("KEY".to_owned()),
            consent: Consent::default(),
            apart: Vec::new(),
            store: self.store.root(),
        }
    }

    fn refusal(&self, stored: &Stored, folder: &Path) -> String {
        let output = self.output(folder);
        let error = crate::error::render(&examine(&output, Some(stored)).unwrap_err());
        assert_eq!(crate::error::render(&write(stored, &output).unwrap_err()), error);
        assert!(error.contains("\nhelp: "), "{error}");
        error
    }
}

fn content(file: &str, text: &str) -> Content {
    Content {
        file: file.to_owned(),
        header_sha256: text.to_owned(),
        payload_sha256: "p".to_owned(),
    }
}

/// Every path below a folder, with what it is: a file's text, a link's target.
fn tree(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in std_fs::read_dir(at).unwrap() {
            let (path, kind) = entry.map(|e| (e.path(), e.file_type().unwrap())).unwrap();
            let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
            let text = if kind.is_dir() {
                open.push(path);
                "folder".to_owned()
            } else if kind.is_symlink() {
                std_fs::read_link(&path).unwrap().display().to_string()
            } else if kind.is_file() {
                String::from_utf8_lossy(&std_fs::read(&path).unwrap()).into_owned()
            } else {
                "odd".to_owned()
            };
            found.insert(name, text);
        }
    }
    found
}

/// A name, and what somebody puts there.
type Case = (&'static str, fn(&Path));

fn fifo(path: &Path) {
    let mode = rustix::fs::Mode::from_raw_mode(0o644);
    rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
}

#[test]
fn a_repository_goes_where_nothing_is_and_into_an_empty_folder() {
    let world = World::new();
    let stored = world.repository("1", "a");
    std_fs::create_dir(world.place("empty")).unwrap();
    std_fs::set_permissions(world.place("empty"), PermissionsExt::from_mode(0o2750)).unwrap();
    for (name, mode) in [("new", 0o755), ("empty", 0o2750), ("deep/er/new", 0o755)] {
        let folder = world.place(name);
        let output = world.output(&folder);
        examine(&output, Some(&stored)).unwrap();
        assert!(write(&stored, &output).unwrap().anew);
        assert!(!write(&stored, &output).unwrap().anew);
        assert_eq!(tree(&folder)["Packages/qemu-1-1.x86_64.rpm"], "a");
        assert_eq!(std_fs::metadata(&folder).unwrap().mode() & 0o7777, mode, "{name}");
        let record = Record::read(&folder).unwrap().unwrap();
        assert_eq!(record.files.len(), 4);
        assert_eq!(record.facts.signer, "KEY");
    }
    assert_eq!(std_fs::read_dir(world.place("")).unwrap().count(), 3, "nothing else is left");
}

#[test]
fn what_was_edited_or_deleted_comes_back_and_what_is_old_goes() {
    let world = World::new();
    let folder = world.place("out");
    let (old, new) = (world.repository("1", "a"), world.repository("2", "b"));
    write(&old, &world.output(&folder)).unwrap();
    let clean = tree(&folder);
    std_fs::write(folder.join("SHA256SUMS"), "edited").unwrap();
    std_fs::remove_dir_all(folder.join("repodata")).unwrap();
    assert!(write(&old, &world.output(&folder)).unwrap().anew);
    assert_eq!(tree(&folder), clean);
    let again = write(&new, &world.output(&folder)).unwrap();
    assert!(again.anew && again.kept.is_empty());
    let now = tree(&folder);
    assert!(!now.contains_key("Packages/qemu-1-1.x86_64.rpm"));
    assert_eq!(now["Packages/qemu-2-1.x86_64.rpm"], "b");
}

#[test]
fn what_is_not_ours_is_carried_over_by_its_name_and_told() {
    let world = World::new();
    let folder = world.place("out");
    write(&world.repository("1", "a"), &world.output(&folder)).unwrap();
    std_fs::write(folder.join("index.html"), "mine").unwrap();
    std_fs::write(folder.join(".htaccess"), "deny").unwrap();
    std_fs::create_dir_all(folder.join("docs/deep")).unwrap();
    std_fs::write(folder.join("docs/deep/a"), "deep").unwrap();
    symlink("nowhere", folder.join("link")).unwrap();
    fifo(&folder.join("pipe"));
    let odd: std::ffi::OsString = std::os::unix::ffi::OsStringExt::from_vec(vec![b'x', 0xff]);
    std_fs::write(folder.join(&odd), "odd").unwrap();
    let inode = |name: &str| std_fs::symlink_metadata(folder.join(name)).unwrap().ino();
    let names = ["index.html", ".htaccess", "docs", "docs/deep/a", "link", "pipe"];
    let before = names.map(inode);
    let written = write(&world.repository("2", "b"), &world.output(&folder)).unwrap();
    assert_eq!(written.kept.len(), 6, "{:?}", written.kept);
    assert!(written.kept.contains(&"index.html".to_owned()) && written.left.is_empty());
    assert_eq!(names.map(inode), before, "moved, and no copy");
    assert_eq!(std_fs::read_to_string(folder.join(&odd)).unwrap(), "odd");
    assert_eq!(std_fs::metadata(folder.join("index.html")).unwrap().nlink(), 1);
    let now = tree(&folder);
    assert_eq!(now["docs/deep/a"], "deep");
    assert_eq!(now["Packages/qemu-2-1.x86_64.rpm"], "b");
    assert_eq!(std_fs::read_dir(world.place("")).unwrap().count(), 1);
}

#[test]
fn what_lies_among_our_files_or_in_their_way_is_a_reason_to_refuse() {
    let world = World::new();
    let (old, new) = (world.repository("1", "a"), world.repository("2", "b"));
    let cases: [Case; 10] = [
        ("Packages/evil.rpm", |at| std_fs::write(at, "evil").unwrap()),
        ("repodata/x", |at| std_fs::write(at, "x").unwrap()),
        ("repodata/folder", |at| std_fs::create_dir(at).unwrap()),
        ("Packages/link.rpm", |at| symlink("/etc/hostname", at).unwrap()),
        ("SRPMS", |at| std_fs::create_dir(at).unwrap()),
        ("wrapper", |at| std_fs::write(at, "mine").unwrap()),
        ("DEVELOPMENT-KEY.txt", |at| std_fs::create_dir(at).unwrap()),
        ("RPM-GPG-KEY-toy", |at| std_fs::write(at, "mine").unwrap()),
        ("toy.repo", |at| fifo(at)),
        ("SHA256SUMS.asc", |at| symlink("nowhere", at).unwrap()),
    ];
    for (name, make) in cases {
        let folder = world.place("out");
        let _ = std_fs::remove_dir_all(&folder);
        write(&old, &world.output(&folder)).unwrap();
        make(&folder.join(name));
        let before = tree(&folder);
        let error = world.refusal(&new, &folder);
        assert!(error.contains(&format!("  `{name}`, a")), "{name}: {error}");
        assert_eq!(tree(&folder), before);
    }
    // One of ours that became something else is somebody's.
    let folder = world.place("moved");
    write(&old, &world.output(&folder)).unwrap();
    std_fs::rename(folder.join("Packages"), world.place("disk")).unwrap();
    symlink(world.place("disk"), folder.join("Packages")).unwrap();
    assert!(world.refusal(&new, &folder).contains("`Packages`, a symbolic link"));
    assert_eq!(tree(&world.place("disk")).len(), 1);
}

#[test]
fn a_folder_with_anything_in_it_and_no_record_is_refused() {
    let world = World::new();
    let stored = world.repository("1", "a");
    let cases: [fn(&Path); 7] = [
        |at| std_fs::create_dir(at.join("repodata")).unwrap(),
        |at| std_fs::write(at.join("manifest.json"), "{}").unwrap(),
        |at| std_fs::write(at.join(".hidden"), "").unwrap(),
        |at| symlink("nowhere", at.join("link")).unwrap(),
        |at| std_fs::create_dir_all(at.join("repodata/deep")).unwrap(),
        |at| fifo(&at.join("SHA256SUMS")),
        |at| fifo(&at.join("manifest.json")),
    ];
    for (number, make) in cases.into_iter().enumerate() {
        let folder = world.place(&number.to_string());
        std_fs::create_dir(&folder).unwrap();
        make(&folder);
        let before = tree(&folder);
        let error = world.refusal(&stored, &folder);
        assert!(error.contains("holds something else than a repository"), "{error}");
        assert_eq!(tree(&folder), before);
    }
}

#[test]
fn a_record_that_is_not_one_of_ours_is_refused() {
    let world = World::new();
    let stored = world.repository("1", "a");
    let folder = world.place("out");
    write(&stored, &world.output(&folder)).unwrap();
    let good = std_fs::read_to_string(folder.join(RECORD)).unwrap();
    let cases = [
        (good[..good.len() / 2].to_owned(), "cannot be read"),
        (String::new(), "cannot be read"),
        (
            good.replace("\"format\": 1", "\"format\": 2"),
            "has the format 2, and this program knows 1",
        ),
        (good.replace("SHA256SUMS", "../../precious"), "lists `../../precious`"),
        (good.replace("SHA256SUMS", "/etc/passwd"), "lists `/etc/passwd`"),
        (good.replace("\"toy\"", "\"other\""), "holds the repository of the pipeline `other`"),
        (
            good.replace("\"KEY\"", "\"OTHER\""),
            "is signed by OTHER, and this run would sign it by KEY",
        ),
    ];
    for (text, wanted) in cases {
        std_fs::write(folder.join(RECORD), &text).unwrap();
        let before = tree(&folder);
        let error = world.refusal(&stored, &folder);
        assert!(error.contains(wanted), "{error}");
        assert_eq!(tree(&folder), before);
    }
    let path = folder.join(RECORD);
    std_fs::remove_file(&path).unwrap();
    fifo(&path);
    assert!(world.refusal(&stored, &folder).contains("it is no plain file"));
    std_fs::remove_file(&path).unwrap();
    std_fs::write(world.place("elsewhere"), &good).unwrap();
    symlink(world.place("elsewhere"), &path).unwrap();
    assert!(world.refusal(&stored, &folder).contains("cannot be read"));
}

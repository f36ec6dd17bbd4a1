// SPDX-License-Identifier: GPL-2.0-or-later
//! Packages that no rpmbuild makes, tag by tag, for tests.

use crate::package::{FaultKind, Package, mode};
use crate::{Error, PackageFile};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;

pub const PLAIN: u16 = mode::REGULAR | 0o644;
pub const FOLDER: u16 = mode::DIRECTORY | 0o755;
pub const LINK: u16 = mode::LINK | 0o777;

/// The value of a tag.
#[derive(Clone)]
pub enum Value {
    Shorts(Vec<u16>),
    Numbers(Vec<u32>),
    Longs(Vec<u64>),
    Text(String),
    Texts(Vec<String>),
}

/// An entry of the payload.
#[derive(Clone)]
pub struct Entry {
    pub name: String,
    pub mode: u16,
    pub inode: u32,
    pub links: u32,
    pub bytes: Vec<u8>,
}

/// A sound binary package, to be made into another one.
#[derive(Clone)]
pub struct Forged {
    pub tags: BTreeMap<u32, Value>,
    pub payload: Vec<Entry>,
}

pub fn texts(all: &[&str]) -> Value {
    Value::Texts(all.iter().map(|text| (*text).to_owned()).collect())
}

impl Forged {
    /// Of files by path, mode and bytes, each with an inode of its own.
    pub fn of(files: &[(&str, u16, &[u8])]) -> Self {
        let mut folders: Vec<String> = Vec::new();
        let (mut names, mut indexes) = (Vec::new(), Vec::new());
        let (mut digests, mut links, mut payload) = (Vec::new(), Vec::new(), Vec::new());
        for (inode, (path, kind, bytes)) in (1..).zip(files) {
            let (folder, name) = path.rsplit_once('/').unwrap();
            let folder = format!("{folder}/");
            let at = folders.iter().position(|known| *known == folder);
            let at = at.unwrap_or_else(|| {
                folders.push(folder);
                folders.len() - 1
            });
            indexes.push(u32::try_from(at).unwrap());
            names.push(name.to_owned());
            let is = |what| kind & mode::KIND == what;
            digests.push(if is(mode::REGULAR) { digest(bytes) } else { String::new() });
            let target = if is(mode::LINK) { bytes } else { &[][..] };
            links.push(String::from_utf8(target.to_vec()).unwrap());
            payload.push(Entry {
                name: format!(".{path}"),
                mode: *kind,
                inode,
                links: 1,
                bytes: bytes.to_vec(),
            });
        }
        let count = files.len();
        let sizes: Vec<u32> =
            files.iter().map(|(_, _, bytes)| u32::try_from(bytes.len()).unwrap()).collect();
        let numbers = |number| Value::Numbers(vec![number; count]);
        let root = || Value::Texts(vec!["root".to_owned(); count]);
        let text = |text: &str| Value::Text(text.to_owned());
        let tags = BTreeMap::from([
            (1000, text("forged")),
            (1001, text("1")),
            (1002, text("1")),
            (1009, Value::Numbers(vec![sizes.iter().sum()])),
            (1022, text("x86_64")),
            (1044, text("forged-1-1.src.rpm")),
            (1124, text("cpio")),
            (5011, Value::Numbers(vec![8])),
            (1028, Value::Numbers(sizes)),
            (1030, Value::Shorts(files.iter().map(|(_, mode, _)| *mode).collect())),
            (1035, Value::Texts(digests)),
            (1036, Value::Texts(links)),
            (1037, numbers(0)),
            (1039, root()),
            (1040, root()),
            (1095, numbers(1)),
            (1096, Value::Numbers((1..).take(count).collect())),
            (1116, Value::Numbers(indexes)),
            (1117, Value::Texts(names)),
            (1118, Value::Texts(folders)),
            (1140, numbers(0)),
        ]);
        Self { tags, payload }
    }

    pub fn with(&self, tag: u32, value: Value) -> Self {
        let mut other = self.clone();
        other.tags.insert(tag, value);
        other
    }

    pub fn numbers(&self, tag: u32, numbers: &[u32]) -> Self {
        self.with(tag, Value::Numbers(numbers.to_vec()))
    }

    pub fn bytes(&self) -> Vec<u8> {
        let lead = [&[0xed, 0xab, 0xee, 0xdb, 3, 0][..], &[0; 90]].concat();
        [lead, block(62, &BTreeMap::new()), block(63, &self.tags), self.cpio()].concat()
    }

    pub fn facts(&self) -> Result<Package, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("forged.rpm");
        std::fs::write(&path, self.bytes()).unwrap();
        PackageFile::open(&path)?.inspect(&mut |_, _| Ok(()))
    }

    /// What is wrong with it, of a kind.
    pub fn faults(&self, kind: FaultKind) -> Vec<String> {
        let faults = self.facts().unwrap().faults.into_iter();
        faults.filter(|fault| fault.kind == kind).map(|fault| fault.what).collect()
    }

    pub fn payload_size(&self) -> usize {
        self.cpio().len()
    }

    fn cpio(&self) -> Vec<u8> {
        let mut all = Vec::new();
        let end =
            Entry { name: "TRAILER!!!".to_owned(), mode: 0, inode: 0, links: 1, bytes: Vec::new() };
        for entry in self.payload.iter().chain([&end]) {
            let mut head = "070701".to_owned();
            let size = u32::try_from(entry.bytes.len()).unwrap();
            let length = u32::try_from(entry.name.len()).unwrap() + 1;
            let mode = u32::from(entry.mode);
            for field in [entry.inode, mode, 0, 0, entry.links, 0, size, 0, 0, 0, 0, length, 0] {
                write!(head, "{field:08x}").unwrap();
            }
            all.extend(head.bytes().chain(entry.name.bytes()).chain([0]));
            all.resize(all.len().next_multiple_of(4), 0);
            all.extend(&entry.bytes);
            all.resize(all.len().next_multiple_of(4), 0);
        }
        all
    }
}

pub fn digest(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// A header block of those tags under a region.
fn block(region: u32, tags: &BTreeMap<u32, Value>) -> Vec<u8> {
    let (mut index, mut store) = (Vec::new(), Vec::new());
    for (tag, value) in tags {
        let zero = |text: &String| [text.as_bytes(), &[0]].concat();
        let (kind, align, count, bytes) = match value {
            Value::Shorts(all) => {
                (3, 2, all.len(), all.iter().flat_map(|it| it.to_be_bytes()).collect())
            }
            Value::Numbers(all) => {
                (4, 4, all.len(), all.iter().flat_map(|it| it.to_be_bytes()).collect())
            }
            Value::Longs(all) => {
                (5, 8, all.len(), all.iter().flat_map(|it| it.to_be_bytes()).collect())
            }
            Value::Text(text) => (6, 1, 1, zero(text)),
            Value::Texts(all) => (8, 1, all.len(), all.iter().flat_map(zero).collect::<Vec<u8>>()),
        };
        store.resize(store.len().next_multiple_of(align), 0);
        index.extend([*tag, kind, word(store.len()), word(count)]);
        store.extend(bytes);
    }
    let count = word(index.len() / 4) + 1;
    let trailer = [region, 7, 0_u32.wrapping_sub(16 * count), 16];
    let whole = [region, 7, word(store.len()), 16].into_iter().chain(index);
    let head = [0x8ead_e801, 0, count, word(store.len()) + 16];
    let head: Vec<u8> = head.into_iter().chain(whole).flat_map(u32::to_be_bytes).collect();
    let trailer: Vec<u8> = trailer.into_iter().flat_map(u32::to_be_bytes).collect();
    [head, store, trailer].concat()
}

fn word(number: usize) -> u32 {
    u32::try_from(number).unwrap()
}

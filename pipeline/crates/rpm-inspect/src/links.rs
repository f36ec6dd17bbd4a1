// SPDX-License-Identifier: GPL-2.0-or-later
//! Hard links: files of one device and inode. rpm writes the bytes once and links the others to them, the
//! rpm of one version by what the header says, of another by what the payload says.

use crate::escape::shown;
use crate::file_list::FileList;
use crate::package::FileEntry;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

/// Device and inode, as the header has them.
pub type Inode = (u32, u32);

/// An entry of the payload by its own word.
pub struct PayloadInode {
    /// Major and minor number of the device, and the inode.
    pub inode: (u32, u32, u32),
    pub links: u32,
}

/// The regular files by their inodes; ghosts are in no payload.
pub struct Links {
    members: BTreeMap<Inode, Vec<usize>>,
    /// Which of the header's inodes one of the payload is, and the other way round.
    of_payload: HashMap<(u32, u32, u32), Inode>,
    of_header: HashMap<Inode, (u32, u32, u32)>,
}

impl Links {
    pub fn of(list: &FileList) -> Self {
        let mut members: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (at, (file, inode)) in list.files.iter().zip(&list.inodes).enumerate() {
            if file.is_regular() && !file.has("ghost") {
                members.entry(*inode).or_default().push(at);
            }
        }
        Self { members, of_payload: HashMap::new(), of_header: HashMap::new() }
    }

    /// All files of an inode, in the header's order: the last is where rpm keeps the bytes.
    pub fn members(&self, inode: Inode) -> &[usize] {
        self.members.get(&inode).map_or(&[], Vec::as_slice)
    }

    /// The files that are one by the header, and differ by it too: whichever rpm takes, another one is
    /// installed than what was judged.
    pub fn odd<'a>(&'a self, list: &'a FileList) -> impl Iterator<Item = String> + 'a {
        let pairs =
            self.members.values().flat_map(|all| all.iter().skip(1).map(|at| (all[0], *at)));
        pairs.filter(|(one, other)| !alike(list, *one, *other)).map(|(one, other)| {
            let [one, other] = [one, other].map(|at| shown(&list.files[at].path));
            format!("`{one}` and `{other}` are one file, and differ in bytes, mode or owner")
        })
    }

    /// The same of their bytes, where the payload has more than one of them in whole: by an MD5 the header
    /// may give two contents one digest.
    pub fn unlike<'a>(
        &'a self,
        list: &'a FileList,
        sha256: &'a [Option<String>],
    ) -> impl Iterator<Item = String> + 'a {
        let known = |all: &'a Vec<usize>| {
            all.iter().filter_map(|at| Some((*at, sha256[*at].as_ref()?))).collect::<Vec<_>>()
        };
        self.members.values().filter(|all| all.len() > 1).map(known).flat_map(|known| {
            let pairs = known.windows(2).filter(|pair| pair[0].1 != pair[1].1);
            let paths = pairs.map(|pair| [&pair[0], &pair[1]].map(|(at, _)| &list.files[*at].path));
            let what = paths.map(|paths| {
                let [one, other] = paths.map(|path| shown(path));
                format!(
                    "`{one}` and `{other}` are one file, and its payload has other bytes for each"
                )
            });
            what.collect::<Vec<_>>()
        })
    }

    /// What is wrong with an entry of the payload, which has to be linked as the header says.
    pub fn entry(&mut self, list: &FileList, at: usize, place: &PayloadInode) -> Option<String> {
        let inode = list.inodes[at];
        let (links, path) = (self.members(inode).len(), shown(&list.files[at].path));
        if place.links.max(1) as usize != links {
            let said = place.links;
            return Some(format!(
                "its payload gives `{path}` {said} names, and its header gives it {links}"
            ));
        }
        // A file of one name is looked up by no rpm.
        if links < 2 {
            return None;
        }
        let known = |known: Entry<_, Inode>| *known.or_insert(inode) == inode;
        let same = known(self.of_payload.entry(place.inode))
            && *self.of_header.entry(inode).or_insert(place.inode) == place.inode;
        (!same).then(|| format!("its payload links `{path}` to other files than its header"))
    }
}

fn alike(list: &FileList, one: usize, other: usize) -> bool {
    let same_digest = list.digests[one] == list.digests[other];
    let (one, other) = (&list.files[one], &list.files[other]);
    let FileEntry { size, mode, user, group, capabilities, .. } = one;
    (*size, *mode, user, group) == (other.size, other.mode, &other.user, &other.group)
        && *capabilities == other.capabilities
        && same_digest
}

#[cfg(test)]
mod tests {
    use crate::forged::PLAIN;
    use crate::forged::{Forged, Value, digest};
    use crate::package::FaultKind;

    const A: &[u8] = b"import os\n";

    /// Two files that are one, as rpmbuild writes them: the bytes at the last.
    fn linked() -> Forged {
        let mut forged = Forged::of(&[("/usr/a", PLAIN, A), ("/usr/b", PLAIN, A)])
            .numbers(1096, &[7, 7])
            .numbers(1009, &[10]);
        forged.payload[0].bytes.clear();
        for entry in &mut forged.payload {
            (entry.inode, entry.links) = (7, 2);
        }
        forged
    }

    fn faults(forged: &Forged) -> String {
        let facts = forged.facts().unwrap();
        facts.faults.iter().map(|fault| fault.what.clone() + "\n").collect()
    }

    #[test]
    fn files_of_one_inode_are_one_file() {
        assert_eq!(faults(&linked()), "");
        // Bytes of its own that are the same hurt nobody.
        let mut both = linked();
        both.payload[0].bytes = A.to_vec();
        assert_eq!(faults(&both), "");
        let differ = "`/usr/a` and `/usr/b` are one file, and differ in";
        for (what, changed) in [
            ("empty", {
                let digests = [digest(b""), digest(A)].to_vec();
                linked().numbers(1028, &[0, 10]).with(1035, Value::Texts(digests))
            }),
            ("mode", {
                let mut forged = linked().with(1030, Value::Shorts(vec![PLAIN, PLAIN | 0o111]));
                forged.payload[1].mode = PLAIN | 0o111;
                forged
            }),
            ("user", linked().with(1039, Value::Texts(["root", "qemu"].map(str::to_owned).into()))),
            ("group", linked().with(1040, Value::Texts(["kvm", "root"].map(str::to_owned).into()))),
        ] {
            let said = changed.faults(FaultKind::Payload);
            assert!(said.iter().any(|fault| fault.contains(differ)), "{what}: {said:?}");
        }
        // Nobody's bytes.
        let mut none = linked();
        none.payload[1].bytes.clear();
        assert!(faults(&none).contains("no bytes of the hard link `/usr/a`"), "{}", faults(&none));
    }

    #[test]
    fn the_payload_links_what_the_header_links() {
        // By the header alone.
        let mut alone = linked();
        alone.payload[0].bytes = A.to_vec();
        for entry in &mut alone.payload {
            entry.links = 1;
        }
        let expected = "its payload gives `/usr/a` 1 names, and its header gives it 2";
        assert!(faults(&alone).contains(expected), "{}", faults(&alone));
        // By the payload alone, which the rpm of dom0 goes by.
        let files: [(&str, u16, &[u8]); 4] = [
            ("/usr/a", PLAIN, A),
            ("/usr/b", PLAIN, A),
            ("/usr/c", PLAIN, b"c"),
            ("/usr/d", PLAIN, b"c"),
        ];
        let plain = Forged::of(&files);
        assert_eq!(faults(&plain), "");
        let mut one = plain.clone();
        for entry in &mut one.payload {
            (entry.inode, entry.links) = (7, 2);
        }
        let expected = "its payload gives `/usr/d` 2 names, and its header gives it 1";
        assert!(faults(&one).contains(expected), "{}", faults(&one));
        // Two pairs, crossed.
        let mut crossed = plain.numbers(1096, &[1, 1, 2, 2]).numbers(1009, &[11]);
        for (entry, inode) in crossed.payload.iter_mut().zip([1, 1, 2, 2]) {
            (entry.inode, entry.links) = (inode, 2);
        }
        assert_eq!(faults(&crossed), "");
        for inodes in [[1, 2, 1, 2], [1, 2, 2, 2], [1, 1, 1, 1], [1, 2, 3, 3]] {
            for (entry, inode) in crossed.payload.iter_mut().zip(inodes) {
                entry.inode = inode;
            }
            let said = faults(&crossed);
            assert!(said.contains("to other files than its header"), "{inodes:?}: {said}");
        }
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The payload against the header: every entry is one that the header lists, as large, with those
//! bytes. Each ELF file passes by once, whole; of everything else no more than a piece is in memory.
//!
//! What is wrong and can be passed over becomes a fault, so that all of it is told at once; what
//! cannot be unpacked at all is an error.

use crate::colours;
use crate::cpio::{Archive, Head};
use crate::elf_content::{Kept, LARGEST_ELF_FILE};
use crate::error::{Error, Result, bail, ensure};
use crate::escape::shown;
use crate::faults::Faults;
use crate::file_digest::Hasher;
use crate::file_list::FileList;
use crate::links::{Inode, Links};
use crate::package::{FaultKind, FileEntry};
use std::collections::HashMap;
use std::io::{self, Read};
use std::path::Path;

/// All files of a package together.
const LARGEST_PACKAGE: u64 = 4 << 30;

/// How many bytes a packed byte may unpack to, and how many any package may. Of what distributions have,
/// images of firmware come nearest: 64 MiB of padding each, a hundred times what they take packed.
const MOST_EXPANSION: u64 = 256;
const ANY_EXPANSION: u64 = 64 << 20;

/// What an entry may take besides its file: head, name and padding.
const ENTRY: u64 = 110 + 4096 + 8;

/// The longest target of a link (`PATH_MAX`).
const LONGEST_LINK: u64 = 4096;

/// Takes each ELF file of a payload: its path, and all of its bytes.
pub type ElfVisitor<'a, E> = &'a mut dyn FnMut(&Path, &[u8]) -> Result<(), E>;

/// Why the reading ended: the package is broken, or the visitor wants no more.
pub enum Stop<E> {
    Broken(Error),
    Visitor(E),
}

impl<E> From<io::Error> for Stop<E> {
    fn from(error: io::Error) -> Self {
        Self::Broken(error.into())
    }
}

impl<E> From<Error> for Stop<E> {
    fn from(error: Error) -> Self {
        Self::Broken(error)
    }
}

/// What a payload turned out to be.
pub struct Unpacked {
    pub size: u64,
    /// Of the bytes of each file, in the header's order.
    pub sha256: Vec<Option<String>>,
}

/// A payload on its way past the header.
pub struct PayloadReader<'a> {
    list: &'a FileList,
    /// The most that the payload may unpack to, by what it takes packed.
    bound: u64,
    by_path: HashMap<&'a [u8], usize>,
    links: Links,
    seen: Vec<bool>,
    sha256: Vec<Option<String>>,
    /// Hard links without bytes of their own, which another one has to bring.
    waiting: HashMap<Inode, Vec<usize>>,
    faults: &'a mut Faults,
}

impl<'a> PayloadReader<'a> {
    /// `packed` is how many bytes the payload takes.
    pub fn new(list: &'a FileList, packed: u64, faults: &'a mut Faults) -> Result<Self> {
        let (mut total, mut distinct) = (0_u64, 0_u64);
        let mut by_path = HashMap::new();
        let links = Links::of(list);
        for (at, (file, inode)) in list.files.iter().zip(&list.inodes).enumerate() {
            if !file.has("ghost") {
                total = total.saturating_add(file.size);
                ensure!(
                    total <= LARGEST_PACKAGE,
                    TooLarge,
                    "its files add up to more than {LARGEST_PACKAGE} bytes, the most that are read"
                );
            }
            // Of hard links, the payload has the bytes once.
            if links.members(*inode).last() == Some(&at) {
                distinct += file.size;
            }
            if !file.is_regular() || file.has("ghost") {
                colour(faults, file, colours::fits_without_bytes(file));
            }
            if by_path.insert(file.path.as_bytes(), at).is_some() {
                let what = format!("the header lists `{}` twice", shown(&file.path));
                faults.push(FaultKind::Payload, what);
            }
        }
        // Before anything is unpacked: what is told of a bomb is told at once.
        let bound = packed.saturating_mul(MOST_EXPANSION).max(ANY_EXPANSION);
        ensure!(
            distinct <= bound,
            Bomb,
            "its payload of {packed} bytes would unpack to {distinct}, and {bound} are the most"
        );
        links.odd(list).for_each(|what| faults.push(FaultKind::Payload, what));
        let (seen, sha256) = (vec![false; list.files.len()], vec![None; list.files.len()]);
        Ok(Self { list, bound, by_path, links, seen, sha256, waiting: HashMap::new(), faults })
    }

    /// Reads the whole payload.
    pub fn run<E>(mut self, input: impl Read, visitor: ElfVisitor<E>) -> Result<Unpacked, Stop<E>> {
        let files = &self.list.files;
        let sizes: u64 = files.iter().filter(|file| !file.has("ghost")).map(|file| file.size).sum();
        let most = (sizes + ENTRY * (files.len() as u64 + 16)).min(self.bound);
        let mut archive = Archive::new(input);
        loop {
            let (found, size) = match archive.next()? {
                Head::End => break,
                Head::Index(index) => {
                    let found = (index as usize) < files.len();
                    ensure!(
                        found,
                        Malformed,
                        "its payload holds a file {index}, and there is none"
                    );
                    let at = index as usize;
                    (Ok(at), self.size_by_header(at))
                }
                Head::Named { name, mode, size, place } => {
                    let found = self.find(&name);
                    if let Ok(at) = found {
                        self.mode(at, mode);
                        let linked = files[at].is_regular() && !files[at].has("ghost");
                        let odd = linked.then(|| self.links.entry(self.list, at, &place));
                        if let Some(what) = odd.flatten() {
                            self.fault(FaultKind::Payload, what);
                        }
                    }
                    (found, u64::from(size))
                }
            };
            // What unpacks to more than it says is a bomb, or damaged.
            ensure!(
                archive.read().saturating_add(size) <= most,
                TooLarge,
                "its payload unpacks to more than the {sizes} bytes that its files add up to"
            );
            match found {
                Ok(at) => self.file(at, size, &mut archive, visitor)?,
                Err(name) => {
                    archive.content(size, |_| ())?;
                    let what = format!("its payload has `{name}`, which its header does not list");
                    self.fault(FaultKind::Payload, what);
                }
            }
        }
        if archive.rest(ENTRY)? {
            self.fault(FaultKind::Payload, "its payload goes on behind its trailer".to_owned());
        }
        self.missing();
        for what in self.links.unlike(self.list, &self.sha256) {
            self.faults.push(FaultKind::Payload, what);
        }
        Ok(Unpacked { size: archive.read(), sha256: self.sha256 })
    }

    /// The file of a name in the payload; rpm puts `./` in front, but for source packages.
    fn find(&self, name: &[u8]) -> Result<usize, String> {
        let plain = name.strip_prefix(b".").filter(|rest| rest.starts_with(b"/"));
        match self.by_path.get(plain.unwrap_or(name)) {
            Some(at) => Ok(*at),
            None => Err(String::from_utf8_lossy(name).escape_debug().to_string()),
        }
    }

    /// rpm 4.11 takes a file's type from the payload, and its permissions from the header.
    fn mode(&mut self, at: usize, mode: u32) {
        let file = &self.list.files[at];
        if mode != u32::from(file.mode) {
            let path = shown(&file.path);
            let what = format!(
                "its payload has `{path}` with the mode {mode:o}, its header {:o}",
                file.mode
            );
            self.fault(FaultKind::Payload, what);
        }
    }

    fn file<E>(
        &mut self,
        at: usize,
        size: u64,
        archive: &mut Archive<impl Read>,
        visitor: ElfVisitor<E>,
    ) -> Result<(), Stop<E>> {
        let file = &self.list.files[at];
        let path = shown(&file.path);
        if file.has("ghost") || std::mem::replace(&mut self.seen[at], true) {
            let what = if file.has("ghost") { "which is a %ghost" } else { "twice" };
            self.fault(FaultKind::Payload, format!("its payload has `{path}`, {what}"));
            // Which of them is installed is for a version of rpm to say.
            self.sha256[at] = None;
            return Ok(archive.content(size, |_| ())?);
        }
        if file.is_regular() {
            return self.regular(at, size, archive, visitor);
        }
        let expected = file.link.as_deref().unwrap_or_default();
        ensure!(
            size <= LONGEST_LINK,
            Malformed,
            "its payload gives `{path}` a target of {size} bytes"
        );
        let mut target = Vec::new();
        archive.content(size, |piece| target.extend_from_slice(piece))?;
        if target != expected.as_bytes() {
            let target = String::from_utf8_lossy(&target);
            let what =
                format!("its payload has `{path}` -> `{}`, not `{expected}`", shown(&target));
            self.fault(FaultKind::Payload, what);
        }
        Ok(())
    }

    fn regular<E>(
        &mut self,
        at: usize,
        size: u64,
        archive: &mut Archive<impl Read>,
        visitor: ElfVisitor<E>,
    ) -> Result<(), Stop<E>> {
        let (file, inode) = (&self.list.files[at], self.list.inodes[at]);
        let linked = self.links.members(inode).len() > 1;
        if linked && size == 0 && file.size > 0 {
            self.waiting.entry(inode).or_default().push(at);
            return Ok(());
        }
        let path = shown(&file.path);
        // Its other names that have no bytes of their own are the same file.
        let mut names = self.waiting.remove(&inode).unwrap_or_default();
        names.push(at);
        let mut hasher = Hasher::new(self.list.algorithm);
        if size != file.size {
            let what =
                format!("its payload has {size} bytes of `{path}`, and its header {}", file.size);
            self.fault(FaultKind::Digest, what);
            archive.content(size, |piece| hasher.update(piece))?;
            let sha256 = hasher.finish().sha256;
            for at in names {
                self.sha256[at] = Some(sha256.clone());
            }
            return Ok(());
        }
        let mut kept = Kept::Begin(Vec::new());
        let mut begin = Vec::new();
        archive
            .content(size, |piece| {
                hasher.update(piece);
                begin.extend(piece.iter().take(colours::BEGIN.saturating_sub(begin.len())));
                kept.take(piece, size);
            })
            .map_err(|error| error.context(format!("`{path}`")))?;
        self.digest(at, &names, hasher);
        for file in names.iter().map(|at| &self.list.files[*at]) {
            colour(self.faults, file, colours::fits(file.colour, &begin));
        }
        match kept {
            Kept::Elf(bytes) => visitor(Path::new(&file.path), &bytes).map_err(Stop::Visitor),
            Kept::TooLarge => bail!(
                TooLarge,
                "`{path}` is an ELF file of {size} bytes, and {LARGEST_ELF_FILE} are the most"
            ),
            Kept::Begin(_) | Kept::Nothing => Ok(()),
        }
    }

    /// Holds the bytes of a file to what the header says, and notes what they are, under all names.
    fn digest(&mut self, at: usize, names: &[usize], hasher: Hasher) {
        let found = hasher.finish();
        for at in names {
            self.sha256[*at] = Some(found.sha256.clone());
        }
        let path = shown(&self.list.files[at].path);
        let algorithm = self.list.algorithm;
        let what = match (found.by_header, &self.list.digests[at]) {
            (None, _) => format!("the digest of `{path}` is of the unknown kind {algorithm}"),
            (_, None) => format!("its header gives no digest of `{path}`"),
            (Some(found), Some(said)) if found == *said => return,
            _ => format!("`{path}` is not what its digest in the header says"),
        };
        self.fault(FaultKind::Digest, what);
    }

    /// How many bytes a stripped entry has: of hard links, rpm gives them to the last.
    fn size_by_header(&self, at: usize) -> u64 {
        let (file, inode) = (&self.list.files[at], self.list.inodes[at]);
        let bears = self.links.members(inode).last().is_none_or(|bearer| *bearer == at);
        match file.is_regular() {
            true if !bears => 0,
            true => file.size,
            false if file.is_link() => file.size,
            false => 0,
        }
    }

    fn missing(&mut self) {
        let files = &self.list.files;
        for (file, seen) in files.iter().zip(std::mem::take(&mut self.seen)) {
            if !seen && !file.has("ghost") {
                let what =
                    format!("its payload lacks `{}`, which its header lists", shown(&file.path));
                self.fault(FaultKind::Payload, what);
            }
        }
        let mut waiting: Vec<usize> = self.waiting.drain().flat_map(|(_, all)| all).collect();
        waiting.sort_unstable();
        for at in waiting {
            let what =
                format!("its payload has no bytes of the hard link `{}`", shown(&files[at].path));
            self.fault(FaultKind::Payload, what);
        }
    }

    fn fault(&mut self, kind: FaultKind, what: String) {
        self.faults.push(kind, what);
    }
}

fn colour(faults: &mut Faults, file: &FileEntry, fits: bool) {
    if !fits {
        let (path, colour) = (shown(&file.path), file.colour);
        let what = format!("`{path}` has the colour {colour}, which rpm gives no such file");
        faults.push(FaultKind::Payload, what);
    }
}

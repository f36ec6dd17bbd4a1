//! The payload against the header: every entry is one that the header lists, as large, with those
//! bytes. Each ELF file passes by once, whole; of everything else no more than a piece is in memory.
//!
//! What is wrong and can be passed over becomes a fault, so that all of it is told at once; what
//! cannot be unpacked at all is an error.

use super::colours;
use super::cpio::{Archive, Head};
use super::facts::{FaultKind, FileFacts};
use super::faults::Faults;
use super::files::Listing;
use super::links::{Inode, Links};
use anyhow::{Context, Result, bail, ensure};
use goblin::elf::header::{ELFMAG, SELFMAG};
use sha2::digest::DynDigest;
use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

/// No QEMU comes near this; a header that says more is not believed.
pub const LARGEST_BINARY: u64 = 256 << 20;

/// All files of a package together: sixteen times what QEMU installs.
const LARGEST_PACKAGE: u64 = 4 << 30;

/// How many bytes a packed byte may unpack to, and how many any package may. Of what distributions have,
/// images of firmware come nearest: 64 MiB of padding each, a hundred times what they take packed.
const MOST_EXPANSION: u64 = 256;
const ANY_EXPANSION: u64 = 64 << 20;

/// What an entry may take besides its file: head, name and padding.
const ENTRY: u64 = 110 + 4096 + 8;

/// The longest target of a link (`PATH_MAX`).
const LONGEST_LINK: u64 = 4096;

/// Takes an ELF file's path and bytes.
pub type Look<'a> = &'a mut dyn FnMut(&Path, &[u8]) -> Result<()>;

/// A payload on its way past the header.
pub struct Walk<'a> {
    listing: &'a Listing,
    /// The most that the payload may unpack to, by what it takes packed.
    bound: u64,
    by_path: HashMap<&'a [u8], usize>,
    links: Links,
    seen: Vec<bool>,
    /// Hard links without bytes of their own, which another one has to bring.
    waiting: HashMap<Inode, Vec<usize>>,
    faults: &'a mut Faults,
}

impl<'a> Walk<'a> {
    /// `packed` is how many bytes the payload takes.
    pub fn new(listing: &'a Listing, packed: u64, faults: &'a mut Faults) -> Result<Self> {
        let (mut total, mut distinct) = (0_u64, 0_u64);
        let mut by_path = HashMap::new();
        let links = Links::of(listing);
        for (at, (file, inode)) in listing.files.iter().zip(&listing.inodes).enumerate() {
            if !file.has("ghost") {
                total = total.saturating_add(file.size);
                ensure!(
                    total <= LARGEST_PACKAGE,
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
            "its payload of {packed} bytes would unpack to {distinct}, and {bound} are the most\n\
             help: no package of files that anybody reads is packed like this: look into what is in it"
        );
        links.odd(&listing.files).for_each(|what| faults.push(FaultKind::Payload, what));
        let seen = vec![false; listing.files.len()];
        Ok(Self { listing, bound, by_path, links, seen, waiting: HashMap::new(), faults })
    }

    /// Reads the whole payload, and says how many bytes it unpacks to.
    pub fn run(mut self, input: impl Read, look: Look) -> Result<u64> {
        let files = &self.listing.files;
        let sizes: u64 = files.iter().filter(|file| !file.has("ghost")).map(|file| file.size).sum();
        let most = (sizes + ENTRY * (files.len() as u64 + 16)).min(self.bound);
        let mut archive = Archive::new(input);
        loop {
            let (found, size) = match archive.next()? {
                Head::End => break,
                Head::Index(index) => {
                    let found = (index as usize) < files.len();
                    ensure!(found, "its payload holds a file {index}, and there is none");
                    let at = index as usize;
                    (Ok(at), self.size_by_header(at))
                }
                Head::Named { name, mode, size, place } => {
                    let found = self.find(&name);
                    if let Ok(at) = found {
                        self.mode(at, mode);
                        let linked = files[at].is_regular() && !files[at].has("ghost");
                        let odd = linked.then(|| self.links.entry(self.listing, at, &place));
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
                "its payload unpacks to more than the {sizes} bytes that its files add up to"
            );
            match found {
                Ok(at) => self.file(at, size, &mut archive, look)?,
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
        Ok(archive.read())
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
        let file = &self.listing.files[at];
        if mode != u32::from(file.mode) {
            let path = shown(&file.path);
            let what = format!(
                "its payload has `{path}` with the mode {mode:o}, its header {:o}",
                file.mode
            );
            self.fault(FaultKind::Payload, what);
        }
    }

    fn file(
        &mut self,
        at: usize,
        size: u64,
        archive: &mut Archive<impl Read>,
        look: Look,
    ) -> Result<()> {
        let file = &self.listing.files[at];
        let path = shown(&file.path);
        if file.has("ghost") || std::mem::replace(&mut self.seen[at], true) {
            let what = if file.has("ghost") { "which is a %ghost" } else { "twice" };
            self.fault(FaultKind::Payload, format!("its payload has `{path}`, {what}"));
            return archive.content(size, |_| ());
        }
        if file.is_regular() {
            return self.regular(at, size, archive, look);
        }
        let expected = file.link.as_deref().unwrap_or_default();
        ensure!(size <= LONGEST_LINK, "its payload gives `{path}` a target of {size} bytes");
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

    fn regular(
        &mut self,
        at: usize,
        size: u64,
        archive: &mut Archive<impl Read>,
        look: Look,
    ) -> Result<()> {
        let (file, inode) = (&self.listing.files[at], self.listing.inodes[at]);
        let linked = self.links.members(inode).len() > 1;
        if linked && size == 0 && file.size > 0 {
            self.waiting.entry(inode).or_default().push(at);
            return Ok(());
        }
        let path = shown(&file.path);
        // Its other names that have no bytes of their own are the same file.
        let mut names = self.waiting.remove(&inode).unwrap_or_default();
        names.push(at);
        if size != file.size {
            let what =
                format!("its payload has {size} bytes of `{path}`, and its header {}", file.size);
            self.fault(FaultKind::Digest, what);
            return archive.content(size, |_| ());
        }
        let mut hasher = hasher(self.listing.algorithm);
        let mut kept = Kept::Begin(Vec::new());
        let mut begin = Vec::new();
        archive
            .content(size, |piece| {
                if let Some(hasher) = &mut hasher {
                    hasher.update(piece);
                }
                begin.extend(piece.iter().take(colours::BEGIN.saturating_sub(begin.len())));
                kept.take(piece, size);
            })
            .with_context(|| format!("`{path}`"))?;
        self.digest(file, hasher);
        for file in names.iter().map(|at| &self.listing.files[*at]) {
            colour(self.faults, file, colours::fits(file.colour, &begin));
        }
        match kept {
            Kept::Elf(bytes) => {
                look(Path::new(&file.path), &bytes).with_context(|| format!("`{path}`"))
            }
            Kept::TooLarge => bail!("`{path}` has {size} bytes, more than any QEMU"),
            Kept::Begin(_) | Kept::Nothing => Ok(()),
        }
    }

    fn digest(&mut self, file: &FileFacts, hasher: Option<Box<dyn DynDigest>>) {
        let path = shown(&file.path);
        let algorithm = self.listing.algorithm;
        let what = match (hasher, &file.digest) {
            (None, _) => format!("the digest of `{path}` is of the unknown kind {algorithm}"),
            (_, None) => format!("its header gives no digest of `{path}`"),
            (Some(hasher), Some(digest)) => {
                if crate::rpmfile::hex(&hasher.finalize()) == *digest {
                    return;
                }
                format!("`{path}` is not what its digest in the header says")
            }
        };
        self.fault(FaultKind::Digest, what);
    }

    /// How many bytes a stripped entry has: of hard links, rpm gives them to the last.
    fn size_by_header(&self, at: usize) -> u64 {
        let (file, inode) = (&self.listing.files[at], self.listing.inodes[at]);
        let bears = self.links.members(inode).last().is_none_or(|bearer| *bearer == at);
        match file.is_regular() {
            true if !bears => 0,
            true => file.size,
            false if file.is_link() => file.size,
            false => 0,
        }
    }

    fn missing(&mut self) {
        let files = &self.listing.files;
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

fn colour(faults: &mut Faults, file: &FileFacts, fits: bool) {
    if !fits {
        let (path, colour) = (shown(&file.path), file.colour);
        let what = format!("`{path}` has the colour {colour}, which rpm gives no such file");
        faults.push(FaultKind::Payload, what);
    }
}

/// The bytes of a file, kept where they turn out to be ELF.
enum Kept {
    Begin(Vec<u8>),
    Elf(Vec<u8>),
    Nothing,
    TooLarge,
}

impl Kept {
    fn take(&mut self, piece: &[u8], size: u64) {
        match self {
            Self::Begin(begin) => {
                begin.extend_from_slice(piece);
                if begin.len() < SELFMAG {
                    return;
                }
                let mut bytes = std::mem::take(begin);
                *self = match usize::try_from(size) {
                    _ if !bytes.starts_with(ELFMAG) => Self::Nothing,
                    Ok(whole) if size <= LARGEST_BINARY => {
                        // All at once: growing by doubling would take twice the memory.
                        bytes.reserve_exact(whole.saturating_sub(bytes.len()));
                        Self::Elf(bytes)
                    }
                    _ => Self::TooLarge,
                };
            }
            Self::Elf(bytes) => bytes.extend_from_slice(piece),
            Self::Nothing | Self::TooLarge => {}
        }
    }
}

/// By OpenPGP's number of the algorithm (RFC 9580, 9.5).
fn hasher(algorithm: u32) -> Option<Box<dyn DynDigest>> {
    Some(match algorithm {
        1 => Box::new(md5::Md5::default()),
        2 => Box::new(sha1::Sha1::default()),
        8 => Box::new(sha2::Sha256::default()),
        9 => Box::new(sha2::Sha384::default()),
        10 => Box::new(sha2::Sha512::default()),
        11 => Box::new(sha2::Sha224::default()),
        _ => return None,
    })
}

/// A path on one line.
pub fn shown(path: &str) -> String {
    path.escape_debug().to_string()
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The digests of one file of a payload, made while it passes by: its SHA-256 in any case, and what the
//! header gives of it, where that is another.
//!
//! Never enters: a digest that the header only states. Two files of one MD5 are made within seconds, so
//! what a header says tells no two files apart.

use crate::escape::hex;
use sha2::digest::DynDigest;
use sha2::{Digest, Sha256};

/// OpenPGP's number (RFC 9580, 9.5).
const SHA256: u32 = 8;

/// What is being made of a file's bytes.
pub struct Hasher {
    sha256: Sha256,
    header: ByHeader,
}

/// What makes the digest that the header gives.
enum ByHeader {
    /// The SHA-256 does, which is made once.
    Sha256,
    Other(Box<dyn DynDigest>),
    Unknown,
}

/// What a file adds up to, in hexadecimal.
pub struct FileDigest {
    pub sha256: String,
    /// By the header's algorithm, where that is known.
    pub by_header: Option<String>,
}

impl Hasher {
    /// By the number of the header's algorithm.
    pub fn new(algorithm: u32) -> Self {
        let header = match algorithm {
            SHA256 => ByHeader::Sha256,
            algorithm => hasher(algorithm).map_or(ByHeader::Unknown, ByHeader::Other),
        };
        Self { sha256: Sha256::new(), header }
    }

    pub fn update(&mut self, piece: &[u8]) {
        Digest::update(&mut self.sha256, piece);
        if let ByHeader::Other(other) = &mut self.header {
            other.update(piece);
        }
    }

    pub fn finish(self) -> FileDigest {
        let sha256 = hex(&self.sha256.finalize());
        let by_header = match self.header {
            ByHeader::Sha256 => Some(sha256.clone()),
            ByHeader::Other(other) => Some(hex(&other.finalize())),
            ByHeader::Unknown => None,
        };
        FileDigest { sha256, by_header }
    }
}

/// By OpenPGP's number of the algorithm.
fn hasher(algorithm: u32) -> Option<Box<dyn DynDigest>> {
    Some(match algorithm {
        1 => Box::new(md5::Md5::default()),
        2 => Box::new(sha1::Sha1::default()),
        9 => Box::new(sha2::Sha384::default()),
        10 => Box::new(sha2::Sha512::default()),
        11 => Box::new(sha2::Sha224::default()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forged::{FOLDER, Forged, PLAIN, Value, digest};
    use crate::package::{FaultKind, Package};

    /// 128 bytes, and which of them differ by their highest bit in another 128 of the same MD5 (Wang, Feng,
    /// Lai and Yu, "Collisions for hash functions MD4, MD5, HAVAL-128 and RIPEMD", 2004).
    const COLLIDES: &str = "d131dd02c5e6eec4693d9a0698aff95c2fcab58712467eab4004583eb8fb7f89\
                            55ad340609f4b30283e488832571415a085125e8f7cdc99fd91dbdf280373c5b\
                            d8823e3156348f5bae6dacd436c919c6dd53e2b487da03fd02396306d248cda0\
                            e99f33420f577ee8ce54b67080a80d1ec69821bcb6a8839396f9652b6ff72a70";
    const DIFFER: [usize; 6] = [19, 45, 59, 83, 109, 123];

    /// Two contents of one MD5.
    fn collision() -> [Vec<u8>; 2] {
        let byte = |at: usize| u8::from_str_radix(&COLLIDES[at..at + 2], 16).unwrap();
        let one: Vec<u8> = (0..COLLIDES.len()).step_by(2).map(byte).collect();
        let mut other = one.clone();
        for at in DIFFER {
            other[at] ^= 0x80;
        }
        [one, other]
    }

    fn md5(bytes: &[u8]) -> String {
        format!("{:x}", md5::Md5::digest(bytes))
    }

    /// A package as rpm 4.11 makes it where nobody sets an algorithm.
    fn by_md5(files: &[(&str, u16, &[u8])]) -> Forged {
        let digests = files.iter().map(|(_, _, bytes)| md5(bytes)).collect();
        let mut forged = Forged::of(files).with(1035, Value::Texts(digests));
        forged.tags.remove(&5011);
        forged
    }

    fn digests(package: &Package) -> Vec<Option<&str>> {
        package.files.iter().map(|file| file.sha256.as_deref()).collect()
    }

    #[test]
    fn what_the_header_calls_one_by_md5_is_two() {
        let [one, other] = collision();
        assert_eq!((md5(&one), one == other), (md5(&other), false));
        let read = |bytes: &[u8]| by_md5(&[("/etc/a", PLAIN, bytes)]).facts().unwrap();
        for bytes in [&one, &other] {
            let package = read(bytes);
            assert_eq!((package.faults.len(), package.file_digest_algorithm), (0, 1));
            assert_eq!(digests(&package), [Some(&*digest(bytes))]);
        }
        // One inode under two names: a host has whichever its rpm writes.
        let mut linked = by_md5(&[("/usr/a", PLAIN, &one), ("/usr/b", PLAIN, &other)])
            .numbers(1096, &[7, 7])
            .numbers(1009, &[128]);
        for entry in &mut linked.payload {
            (entry.inode, entry.links) = (7, 2);
        }
        let said = linked.faults(FaultKind::Payload);
        let expected =
            "`/usr/a` and `/usr/b` are one file, and its payload has other bytes for each";
        assert_eq!(said, [expected]);
    }

    #[test]
    fn the_sha256_is_of_the_bytes_whatever_the_header_gives() {
        let forged = Forged::of(&[("/a", PLAIN, b"abc"), ("/b", FOLDER, b"")]);
        let with = |algorithm: u32, text: &str| {
            let texts = Value::Texts(vec![text.to_owned(), String::new()]);
            forged.with(1035, texts).numbers(5011, &[algorithm]).facts().unwrap()
        };
        let sha1 = "a9993e364706816aba3e25717850c26c9cd0d89d";
        let sha224 = "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7";
        let sha512 = format!("{:x}", sha2::Sha512::digest(b"abc"));
        for (algorithm, text, faults) in [
            (1, "900150983cd24fb0d6963f7d28e17f72", 0),
            (2, sha1, 0),
            (8, &*digest(b"abc"), 0),
            (10, &*sha512, 0),
            (11, sha224, 0),
            // What is wrong, missing or unknown makes no other bytes.
            (8, &*digest(b"abd"), 1),
            (8, sha1, 1),
            (8, "", 1),
            (99, sha1, 1),
        ] {
            let package = with(algorithm, text);
            assert_eq!(package.faults.len(), faults, "{:?}", package.faults);
            assert_eq!(package.file_digest_algorithm, algorithm);
            assert_eq!(digests(&package), [Some(&*digest(b"abc")), None], "{algorithm}");
        }
    }

    #[test]
    fn other_bytes_under_one_header_are_told_apart() {
        let forged = Forged::of(&[("/usr/a", PLAIN, b"one"), ("/usr/b", PLAIN, b"two")]);
        // As large, larger, and as a ghost, of which the payload has nothing.
        for bytes in [&b"six"[..], b"one more"] {
            let mut other = forged.clone();
            other.payload[0].bytes = bytes.to_vec();
            let package = other.facts().unwrap();
            assert_eq!(package.faults.len(), 1, "{:?}", package.faults);
            assert_eq!(digests(&package), [Some(&*digest(bytes)), Some(&*digest(b"two"))]);
        }
        let mut ghost = forged.numbers(1037, &[1 << 6, 0]);
        ghost.payload.remove(0);
        assert_eq!(digests(&ghost.facts().unwrap()), [None, Some(&*digest(b"two"))]);
        let mut twice = forged.clone();
        twice.payload.push(twice.payload[0].clone());
        assert_eq!(digests(&twice.facts().unwrap()), [None, Some(&*digest(b"two"))]);
    }

    #[test]
    fn hard_links_have_one_content_under_all_names() {
        let a: &[u8] = b"import os\n";
        let files = [("/usr/a", PLAIN, a), ("/usr/b", PLAIN, a), ("/usr/c", PLAIN, a)];
        for forged in [Forged::of(&files), by_md5(&files)] {
            let mut linked = forged.numbers(1096, &[7, 7, 7]).numbers(1009, &[10]);
            for entry in &mut linked.payload {
                (entry.inode, entry.links) = (7, 3);
            }
            for entry in &mut linked.payload[..2] {
                entry.bytes.clear();
            }
            let package = linked.facts().unwrap();
            assert_eq!(package.faults, []);
            assert_eq!(digests(&package), [Some(&*digest(a)); 3]);
        }
    }
}

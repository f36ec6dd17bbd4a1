// SPDX-License-Identifier: GPL-2.0-or-later
//! Reads an RPM from its first byte to its last: headers, payload, digests, and where they disagree.
//!
//! A package says much of itself: what it is called, what it needs, which files it has, how large they
//! are and what their digests are, some of it in three places. rpm believes most of that, each of its
//! versions another part. This crate reads all of it by its own code, holds the payload against the
//! headers, and gives both: what the package says, and what of it is not so.
//!
//! ```
//! use rpm_inspect::{Error, PackageFile};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("hello.rpm");
//! # let options = rpm::FileOptions::new("/usr/bin/hello").mode(rpm::FileMode::regular(0o755));
//! # let mut builder = rpm::PackageBuilder::new("hello", "1", "MIT", "x86_64", "An example");
//! # builder.with_file("/proc/self/exe", options)?.build()?.write_file(&path)?;
//! let mut programs = Vec::new();
//! let package = PackageFile::open(&path)?.inspect::<Error>(&mut |path, bytes| {
//!     programs.push((path.to_owned(), bytes.len() as u64));
//!     Ok(())
//! })?;
//! assert_eq!(package.nevra, "hello-1-1.x86_64");
//! assert!(package.faults.is_empty());
//! assert_eq!(package.files[0].path, "/usr/bin/hello");
//! // Every ELF file came by, whole.
//! assert_eq!(programs, [("/usr/bin/hello".into(), package.files[0].size)]);
//! # Ok(())
//! # }
//! ```
//!
//! # What it reads
//!
//! Binary and source packages of rpm's formats 4 and 6, packed with gzip, xz, lzma, zstd or nothing.
//! Tags are named after [`rpm::IndexTag`]; sizes are in bytes, times in seconds since 1970, digests in
//! hexadecimal.
//!
//! # What it checks
//!
//! - Both headers in full, within bounds, before anything is looked up in them; their region has to span
//!   every tag. No digest covers what stands beyond it.
//! - Every digest and size that the package gives, of headers, payload and files, of both formats. What a
//!   file is told by is its SHA-256, made here of its bytes, whichever digest the header gives.
//! - That the payload holds what the header lists, with those modes, links and targets, and nothing else;
//!   that every path is plain and leads through no link of the package.
//! - That no tag stands in the header which belongs to the signature, or to the database of an
//!   installed system.
//!
//! What breaks one of these is a [`Fault`] where reading can go on, so that all of them are told at once,
//! and an [`Error`] where it cannot. Signatures are bytes here: whoever has keys checks them, and
//! [notes](Package::note_signatures) what he found. What packages ought to be is for a policy to say;
//! this crate has none.
//!
//! # Hostile packages
//!
//! The package is not trusted: lists and texts have bounds, a payload that unpacks to far more than it
//! takes is refused before it is unpacked, and decompressors get bounded memory. No more is held in
//! memory than the headers and one ELF file at a time. Messages and faults quote the package with
//! control characters escaped; the fields of [`Package`] are as it says them.

#![warn(missing_docs)]

mod arrays;
mod claim;
mod colours;
mod cpio;
mod decompress;
mod dependencies;
mod elf_content;
mod error;
mod escape;
mod extra_tags;
mod faults;
mod file_digest;
mod file_list;
#[cfg(test)]
mod forged;
mod header;
mod kind;
mod links;
mod nevra;
mod package;
mod package_file;
mod paths;
mod payload;
mod read;
mod stray_tags;
mod sums;

pub use claim::Claim;
pub use elf_content::LARGEST_ELF_FILE;
pub use error::{Error, ErrorKind};
pub use file_list::MOST_FILES;
pub use header::HeaderStructure;
pub use kind::Kind;
pub use nevra::{Evr, Nevra};
pub use package::{
    ChangelogEntry, Fault, FaultKind, FileEntry, Package, PayloadInfo, Scriptlet, SignatureInfo,
    Trigger, TriggerKind, mode,
};
pub use package_file::{Content, Digests, LEAD, MAGIC, PackageFile};
pub use payload::ElfVisitor;

//! `verify/rpm`: what a package says and holds, and the rules that it is held to.
//!
//! A package is read once, from its first byte to its last, by this project's own code: the headers
//! through `rpmfile`, whose every offset is checked, and the payload as a stream. [`read`] makes
//! [`PackageFacts`] of it, which are kept in the report; [`judge`] holds them against the rules and
//! touches no file. So a package is judged again, or compared to another, without being read again.
//!
//! `read` (the package as a whole), `facts` (what is known of it), `faults` (what is wrong with it), `dependencies`, `files` (out of the
//! header), `names` (of ELF files), `unpack`, `cpio`, `walk` (the payload), `paths` (which paths are plain),
//! `links` (which files are one), `stray` (tags that are no package's), `colours`, `sums` (what the header
//! says of the files' bytes), `rules` (the list of them),
//! `profile` (what a family of hosts takes), `nevra` (the order of versions), `installed` (what is on
//! the hosts).
//!
//! Never enters here: processes, the `rpm` crate's readers (its tags are names for numbers), any
//! trust in what the writer of a package said, and more memory than one ELF file takes.

mod colours;
mod cpio;
mod dependencies;
mod facts;
mod faults;
mod files;
#[cfg(test)]
pub mod forged;
mod installed;
mod links;
mod names;
pub mod nevra;
mod other;
mod paths;
mod profile;
mod read;
mod rules;
#[cfg(test)]
pub mod sample;
mod stray;
mod sums;
mod unpack;
mod walk;

#[cfg(test)]
pub use facts::ElfFile;
pub use facts::{Binary, FileFacts, PackageFacts, mode};
pub use files::MOST as MOST_FILES;
pub use installed::Installed;
pub use names::{Names, is_among_symbols};
pub use read::{LARGEST_BINARY, count, extract, is_rpm, read};
pub use rules::{Below, Finding, Policy, Signing, build_id, judge, promise, shared};

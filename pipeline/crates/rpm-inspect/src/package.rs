// SPDX-License-Identifier: GPL-2.0-or-later
//! What a package says and holds: everything that a policy may ask about, and that two packages can
//! differ in.

use crate::Nevra;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A package, read once. What it says of itself is as it says it: whoever prints a text has to escape it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Package {
    /// What it is called, as rpm writes it.
    pub nevra: String,
    /// The same in its parts.
    pub id: Nevra,
    /// Whether it is a source package, which is never installed on a host.
    pub source: bool,
    /// The file of the source package that it was built from; nothing for a source package.
    pub source_package: Option<String>,
    /// rpm's format: 4, or 6.
    pub format: u32,
    /// In seconds since 1970 (`RPMTAG_BUILDTIME`).
    pub build_time: Option<u32>,
    /// `RPMTAG_BUILDHOST`.
    pub build_host: Option<String>,
    /// Capabilities as rpm writes them, such as `qemu = 2:4.2.1-5`; each once.
    pub provides: Vec<String>,
    /// The same.
    pub requires: Vec<String>,
    /// The same.
    pub conflicts: Vec<String>,
    /// The same.
    pub obsoletes: Vec<String>,
    /// Recommends, suggests, supplements and enhances, each with its kind in front.
    pub weak: Vec<String>,
    /// What runs around its installation.
    pub scriptlets: Vec<Scriptlet>,
    /// What runs when others come and go.
    pub triggers: Vec<Trigger>,
    /// In the header's order.
    pub files: Vec<FileEntry>,
    /// By which algorithm the header gives the digests of its files, in OpenPGP's numbers (RFC 9580, 9.5):
    /// 1 for MD5, which a header means that names none, and 8 for SHA-256.
    pub file_digest_algorithm: u32,
    /// In the header's order, which is the newest first.
    pub changelog: Vec<ChangelogEntry>,
    /// How its files are packed.
    pub payload: PayloadInfo,
    /// What stands in front of its header.
    pub signature: SignatureInfo,
    /// Every other tag of its header that says something of the package and not of its build, by number: its
    /// text, or how long it is and its SHA-256. `other` where it is serialised.
    #[serde(rename = "other")]
    pub extra_tags: BTreeMap<u32, String>,
    /// What reading it showed to be untrue or odd.
    pub faults: Vec<Fault>,
}

impl Package {
    /// What the algorithm of its files' digests is called.
    #[must_use]
    pub fn file_digest_name(&self) -> String {
        match self.file_digest_algorithm {
            1 => "MD5".to_owned(),
            2 => "SHA-1".to_owned(),
            8 => "SHA-256".to_owned(),
            9 => "SHA-384".to_owned(),
            10 => "SHA-512".to_owned(),
            11 => "SHA-224".to_owned(),
            other => format!("the algorithm {other}"),
        }
    }

    /// Notes what somebody found of the signatures, which nobody looks into here: the fingerprint of the
    /// key that made them, or in one line why they do not hold.
    pub fn note_signatures(&mut self, checked: Result<String, String>) {
        match checked {
            Ok(fingerprint) => self.signature.signed_by = Some(fingerprint),
            Err(what) => self.faults.push(Fault { kind: FaultKind::Signature, what }),
        }
    }
}

/// A program that rpm runs around an installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scriptlet {
    /// `pre`, `post`, `preun`, `postun`, `pretrans`, `posttrans`, `preuntrans`, `postuntrans`,
    /// `verify`.
    pub kind: String,
    /// The program that runs it, with its arguments; empty for rpm's default.
    pub interpreter: Vec<String>,
    /// May be empty, where the interpreter is all.
    pub text: String,
}

/// A program that rpm runs when other packages, or their files, come and go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// What it waits for.
    pub kind: TriggerKind,
    /// What it waits for, with `in`, `un`, `postun` or `prein` in front.
    pub on: Vec<String>,
    /// The program that runs it.
    pub interpreter: String,
    /// What runs.
    pub text: String,
}

/// Which of the three lists of triggers it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TriggerKind {
    /// `%triggerin` and its like.
    Package,
    /// `%filetriggerin` and its like.
    File,
    /// `%transfiletriggerin` and its like.
    TransactionFile,
}

impl TriggerKind {
    /// As people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Package => "package",
            Self::File => "file",
            Self::TransactionFile => "transaction file",
        }
    }
}

/// A file as the header lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Absolute, or a bare name in a source package.
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// Type and permissions, as in `stat`.
    pub mode: u16,
    /// The owner's name.
    pub user: String,
    /// The group's name.
    pub group: String,
    /// `config`, `noreplace`, `ghost`, `doc`, …
    pub flags: Vec<String>,
    /// Where a symbolic link leads to.
    pub link: Option<String>,
    /// As `getcap` writes them.
    pub capabilities: Option<String>,
    /// Of the bytes that the payload has of a regular file, in hexadecimal, whichever digest the header
    /// gives of it. None where the payload has no bytes of it, as of a `ghost`, or has it twice.
    pub sha256: Option<String>,
    /// Which machine words a program of it has (`RPMTAG_FILECOLORS`): 1 for 32 bits, 2 for 64, 0 for what is
    /// none.
    pub colour: u32,
}

/// An entry of the changelog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangelogEntry {
    /// In seconds since 1970.
    pub time: u32,
    /// As the spec has it, with the version perhaps.
    pub author: String,
    /// What changed.
    pub text: String,
}

/// How the files are packed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayloadInfo {
    /// `cpio`.
    pub format: String,
    /// `gzip`, `xz`, `zstd`, …; `none` where it is not packed.
    pub compressor: String,
    /// In bytes, as it is in the package.
    pub size: u64,
    /// In bytes, as it unpacks.
    pub unpacked: u64,
}

/// What stands in front of the header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureInfo {
    /// Every tag, the region's first.
    pub tags: Vec<u32>,
    /// Bytes of data.
    pub size: u32,
    /// The digests that the package gives of itself: `header-sha1`, `md5`, `payload-sha256`, …
    pub digests: Vec<String>,
    /// The fingerprint of the key that signed it, where somebody [noted](Package::note_signatures) one.
    pub signed_by: Option<String>,
}

/// Something that is not as the package says, or as any package should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What it is about.
    pub kind: FaultKind,
    /// What is wrong, in one line, with control characters of the package's texts escaped.
    pub what: String,
}

/// What a fault is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// A digest or a size that is not so.
    Digest,
    /// A path or an entry that no sound payload has.
    Payload,
    /// A signature that does not hold, by somebody's [note](Package::note_signatures).
    Signature,
}

/// The bits of a file's mode (`sys/stat.h`).
pub mod mode {
    /// What kind of file it is.
    pub const KIND: u16 = 0o170_000;
    /// A regular file.
    pub const REGULAR: u16 = 0o100_000;
    /// A directory.
    pub const DIRECTORY: u16 = 0o040_000;
    /// A character device.
    pub const CHARACTER_DEVICE: u16 = 0o020_000;
    /// A block device.
    pub const BLOCK_DEVICE: u16 = 0o060_000;
    /// A symbolic link.
    pub const LINK: u16 = 0o120_000;
    /// Who starts it becomes its owner, or its group.
    pub const SETUID_SETGID: u16 = 0o6000;
    /// In such a directory only a file's owner removes it.
    pub const STICKY: u16 = 0o1000;
    /// Somebody may start it.
    pub const EXECUTABLE: u16 = 0o111;
    /// Everybody may write to it.
    pub const WORLD_WRITABLE: u16 = 0o002;
}

impl FileEntry {
    /// Whether it is a regular file.
    pub fn is_regular(&self) -> bool {
        self.mode & mode::KIND == mode::REGULAR
    }

    /// Whether somebody may start it.
    pub fn is_program(&self) -> bool {
        self.is_regular() && self.mode & mode::EXECUTABLE != 0
    }

    /// Whether it is a device.
    pub fn is_device(&self) -> bool {
        [mode::CHARACTER_DEVICE, mode::BLOCK_DEVICE].contains(&(self.mode & mode::KIND))
    }

    /// Whether it is a directory.
    pub fn is_directory(&self) -> bool {
        self.mode & mode::KIND == mode::DIRECTORY
    }

    /// Whether it is a symbolic link.
    pub fn is_link(&self) -> bool {
        self.mode & mode::KIND == mode::LINK
    }

    /// Whether it bears a flag, such as `config`.
    pub fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|known| known == flag)
    }
}

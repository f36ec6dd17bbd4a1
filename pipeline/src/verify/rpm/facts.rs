//! What a package says and holds: everything that a rule asks about, and that two packages can
//! differ in.

use crate::rpmfile::Nevra;
use qom_census::{ElfInfo, Executable, Qom};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A package, read once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PackageFacts {
    pub nevra: String,
    /// The same in its parts.
    pub id: Nevra,
    /// Whether it is a source package, which is never installed on a host.
    pub source: bool,
    /// The file of the source package that it was built from; nothing for a source package.
    pub source_package: Option<String>,
    /// rpm's format: 4, or 6.
    pub format: u32,
    pub build_time: Option<u32>,
    pub build_host: Option<String>,
    /// As rpm writes them.
    pub provides: Vec<String>,
    pub requires: Vec<String>,
    pub conflicts: Vec<String>,
    pub obsoletes: Vec<String>,
    /// Recommends, suggests, supplements and enhances, each with its kind in front.
    pub weak: Vec<String>,
    pub scriptlets: Vec<Scriptlet>,
    pub triggers: Vec<Trigger>,
    pub files: Vec<FileFacts>,
    pub changelog: Vec<Change>,
    pub payload: PayloadFacts,
    pub signature: SignatureFacts,
    /// Every other tag of its header that says something of the package and not of its build, by number.
    pub other: BTreeMap<u32, String>,
    /// Every ELF file in it.
    pub elf: Vec<ElfFile>,
    /// The programs in it that have QOM types.
    pub binaries: Vec<Binary>,
    /// What reading it showed to be untrue or odd.
    pub faults: Vec<Fault>,
}

impl PackageFacts {
    /// Whether it calls itself what rpmbuild makes beside, for debuggers: symbols, and the sources as they
    /// were compiled, ours too. The rule `debug-package` holds it to that.
    pub fn is_for_debuggers(&self) -> bool {
        let name = &self.id.name;
        !self.source && (name.ends_with("-debuginfo") || name.ends_with("-debugsource"))
    }

    /// What is known of one ELF file in it.
    pub fn elf_of(&self, path: &Path) -> Option<&ElfInfo> {
        self.elf.iter().find(|file| file.path == path)?.facts.as_ref()
    }
}

/// A program that rpm runs around an installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scriptlet {
    /// `pre`, `post`, `preun`, `postun`, `pretrans`, `posttrans`, `preuntrans`, `postuntrans`,
    /// `verify`.
    pub kind: String,
    pub interpreter: Vec<String>,
    pub text: String,
}

/// A program that rpm runs when other packages, or their files, come and go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    pub kind: TriggerKind,
    /// What it waits for, with `in`, `un`, `postun` or `prein` in front.
    pub on: Vec<String>,
    pub interpreter: String,
    pub text: String,
}

/// Which of the three lists of triggers it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TriggerKind {
    Package,
    File,
    TransactionFile,
}

impl TriggerKind {
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
pub struct FileFacts {
    pub path: String,
    pub size: u64,
    /// Type and permissions, as in `stat`.
    pub mode: u16,
    pub user: String,
    pub group: String,
    /// `config`, `noreplace`, `ghost`, `doc`, …
    pub flags: Vec<String>,
    /// Where a symbolic link leads to.
    pub link: Option<String>,
    /// As `getcap` writes them.
    pub capabilities: Option<String>,
    /// Of a regular file, in hexadecimal.
    pub digest: Option<String>,
    /// Which machine words a program of it has, in rpm's bits; 0 for what is none.
    pub colour: u32,
}

/// An entry of the changelog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub time: u32,
    pub author: String,
    pub text: String,
}

/// How the files are packed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayloadFacts {
    pub format: String,
    pub compressor: String,
    /// As it is in the package.
    pub size: u64,
    /// As it unpacks.
    pub unpacked: u64,
}

/// What stands in front of the header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureFacts {
    /// Every tag, the region's first.
    pub tags: Vec<u32>,
    /// Bytes of data.
    pub size: u32,
    /// The digests that the package gives of itself: `header-sha1`, `md5`, `payload-sha256`, …
    pub digests: Vec<String>,
    /// The fingerprint of the key that signed it, where keys were given to check it with.
    pub signed_by: Option<String>,
}

/// An ELF file in a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ElfFile {
    pub path: PathBuf,
    pub facts: Option<ElfInfo>,
    /// Why there are no facts: it is damaged, or for another kind of machine, as firmware is.
    pub unread: Option<String>,
    /// What a host does with it, where it would start or load it.
    pub starts: Option<Executable>,
    /// Whether its sections say that the code is in another file.
    pub for_debuggers: bool,
    /// Whether a debugger runs a script that is in it.
    pub scripts: bool,
}

/// A program in a package, with all its types.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Binary {
    pub path: PathBuf,
    pub size: u64,
    #[serde(flatten)]
    pub qom: Qom,
}

/// Something that is not as the package says, or as any package should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub kind: FaultKind,
    /// What is wrong, in one line.
    pub what: String,
}

/// Which rule a fault breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// A digest or a size that is not so.
    Digest,
    /// A path or an entry that no sound payload has.
    Payload,
    /// A signature that does not hold, by the keys that were given.
    Signature,
}

/// The bits of a file's mode (`sys/stat.h`).
pub mod mode {
    pub const KIND: u16 = 0o170_000;
    pub const REGULAR: u16 = 0o100_000;
    pub const DIRECTORY: u16 = 0o040_000;
    pub const CHARACTER_DEVICE: u16 = 0o020_000;
    pub const BLOCK_DEVICE: u16 = 0o060_000;
    pub const LINK: u16 = 0o120_000;
    pub const SETUID_SETGID: u16 = 0o6000;
    pub const STICKY: u16 = 0o1000;
    pub const EXECUTABLE: u16 = 0o111;
    pub const WORLD_WRITABLE: u16 = 0o002;
}

impl FileFacts {
    pub fn is_regular(&self) -> bool {
        self.mode & mode::KIND == mode::REGULAR
    }

    /// Whether somebody may start it.
    pub fn is_program(&self) -> bool {
        self.is_regular() && self.mode & mode::EXECUTABLE != 0
    }

    pub fn is_device(&self) -> bool {
        [mode::CHARACTER_DEVICE, mode::BLOCK_DEVICE].contains(&(self.mode & mode::KIND))
    }

    pub fn is_directory(&self) -> bool {
        self.mode & mode::KIND == mode::DIRECTORY
    }

    pub fn is_link(&self) -> bool {
        self.mode & mode::KIND == mode::LINK
    }

    pub fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|known| known == flag)
    }
}

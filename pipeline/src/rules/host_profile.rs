// SPDX-License-Identifier: GPL-2.0-or-later
//! What a family of hosts takes: its rpm and its C library.
//!
//! Sources, each at the tag of that rpm: `rpmlibProvides` in `lib/rpmds.c` (features), `lib/rpmtag.h`
//! (file triggers), `macros.in` (build ids), and for the signature header `rpmReadSignature` in `lib/signature.c` (4.11),
//! `hdrblobRead` (4.14) and `hdrblobVerifyLengths` (4.16) in `lib/header.c`. That EL 8 unpacks zstd
//! from 4.14.2-26.el8 on, which came with 8.2, is bug 1715799 of Red Hat's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A family of hosts.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// CentOS 7 and what stands on it, such as XCP-ng 8.3's dom0: rpm 4.11, glibc 2.17.
    El7,
    /// CentOS 8 and what stands on it: rpm 4.14, glibc 2.28.
    El8,
    /// CentOS Stream 9 and what stands on it: rpm 4.16, glibc 2.34.
    El9,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// What the rpm and the C library of a family of hosts take.
#[derive(Debug)]
pub struct HostProfile {
    pub name: &'static str,
    pub rpm: Version,
    pub glibc: (u32, u32),
    /// The `rpmlib()` features that its rpm provides, besides [`COMMON`].
    features: &'static [&'static str],
    pub compressors: &'static [&'static str],
    pub most_signature_tags: usize,
    pub most_signature_bytes: u32,
}

/// A version of rpm.
#[derive(Debug, Clone, Copy)]
pub struct Version(u32, u32);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// What every rpm since 4.11 provides, where it is built as a distribution builds it.
const COMMON: [&str; 16] = [
    "BuiltinLuaScripts",
    "CompressedFileNames",
    "ConcurrentAccess",
    "ExplicitPackageProvide",
    "FileCaps",
    "FileDigests",
    "HeaderLoadSortsTags",
    "PartialHardlinkSets",
    "PayloadFilesHavePrefix",
    "PayloadIsBzip2",
    "PayloadIsLzma",
    "PayloadIsXz",
    "ScriptletExpansion",
    "ScriptletInterpreterArgs",
    "TildeInVersions",
    "VersionedDependencies",
];

const EL7: HostProfile = HostProfile {
    name: "el7",
    rpm: Version(4, 11),
    glibc: (2, 17),
    features: &[],
    compressors: &["none", "gzip", "bzip2", "lzma", "xz"],
    most_signature_tags: 32,
    most_signature_bytes: 8192,
};

const EL8: HostProfile = HostProfile {
    name: "el8",
    rpm: Version(4, 14),
    glibc: (2, 28),
    // CaretInVersions came to this branch with 4.14.3, which EL 8.3 has.
    features: &["CaretInVersions", "LargeFiles", "PayloadIsZstd", "RichDependencies"],
    compressors: &["none", "gzip", "bzip2", "lzma", "xz", "zstd"],
    ..EL7
};

const EL9: HostProfile = HostProfile {
    name: "el9",
    rpm: Version(4, 16),
    glibc: (2, 34),
    features: &[
        "CaretInVersions",
        "DynamicBuildRequires",
        "LargeFiles",
        "PayloadIsZstd",
        "RichDependencies",
    ],
    most_signature_bytes: 64 << 20,
    ..EL8
};

impl HostProfile {
    pub fn of(target: Target) -> &'static Self {
        match target {
            Target::El7 => &EL7,
            Target::El8 => &EL8,
            Target::El9 => &EL9,
        }
    }

    pub fn knows(&self, feature: &str) -> bool {
        COMMON.contains(&feature) || self.features.contains(&feature)
    }
}

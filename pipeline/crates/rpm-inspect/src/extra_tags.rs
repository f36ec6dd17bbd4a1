// SPDX-License-Identifier: GPL-2.0-or-later
//! What a header says besides: every tag that no field of [`Package`](crate::Package) has, so that a difference between
//! two packages is never missed because nobody thought of its tag.
//!
//! Never enters: what every build changes (times, hosts, digests, sizes), and what a field tells
//! already.

use crate::HeaderStructure;
use crate::error::Result;
use crate::escape::hex;
use rpm::IndexTag as Tag;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Where the header's own region is told of (rpm, `HEADER_IMMUTABLE`).
const REGION: u32 = 63;

/// What a field of the package has, or a name with its version.
const MODELLED: [Tag; 58] = [
    Tag::RPMTAG_NAME,
    Tag::RPMTAG_VERSION,
    Tag::RPMTAG_RELEASE,
    Tag::RPMTAG_EPOCH,
    Tag::RPMTAG_ARCH,
    Tag::RPMTAG_SOURCERPM,
    Tag::RPMTAG_PROVIDENAME,
    Tag::RPMTAG_PROVIDEFLAGS,
    Tag::RPMTAG_PROVIDEVERSION,
    Tag::RPMTAG_REQUIRENAME,
    Tag::RPMTAG_REQUIREVERSION,
    Tag::RPMTAG_CONFLICTNAME,
    Tag::RPMTAG_CONFLICTVERSION,
    Tag::RPMTAG_OBSOLETENAME,
    Tag::RPMTAG_OBSOLETEVERSION,
    Tag::RPMTAG_RECOMMENDNAME,
    Tag::RPMTAG_RECOMMENDVERSION,
    Tag::RPMTAG_SUGGESTNAME,
    Tag::RPMTAG_SUGGESTVERSION,
    Tag::RPMTAG_SUPPLEMENTNAME,
    Tag::RPMTAG_SUPPLEMENTVERSION,
    Tag::RPMTAG_ENHANCENAME,
    Tag::RPMTAG_ENHANCEVERSION,
    Tag::RPMTAG_PREIN,
    Tag::RPMTAG_POSTIN,
    Tag::RPMTAG_PREUN,
    Tag::RPMTAG_POSTUN,
    Tag::RPMTAG_PRETRANS,
    Tag::RPMTAG_POSTTRANS,
    Tag::RPMTAG_PREUNTRANS,
    Tag::RPMTAG_POSTUNTRANS,
    Tag::RPMTAG_VERIFYSCRIPT,
    Tag::RPMTAG_PREINPROG,
    Tag::RPMTAG_POSTINPROG,
    Tag::RPMTAG_PREUNPROG,
    Tag::RPMTAG_POSTUNPROG,
    Tag::RPMTAG_PRETRANSPROG,
    Tag::RPMTAG_POSTTRANSPROG,
    Tag::RPMTAG_PREUNTRANSPROG,
    Tag::RPMTAG_POSTUNTRANSPROG,
    Tag::RPMTAG_VERIFYSCRIPTPROG,
    Tag::RPMTAG_CHANGELOGTIME,
    Tag::RPMTAG_CHANGELOGNAME,
    Tag::RPMTAG_CHANGELOGTEXT,
    Tag::RPMTAG_PAYLOADFORMAT,
    Tag::RPMTAG_PAYLOADCOMPRESSOR,
    Tag::RPMTAG_BASENAMES,
    Tag::RPMTAG_DIRNAMES,
    Tag::RPMTAG_DIRINDEXES,
    Tag::RPMTAG_FILEMODES,
    Tag::RPMTAG_FILEUSERNAME,
    Tag::RPMTAG_FILEGROUPNAME,
    Tag::RPMTAG_FILEFLAGS,
    Tag::RPMTAG_FILELINKTOS,
    Tag::RPMTAG_FILECAPS,
    Tag::RPMTAG_FILEDIGESTALGO,
    Tag::RPMTAG_RPMFORMAT,
    Tag::RPMTAG_SOURCENEVR,
];

/// Another one with each build of the same: times and hosts, sizes and digests, inodes, and what was found
/// out about each file.
const OF_THE_BUILD: [Tag; 29] = [
    Tag::RPMTAG_BUILDTIME,
    Tag::RPMTAG_BUILDHOST,
    Tag::RPMTAG_COOKIE,
    Tag::RPMTAG_SOURCESIGMD5,
    Tag::RPMTAG_SIZE,
    Tag::RPMTAG_LONGSIZE,
    Tag::RPMTAG_ARCHIVESIZE,
    Tag::RPMTAG_FILESIZES,
    Tag::RPMTAG_LONGFILESIZES,
    Tag::RPMTAG_FILEMTIMES,
    Tag::RPMTAG_FILEDIGESTS,
    Tag::RPMTAG_FILEDEVICES,
    Tag::RPMTAG_FILEINODES,
    Tag::RPMTAG_FILECLASS,
    Tag::RPMTAG_CLASSDICT,
    Tag::RPMTAG_FILECOLORS,
    Tag::RPMTAG_FILEDEPENDSX,
    Tag::RPMTAG_FILEDEPENDSN,
    Tag::RPMTAG_DEPENDSDICT,
    Tag::RPMTAG_PAYLOADSHA256,
    Tag::RPMTAG_PAYLOADSHA256ALT,
    Tag::RPMTAG_PAYLOADSIZE,
    Tag::RPMTAG_PAYLOADSIZEALT,
    Tag::RPMTAG_PAYLOAD_SHA512,
    Tag::RPMTAG_PAYLOAD_SHA512_ALT,
    Tag::RPMTAG_PAYLOAD_SHA3_256,
    Tag::RPMTAG_PAYLOAD_SHA3_256_ALT,
    Tag::RPMTAG_FILEMIMEINDEX,
    Tag::RPMTAG_MIMEDICT,
];

/// The longest text that is shown as it is.
const LONGEST: usize = 80;

/// The other tags, each as text or by its digest.
pub fn read(header: &HeaderStructure) -> Result<BTreeMap<u32, String>> {
    let known = |tag: &u32| {
        *tag == REGION || MODELLED.iter().chain(&OF_THE_BUILD).any(|known| *known as u32 == *tag)
    };
    let mut other = BTreeMap::new();
    for tag in header.tags().filter(|tag| !known(tag)) {
        let value = header.value(tag)?;
        let text = value.strip_suffix(&[0]).and_then(|text| std::str::from_utf8(text).ok());
        let plain = |text: &&str| text.len() <= LONGEST && !text.contains(char::is_control);
        let shown = match text.filter(plain) {
            Some(text) if !text.is_empty() => text.to_owned(),
            _ => format!("{} bytes, {}", value.len(), hex(&Sha256::digest(value))),
        };
        other.insert(tag, shown);
    }
    Ok(other)
}

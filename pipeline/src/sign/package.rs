// SPDX-License-Identifier: GPL-2.0-or-later
//! Signs an RPM by rebuilding its signature header; every other byte stays as rpmbuild wrote it.
//!
//! The `rpm` crate can sign too, but drops the MD5 and the payload size, and without them dom0's
//! rpm 4.11 takes a package whose payload was altered. So the header is made anew, with all that 4.11
//! looks at and within its limits, and the file is judged again before it gets its name.
//!
//! What never enters: the payload as a whole (it streams through), the clock, a package that does not
//! fit its own digests, anything that a signature header may hold besides digests and signatures.

#[cfg(test)]
mod tests;
mod verify;

use super::key::SigningKey;
use crate::error::Help;
use crate::files::write;
use crate::package_file;
use anyhow::{Context, Result, anyhow, bail, ensure};
use rpm::{Header, HeaderEntry, IndexData, IndexSignatureTag as Tag, IndexTag, PackageMetadata};
use rpm_inspect::{Digests, HeaderStructure, LEAD, PackageFile};
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;
pub use verify::verify_package;
use verify::{PackageSignature, refuse_altered};

/// What rpm 4.11 reads of a signature header, and no more.
const MOST_TAGS: u32 = 32;
const MOST_DATA: u32 = 8192;

/// What a package may bring along in its signature header: all of it is made anew.
const REPLACED: [Tag; 12] = [
    Tag::HEADER_SIGNATURES,
    Tag::RPMSIGTAG_DSA,
    Tag::RPMSIGTAG_RSA,
    Tag::RPMSIGTAG_SHA1,
    Tag::RPMSIGTAG_SHA256,
    Tag::RPMSIGTAG_OPENPGP,
    Tag::RPMSIGTAG_SIZE,
    Tag::RPMSIGTAG_PGP,
    Tag::RPMSIGTAG_MD5,
    Tag::RPMSIGTAG_GPG,
    Tag::RPMSIGTAG_PAYLOADSIZE,
    Tag::RPMSIGTAG_RESERVEDSPACE,
];

/// Signs the package `input` into `output`, which may be the same file.
///
/// The same input, key and time give the same bytes, whether the input was signed before or not. An
/// error says what is wrong with "it": the caller names the package.
pub fn sign_package(input: &Path, output: &Path, key: &SigningKey, time: u32) -> Result<()> {
    let source = package_file::open(input)?;
    refuse_unknown(&source)?;
    let archive_size = archive_size(&source)?;

    // Judged first: what was altered after the build is never signed.
    let digests = source.content()?.finish()?;
    refuse_altered(&digests, &source)?;
    let on_header = key.detached(source.header.bytes(), time)?;
    let on_all = key.detached(source.header.bytes().chain(source.payload()?), time)?;
    let entries = entries(&digests, archive_size, on_header, on_all)?;
    let front = lead_and_headers(&source, entries)?;

    let mut file = write::staged_for(output)?;
    let mut writer = BufWriter::new(file.as_file_mut());
    writer.write_all(&front)?;
    io::copy(&mut source.payload()?, &mut writer)?;
    writer.flush()?;
    drop(writer);
    file.as_file().sync_all()?;
    let found = verify_package(file.path(), key.public_armored())?;
    let meant = PackageSignature {
        fingerprint: key.fingerprint(),
        signed_at: time.max(key.created()),
        header_sha256: digests.header_sha256,
        size: digests.size,
    };
    ensure!(found == meant, "it changed while it was being signed");
    // A repository is read by a web server.
    write::persist(file, output, write::SHARED)
}

/// Nothing is dropped without a word: file signatures, for one, are somebody's.
fn refuse_unknown(source: &PackageFile) -> Result<()> {
    for tag in source.signature.tags() {
        ensure!(
            REPLACED.iter().any(|known| *known as u32 == tag),
            anyhow!("its signature header holds the tag {tag}, which rpm 4.11 cannot read").help(
                "build it as a \
             package of rpm's version 4, without file signatures"
            )
        );
    }
    Ok(())
}

/// The size of the unpacked archive, from whoever wrote it down.
fn archive_size(source: &PackageFile) -> Result<u32> {
    let said = match source.signature.number(Tag::RPMSIGTAG_PAYLOADSIZE as u32)? {
        None => source.header.number(IndexTag::RPMTAG_ARCHIVESIZE as u32)?,
        size => size,
    };
    said.context("it does not say how large its archive is")
        .help("build it with rpmbuild, which writes that down")
}

/// All that rpm 4.11 and its successors check; the space that rpmsign may use goes last.
fn entries(
    digests: &Digests,
    archive_size: u32,
    on_header: Vec<u8>,
    on_all: Vec<u8>,
) -> Result<Vec<HeaderEntry>> {
    let Ok(size) = u32::try_from(digests.size) else {
        bail!("it is larger than 4 GiB, more than rpm 4.11 can sign");
    };
    let entry = |tag: Tag, data: IndexData| HeaderEntry::new(tag as u32, data);
    Ok(vec![
        entry(Tag::RPMSIGTAG_RSA, IndexData::Bin(on_header)),
        entry(Tag::RPMSIGTAG_SHA1, IndexData::StringTag(digests.header_sha1.clone())),
        entry(Tag::RPMSIGTAG_SHA256, IndexData::StringTag(digests.header_sha256.clone())),
        entry(Tag::RPMSIGTAG_SIZE, IndexData::Int32(vec![size])),
        entry(Tag::RPMSIGTAG_PGP, IndexData::Bin(on_all)),
        entry(Tag::RPMSIGTAG_MD5, IndexData::Bin(digests.md5.to_vec())),
        entry(Tag::RPMSIGTAG_PAYLOADSIZE, IndexData::Int32(vec![archive_size])),
    ])
}

/// Lead, new signature header and main header, as they will stand before the payload.
fn lead_and_headers(source: &PackageFile, entries: Vec<HeaderEntry>) -> Result<Vec<u8>> {
    let mut metadata = PackageMetadata::parse(&mut source.lead_and_headers().as_slice())?;
    let bare = assemble(&mut metadata, entries.clone(), source)?;
    // As large as it was before, where it had room to spare: then rpmsign can still work in place.
    let data_size = HeaderStructure::signature(&mut &bare[LEAD..])?.data_size();
    let target = source.signature.data_size().min(MOST_DATA);
    let had_room = source.signature.tags().any(|tag| tag == Tag::RPMSIGTAG_RESERVEDSPACE as u32);
    if !had_room || target <= data_size {
        return Ok(bare);
    }
    let room = IndexData::Bin(vec![0; (target - data_size) as usize]);
    let room = HeaderEntry::new(Tag::RPMSIGTAG_RESERVEDSPACE as u32, room);
    assemble(&mut metadata, entries.into_iter().chain([room]).collect(), source)
}

fn assemble(
    metadata: &mut PackageMetadata,
    entries: Vec<HeaderEntry>,
    source: &PackageFile,
) -> Result<Vec<u8>> {
    metadata.signature = Header::from_entries(entries, Tag::HEADER_SIGNATURES);
    let mut front = Vec::new();
    metadata.write(&mut front)?;
    // The header is what was signed: the crate must give back the very bytes that it read.
    ensure!(
        front.starts_with(source.lead()) && front.ends_with(source.header.bytes()),
        "its header does not survive being read and written"
    );
    Ok(front)
}

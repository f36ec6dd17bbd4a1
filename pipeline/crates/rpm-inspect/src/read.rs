// SPDX-License-Identifier: GPL-2.0-or-later
//! Reads a package, from its first byte to its last, in one go.

use crate::error::{Error, ErrorKind, Result, bail, ensure};
use crate::faults::Faults;
use crate::package::{FaultKind, Package, PayloadInfo, SignatureInfo};
use crate::payload::{ElfVisitor, PayloadReader, Stop};
use crate::{Claim, HeaderStructure, Kind, PackageFile};
use crate::{decompress, dependencies, extra_tags, file_list, paths, stray_tags, sums};
use rpm::{IndexSignatureTag, IndexTag as Tag};
use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};

/// Above what any host of rpm 4.11 takes (its sizes have 32 bits).
const LARGEST_PAYLOAD: u64 = 4 << 30;

impl PackageFile {
    /// Reads all of the package: its headers, and its payload against them.
    ///
    /// Every ELF file in it is handed to `visitor` once, whole, one after the other; of everything else no
    /// more than a piece is in memory. What is wrong and can be passed over is in [`Package::faults`].
    ///
    /// # Errors
    ///
    /// What cannot be read at all is an [`Error`]. What the visitor returns is passed on as it is, unless a
    /// digest of the package is wrong: then that is said instead.
    pub fn inspect<E: From<Error>>(&self, visitor: ElfVisitor<E>) -> Result<Package, E> {
        let mut package = headers(self)?;
        payload(self, &mut package, visitor).map_err(|stop| match stop {
            Stop::Broken(error) => error.into(),
            Stop::Visitor(error) => error,
        })?;
        Ok(package)
    }

    /// How many files the package lists, by its header alone.
    ///
    /// # Errors
    ///
    /// The list of their modes is of another kind.
    pub fn file_count(&self) -> Result<usize> {
        Ok(self.header.shorts(Tag::RPMTAG_FILEMODES as u32)?.len())
    }
}

fn headers(file: &PackageFile) -> Result<Package> {
    let (header, signature) = (&file.header, &file.signature);
    let text = |tag: Tag| -> Result<Option<String>> {
        Ok(header.texts(tag as u32)?.into_iter().next().map(Cow::into_owned))
    };
    let id = file.nevra()?;
    Ok(Package {
        nevra: id.to_string(),
        source: file.kind()? == Kind::Source,
        source_package: file.source_package()?.map(str::to_owned),
        format: file.format()?,
        id,
        build_time: header.number(Tag::RPMTAG_BUILDTIME as u32)?,
        build_host: text(Tag::RPMTAG_BUILDHOST)?,
        provides: dependencies::dependencies(header, dependencies::PROVIDES)?,
        requires: dependencies::dependencies(header, dependencies::REQUIRES)?,
        conflicts: dependencies::dependencies(header, dependencies::CONFLICTS)?,
        obsoletes: dependencies::dependencies(header, dependencies::OBSOLETES)?,
        weak: dependencies::weak(header)?,
        scriptlets: dependencies::scriptlets(header)?,
        triggers: dependencies::triggers(header)?,
        files: Vec::new(),
        file_digest_algorithm: file_list::algorithm(header)?,
        changelog: dependencies::changelog(header)?,
        payload: PayloadInfo {
            format: text(Tag::RPMTAG_PAYLOADFORMAT)?.unwrap_or_else(|| "cpio".to_owned()),
            compressor: text(Tag::RPMTAG_PAYLOADCOMPRESSOR)?.unwrap_or_default(),
            size: file.payload_size()?,
            unpacked: 0,
        },
        signature: SignatureInfo {
            tags: signature.tags().collect(),
            size: signature.data_size(),
            digests: digests(file)?,
            signed_by: None,
        },
        extra_tags: extra_tags::read(header)?,
        faults: Vec::new(),
    })
}

/// Which digests of itself a package gives.
fn digests(file: &PackageFile) -> Result<Vec<String>> {
    use IndexSignatureTag as Given;
    let has = |tag: Tag| Ok::<_, Error>(file.header.text(tag as u32)?.is_some());
    let given = [
        ("md5", file.signature.binary(Given::RPMSIGTAG_MD5 as u32)?.is_some()),
        ("header-sha1", file.signature.text(Given::RPMSIGTAG_SHA1 as u32)?.is_some()),
        ("header-sha256", file.signature.text(Given::RPMSIGTAG_SHA256 as u32)?.is_some()),
        ("payload-sha256", file.payload_sha256()?.is_some()),
        ("header-sha3-256", file.signature.text(Given::RPMSIGTAG_SHA3_256 as u32)?.is_some()),
        ("payload-sha512", has(Tag::RPMTAG_PAYLOAD_SHA512)?),
        ("payload-sha3-256", has(Tag::RPMTAG_PAYLOAD_SHA3_256)?),
        ("unpacked-sha256", unpacked_sha256(&file.header)?.is_some()),
    ];
    let there = given.into_iter().filter(|(_, there)| *there);
    Ok(there.map(|(name, _)| name.to_owned()).collect())
}

fn unpacked_sha256(header: &HeaderStructure) -> Result<Option<&str>> {
    header.text(Tag::RPMTAG_PAYLOADSHA256ALT as u32)
}

fn payload<E>(
    file: &PackageFile,
    package: &mut Package,
    visitor: ElfVisitor<E>,
) -> Result<(), Stop<E>> {
    let mut faults = Faults::default();
    let size = package.payload.size;
    ensure!(
        size <= LARGEST_PAYLOAD,
        TooLarge,
        "its payload has {size} bytes, {LARGEST_PAYLOAD} are the most"
    );
    let whole = size + file.header.bytes().len() as u64;
    if let Some(said) = file.size()?.filter(|said| *said != whole) {
        let how = if whole < said { "it was cut short" } else { "something was added to it" };
        bail!(Truncated, "it has {whole} bytes and not the {said} that it gives: {how}");
    }
    let mut list = file_list::read(&file.header)?;
    paths::check(&list, package.source, &mut faults);
    stray_tags::check(&file.header, &mut faults)?;
    sums::check(&file.header, package, &list, &mut faults)?;
    let mut content = file.content()?;
    io::copy(&mut content.by_ref().take(file.header.bytes().len() as u64), &mut io::sink())?;
    let mut alt = file.payload_digests(true)?;
    let walked = {
        let mut input = BufReader::with_capacity(1 << 16, &mut content);
        if package.payload.compressor.is_empty() {
            // What rpm assumes where nothing is said, and zlib then passes on what is not gzip.
            let plain = !input.fill_buf()?.starts_with(&[0x1f, 0x8b]);
            package.payload.compressor.push_str(if plain { "none" } else { "gzip" });
        }
        let unpacked = decompress::decompress(&mut input, &package.payload.compressor);
        unpacked.map_err(Stop::from).and_then(|unpacked| {
            let unpacked = Hashed { input: unpacked, claims: &mut alt };
            PayloadReader::new(&list, size, &mut faults)?.run(unpacked, visitor)
        })
    };
    let digests = content.finish()?;
    let mismatches: Vec<_> = digests.mismatches(file)?.collect();
    let unpacked = walked.map_err(|stop| match (mismatches.first(), stop) {
        // What does not unpack because it was altered is told as that.
        (Some(what), Stop::Broken(error)) => {
            let message = format!("{what} is not what it says: it was altered");
            Stop::Broken(error.altered(message))
        }
        (Some(what), Stop::Visitor(_)) => {
            let message = format!("{what} is not what it says: it was altered");
            Stop::Broken(Error::new(ErrorKind::Altered, message))
        }
        (None, stop) => stop,
    })?;
    for what in mismatches {
        faults.push(FaultKind::Digest, format!("{what} is not what it says"));
    }
    for what in alt.into_iter().filter_map(Claim::refuted) {
        faults.push(FaultKind::Digest, format!("{what} is not what it says"));
    }
    if let Some(said) = file.header.long(Tag::RPMTAG_PAYLOADSIZE as u32)?.filter(|it| *it != size) {
        faults
            .push(FaultKind::Digest, format!("its payload has {size} bytes, and it gives {said}"));
    }
    let size = unpacked.size;
    for said in archive_sizes(file)?.into_iter().filter(|said| *said != size) {
        let what = format!("its payload unpacks to {size} bytes, and it gives {said}");
        faults.push(FaultKind::Digest, what);
    }
    package.payload.unpacked = size;
    for (file, sha256) in list.files.iter_mut().zip(unpacked.sha256) {
        file.sha256 = sha256;
    }
    package.files = list.files;
    package.faults = faults.finish();
    Ok(())
}

/// How large the unpacked payload is, in each place that rpm ever wrote it down.
fn archive_sizes(file: &PackageFile) -> Result<Vec<u64>> {
    use IndexSignatureTag as Given;
    let long = file.signature.long(Given::RPMSIGTAG_LONGARCHIVESIZE as u32)?;
    let short = file.signature.number(Given::RPMSIGTAG_PAYLOADSIZE as u32)?;
    let old = file.header.number(Tag::RPMTAG_ARCHIVESIZE as u32)?;
    let six = file.header.long(Tag::RPMTAG_PAYLOADSIZEALT as u32)?;
    let old = short.into_iter().chain(old).map(u64::from);
    Ok(long.into_iter().chain(six).chain(old).collect())
}

/// A stream that is hashed as it is read, where there is something to compare a hash to.
struct Hashed<'a, R> {
    input: R,
    claims: &'a mut [Claim],
}

impl<R: Read> Read for Hashed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.claims.iter_mut().for_each(|claim| claim.update(&buffer[..count]));
        Ok(count)
    }
}

//! Reads a package, from its first byte to its last, in one go.

use super::facts::{Binary, ElfFile, Fault, FaultKind, PackageFacts, PayloadFacts, SignatureFacts};
use super::faults::Faults;
pub use super::walk::LARGEST_BINARY;
use super::walk::Walk;
use super::{dependencies, files, other, paths, stray, sums, unpack};
use crate::files as input;
use crate::openpgp::{Certificate, check_package};
use crate::rpmfile::{Block, Claim, Kind, RpmFile};
use anyhow::{Context, Result, bail, ensure};
use fs_err as fs;
use qom_census::{ElfInfo, Qom};
use rpm::{IndexSignatureTag, IndexTag as Tag};
use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// How an RPM begins (rpm, `docs/manual/format_lead.md`).
const LEAD_MAGIC: [u8; 4] = [0xed, 0xab, 0xee, 0xdb];

/// Above what any host of rpm 4.11 takes (its sizes have 32 bits).
const LARGEST_PAYLOAD: u64 = 4 << 30;

/// Says of an ELF file which QOM types it has; nothing, where it has none.
pub type Judge<'a> = &'a mut dyn FnMut(&Path, &[u8]) -> Result<Option<Qom>>;

pub fn is_rpm(path: &Path) -> Result<bool> {
    let mut head = Vec::new();
    let file = input::open(path, &input::JUDGED)?;
    file.take(4).read_to_end(&mut head)?;
    Ok(head == LEAD_MAGIC)
}

/// Reads a package. Every ELF file in it is handed to `judge` once, whole, one after the other.
pub fn read(path: &Path, certificates: &[Certificate], judge: Judge) -> Result<PackageFacts> {
    let mut facts = once(path, judge).with_context(|| format!("package `{}`", name(path)))?;
    if !certificates.is_empty() {
        match check_package(path, certificates) {
            Ok(checked) => facts.signature.signed_by = Some(checked.fingerprint),
            Err(error) => {
                let what = format!("{:#}", error.root_cause());
                let what = what.lines().next().unwrap_or_default().to_owned();
                facts.faults.push(Fault { kind: FaultKind::Signature, what });
            }
        }
    }
    Ok(facts)
}

/// How many files a package lists, by its header alone.
pub fn count(path: &Path) -> Result<usize> {
    let count =
        || anyhow::Ok(RpmFile::open(path)?.header.shorts(Tag::RPMTAG_FILEMODES as u32)?.len());
    count().with_context(|| format!("package `{}`", name(path)))
}

fn once(path: &Path, judge: Judge) -> Result<PackageFacts> {
    let file = RpmFile::open(path)?;
    let mut facts = headers(&file)?;
    payload(&file, &mut facts, judge)?;
    Ok(facts)
}

/// Takes one file out of a package, into a folder, and says its name there.
pub fn extract(package: &Path, wanted: &Path, folder: &Path) -> Result<String> {
    let name = name(wanted);
    let mut found = false;
    read(package, &[], &mut |path, content| {
        if path == wanted {
            let to = folder.join(&name);
            fs::write(&to, content)?;
            fs::set_permissions(&to, PermissionsExt::from_mode(0o755))?;
            found = true;
        }
        Ok(None)
    })?;
    ensure!(found, "`{}` is no longer in the package", wanted.display());
    Ok(name)
}

fn headers(file: &RpmFile) -> Result<PackageFacts> {
    let (header, signature) = (&file.header, &file.signature);
    let text = |tag: Tag| -> Result<Option<String>> {
        Ok(header.texts(tag as u32)?.into_iter().next().map(Cow::into_owned))
    };
    let id = file.nevra()?;
    Ok(PackageFacts {
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
        changelog: dependencies::changelog(header)?,
        payload: PayloadFacts {
            format: text(Tag::RPMTAG_PAYLOADFORMAT)?.unwrap_or_else(|| "cpio".to_owned()),
            compressor: text(Tag::RPMTAG_PAYLOADCOMPRESSOR)?.unwrap_or_default(),
            size: file.payload_size()?,
            unpacked: 0,
        },
        signature: SignatureFacts {
            tags: signature.tags().collect(),
            size: signature.data_size(),
            digests: digests(file)?,
            signed_by: None,
        },
        other: other::tags(header)?,
        elf: Vec::new(),
        binaries: Vec::new(),
        faults: Vec::new(),
    })
}

/// Which digests of itself a package gives.
fn digests(file: &RpmFile) -> Result<Vec<String>> {
    use IndexSignatureTag as Given;
    let has = |tag: Tag| anyhow::Ok(file.header.text(tag as u32)?.is_some());
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

fn unpacked_sha256(header: &Block) -> Result<Option<&str>> {
    header.text(Tag::RPMTAG_PAYLOADSHA256ALT as u32)
}

fn payload(file: &RpmFile, facts: &mut PackageFacts, judge: Judge) -> Result<()> {
    let mut faults = Faults::default();
    let size = facts.payload.size;
    ensure!(
        size <= LARGEST_PAYLOAD,
        "its payload has {size} bytes, {LARGEST_PAYLOAD} are the most"
    );
    let whole = size + file.header.bytes().len() as u64;
    if let Some(said) = file.size()?.filter(|said| *said != whole) {
        let how = if whole < said { "it was cut short" } else { "something was added to it" };
        bail!("it has {whole} bytes and not the {said} that it gives: {how}");
    }
    let listing = files::listing(&file.header)?;
    paths::check(&listing, facts.source, &mut faults);
    stray::check(&file.header, &mut faults)?;
    sums::check(&file.header, facts, &listing, &mut faults)?;
    let mut content = file.content()?;
    io::copy(&mut content.by_ref().take(file.header.bytes().len() as u64), &mut io::sink())?;
    let mut alt = file.payload_digests(true)?;
    let walked = {
        let mut input = BufReader::with_capacity(1 << 16, &mut content);
        if facts.payload.compressor.is_empty() {
            // What rpm assumes where nothing is said, and zlib then passes on what is not gzip.
            let plain = !input.fill_buf()?.starts_with(&[0x1f, 0x8b]);
            facts.payload.compressor.push_str(if plain { "none" } else { "gzip" });
        }
        let (elf, binaries) = (&mut facts.elf, &mut facts.binaries);
        let mut look = |path: &Path, bytes: &[u8]| {
            let types = judge(path, bytes)?;
            elf.push(elf_file(path, bytes));
            if let Some(qom) = types {
                binaries.push(Binary { path: path.to_owned(), size: bytes.len() as u64, qom });
            }
            Ok(())
        };
        unpack::unpack(&mut input, &facts.payload.compressor).and_then(|unpacked| {
            let unpacked = Hashed { input: unpacked, claims: &mut alt };
            Walk::new(&listing, size, &mut faults)?.run(unpacked, &mut look)
        })
    };
    let digests = content.finish()?;
    let false_claims: Vec<_> = digests.false_claims(file)?.collect();
    let unpacked = walked.map_err(|error| match false_claims.first() {
        // What does not unpack because it was altered is told as that.
        Some(what) => error.context(format!("{what} is not what it says: it was altered")),
        None => error,
    })?;
    for what in false_claims {
        faults.push(FaultKind::Digest, format!("{what} is not what it says"));
    }
    for what in alt.into_iter().filter_map(Claim::refuted) {
        faults.push(FaultKind::Digest, format!("{what} is not what it says"));
    }
    if let Some(said) = file.header.long(Tag::RPMTAG_PAYLOADSIZE as u32)?.filter(|it| *it != size) {
        faults
            .push(FaultKind::Digest, format!("its payload has {size} bytes, and it gives {said}"));
    }
    for said in archive_sizes(file)?.into_iter().filter(|said| *said != unpacked) {
        let what = format!("its payload unpacks to {unpacked} bytes, and it gives {said}");
        faults.push(FaultKind::Digest, what);
    }
    facts.payload.unpacked = unpacked;
    facts.files = listing.files;
    facts.faults = faults.finish();
    Ok(())
}

fn elf_file(path: &Path, bytes: &[u8]) -> ElfFile {
    let (facts, unread) = match ElfInfo::read(bytes) {
        Ok(facts) => (Some(facts), None),
        Err(error) => (None, Some(format!("{:#}", anyhow::Error::from(error)))),
    };
    ElfFile {
        path: path.to_owned(),
        facts,
        unread,
        starts: qom_census::executable(bytes),
        for_debuggers: qom_census::is_for_debuggers(bytes),
        scripts: qom_census::has_gdb_scripts(bytes),
    }
}

/// How large the unpacked payload is, in each place that rpm ever wrote it down.
fn archive_sizes(file: &RpmFile) -> Result<Vec<u64>> {
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

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

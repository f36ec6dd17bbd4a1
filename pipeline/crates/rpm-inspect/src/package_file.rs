// SPDX-License-Identifier: GPL-2.0-or-later
//! An RPM as a file: its parts, its name, and the digests of what is really in it.
//!
//! Headers are read in full and checked, within bounds;
//! the payload stays on disk and streams by.
//!
//! What never enters: keys and signatures as more than bytes, what a payload unpacks to.

use crate::error::{ErrorKind, OrError, Result, ensure};
use crate::{Claim, HeaderStructure};
use md5::{Digest, Md5};
use rpm::{IndexSignatureTag as SignatureTag, IndexTag};
use sha1::Sha1;
use sha2::Sha256;
use sha3::Sha3_256;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// The lead's size in bytes. What it says besides its magic number stands in the header too.
pub const LEAD: usize = 96;
/// How every RPM begins (rpm, `docs/manual/format_lead.md`).
pub const MAGIC: [u8; 4] = [0xed, 0xab, 0xee, 0xdb];
/// The version that the lead gives: 3 for the formats 3 and 4, 4 for the format 6 (rpm,
/// `docs/manual/format_v6.md`).
const LEAD_VERSIONS: [u8; 2] = [3, 4];
/// In the numbers of OpenPGP, which rpm took over (RFC 9580, 9.5).
const SHA256: u32 = 8;

/// A package whose headers are read and sound, and whose payload is still on disk.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("hello.rpm");
/// # rpm::PackageBuilder::new("hello", "1", "MIT", "noarch", "An example").build()?.write_file(&path)?;
/// let file = rpm_inspect::PackageFile::open(&path)?;
/// assert_eq!(file.nevra()?.name, "hello");
/// // Everything is read once, and what the package says of itself held against it.
/// let digests = file.content()?.finish()?;
/// assert_eq!(digests.mismatch(&file)?, None);
/// # Ok(())
/// # }
/// ```
pub struct PackageFile {
    file: File,
    /// Lead and signature header, with the padding after it.
    before: Vec<u8>,
    /// The signature header.
    pub signature: HeaderStructure,
    /// The main header.
    pub header: HeaderStructure,
}

impl PackageFile {
    /// Opens a package by its path.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is no package whose headers are sound.
    pub fn open(path: &Path) -> Result<Self> {
        Self::new(File::open(path)?)
    }

    /// Reads the headers of an open file, from its start on.
    ///
    /// # Errors
    ///
    /// It cannot be read, or is no package whose headers are sound.
    pub fn new(mut file: File) -> Result<Self> {
        file.rewind()?;
        let mut input = BufReader::new(&file);
        let mut before = Vec::new();
        input.by_ref().take(LEAD as u64).read_to_end(&mut before)?;
        ensure!(
            before.len() == LEAD && before.starts_with(&MAGIC),
            NotRpm,
            "it is not an RPM package"
        );
        let version = before[MAGIC.len()];
        ensure!(
            LEAD_VERSIONS.contains(&version),
            Unsupported,
            "it is not an RPM package of a version that is known here: its lead says {version}"
        );
        let signature = HeaderStructure::signature(&mut input)?;
        before.extend_from_slice(signature.bytes());
        let padding = before.len().next_multiple_of(8) - before.len();
        let mut zeroes = [0; 8];
        input
            .read_exact(&mut zeroes[..padding])
            .or_error(ErrorKind::Truncated, "it is cut short")?;
        ensure!(zeroes == [0; 8], Malformed, "the padding of its signature header is not empty");
        before.extend_from_slice(&zeroes[..padding]);
        let header = HeaderStructure::main(&mut input)?;
        Ok(Self { file, before, signature, header })
    }

    /// The lead, [`LEAD`] bytes.
    pub fn lead(&self) -> &[u8] {
        &self.before[..LEAD]
    }

    /// Everything before the payload, as it stands in the file.
    pub fn lead_and_headers(&self) -> Vec<u8> {
        [&self.before, self.header.bytes()].concat()
    }

    /// The SHA-256 of the payload as the header has it: what binds the payload to a signature over the
    /// header alone. rpm has written it since version 4.14, under this algorithm only.
    ///
    /// # Errors
    ///
    /// A tag of it is of another kind.
    pub fn payload_sha256(&self) -> Result<Option<&str>> {
        let algorithm = self.header.number(IndexTag::RPMTAG_PAYLOADSHA256ALGO as u32)?;
        let digest = self.header.text(IndexTag::RPMTAG_PAYLOADSHA256 as u32)?;
        Ok(digest.filter(|_| algorithm.is_none_or(|known| known == SHA256)))
    }

    /// The size of header and payload together in bytes, as the package gives it.
    ///
    /// # Errors
    ///
    /// A tag of it is of another kind.
    pub fn size(&self) -> Result<Option<u64>> {
        let long = self.signature.long(SignatureTag::RPMSIGTAG_LONGSIZE as u32)?;
        let short = self.signature.number(SignatureTag::RPMSIGTAG_SIZE as u32)?;
        Ok(long.or(short.map(u64::from)))
    }

    /// How many bytes stand behind the headers.
    ///
    /// # Errors
    ///
    /// The file cannot be looked at.
    pub fn payload_size(&self) -> Result<u64> {
        let before = (self.before.len() + self.header.bytes().len()) as u64;
        Ok(self.file.metadata()?.len().saturating_sub(before))
    }

    /// What stands behind the headers, from its start on: one stream at a time.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn payload(&self) -> Result<impl Read> {
        let start = (self.before.len() + self.header.bytes().len()) as u64;
        let mut file = &self.file;
        file.seek(SeekFrom::Start(start))?;
        Ok(BufReader::with_capacity(1 << 16, file))
    }

    /// What the signature over everything covers: the header, then the payload.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or a digest in the header is of another kind.
    pub fn content(&self) -> Result<Content<'_, impl Read>> {
        Ok(Content {
            header: self.header.bytes(),
            read: 0,
            payload: self.payload()?,
            md5: Md5::new(),
            payload_sha256: Sha256::new(),
            more: self.payload_digests(false)?,
        })
    }
}

/// Header and payload as one stream that is hashed as it is read.
pub struct Content<'a, R> {
    header: &'a [u8],
    read: u64,
    payload: R,
    md5: Md5,
    payload_sha256: Sha256,
    more: Vec<Claim>,
}

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(self.read).ok().and_then(|read| self.header.get(read..));
        let count = match rest {
            Some(mut rest) if !rest.is_empty() => rest.read(buffer)?,
            _ => {
                let count = self.payload.read(buffer)?;
                self.payload_sha256.update(&buffer[..count]);
                self.more.iter_mut().for_each(|claim| claim.update(&buffer[..count]));
                count
            }
        };
        self.md5.update(&buffer[..count]);
        self.read += count as u64;
        Ok(count)
    }
}

impl<R: Read> Content<'_, R> {
    /// Reads what is left, and sums up.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn finish(mut self) -> Result<Digests> {
        io::copy(&mut self, &mut io::sink())?;
        Ok(Digests {
            header_sha1: format!("{:x}", Sha1::digest(self.header)),
            header_sha256: format!("{:x}", Sha256::digest(self.header)),
            payload_sha256: format!("{:x}", self.payload_sha256.finalize()),
            md5: self.md5.finalize().into(),
            size: self.read,
            wrong: self.more.into_iter().filter_map(Claim::refuted).collect(),
        })
    }
}

/// What the package adds up to, whatever it says of itself; digests in hexadecimal.
pub struct Digests {
    /// Of the main header.
    pub header_sha1: String,
    /// Of the main header.
    pub header_sha256: String,
    /// Of the payload as it is in the file.
    pub payload_sha256: String,
    /// Of header and payload together.
    pub md5: [u8; 16],
    /// Header and payload together, in bytes.
    pub size: u64,
    /// Of the digests that only the format 6 has, those that are not so.
    wrong: Vec<&'static str>,
}

impl Digests {
    /// What the package says of itself and is not so: of all the digests and sizes that it gives, the
    /// first that is wrong. It need not give any.
    ///
    /// # Errors
    ///
    /// One of their tags is of another kind.
    pub fn mismatch(&self, file: &PackageFile) -> Result<Option<&'static str>> {
        Ok(self.mismatches(file)?.next())
    }

    /// All that the package says of itself and is not so.
    ///
    /// # Errors
    ///
    /// One of their tags is of another kind.
    pub fn mismatches(
        &self,
        file: &PackageFile,
    ) -> Result<impl Iterator<Item = &'static str> + use<>> {
        let given = &file.signature;
        let wrong = |text: Option<&str>, right: &str| text.is_some_and(|text| text != right);
        let sha1 = given.text(SignatureTag::RPMSIGTAG_SHA1 as u32)?;
        let sha256 = given.text(SignatureTag::RPMSIGTAG_SHA256 as u32)?;
        let size = file.size()?;
        let md5 = given.binary(SignatureTag::RPMSIGTAG_MD5 as u32)?;
        let sha3 = given.text(SignatureTag::RPMSIGTAG_SHA3_256 as u32)?;
        let right_sha3 = sha3.map(|_| format!("{:x}", Sha3_256::digest(file.header.bytes())));
        let more = self.wrong.clone();
        let claims = [
            ("the SHA-1 of its header", wrong(sha1, &self.header_sha1)),
            ("the SHA-256 of its header", wrong(sha256, &self.header_sha256)),
            ("its size", size.is_some_and(|size| size != self.size)),
            ("the SHA3-256 of its header", sha3 != right_sha3.as_deref()),
            ("its MD5", md5.is_some_and(|md5| md5 != self.md5)),
            ("the SHA-256 of its payload", wrong(file.payload_sha256()?, &self.payload_sha256)),
        ];
        Ok(claims.into_iter().filter_map(|(what, wrong)| wrong.then_some(what)).chain(more))
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! Digests of the payload that came with rpm's format 6, each beside what its header says it is.

use crate::PackageFile;
use crate::error::Result;
use crate::escape::hex;
use rpm::IndexTag as Tag;
use sha2::digest::DynDigest;

/// A digest that is being made of a payload, and what the header says that it is.
pub struct Claim {
    what: &'static str,
    said: String,
    hasher: Box<dyn DynDigest>,
}

impl Claim {
    /// Takes the next bytes.
    pub fn update(&mut self, piece: &[u8]) {
        self.hasher.update(piece);
    }

    /// What the digest is of, if it is not what the header says.
    #[must_use]
    pub fn refuted(self) -> Option<&'static str> {
        (hex(&self.hasher.finalize()) != self.said).then_some(self.what)
    }
}

/// Where a digest is given, what it is called, and what makes it.
type Made<'a> = (Tag, &'static str, &'a dyn Fn() -> Box<dyn DynDigest>);

impl PackageFile {
    /// The digests that the header gives of the payload besides its SHA-256: as it is in the file, or as
    /// it unpacks.
    ///
    /// # Errors
    ///
    /// One of their tags is not a text.
    pub fn payload_digests(&self, unpacked: bool) -> Result<Vec<Claim>> {
        let sha512 = || -> Box<dyn DynDigest> { Box::new(sha2::Sha512::default()) };
        let sha3 = || -> Box<dyn DynDigest> { Box::new(sha3::Sha3_256::default()) };
        let sha256 = || -> Box<dyn DynDigest> { Box::new(sha2::Sha256::default()) };
        let packed: [Made; 2] = [
            (Tag::RPMTAG_PAYLOAD_SHA512, "the SHA-512 of its payload", &sha512),
            (Tag::RPMTAG_PAYLOAD_SHA3_256, "the SHA3-256 of its payload", &sha3),
        ];
        let alternate: [Made; 3] = [
            (Tag::RPMTAG_PAYLOADSHA256ALT, "the SHA-256 of its unpacked payload", &sha256),
            (Tag::RPMTAG_PAYLOAD_SHA512_ALT, "the SHA-512 of its unpacked payload", &sha512),
            (Tag::RPMTAG_PAYLOAD_SHA3_256_ALT, "the SHA3-256 of its unpacked payload", &sha3),
        ];
        let asked: &[Made] = if unpacked { &alternate } else { &packed };
        let mut claims = Vec::new();
        for (tag, what, hasher) in asked {
            if let Some(said) = self.header.text(*tag as u32)? {
                claims.push(Claim { what, said: said.to_owned(), hasher: hasher() });
            }
        }
        Ok(claims)
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! Judges a signed package from its bytes alone, by what it must hold for rpm 4.11.
//!
//! It takes nothing from the code that signs. Every byte of the signature header has to have its
//! reason, as no signature covers that header itself.

use super::{MOST_DATA, MOST_TAGS};
use crate::error::Help;
use crate::openpgp::one_signature;
use crate::package_file;
use anyhow::{Context, Result, anyhow, bail, ensure};
use pgp::composed::{Deserializable, SignedPublicKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::public_key::PublicKeyAlgorithm;
use pgp::packet::{PacketTrait, Signature, SignatureType, SignatureVersion};
use pgp::types::KeyDetails;
use rpm::{IndexSignatureTag as Tag, IndexTag};
use rpm_inspect::{Digests, PackageFile};
use std::path::Path;

/// What has to be there, besides the region; space for later may be.
const REQUIRED: [Tag; 7] = [
    Tag::RPMSIGTAG_RSA,
    Tag::RPMSIGTAG_SHA1,
    Tag::RPMSIGTAG_SHA256,
    Tag::RPMSIGTAG_SIZE,
    Tag::RPMSIGTAG_PGP,
    Tag::RPMSIGTAG_MD5,
    Tag::RPMSIGTAG_PAYLOADSIZE,
];

/// A package that is whole and signed by the key asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageSignature {
    /// The key's fingerprint as gpg prints it.
    pub fingerprint: String,
    /// The time that the signature gives, in seconds since 1970.
    pub signed_at: u32,
    /// The SHA-256 of the header, which names the payload's in turn.
    pub header_sha256: String,
    /// Header and payload together, in bytes.
    pub size: u64,
}

/// Checks every digest and both signatures of a package against the one key in `public_armored`.
pub fn verify_package(path: &Path, public_armored: &str) -> Result<PackageSignature> {
    judge(path, public_armored)
        .with_context(|| format!("the signature of `{}` does not hold", path.display()))
}

fn judge(path: &Path, public_armored: &str) -> Result<PackageSignature> {
    let key = public_key(public_armored)?;
    let source = package_file::open(path)?;
    check_form(&source)?;
    let on_header = signature(&source, Tag::RPMSIGTAG_RSA)?;
    let on_all = signature(&source, Tag::RPMSIGTAG_PGP)?;

    let mut content = source.content()?;
    let all_holds = on_all.verify(&key.primary_key, &mut content).is_ok();
    let digests = content.finish()?;
    // Digests first: what they say is plainer than that a signature does not fit.
    refuse_altered(&digests, &source)?;
    let name = key.fingerprint();
    ensure!(all_holds, "the key `{name:X}` did not sign its header and payload as they are");
    let header_holds = on_header.verify(&key.primary_key, source.header.bytes()).is_ok();
    ensure!(header_holds, "the key `{name:X}` did not sign its header as it is");

    let (Some(signed_at), true) = (on_all.created(), on_all.created() == on_header.created())
    else {
        bail!("its two signatures give different times");
    };
    Ok(PackageSignature {
        fingerprint: format!("{name:X}"),
        signed_at: signed_at.as_secs(),
        header_sha256: digests.header_sha256,
        size: digests.size,
    })
}

/// Every digest and size that the package gives has to be right.
pub(super) fn refuse_altered(digests: &Digests, source: &PackageFile) -> Result<()> {
    match digests.mismatch(source)? {
        Some(what) => Err(anyhow!("{what} is not what it says: it was altered or cut short")
            .help("build it again")),
        None => Ok(()),
    }
}

fn public_key(armored: &str) -> Result<SignedPublicKey> {
    let keys = SignedPublicKey::from_string_many(armored)
        .and_then(|(keys, _)| keys.collect::<Result<Vec<_>, _>>());
    let keys = keys.context("cannot read the public key")?;
    let [key] = <[_; 1]>::try_from(keys)
        .map_err(|keys| anyhow::anyhow!("{} public keys where one is needed", keys.len()))?;
    Ok(key)
}

/// Each tag once, nothing else, nothing hidden between them, and no more than rpm 4.11 reads.
fn check_form(source: &PackageFile) -> Result<()> {
    let header = &source.signature;
    let tags: Vec<u32> = header.tags().skip(1).collect();
    for tag in REQUIRED {
        let count = tags.iter().filter(|there| **there == tag as u32).count();
        ensure!(count == 1, "its signature header holds the tag {} {count} times", tag as u32);
    }
    let room = header.binary(Tag::RPMSIGTAG_RESERVEDSPACE as u32)?;
    ensure!(
        room.is_none_or(|room| room.iter().all(|byte| *byte == 0)),
        "its reserved space is used"
    );
    let expected = REQUIRED.len() + usize::from(room.is_some());
    ensure!(tags.len() == expected, "its signature header holds tags that no signed package needs");
    ensure!(header.gaps_are_zero(), "its signature header holds bytes of no tag");
    let fits = tags.len() < MOST_TAGS as usize && header.data_size() <= MOST_DATA;
    ensure!(fits, "its signature header is larger than rpm 4.11 reads");
    let said = header.number(Tag::RPMSIGTAG_PAYLOADSIZE as u32)?;
    let archive_size = source.header.number(IndexTag::RPMTAG_ARCHIVESIZE as u32)?;
    ensure!(archive_size.is_none() || archive_size == said, "it gives two sizes of its archive");
    Ok(())
}

/// A signature as rpm 4.11 takes it: one packet, v4, binary, RSA, a hash that is not broken.
fn signature(source: &PackageFile, tag: Tag) -> Result<Signature> {
    let bytes = source.signature.binary(tag as u32)?.unwrap_or_default();
    let signature = one_signature(bytes)
        .with_context(|| format!("its tag {} is not one OpenPGP signature", tag as u32))?;
    let mut again = Vec::new();
    signature.to_writer_with_header(&mut again)?;
    let sound = signature.version() == SignatureVersion::V4
        && signature.typ() == Some(SignatureType::Binary)
        && signature.config().is_some_and(|config| {
            config.pub_alg == PublicKeyAlgorithm::RSA && config.unhashed_subpackets().count() == 0
        })
        && matches!(
            signature.hash_alg(),
            Some(HashAlgorithm::Sha256 | HashAlgorithm::Sha384 | HashAlgorithm::Sha512)
        );
    ensure!(
        sound && again == bytes,
        "its tag {} is not a signature that rpm 4.11 takes",
        tag as u32
    );
    Ok(signature)
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! People with keys, and packages that they signed in each of the ways there are.

use super::super::check::Checked;
use super::super::{Certificate, check_package};
use anyhow::Result;
use pgp::armor::{self, BlockType};
use pgp::composed::{
    ArmorOptions, KeyType, SecretKeyParamsBuilder, SignedPublicKey, SubkeyParamsBuilder,
};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{
    KeyFlags, PacketTrait, SecretKey, SecretSubkey, Signature, SignatureConfig, SignatureType,
    Subpacket, SubpacketData,
};
use pgp::ser::Serialize;
use pgp::types::{KeyDetails, Password, SigningKey, Timestamp};
use rand::rngs::OsRng;
use rpm::{
    BuildConfig, CompressionType, FileOptions, Header, HeaderEntry, IndexData, IndexSignatureTag,
    IndexTag, Package, PackageBuilder,
};
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub use rpm::IndexSignatureTag as Tag;

/// When the keys were made, and a time at which they sign.
pub const MADE: u32 = 1_400_000_000;
pub const SIGNED: u32 = 1_500_000_000;

/// Somebody with a key and with a subkey that signs too.
#[derive(Clone)]
pub struct Owner {
    pub primary: SecretKey,
    pub subkey: SecretSubkey,
    pub public: SignedPublicKey,
}

impl Owner {
    pub fn new(kind: KeyType) -> Self {
        let made = Timestamp::from_secs(MADE);
        let mut subkey = SubkeyParamsBuilder::default();
        subkey.key_type(KeyType::Ed25519Legacy).can_sign(true).created_at(made);
        let mut key = SecretKeyParamsBuilder::default();
        key.key_type(kind).can_certify(true).can_sign(true).created_at(made);
        key.primary_user_id("Owner <owner@example.org>".to_owned());
        key.subkey(subkey.build().unwrap());
        let key = key.build().unwrap().generate(OsRng).unwrap();
        let public = key.to_public_key();
        let subkey = key.secret_subkeys.into_iter().next().unwrap().key;
        Self { primary: key.primary_key, subkey, public }
    }

    pub fn fingerprint(&self) -> String {
        format!("{:X}", self.primary.fingerprint())
    }

    pub fn armored(&self) -> String {
        self.public.to_armored_string(ArmorOptions::default()).unwrap()
    }

    pub fn certificate(&self) -> Certificate {
        let [certificate] =
            Certificate::read(self.armored().as_bytes()).unwrap().try_into().unwrap();
        certificate
    }

    /// With these words of the primary key about itself; a revocation is one as well.
    pub fn says(mut self, kind: SignatureType, words: Vec<SubpacketData>) -> Self {
        let config = config(&self.primary, kind, HashAlgorithm::Sha256, SIGNED, words);
        let signature =
            config.sign_key(&self.primary, &Password::empty(), &self.primary.public_key());
        let details = &mut self.public.details;
        match kind {
            SignatureType::KeyRevocation => &mut details.revocation_signatures,
            _ => &mut details.direct_signatures,
        }
        .push(signature.unwrap());
        self
    }

    /// With this word on the subkey in the place of the one that it has.
    pub fn binds(
        mut self,
        kind: SignatureType,
        hash: HashAlgorithm,
        words: Vec<SubpacketData>,
    ) -> Self {
        let config = config(&self.primary, kind, hash, SIGNED, words);
        let (public, subkey) = (self.primary.public_key(), self.subkey.public_key());
        let none = Password::empty();
        let signature = config.sign_subkey_binding(&self.primary, public, &none, subkey).unwrap();
        self.public.public_subkeys[0].signatures = vec![signature];
        self
    }

    /// The subkey's own word that it belongs to this primary key.
    pub fn agreement(&self) -> SubpacketData {
        let public = self.primary.public_key();
        let back = self.subkey.sign_primary_key_binding(OsRng, public, &Password::empty());
        SubpacketData::EmbeddedSignature(Box::new(back.unwrap()))
    }
}

/// The bare packets of several keys.
pub fn packets(owners: &[&Owner]) -> Vec<u8> {
    owners.iter().flat_map(|owner| owner.public.to_bytes().unwrap()).collect()
}

/// Any bytes as what calls itself a public key.
pub fn armor(packets: &[u8]) -> String {
    struct Bytes<'a>(&'a [u8]);
    impl Serialize for Bytes<'_> {
        fn to_writer<W: Write>(&self, to: &mut W) -> pgp::errors::Result<()> {
            Ok(to.write_all(self.0)?)
        }

        fn write_len(&self) -> usize {
            self.0.len()
        }
    }
    let mut armored = Vec::new();
    armor::write(&Bytes(packets), BlockType::PublicKey, &mut armored, None, true).unwrap();
    String::from_utf8(armored).unwrap()
}

/// A signature that holds one that holds one, as deep as `size` bytes allow.
pub fn nest(size: usize) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() + 30 < size {
        let length = u32::try_from(body.len() + 1).unwrap().to_be_bytes();
        let inner = [&[0xff], &length[..], &[32], &body].concat();
        let inner = if body.is_empty() { body } else { inner };
        let length = u16::try_from(inner.len()).unwrap().to_be_bytes();
        // Version 4 over a file, RSA, SHA-256; nothing unhashed; a number of one bit.
        body = [&[4, 0, 1, 8], &length[..], &inner, &[0, 0, 0, 0, 0, 1, 1]].concat();
    }
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[0xc2, 0xff], &length[..], &body].concat()
}

pub fn issuer(key: &impl KeyDetails) -> SubpacketData {
    SubpacketData::IssuerFingerprint(key.fingerprint())
}

pub fn flags(sign: bool) -> SubpacketData {
    let mut flags = KeyFlags::default();
    flags.set_sign(sign);
    SubpacketData::KeyFlags(flags)
}

fn config(
    key: &impl SigningKey,
    kind: SignatureType,
    hash: HashAlgorithm,
    time: u32,
    words: Vec<SubpacketData>,
) -> SignatureConfig {
    let mut config = SignatureConfig::v4(kind, key.algorithm(), hash);
    let time = SubpacketData::SignatureCreationTime(Timestamp::from_secs(time));
    let words = [time, issuer(key)].into_iter().chain(words);
    config.hashed_subpackets = words.map(|word| Subpacket::regular(word).unwrap()).collect();
    config
}

fn packet(signature: &Signature) -> Vec<u8> {
    let mut bytes = Vec::new();
    signature.to_writer_with_header(&mut bytes).unwrap();
    bytes
}

/// A signature of version 4 over some bytes.
pub fn sign<K: SigningKey>(key: &K, data: &[u8]) -> Vec<u8> {
    sign_at(SIGNED, key, data)
}

pub fn sign_at(time: u32, key: &impl SigningKey, data: &[u8]) -> Vec<u8> {
    let config = config(key, SignatureType::Binary, HashAlgorithm::Sha256, time, Vec::new());
    packet(&config.sign(key, &Password::empty(), data).unwrap())
}

/// A signature of version 3, which the crate reads and does not write (RFC 4880, 5.2.2 and 5.2.4).
pub fn sign_v3<K: SigningKey>(key: &K, data: &[u8]) -> Vec<u8> {
    let digest =
        Sha256::new().chain_update(data).chain_update([0]).chain_update(SIGNED.to_be_bytes());
    let digest = digest.finalize();
    let bytes = key.sign(&Password::empty(), HashAlgorithm::Sha256, &digest).unwrap();
    let (time, id) = (Timestamp::from_secs(SIGNED), key.legacy_key_id());
    let config = SignatureConfig::v3(
        SignatureType::Binary,
        key.algorithm(),
        HashAlgorithm::Sha256,
        time,
        id,
    );
    packet(&Signature::from_config(config, [digest[0], digest[1]], bytes).unwrap())
}

/// A signature that says what `change` makes of a sound one.
pub fn sign_oddly(
    key: &impl SigningKey,
    data: &[u8],
    change: impl FnOnce(&mut SignatureConfig),
) -> Vec<u8> {
    let mut config = config(key, SignatureType::Binary, HashAlgorithm::Sha256, SIGNED, Vec::new());
    let sound = config.clone().sign(key, &Password::empty(), data).unwrap();
    change(&mut config);
    let bytes = sound.signature().unwrap().clone();
    packet(&Signature::from_config(config, sound.signed_hash_value().unwrap(), bytes).unwrap())
}

/// A package as a distribution builds it.
pub struct TestPackage {
    folder: TempDir,
    package: Package,
}

impl TestPackage {
    /// As rpm has built them since 4.14: the header names the digest of the payload.
    pub fn new() -> Self {
        let config = BuildConfig::v4().compression(CompressionType::Gzip).source_date(SIGNED);
        let blob: Vec<u8> = (0..2_000_u32).flat_map(|n| n.wrapping_mul(n).to_be_bytes()).collect();
        let package = PackageBuilder::new("vgpu", "1.2", "GPL", "x86_64", "a test")
            .using_config(config)
            .epoch(2)
            .release("3.el7")
            .with_file_contents(blob, FileOptions::new("/opt/vgpu/blob"))
            .unwrap()
            .build()
            .unwrap();
        Self { folder: tempfile::tempdir().unwrap(), package }
    }

    /// As rpm 4.11 built them: nothing in the header names the payload.
    pub fn old() -> Self {
        let mut made = Self::new();
        made.change(|tag, data| (!(5092..=5097).contains(&tag)).then_some(data));
        made
    }

    /// With another header.
    pub fn change(&mut self, change: impl Fn(u32, IndexData) -> Option<IndexData>) {
        let entries = self.package.metadata.header.get_all_entries().unwrap().into_iter().skip(1);
        let entries =
            entries.filter_map(|(tag, data)| Some(HeaderEntry::new(tag, change(tag, data)?)));
        self.package.metadata.header =
            Header::from_entries(entries, IndexTag::RPMTAG_HEADERIMMUTABLE);
    }

    pub fn header(&self) -> Vec<u8> {
        self.package.metadata.header_bytes().unwrap()
    }

    pub fn everything(&self) -> Vec<u8> {
        [self.header(), self.package.payload.clone()].concat()
    }

    pub fn payload(&mut self) -> &mut Vec<u8> {
        &mut self.package.payload
    }

    /// Writes it with these signatures, and with all digests made to fit: whoever alters a package can
    /// do that too.
    pub fn write(&self, signatures: Vec<(Tag, Vec<u8>)>) -> PathBuf {
        let (header, everything) = (self.header(), self.everything());
        let text = |digest: String| IndexData::StringTag(digest);
        let size = u32::try_from(everything.len()).unwrap();
        let digests = [
            (Tag::RPMSIGTAG_SHA1, text(format!("{:x}", sha1::Sha1::digest(&header)))),
            (Tag::RPMSIGTAG_SHA256, text(format!("{:x}", Sha256::digest(&header)))),
            (Tag::RPMSIGTAG_SIZE, IndexData::Int32(vec![size])),
            (Tag::RPMSIGTAG_MD5, IndexData::Bin(md5::Md5::digest(&everything).to_vec())),
        ];
        let signatures = signatures.into_iter().map(|(tag, bytes)| (tag, IndexData::Bin(bytes)));
        let entries = digests.into_iter().chain(signatures);
        let entries = entries.map(|(tag, data)| HeaderEntry::new(tag as u32, data));
        let mut package = self.package.clone();
        package.metadata.signature =
            Header::from_entries(entries, IndexSignatureTag::HEADER_SIGNATURES);
        let path = self.folder.path().join("package.rpm");
        package.write_file(&path).unwrap();
        path
    }
}

pub fn check(package: &Path, owners: &[&Owner]) -> Result<Checked> {
    let certificates: Vec<Certificate> = owners.iter().map(|owner| owner.certificate()).collect();
    check_package(package, &certificates)
}

/// What a refusal says, without the name of the file.
pub fn refused<T>(result: Result<T>) -> String {
    let message = crate::error::render(&result.err().expect("a refusal"));
    match message.split_once(".rpm`: ") {
        Some((_, rest)) => rest.to_owned(),
        None => message,
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The signing key: a PGP RSA primary key, and the signatures that it makes.
//!
//! dom0's rpm 4.11 sets the form. It imports RSA keys alone, it knows no subkeys (a signature by one
//! is `NOKEY` there), so the primary key signs everything, as v4 with SHA-256. A signature depends on
//! the key, the data and the time that the caller gives, on nothing else.
//!
//! What never enters: the clock (but to refuse an expired key), subkeys, randomness in a signature.
//! What never leaves: the secret key, except as the armour that `key new` writes, and the passphrase.

mod load;
#[cfg(test)]
pub(super) mod tests;

use crate::error::Help;
use anyhow::{Context, Result, anyhow, bail, ensure};
use pgp::armor::{self, BlockType};
use pgp::composed::{ArmorOptions, DetachedSignature, KeyType};
use pgp::composed::{SignedKeyDetails, SignedPublicKey, SignedSecretKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{
    KeyFlags, Packet, PacketParser, PacketTrait, PubKeyInner, PublicKey, SecretKey, Signature,
    SignatureConfig, SignatureType, Subpacket, SubpacketData, UserId,
};
use pgp::ser::Serialize;
use pgp::types::{
    KeyDetails, KeyVersion, PacketHeaderVersion, Password, SignedUser, Tag, Timestamp,
};
use rand::rngs::OsRng;
use std::fmt;
use std::io::Read;
use std::time::{SystemTime, UNIX_EPOCH};
use zeroize::Zeroizing;

/// What a new key has. rpm 4.11 takes more, but the time to make one grows steeply.
const NEW_KEY_BITS: u32 = 4096;

/// A key that rpm 4.11 imports, unlocked and ready to sign. Its secret part is wiped when dropped.
pub struct SigningKey {
    primary: SecretKey,
    details: SignedKeyDetails,
    user_id: String,
    expires: Option<u32>,
    public: String,
    /// Its owner keeps it behind a passphrase, so it is never written out without one.
    locked: bool,
    /// What is said of the other keys in its file.
    others: Vec<String>,
}

/// Names the key, and nothing of its inside.
impl fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SigningKey({})", self.fingerprint())
    }
}

impl SigningKey {
    /// Makes a key that signs and certifies, without subkeys, expiry or passphrase.
    pub fn generate(user_id: &str, created: u32) -> Result<Self> {
        ensure!(
            !user_id.trim().is_empty() && !user_id.chars().any(char::is_control),
            anyhow!("`{}` cannot be the user id of a key", user_id.escape_debug())
                .help("write it as `Name <mail@example.org>`")
        );
        let kind = KeyType::Rsa(NEW_KEY_BITS);
        let (public, secret) = kind.generate(OsRng).context("cannot make an RSA key")?;
        let created = Timestamp::from_secs(created);
        let public = PubKeyInner::new(KeyVersion::V4, kind.to_alg(), created, None, public)?;
        let primary = SecretKey::new(PublicKey::from_inner(public)?, secret)?;
        let user = certify(&primary, UserId::from_str(PacketHeaderVersion::New, user_id)?)?;
        let details = SignedKeyDetails::new(Vec::new(), Vec::new(), vec![user], Vec::new());
        Self::new(primary, details, user_id.to_owned(), None, false)
    }

    /// Reads an ASCII-armoured private key and refuses, with the reason and what to try, every one
    /// whose signatures some client of the repository would not accept.
    ///
    /// Of several keys in a file the one with the fingerprint that is `asked` for is taken, else the
    /// only one that can sign.
    pub fn from_armored(
        bytes: &[u8],
        passphrase: Option<&[u8]>,
        asked: Option<&str>,
    ) -> Result<Self> {
        let now =
            SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
        let now = u32::try_from(now.as_secs()).unwrap_or(u32::MAX);
        load::load(bytes, passphrase, asked, now)
    }

    fn new(
        primary: SecretKey,
        details: SignedKeyDetails,
        user_id: String,
        expires: Option<u32>,
        locked: bool,
    ) -> Result<Self> {
        let public = armored_public(primary.public_key(), &details)?;
        let others = Vec::new();
        let key = Self { primary, details, user_id, expires, public, locked, others };
        key.prove()?;
        Ok(key)
    }

    /// One signature made and checked, so that a broken key fails here and not on a client.
    fn prove(&self) -> Result<()> {
        let probe: &[u8] = b"probe";
        let signature = self.signature(probe, self.created())?;
        signature
            .verify(self.primary.public_key(), probe)
            .ok()
            .with_context(|| {
                format!(
                    "the secret part of the key `{}` does not fit its public part",
                    self.fingerprint()
                )
            })
            .help(
                "export it again \
                 with `gpg --armor --export-secret-keys`",
            )
    }

    /// The fingerprint as gpg prints it.
    pub fn fingerprint(&self) -> String {
        format!("{:X}", self.primary.fingerprint())
    }

    /// When it was made, in seconds since 1970. No signature of it is dated before.
    pub fn created(&self) -> u32 {
        self.primary.created_at().as_secs()
    }

    /// From when on it is not valid any more, in seconds since 1970.
    pub fn expires(&self) -> Option<u32> {
        self.expires
    }

    /// Whom it belongs to: `Name <mail@example.org>`.
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// The other keys in its file, each with the reason why it is not the one.
    pub fn others(&self) -> &[String] {
        &self.others
    }

    /// The public key, ASCII-armoured: primary key, user ids and self-signatures, and no more.
    pub fn public_armored(&self) -> &str {
        &self.public
    }

    /// The private key, ASCII-armoured and without a passphrase, for a new key's file alone.
    pub fn secret_armored(&self) -> Result<Zeroizing<String>> {
        ensure!(
            !self.locked,
            "the key `{}` has a passphrase and is not written out without it",
            self.fingerprint()
        );
        let key = SignedSecretKey::new(
            self.primary.clone(),
            self.details.clone(),
            Vec::new(),
            Vec::new(),
        );
        // Made large enough at once: a vector that grows leaves copies behind that nobody wipes.
        let mut bytes = Zeroizing::new(Vec::with_capacity(2 * key.write_len() + 256));
        key.to_armored_writer(&mut *bytes, ArmorOptions::default())?;
        let text = std::str::from_utf8(&bytes)?;
        Ok(Zeroizing::new(text.to_owned()))
    }

    /// A detached signature over `data`, ASCII-armoured, as `repomd.xml.asc` is one.
    ///
    /// `time` is moved up to the key's creation if it is before that: gpg, and so yum, refuses a
    /// signature that is older than its key.
    pub fn detached_armored(&self, data: impl Read, time: u32) -> Result<String> {
        let signature = DetachedSignature::new(self.signature(data, time)?);
        Ok(signature.to_armored_string(ArmorOptions::default())?)
    }

    /// The same signature as the bare packet that an RPM's signature header holds.
    pub(super) fn detached(&self, data: impl Read, time: u32) -> Result<Vec<u8>> {
        let mut packet = Vec::new();
        self.signature(data, time)?.to_writer_with_header(&mut packet)?;
        Ok(packet)
    }

    fn signature(&self, data: impl Read, time: u32) -> Result<Signature> {
        let time = time.max(self.created());
        if self.expires.is_some_and(|end| time >= end) {
            return Err(anyhow!(
                "the key `{}` has expired by the time of the signature",
                self.fingerprint()
            )
            .help(
                "extend it with \
                 `gpg --quick-set-expire`, or set an earlier time",
            ));
        }
        let mut config = config(&self.primary, SignatureType::Binary);
        config.hashed_subpackets = origin(&self.primary, Timestamp::from_secs(time))?;
        Ok(config.sign(&self.primary, &Password::empty(), data)?)
    }
}

fn config(key: &SecretKey, kind: SignatureType) -> SignatureConfig {
    SignatureConfig::v4(kind, key.algorithm(), HashAlgorithm::Sha256)
}

/// When and by whom. All of it hashed, so that nobody can alter it later; none of it marked critical,
/// as rpm 4.11 does not know the issuer's fingerprint and would have to refuse it.
fn origin(key: &SecretKey, time: Timestamp) -> Result<Vec<Subpacket>> {
    Ok(vec![
        Subpacket::regular(SubpacketData::SignatureCreationTime(time))?,
        Subpacket::regular(SubpacketData::IssuerFingerprint(key.fingerprint()))?,
        Subpacket::regular(SubpacketData::IssuerKeyId(key.legacy_key_id()))?,
    ])
}

/// Binds a user id to a new key, at the time of the key itself.
fn certify(key: &SecretKey, id: UserId) -> Result<SignedUser> {
    let mut flags = KeyFlags::default();
    flags.set_certify(true);
    flags.set_sign(true);
    let hashes = [HashAlgorithm::Sha256, HashAlgorithm::Sha512].into_iter().collect();
    let mut config = config(key, SignatureType::CertPositive);
    config.hashed_subpackets = origin(key, key.created_at())?;
    config.hashed_subpackets.extend([
        Subpacket::regular(SubpacketData::KeyFlags(flags))?,
        Subpacket::regular(SubpacketData::PreferredHashAlgorithms(hashes))?,
        Subpacket::regular(SubpacketData::IsPrimary(true))?,
    ]);
    let public = key.public_key();
    let signature = config.sign_certification(key, public, &Password::empty(), Tag::UserId, &id)?;
    Ok(SignedUser::new(id, vec![signature]))
}

/// Armours the public key, then reads it back: whatever a library may do, no secret goes out here.
fn armored_public(key: &PublicKey, details: &SignedKeyDetails) -> Result<String> {
    let key = SignedPublicKey::new(key.clone(), details.clone(), Vec::new());
    let mut armored = Vec::new();
    armor::write(&key, BlockType::PublicKey, &mut armored, None, true)?;
    let mut packets = Vec::new();
    armor::Dearmor::new(armored.as_slice()).read_to_end(&mut packets)?;
    for packet in PacketParser::new(packets.as_slice()) {
        match packet? {
            Packet::PublicKey(_) | Packet::UserId(_) | Packet::Signature(_) => {}
            other => bail!("a packet `{:?}` in the public key", other.tag()),
        }
    }
    Ok(String::from_utf8(armored)?)
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The key that a signature names: whether it may have made it, and whether it did.

use super::certificate::{Certificate, weakness};
use super::self_signatures::{end, newest};
use crate::error::Help;
use anyhow::{Context, Result, anyhow, bail, ensure};
use pgp::composed::SignedPublicSubKey;
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureType};
use pgp::types::{KeyDetails, Timestamp};
use std::io::Read;

/// A primary key, or a subkey of it.
pub struct Issuer<'a> {
    pub certificate: &'a Certificate,
    subkey: Option<&'a SignedPublicSubKey>,
}

impl<'a> Issuer<'a> {
    /// The key of this certificate that a signature names, if it names one.
    pub fn find(certificate: &'a Certificate, signature: &Signature) -> Option<Self> {
        let key = &certificate.key;
        if names(signature, key) {
            return Some(Self { certificate, subkey: None });
        }
        let subkey = key.public_subkeys.iter().find(|subkey| names(signature, *subkey))?;
        Some(Self { certificate, subkey: Some(subkey) })
    }

    /// Whether this key made the signature over `content`. An error says why its word would not count.
    pub fn made(&self, signature: &Signature, content: impl Read) -> Result<bool> {
        let key = format!("the key `{}`", self.certificate.fingerprint());
        let time = signature.created().map(Timestamp::as_secs);
        let time = time.with_context(|| format!("{key} did not say when it signed"))?;
        let primary = &self.certificate.key.primary_key;
        check_time(&key, primary, self.certificate.expires, time)?;
        let Some(subkey) = self.subkey else {
            ensure!(self.certificate.signs, "{key} is not one that signs");
            return Ok(signature.verify(primary, content).is_ok());
        };
        let name = format!("the subkey `{:X}` of {key}", subkey.fingerprint());
        let binding = self
            .binding(subkey)
            .with_context(|| format!("{name} is revoked, or not bound to it as one that signs"))?;
        if let Some(weakness) = weakness(subkey) {
            bail!("{name} {weakness}");
        }
        let expires = binding.key_expiration_time().and_then(|lasts| end(subkey, lasts));
        check_time(&name, subkey, expires, time)?;
        Ok(signature.verify(&subkey.key, content).is_ok())
    }

    /// The newest word of the primary key on a subkey that signs. The subkey has to agree: otherwise
    /// anybody could take somebody else's key for a subkey, and with it the signatures that it made.
    fn binding(&self, subkey: &'a SignedPublicSubKey) -> Option<&'a Signature> {
        let primary = &self.certificate.key.primary_key;
        let is = |signature: &Signature, kind| signature.typ() == Some(kind);
        // Whoever made it, as with the revocation of a primary key.
        if subkey.signatures.iter().any(|it| is(it, SignatureType::SubkeyRevocation)) {
            return None;
        }
        let valid = |signature: &&Signature| {
            is(signature, SignatureType::SubkeyBinding)
                && is_strong(signature)
                && signature.verify_subkey_binding(primary, &subkey.key).is_ok()
        };
        let binding = newest(subkey.signatures.iter().filter(valid), 0)?;
        let agreed = binding.embedded_signature().is_some_and(|back| {
            is_strong(back) && back.verify_primary_key_binding(&subkey.key, primary).is_ok()
        });
        (binding.key_flags().sign() && agreed).then_some(binding)
    }
}

/// What was signed while a key was valid stays good; today's date has no say.
fn check_time(name: &str, key: &impl KeyDetails, expires: Option<u32>, time: u32) -> Result<()> {
    ensure!(
        time >= key.created_at().as_secs(),
        "{name} was made after the signature that names it"
    );
    ensure!(
        expires.is_none_or(|end| time < end),
        anyhow!("{name} had expired when it signed")
            .help("pin a newer copy of the key, if it was extended")
    );
    Ok(())
}

/// Whether the hash of a signature withstands somebody who makes two texts for it, has one signed and
/// ships the other. SHA-1 does not: such pairs have been made since 2017.
pub fn is_strong(signature: &Signature) -> bool {
    use HashAlgorithm::{Sha3_256, Sha3_512, Sha256, Sha384, Sha512};
    matches!(signature.hash_alg(), Some(Sha256 | Sha384 | Sha512 | Sha3_256 | Sha3_512))
}

fn names(signature: &Signature, key: &impl KeyDetails) -> bool {
    signature.issuer_fingerprint().contains(&&key.fingerprint())
        || signature.issuer_key_id().contains(&&key.legacy_key_id())
}

/// The name that a signature gives of its key, as long as it has it.
pub fn issuer_name(signature: &Signature) -> Option<String> {
    let fingerprint = signature.issuer_fingerprint().first().map(|name| format!("{name:X}"));
    let id = signature.issuer_key_id().first().map(|id| id.to_string().to_uppercase());
    fingerprint.or(id)
}

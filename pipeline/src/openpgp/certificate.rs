// SPDX-License-Identifier: GPL-2.0-or-later
//! A public key from a file, with everything that its owner bound to it.

use super::packet::{LARGEST_PACKET, armour_blocks, each_key, is_one_line};
use super::self_signatures::SelfSignatures;
use crate::error::Help;
use anyhow::{Error, Result, anyhow, ensure};
use pgp::armor::{self, BlockType};
use pgp::composed::{Deserializable, SignedPublicKey};
use pgp::crypto::public_key::PublicKeyAlgorithm as Algorithm;
use pgp::packet::{KeyFlags, Packet, SignatureType};
use pgp::ser::Serialize;
use pgp::types::{KeyDetails, KeyVersion};
use std::fmt;

/// A distribution's keys take a few KiB.
const LARGEST_FILE: usize = 1 << 18;
const FEWEST_BITS: u16 = 2048;

const HELP_SHOW: &str = "`gpg --show-keys FILE` tells what gpg makes of it";
const HELP_CURRENT: &str = "pin the key that its owner signs with now";

/// The keys of a file: those that count, and the others with the reason.
#[derive(Debug)]
pub struct Keys {
    pub usable: Vec<Certificate>,
    pub refused: Vec<Refused>,
}

/// A key that does not count.
#[derive(Debug)]
pub struct Refused {
    /// As long as it can be known.
    pub fingerprint: Option<String>,
    pub why: Error,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = self.why.to_string();
        let why = why.split('\n').next().unwrap_or_default();
        match &self.fingerprint {
            Some(fingerprint) if !why.contains(fingerprint) => {
                write!(f, "the key `{fingerprint}`: {why}")
            }
            _ => f.write_str(why),
        }
    }
}

impl Keys {
    pub fn read(armored: &[u8]) -> Result<Self> {
        ensure!(
            armored.len() <= LARGEST_FILE,
            anyhow!("the key file is larger than {LARGEST_FILE} bytes").help(HELP_SHOW)
        );
        ensure!(
            !is_one_line(armored),
            anyhow!("the line breaks of the key file are gone").help(
                "write it again as its owner publishes it, with one line of base64 below the other"
            )
        );
        let blocks = armour_blocks(armored);
        ensure!(!blocks.is_empty(), anyhow!("the key file is not ASCII-armoured").help(HELP_SHOW));
        let mut keys = Self { usable: Vec::new(), refused: Vec::new() };
        for (name, start) in blocks {
            ensure!(
                name == "PGP PUBLIC KEY BLOCK",
                anyhow!(
                    "the key file holds a `{}`, and only public keys belong there",
                    name.escape_debug()
                )
                .help(HELP_SHOW)
            );
            let found = each_key(&armored[start..], LARGEST_PACKET).unwrap_or_default();
            ensure!(!found.is_empty(), unreadable());
            for key in found {
                ensure!(
                    !key.secret,
                    anyhow!("the key file comes with what is not public").help(HELP_SHOW)
                );
                let read = match key.packets {
                    Some(packets) => Certificate::new(&packets),
                    None => Err(unreadable()),
                };
                match read {
                    Ok(certificate) => keys.usable.push(certificate),
                    Err(why) => keys.refused.push(Refused { fingerprint: key.name, why }),
                }
            }
        }
        Ok(keys)
    }
}

/// A public key that is sound, not revoked, and bound to a user id by itself.
#[derive(Debug, Clone)]
pub struct Certificate {
    pub(super) key: SignedPublicKey,
    fingerprint: String,
    armored: String,
    /// Whether the primary key signs more than other keys.
    pub(super) signs: bool,
    /// In seconds since 1970.
    pub(super) expires: Option<u32>,
    /// Whether its signatures over SHA-1 are taken too.
    pub(super) sha1: bool,
}

impl Certificate {
    /// Reads every key in a file of ASCII armour, whether they share a block or not. Where one of them
    /// counts, what is wrong with the others is no reason to refuse it.
    pub fn read(armored: &[u8]) -> Result<Vec<Self>> {
        let Keys { usable, mut refused } = Keys::read(armored)?;
        match refused.len() {
            _ if !usable.is_empty() => Ok(usable),
            1 => Err(refused.remove(0).why),
            0 => Err(unreadable()),
            count => {
                let each: Vec<String> = refused.iter().map(Refused::to_string).collect();
                Err(anyhow!("none of its {count} keys counts: {}", each.join("; "))
                    .help(HELP_CURRENT))
            }
        }
    }

    fn new(packets: &[Packet]) -> Result<Self> {
        let mut keys = SignedPublicKey::from_packets(packets.iter().cloned().map(Ok).peekable());
        let Some(Ok(key)) = keys.next() else { return Err(unreadable()) };
        let fingerprint = format!("{:X}", key.fingerprint());
        if let Some(weakness) = weakness(&key) {
            return Err(anyhow!("the key `{fingerprint}` {weakness}").help(HELP_CURRENT));
        }
        for packet in packets {
            match packet {
                // Wherever it stands and whoever made it: nobody puts one there without a reason.
                Packet::Signature(it) if it.typ() == Some(SignatureType::KeyRevocation) => {
                    return Err(anyhow!("the key `{fingerprint}` is revoked").help(HELP_CURRENT));
                }
                Packet::PublicKey(_)
                | Packet::PublicSubkey(_)
                | Packet::UserId(_)
                | Packet::UserAttribute(_)
                | Packet::Signature(_) => {}
                _ => {
                    return Err(anyhow!("the key `{fingerprint}` comes with what is not public")
                        .help(HELP_SHOW));
                }
            }
        }
        // By no clock: what the key said for some time only counts as well.
        let own = SelfSignatures::read(&key.primary_key, &key.details, 0);
        ensure!(
            own.user_id().is_some(),
            anyhow!("no user id of the key `{fingerprint}` has a valid self-signature")
                .help(HELP_SHOW)
        );
        let mut armored = Vec::new();
        armor::write(&key, BlockType::PublicKey, &mut armored, None, true)?;
        Ok(Self {
            armored: String::from_utf8(armored)?,
            signs: own.flags.as_ref().is_none_or(KeyFlags::sign),
            expires: own.expires,
            sha1: false,
            key,
            fingerprint,
        })
    }

    /// Takes this key's signatures over SHA-1 too: for a distribution of old, whose packages have no
    /// others. Somebody who can make two packages of one SHA-1 still has to get one of them signed.
    pub fn accept_sha1(&mut self) {
        self.sha1 = true;
    }

    /// The primary key's, as gpg prints it.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// This key alone in ASCII armour, as rpm and gpg import it.
    pub fn armored(&self) -> &str {
        &self.armored
    }
}

fn unreadable() -> Error {
    anyhow!("the key file is damaged, or holds what is not known here").help(HELP_SHOW)
}

/// Why a signature by such a key proves nothing, if it does not.
pub(super) fn weakness(key: &impl KeyDetails) -> Option<String> {
    if !matches!(key.version(), KeyVersion::V4 | KeyVersion::V6) {
        return Some("is not of OpenPGP version 4 or 6".to_owned());
    }
    match (key.algorithm(), rsa_bits(key)) {
        (Algorithm::RSA, bits) if bits < FEWEST_BITS => {
            Some(format!("has {bits} bits, and needs {FEWEST_BITS} or more"))
        }
        // DSA comes with 1024 bits and SHA-1 wherever it is still found.
        (
            Algorithm::RSA
            | Algorithm::ECDSA
            | Algorithm::EdDSALegacy
            | Algorithm::Ed25519
            | Algorithm::Ed448,
            _,
        ) => None,
        _ => Some("is not RSA, ECDSA or EdDSA".to_owned()),
    }
}

/// How long the modulus of an RSA key is: it comes first, and an OpenPGP integer begins with its
/// length in bits.
pub fn rsa_bits(key: &impl KeyDetails) -> u16 {
    let params = key.public_params().to_bytes().unwrap_or_default();
    params.first_chunk().map_or(0, |length| u16::from_be_bytes(*length))
}

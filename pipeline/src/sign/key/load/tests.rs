// SPDX-License-Identifier: GPL-2.0-or-later
mod several;

use super::super::tests::{MADE, NOW, key, other};
use super::super::{certify, config, origin};
use super::*;
use crate::error::Rendered;
use pgp::composed::{
    ArmorOptions, KeyType, SecretKeyParamsBuilder, SignedKeyDetails, SignedSecretSubKey,
    SubkeyParamsBuilder,
};
use pgp::crypto::ecc_curve::ECCCurve;
use pgp::packet::{PubKeyInner, PublicKey, SignatureType, Subpacket, SubpacketData, UserId};
use pgp::types::{Duration, EncryptedSecretParams, PacketHeaderVersion, Tag, Timestamp};
use rand::rngs::OsRng;

/// The same key, as somebody could have it: other flags, times, revocations, subkeys.
struct Variant {
    primary: SecretKey,
    details: SignedKeyDetails,
    subkeys: Vec<SignedSecretSubKey>,
}

impl Variant {
    fn new() -> Self {
        Self { primary: key().primary.clone(), details: key().details.clone(), subkeys: Vec::new() }
    }

    /// With these words about the primary key, said at `time`.
    fn says(mut self, kind: SignatureType, time: u32, words: Vec<SubpacketData>) -> Self {
        let user = &mut self.details.users[0];
        let mut config = config(&self.primary, kind);
        config.hashed_subpackets = origin(&self.primary, Timestamp::from_secs(time)).unwrap();
        config.hashed_subpackets.extend(words.into_iter().map(|w| Subpacket::regular(w).unwrap()));
        let (public, none) = (self.primary.public_key(), Password::empty());
        if config.is_certification() {
            let signature =
                config.sign_certification(&self.primary, public, &none, Tag::UserId, &user.id);
            user.signatures.push(signature.unwrap());
        } else {
            let signature = config.sign_key(&self.primary, &none, public).unwrap();
            match kind {
                SignatureType::Key => self.details.direct_signatures.push(signature),
                _ => self.details.revocation_signatures.push(signature),
            }
        }
        self
    }

    fn locked(mut self, passphrase: &str) -> Self {
        self.primary.set_password(OsRng, &Password::from(passphrase)).unwrap();
        self
    }

    /// With a subkey that signs, as gpg users like to have it.
    fn with_signing_subkey(mut self) -> Self {
        let subkey = SubkeyParamsBuilder::default()
            .key_type(KeyType::Ed25519Legacy)
            .can_sign(true)
            .build()
            .unwrap();
        let mut other = SecretKeyParamsBuilder::default();
        let other = other.key_type(KeyType::Ed25519Legacy).primary_user_id("o".to_owned());
        let other = other.subkey(subkey).build().unwrap().generate(OsRng).unwrap();
        let subkey = other.secret_subkeys.into_iter().next().unwrap().key;
        let public = subkey.public_key().clone();
        let mut config = config(&self.primary, SignatureType::SubkeyBinding);
        config.hashed_subpackets = origin(&self.primary, Timestamp::from_secs(MADE)).unwrap();
        let data = SubpacketData::KeyFlags(flags(false, true));
        config.hashed_subpackets.push(Subpacket::regular(data).unwrap());
        let none = Password::empty();
        let primary = self.primary.public_key();
        let binding = config.sign_subkey_binding(&self.primary, primary, &none, &public).unwrap();
        self.subkeys.push(SignedSecretSubKey::new(subkey, vec![binding]));
        self
    }

    fn armored(self) -> Vec<u8> {
        let key = SignedSecretKey::new(self.primary, self.details, Vec::new(), self.subkeys);
        key.to_armored_bytes(ArmorOptions::default()).unwrap()
    }

    fn load(self) -> Result<SigningKey> {
        load(&self.armored(), None, None, NOW)
    }
}

fn flags(certify: bool, sign: bool) -> KeyFlags {
    let mut flags = KeyFlags::default();
    flags.set_certify(certify);
    flags.set_sign(sign);
    flags
}

fn lasts(seconds: u32) -> SubpacketData {
    SubpacketData::KeyExpirationTime(Duration::from_secs(seconds))
}

/// A key of another kind, bound like ours.
fn foreign(kind: &KeyType) -> Vec<u8> {
    let (public, secret) = kind.generate(OsRng).unwrap();
    let made = Timestamp::from_secs(MADE);
    let public = PubKeyInner::new(KeyVersion::V4, kind.to_alg(), made, None, public).unwrap();
    let primary = SecretKey::new(PublicKey::from_inner(public).unwrap(), secret).unwrap();
    let id = UserId::from_str(PacketHeaderVersion::New, "f").unwrap();
    let user = certify(&primary, id).unwrap();
    let details = SignedKeyDetails::new(Vec::new(), Vec::new(), vec![user], Vec::new());
    Variant { primary, details, subkeys: Vec::new() }.armored()
}

/// The message of a refusal, which names what to try.
fn refused(result: Result<SigningKey>) -> String {
    let message = crate::error::render(&result.unwrap_err());
    let lines: Vec<&str> = message.lines().collect();
    assert!(lines.len() == 2 && lines[1].starts_with("help: "), "{message}");
    lines[0].replace(&key().fingerprint(), "KEY")
}

#[test]
fn a_key_comes_back_from_its_file() {
    let armored = key().secret_armored().unwrap();
    assert!(armored.starts_with("-----BEGIN PGP PRIVATE KEY BLOCK-----\n"));
    let again = SigningKey::from_armored(armored.as_bytes(), None, None).unwrap();
    assert_eq!(again.fingerprint(), key().fingerprint());
    assert_eq!(again.public_armored(), key().public_armored());
    assert_eq!(*again.secret_armored().unwrap(), *armored);
    let signatures = [key(), &again].map(|key| key.detached_armored(&b"data"[..], NOW).unwrap());
    assert_eq!(signatures[0], signatures[1]);
}

#[test]
fn a_file_may_have_other_line_ends_and_words_around() {
    let armored = key().secret_armored().unwrap().replace('\n', "\r\n");
    let around = format!("of the build server\r\n\r\n{armored}\r\nthat was it\r\n");
    let public = format!("{}{}", key().public_armored(), *key().secret_armored().unwrap());
    for text in [armored, around, public] {
        assert_eq!(
            load(text.as_bytes(), None, None, NOW).unwrap().fingerprint(),
            key().fingerprint()
        );
    }
}

#[test]
fn a_file_that_holds_no_private_key_is_refused() {
    let secret = key().secret_armored().unwrap();
    let binary = [0x95, 0x03, 0xff, 0xfe];
    let theirs = other().secret_armored().unwrap();
    let twice = format!("{}{}", *secret, *theirs);
    let two = format!(
        "the key file holds 2 private keys that can sign: `KEY`, `{}`",
        other().fingerprint()
    );
    let pem = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    let cases: [(&[u8], &str); 6] = [
        (b"", "the key is not ASCII-armoured"),
        (&binary, "the key is not ASCII-armoured"),
        (key().public_armored().as_bytes(), "the key is a public key, which cannot sign"),
        (pem.as_bytes(), "the key is a `RSA PRIVATE KEY`, not an OpenPGP key"),
        (twice.as_bytes(), &two),
        (&secret.as_bytes()[..900], "the key is damaged, or of a kind that is not known here"),
    ];
    for (bytes, message) in cases {
        assert_eq!(refused(load(bytes, None, None, NOW)), message);
    }
    let large = vec![b' '; (1 << 20) + 1];
    assert_eq!(refused(load(&large, None, None, NOW)), "the key is larger than 1048576 bytes");
}

#[test]
fn a_damaged_key_never_signs() {
    let armored = key().secret_armored().unwrap();
    let body = armored.find("\n\n").unwrap() + 2;
    for at in (body..armored.len() - 60).step_by(211) {
        let mut bytes = armored.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        if let Ok(damaged) = load(&bytes, None, None, NOW) {
            // What a flip may leave alone: the old checksum, which RSA's own numbers make needless.
            assert_eq!(damaged.public_armored(), key().public_armored(), "at {at}");
        }
    }
}

#[test]
fn a_kind_that_rpm_4_11_cannot_import_is_refused() {
    let kinds = [
        (KeyType::Ed25519Legacy, "is Ed25519: the rpm 4.11 of dom0 imports RSA alone"),
        (KeyType::Ed25519, "is Ed25519: the rpm 4.11 of dom0 imports RSA alone"),
        (KeyType::ECDSA(ECCCurve::P256), "is ECDSA: the rpm 4.11 of dom0 imports RSA alone"),
        (KeyType::Rsa(1024), "has 1024 bits, and needs 2048 or more"),
    ];
    for (kind, message) in kinds {
        let refusal = refused(load(&foreign(&kind), None, None, NOW));
        assert!(refusal.starts_with("the key `") && refusal.ends_with(message), "{refusal}");
    }
    load(&foreign(&KeyType::Rsa(2048)), None, None, NOW).unwrap();
}

#[test]
fn a_key_that_does_not_sign_itself_is_refused() {
    let certify = || vec![SubpacketData::KeyFlags(flags(true, false))];
    let alone = Variant::new().says(SignatureType::CertPositive, NOW - 9, certify());
    assert_eq!(refused(alone.load()), "the primary key `KEY` may not sign");
    let subkey = Variant::new().says(SignatureType::CertPositive, NOW - 9, certify());
    assert_eq!(
        refused(subkey.with_signing_subkey().load()),
        "the key `KEY` signs with a subkey, and the rpm 4.11 of dom0 accepts signatures of the \
         primary key alone"
    );
}

#[test]
fn the_primary_key_signs_whatever_subkeys_there_are() {
    let loaded = Variant::new().with_signing_subkey().load().unwrap();
    assert_eq!(loaded.public_armored(), key().public_armored());
    let signature = loaded.detached_armored(&b"data"[..], NOW).unwrap();
    assert_eq!(signature, key().detached_armored(&b"data"[..], NOW).unwrap());
}

#[test]
fn a_key_without_flags_may_sign() {
    let mut silent = Variant::new();
    silent.details.users[0].signatures.clear();
    assert!(silent.says(SignatureType::CertGeneric, MADE, Vec::new()).load().is_ok());
}

#[test]
fn a_key_is_refused_before_and_after_its_time() {
    let expired = Variant::new().says(SignatureType::CertPositive, NOW - 9, vec![lasts(86_400)]);
    assert_eq!(refused(expired.load()), "the key `KEY` expired on 2023-11-15");
    let direct = Variant::new().says(SignatureType::Key, NOW - 9, vec![lasts(1)]);
    assert_eq!(refused(direct.load()), "the key `KEY` expired on 2023-11-14");
    let early = load(&Variant::new().armored(), None, None, MADE - 1);
    assert_eq!(refused(early), "the key `KEY` is dated 2023-11-14, which is in the future");
}

#[test]
fn the_newest_word_on_expiry_counts() {
    let end = NOW - MADE + 100;
    let extended = Variant::new()
        .says(SignatureType::CertPositive, NOW - 9, vec![lasts(1)])
        .says(SignatureType::CertPositive, NOW - 8, vec![lasts(end)])
        .load()
        .unwrap();
    assert_eq!(extended.expires(), Some(NOW + 100));
    extended.detached_armored(&b""[..], NOW + 99).unwrap();
    let late = extended.detached_armored(&b""[..], NOW + 100).unwrap_err().rendered();
    assert!(late.contains("has expired by the time of the signature\nhelp: "), "{late}");
    let never = Variant::new().says(SignatureType::CertPositive, NOW - 9, vec![lasts(0)]);
    assert_eq!(never.load().unwrap().expires(), None);
}

#[test]
fn a_revoked_key_is_refused() {
    let revoked = Variant::new().says(SignatureType::KeyRevocation, NOW - 9, Vec::new());
    assert_eq!(refused(revoked.load()), "the key `KEY` is revoked");
    let unnamed = Variant::new().says(SignatureType::CertRevocation, NOW - 9, Vec::new());
    assert_eq!(refused(unnamed.load()), "no user id of the key `KEY` has a valid self-signature");
    let again = Variant::new().says(SignatureType::CertRevocation, NOW - 9, Vec::new()).says(
        SignatureType::CertPositive,
        NOW - 8,
        Vec::new(),
    );
    again.load().unwrap();
}

#[test]
fn words_of_somebody_else_do_not_count() {
    let mut mixed = Variant::new();
    mixed.details.users.extend(other().details.users.clone());
    let theirs = other().details.users[0].signatures.clone();
    mixed.details.users[0].signatures.extend(theirs);
    let loaded = mixed.load().unwrap();
    assert_eq!(loaded.public_armored(), key().public_armored());
    let stolen = Variant { details: other().details.clone(), ..Variant::new() };
    assert_eq!(refused(stolen.load()), "no user id of the key `KEY` has a valid self-signature");
}

#[test]
fn a_passphrase_is_asked_for_tried_and_not_repeated() {
    let locked = Variant::new().locked("open sesame").armored();
    let without = refused(load(&locked, None, None, NOW));
    assert_eq!(without, "the key `KEY` is locked with a passphrase, and none was given");
    for wrong in ["", "open sesam", "open sesame "] {
        let message = refused(load(&locked, Some(wrong.as_bytes()), None, NOW));
        assert_eq!(message, "the passphrase does not unlock the key `KEY`");
    }
    let opened = load(&locked, Some(b"open sesame"), None, NOW).unwrap();
    assert_eq!(
        opened.detached_armored(&b"data"[..], NOW).unwrap(),
        key().detached_armored(&b"data"[..], NOW).unwrap()
    );
    let written = opened.secret_armored().unwrap_err().rendered();
    assert!(written.contains("has a passphrase and is not written out without it"), "{written}");
    load(&Variant::new().armored(), Some(b"needless"), None, NOW).unwrap();
}

/// What `gpg --export-secret-subkeys` and smartcards leave of a primary key.
#[test]
fn a_primary_key_that_is_elsewhere_is_refused() {
    let mut stub = Variant::new().with_signing_subkey();
    let s2k = StringToKey::Private { typ: 101, unknown: b"\0GNU\x01".to_vec().into() };
    let params = S2kParams::Cfb { sym_alg: 0.into(), s2k, iv: Vec::new().into() };
    let nothing = EncryptedSecretParams::new(Vec::new().into(), params);
    let public = stub.primary.public_key().clone();
    stub.primary = SecretKey::new(public, SecretParams::Encrypted(nothing)).unwrap();
    let message = refused(stub.load());
    assert!(message.starts_with("the secret part of the primary key `KEY` is not in"), "{message}");
}

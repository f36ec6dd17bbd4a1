// SPDX-License-Identifier: GPL-2.0-or-later
use super::*;
use crate::error::Rendered;
use pgp::composed::Deserializable;
use std::sync::OnceLock;

/// When the keys of the tests were made, and a time well after that.
pub const MADE: u32 = 1_700_000_000;
pub const NOW: u32 = 1_800_000_000;

/// One key for all tests; making it takes seconds.
pub fn key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::generate("Test <test@example.org>", MADE).unwrap())
}

/// And one of somebody else.
pub fn other() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::generate("Other <other@example.org>", MADE).unwrap())
}

fn parse(armored: &str) -> DetachedSignature {
    DetachedSignature::from_string(armored).unwrap().0
}

#[test]
fn a_new_key_is_what_rpm_4_11_imports() {
    let key = key();
    assert_eq!(key.user_id(), "Test <test@example.org>");
    assert_eq!((key.created(), key.expires()), (MADE, None));
    assert_eq!(key.fingerprint().len(), 40);
    let public = SignedPublicKey::from_string(key.public_armored()).unwrap().0;
    public.verify_bindings().unwrap();
    assert!(public.public_subkeys.is_empty());
    assert_eq!(public.version(), KeyVersion::V4);
    let own = &public.details.users[0].signatures[0];
    assert!(own.key_flags().sign() && own.key_flags().certify());
    assert_eq!(own.hash_alg(), Some(HashAlgorithm::Sha256));
    assert_eq!(own.created(), Some(Timestamp::from_secs(MADE)));
}

#[test]
fn a_user_id_is_a_line() {
    for id in ["", "  ", "two\nlines", "nul\0"] {
        let message = SigningKey::generate(id, MADE).unwrap_err().rendered();
        assert!(message.contains("cannot be the user id of a key\nhelp: "), "{message}");
    }
}

#[test]
fn the_same_data_gives_the_same_signature() {
    let first = key().detached_armored(&b"data"[..], NOW).unwrap();
    assert_eq!(first, key().detached_armored(&b"data"[..], NOW).unwrap());
    assert!(first.starts_with("-----BEGIN PGP SIGNATURE-----\n\n"));
    let signature = parse(&first);
    signature.verify(key().primary.public_key(), b"data").unwrap();
    signature.verify(key().primary.public_key(), b"datA").unwrap_err();
    assert_eq!(signature.signature.hash_alg(), Some(HashAlgorithm::Sha256));
}

#[test]
fn a_signature_is_never_older_than_its_key() {
    for (asked, given) in [(0, MADE), (MADE - 1, MADE), (MADE, MADE), (NOW, NOW)] {
        let signature = parse(&key().detached_armored(&b""[..], asked).unwrap());
        assert_eq!(signature.signature.created(), Some(Timestamp::from_secs(given)));
    }
}

#[test]
fn what_is_shown_of_a_key_is_its_name() {
    assert_eq!(format!("{:?}", key()), format!("SigningKey({})", key().fingerprint()));
    let public = key().public_armored();
    assert!(public.starts_with("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n"));
    assert!(!public.contains("PRIVATE"));
}

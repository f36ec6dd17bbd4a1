// SPDX-License-Identifier: GPL-2.0-or-later
//! Files with several keys, keys without line breaks, and passphrases that are bytes.

use super::*;

/// Several keys in a file, whether in one block or in several.
fn together(files: &[&[u8]]) -> Vec<u8> {
    files.concat()
}

#[test]
fn of_several_keys_the_one_that_is_asked_for_signs() {
    let (ours, theirs) = (key().secret_armored().unwrap(), other().secret_armored().unwrap());
    let file = together(&[ours.as_bytes(), theirs.as_bytes()]);
    for wanted in [key(), other()] {
        let found = load(&file, None, Some(&wanted.fingerprint()), NOW).unwrap();
        assert_eq!(found.fingerprint(), wanted.fingerprint());
        assert_eq!(found.others().len(), 1);
        assert!(found.others()[0].ends_with("` is not asked for"), "{:?}", found.others());
    }
    let nobody = "AB".repeat(20);
    let message = refused(load(&file, None, Some(&nobody), NOW));
    assert!(
        message.contains("KEY, ") && message.ends_with(&format!("wants {nobody}")),
        "{message}"
    );
    let twice = together(&[ours.as_bytes(), ours.as_bytes()]);
    assert_eq!(load(&twice, None, None, NOW).unwrap().others().len(), 0);
}

#[test]
fn what_is_wrong_with_other_keys_is_said_and_refuses_nothing() {
    let ours = key().secret_armored().unwrap();
    let theirs = || Variant {
        primary: other().primary.clone(),
        details: other().details.clone(),
        subkeys: Vec::new(),
    };
    let expired = theirs().says(SignatureType::CertPositive, NOW - 9, vec![lasts(86_400)]);
    let revoked = theirs().says(SignatureType::KeyRevocation, NOW - 9, Vec::new());
    // A key packet of a kind that nobody knows, in a block of its own.
    let unknown = {
        let body = [&[4_u8, 0, 0, 0, 0, 99][..], &[0; 40]].concat();
        let packet = [&[0xc5, u8::try_from(body.len()).unwrap()][..], &body].concat();
        let encoded = base64(&packet);
        format!(
            "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{encoded}\n-----END PGP PRIVATE KEY BLOCK-----\n"
        )
    };
    let cases: [(Vec<u8>, &str); 6] = [
        (expired.armored(), "expired on"),
        (revoked.armored(), "is revoked"),
        (foreign(&KeyType::Ed25519Legacy), "is Ed25519"),
        (foreign(&KeyType::ECDSA(ECCCurve::P256)), "is ECDSA"),
        (foreign(&KeyType::Rsa(1024)), "has 1024 bits"),
        (unknown.into_bytes(), "damaged, or of a kind that is not known here"),
    ];
    for (beside, why) in cases {
        for file in [together(&[ours.as_bytes(), &beside]), together(&[&beside, ours.as_bytes()])] {
            for asked in [None, Some(key().fingerprint())] {
                let found = load(&file, None, asked.as_deref(), NOW).unwrap();
                assert_eq!(found.fingerprint(), key().fingerprint());
                let [said] = found.others() else { panic!("{why}: {:?}", found.others()) };
                assert!(said.contains(why), "{said}");
            }
        }
        // Asked for by its own name it is refused for its own reason.
        let alone = refused(load(&beside, None, None, NOW));
        assert!(alone.contains(why), "{alone}");
    }
    // Where none can sign, each is named.
    let none = together(&[&foreign(&KeyType::Ed25519Legacy), &foreign(&KeyType::Rsa(1024))]);
    let message = refused(load(&none, None, None, NOW));
    assert!(message.starts_with("none of its keys can sign: the key `"), "{message}");
    assert!(message.contains("is Ed25519") && message.contains("has 1024 bits"), "{message}");
}

#[test]
fn a_locked_key_is_no_reason_to_take_another() {
    let locked = Variant::new().locked("open sesame").armored();
    let theirs = other().secret_armored().unwrap();
    let file = together(&[&locked, theirs.as_bytes()]);
    let message = refused(load(&file, None, None, NOW));
    assert!(message.starts_with("the key file holds 2 private keys that can sign"), "{message}");
    let found = load(&file, None, Some(&other().fingerprint()), NOW).unwrap();
    assert_eq!(found.fingerprint(), other().fingerprint());
}

#[test]
fn a_passphrase_is_bytes() {
    let bytes = [0xff, b'a', 0xfe, b'\n'];
    let mut variant = Variant::new();
    variant.primary.set_password(OsRng, &Password::from(&bytes[..])).unwrap();
    let locked = variant.armored();
    load(&locked, Some(&bytes), None, NOW).unwrap();
    let message = refused(load(&locked, Some(&bytes[..3]), None, NOW));
    assert_eq!(message, "the passphrase does not unlock the key `KEY`");
}

#[test]
fn a_key_without_line_breaks_is_refused_and_not_shown() {
    let secret = key().secret_armored().unwrap();
    for separator in [" ", "\\n", "\t", "\r", "  "] {
        let line = secret.replace('\n', separator);
        for text in [line.clone(), format!("KEY={line}"), format!("{line}\n{}", *secret)] {
            let message =
                crate::error::render(&load(text.as_bytes(), None, None, NOW).unwrap_err());
            assert!(message.contains("\nhelp: ") && message.len() < 200, "{message}");
            assert!(!message.contains(&secret[200..230]), "{message}");
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
        let word = word << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = LETTERS[(word >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= chunk.len() { letter.into() } else { '=' });
        }
    }
    text
}

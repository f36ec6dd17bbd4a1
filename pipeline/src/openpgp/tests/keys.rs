// SPDX-License-Identifier: GPL-2.0-or-later
//! Files of keys: what is read from them, and what is refused.

use super::builder::{self, Owner, refused};
use super::{OWNER, STRANGER};
use crate::openpgp::{Certificate, Keys};
use pgp::composed::{ArmorOptions, DsaKeySize, KeyType, SecretKeyParamsBuilder};
use pgp::packet::SignatureType;
use pgp::ser::Serialize;
use rand::rngs::OsRng;

fn read(text: &str) -> Vec<String> {
    let keys = Certificate::read(text.as_bytes()).unwrap();
    keys.iter().map(|key| key.fingerprint().to_owned()).collect()
}

fn refusal(text: impl AsRef<[u8]>) -> String {
    let message = refused(Certificate::read(text.as_ref()));
    assert!(message.contains("\nhelp: "), "{message}");
    message
}

#[test]
fn a_file_may_hold_several_keys_in_one_block_or_in_several() {
    let both = [OWNER.fingerprint(), STRANGER.fingerprint()];
    assert_eq!(read(&builder::armor(&builder::packets(&[&OWNER, &STRANGER]))), both);
    let blocks = format!("Words.\n\n{}\n# More words.\n{}", OWNER.armored(), STRANGER.armored());
    assert_eq!(read(&blocks), both);
    assert_eq!(read(&blocks.replace('\n', "\r\n")), both);
}

#[test]
fn a_key_goes_out_as_it_came_in() {
    let key = OWNER.certificate();
    assert_eq!(key.fingerprint().len(), 40);
    assert_eq!(key.armored(), OWNER.armored());
    assert_eq!(read(key.armored()), [OWNER.fingerprint()]);
}

#[test]
fn what_is_no_public_key_is_refused() {
    assert!(refusal("").starts_with("the key file is not ASCII-armoured"));
    assert!(refusal(builder::packets(&[&OWNER])).starts_with("the key file is not ASCII-armoured"));
    assert!(refusal(vec![b'a'; (1 << 18) + 1]).starts_with("the key file is larger than 262144"));
    let pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    let expected = "the key file holds a `CERTIFICATE`, and only public keys belong there";
    assert!(refusal(pem).starts_with(expected));
    assert!(refusal(format!("{}{pem}", OWNER.armored())).starts_with(expected));
    for nothing in [&[][..], b"\xc2", b"\xcd\x01a"] {
        refusal(builder::armor(nothing));
    }
}

#[test]
fn a_private_key_is_refused_whatever_it_is_called() {
    let mut key = SecretKeyParamsBuilder::default();
    key.key_type(KeyType::Ed25519Legacy).can_sign(true).primary_user_id("secret".to_owned());
    let key = key.build().unwrap().generate(OsRng).unwrap();
    let armored = key.to_armored_string(ArmorOptions::default()).unwrap();
    assert!(refusal(armored).starts_with("the key file holds a `PGP PRIVATE KEY BLOCK`, and only"));
    let key = key.to_bytes().unwrap();
    refusal(builder::armor(&key));
    let message = refusal(builder::armor(&[builder::packets(&[&OWNER]), key].concat()));
    assert!(message.contains("comes with what is not public"), "{message}");
}

#[test]
fn a_revoked_key_is_refused() {
    let name = OWNER.fingerprint();
    let revoked = OWNER.clone().says(SignatureType::KeyRevocation, Vec::new());
    let expected = format!("the key `{name}` is revoked\n");
    assert!(refusal(revoked.armored()).starts_with(&expected));
    // Behind a user id, where it does not belong.
    let revocation = &revoked.public.details.revocation_signatures[0];
    let mut late = OWNER.clone();
    late.public.details.users[0].signatures.push(revocation.clone());
    assert!(refusal(late.armored()).starts_with(&expected));
}

#[test]
fn a_key_that_proves_nothing_is_refused() {
    let dsa = Owner::new(KeyType::Dsa(DsaKeySize::B2048));
    assert!(refusal(dsa.armored()).contains("` is not RSA, ECDSA or EdDSA"));
    // A user id that somebody else certified.
    let mut taken = OWNER.clone();
    taken.public.details.users.clone_from(&STRANGER.public.details.users);
    assert!(refusal(taken.armored()).starts_with("no user id of the key `"));
}

#[test]
fn damage_is_only_an_error() {
    let good = builder::armor(&builder::packets(&[&OWNER, &STRANGER]));
    for at in (0..good.len()).step_by(97) {
        refusal(&good[..at]);
        for byte in *b"\0A=-\n\xff" {
            let mut bad = good.clone().into_bytes();
            bad[at..].iter_mut().take(4).for_each(|there| *there = byte);
            let _ = Certificate::read(&bad);
        }
    }
    let good = builder::packets(&[&OWNER]);
    for at in 0..good.len() {
        let _ = Certificate::read(builder::armor(&good[..at]).as_bytes());
        let mut bad = good.clone();
        bad[at] ^= 0x41;
        let _ = Certificate::read(builder::armor(&bad).as_bytes());
    }
}

/// The right key beside one that is old, weak, unknown, revoked or broken: it counts all the same.
#[test]
fn one_good_key_is_not_refused_for_its_neighbours() {
    let dsa = Owner::new(KeyType::Dsa(DsaKeySize::B2048));
    let revoked = STRANGER.clone().says(SignatureType::KeyRevocation, Vec::new());
    let mut anonymous = STRANGER.clone();
    anonymous.public.details.users.clear();
    // Of version 3, and of a kind that nobody knows.
    let packet = |body: &[u8]| [&[0xc6, u8::try_from(body.len()).unwrap()], body].concat();
    let third = packet(&[&[3, 0, 0, 0, 0, 0, 0, 1][..], &[0, 8, 255, 0, 2, 3]].concat());
    let unknown = packet(&[&[4, 0, 0, 0, 0, 99][..], &[7; 30]].concat());
    let cases = [
        (builder::packets(&[&dsa]), "is not RSA, ECDSA or EdDSA", Some(dsa.fingerprint())),
        (builder::packets(&[&revoked]), "is revoked", Some(STRANGER.fingerprint())),
        (builder::packets(&[&anonymous]), "no user id", Some(STRANGER.fingerprint())),
        (third, "", None),
        (unknown, "", None),
    ];
    for (beside, why, name) in cases {
        let ours = builder::packets(&[&OWNER]);
        let blocks = format!("{}{}", builder::armor(&beside), OWNER.armored());
        for file in [
            builder::armor(&[&ours[..], &beside].concat()),
            builder::armor(&[&beside[..], &ours].concat()),
            blocks,
        ] {
            assert_eq!(read(&file), [OWNER.fingerprint()], "{why}");
            let keys = Keys::read(file.as_bytes()).unwrap();
            let [refused] = &keys.refused[..] else { panic!("{why}: {:?}", keys.refused) };
            let said = refused.to_string();
            assert!(said.contains(why) && !said.contains('\n'), "{said}");
            if let Some(name) = &name {
                assert_eq!(refused.fingerprint.as_ref(), Some(name));
                assert!(said.contains(name), "{said}");
            }
        }
        refusal(builder::armor(&beside));
    }
    let none = builder::packets(&[&dsa, &revoked]);
    let message = refusal(builder::armor(&none));
    assert!(message.starts_with("none of its 2 keys counts: the key `"), "{message}");
}

#[test]
fn a_file_without_line_breaks_is_not_shown() {
    let line = OWNER.armored().replace('\n', " ");
    let message = refusal(&line);
    assert!(message.starts_with("the line breaks of the key file are gone"), "{message}");
}

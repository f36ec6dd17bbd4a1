// SPDX-License-Identifier: GPL-2.0-or-later
use super::*;
use builder::{Owner, Tag, TestPackage, check, flags, refused, sign};
use pgp::composed::KeyType;
use pgp::crypto::ecc_curve::ECCCurve;
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{SecretKey, SignatureType, Subpacket, SubpacketData};
use pgp::types::{Duration, KeyId};
use rpm::IndexData;
use std::fs;
use std::sync::LazyLock;

mod builder;
mod keys;
mod tools;

const HEADER: Tag = Tag::RPMSIGTAG_RSA;
const HEADER_OTHER: Tag = Tag::RPMSIGTAG_DSA;
const ALL: Tag = Tag::RPMSIGTAG_PGP;
const ALL_OTHER: Tag = Tag::RPMSIGTAG_GPG;

static OWNER: LazyLock<Owner> = LazyLock::new(|| Owner::new(KeyType::Ed25519Legacy));
static STRANGER: LazyLock<Owner> = LazyLock::new(|| Owner::new(KeyType::Ed25519Legacy));

/// What the owner signs of a package, in each of the two ways.
fn over_header(made: &TestPackage) -> Vec<u8> {
    sign(&OWNER.primary, &made.header())
}

fn over_all(made: &TestPackage) -> Vec<u8> {
    sign(&OWNER.primary, &made.everything())
}

#[test]
fn a_package_is_taken_in_each_form_that_distributions_ship() {
    for kind in [KeyType::Rsa(2048), KeyType::ECDSA(ECCCurve::P256), KeyType::Ed25519] {
        let owner = Owner::new(kind);
        for sign in [sign::<SecretKey>, builder::sign_v3] {
            for (made, tags) in [
                (TestPackage::new(), vec![HEADER]),
                (TestPackage::new(), vec![HEADER_OTHER]),
                (TestPackage::new(), vec![HEADER, ALL]),
                (TestPackage::new(), vec![HEADER_OTHER, ALL_OTHER]),
                (TestPackage::old(), vec![HEADER, ALL]),
                (TestPackage::old(), vec![ALL_OTHER]),
            ] {
                let signature = |tag| match tag {
                    HEADER | HEADER_OTHER => sign(&owner.primary, &made.header()),
                    _ => sign(&owner.primary, &made.everything()),
                };
                let path = made.write(tags.iter().map(|tag| (*tag, signature(*tag))).collect());
                let checked = check(&path, &[&STRANGER, &owner]).unwrap();
                assert_eq!(checked.nevra.to_string(), "vgpu-2:1.2-3.el7.x86_64");
                assert_eq!(checked.fingerprint, owner.fingerprint());
            }
        }
    }
}

/// A package of rpmbuild without what rpm 4.11 did not write, signed by gpg 1.4 with
/// `--force-v3-sigs`, as CentOS 7 signed.
#[test]
fn a_package_with_signatures_of_version_3_by_gpg_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("package.rpm");
    let keys = Certificate::read(include_bytes!("tests/v3.asc")).unwrap();
    let good = include_bytes!("tests/v3.rpm");
    fs::write(&path, good).unwrap();
    let checked = check_package(&path, &keys).unwrap();
    assert_eq!(checked.nevra.to_string(), "v3-1-1.el7.noarch");
    assert_eq!(checked.fingerprint, keys[0].fingerprint());
    let mut bad = good.to_vec();
    *bad.last_mut().unwrap() ^= 1;
    fs::write(&path, bad).unwrap();
    let message = refused(check_package(&path, &keys));
    assert!(message.starts_with("its MD5 is not what it says: it was altered"), "{message}");
}

#[test]
fn a_package_that_no_pinned_key_signed_is_refused() {
    let made = TestPackage::new();
    let unsigned = made.write(Vec::new());
    let message = refused(check(&unsigned, &[&OWNER]));
    assert!(message.starts_with("it is not signed\nhelp: "), "{message}");

    let signed = made.write(vec![(HEADER, over_header(&made)), (ALL, over_all(&made))]);
    check(&signed, &[&OWNER]).unwrap();
    let message = refused(check(&signed, &[&STRANGER]));
    let name = OWNER.fingerprint();
    let expected =
        format!("it is signed by the key `{name}`, which the pipeline does not pin\nhelp: ");
    assert!(message.starts_with(&expected), "{message}");
    refused(check(&signed, &[]));

    // A stranger's signature says the pinned key's name.
    let named = |named: SubpacketData| {
        builder::sign_oddly(&STRANGER.primary, &made.header(), |config| {
            config.hashed_subpackets[1] = Subpacket::regular(named).unwrap();
        })
    };
    let path = made.write(vec![(HEADER, named(builder::issuer(&OWNER.primary)))]);
    let message = refused(check(&path, &[&OWNER]));
    let expected = format!("the key `{name}` did not sign its header as it is\nhelp: ");
    assert!(message.starts_with(&expected), "{message}");
    let path = made.write(vec![(HEADER, named(SubpacketData::IssuerKeyId(KeyId::new([0xab; 8]))))]);
    let message = refused(check(&path, &[&OWNER]));
    assert!(message.contains("by the key `ABABABABABABABAB`, which"), "{message}");
}

#[test]
fn every_signature_has_to_hold_and_to_be_of_one_key() {
    let made = TestPackage::new();
    let theirs = sign(&STRANGER.primary, &made.everything());
    let path = made.write(vec![(HEADER, over_header(&made)), (ALL, theirs)]);
    assert!(refused(check(&path, &[&OWNER])).contains("which the pipeline does not pin"));
    let message = refused(check(&path, &[&OWNER, &STRANGER]));
    assert!(message.starts_with("two keys signed it, "), "{message}");

    let path = made.write(vec![(HEADER, over_header(&made)), (ALL, over_header(&made))]);
    let message = refused(check(&path, &[&OWNER]));
    assert!(message.contains("did not sign its header and payload as they are"), "{message}");
}

#[test]
fn a_payload_that_nothing_signed_covers_is_refused() {
    let old = TestPackage::old();
    // What an attacker would leave of a package of CentOS 7.
    let path = old.write(vec![(HEADER, over_header(&old))]);
    let message = refused(check(&path, &[&OWNER]));
    let name = OWNER.fingerprint();
    let expected = format!(
        "the key `{name}` signed its header alone, and nothing signed covers its payload\nhelp: "
    );
    assert!(message.starts_with(&expected), "{message}");

    // A digest of a kind that is not read is none.
    let mut odd = TestPackage::new();
    odd.change(|tag, data| Some(if tag == 5093 { IndexData::Int32(vec![10]) } else { data }));
    let path = odd.write(vec![(HEADER, over_header(&odd))]);
    assert!(refused(check(&path, &[&OWNER])).contains("nothing signed covers its payload"));
    let path = odd.write(vec![(HEADER, over_header(&odd)), (ALL, over_all(&odd))]);
    check(&path, &[&OWNER]).unwrap();
}

#[test]
fn no_byte_of_header_or_payload_can_change() {
    for (made, with_all) in [(TestPackage::new(), false), (TestPackage::old(), true)] {
        let mut signatures = vec![(HEADER, over_header(&made))];
        signatures.extend(with_all.then(|| (ALL, over_all(&made))));
        let path = made.write(signatures);
        let good = fs::read(&path).unwrap();
        let header = good.len() - made.everything().len();
        for at in (header..good.len()).step_by(7).chain([good.len() - 1]) {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&path, &bad).unwrap();
            check(&path, &[&OWNER]).unwrap_err();
        }
        fs::write(&path, [good.as_slice(), b"\0"].concat()).unwrap();
        let message = refused(check(&path, &[&OWNER]));
        assert!(message.starts_with("its size is not what it says"), "{message}");
    }
}

/// Digests alone are no protection: whoever alters a package can write new ones.
#[test]
fn digests_made_to_fit_do_not_help() {
    for (mut made, expected) in [
        (TestPackage::new(), "the SHA-256 of its payload is not what it says"),
        (TestPackage::old(), "did not sign its header and payload as they are"),
    ] {
        let signatures = vec![(HEADER, over_header(&made)), (ALL, over_all(&made))];
        *made.payload().last_mut().unwrap() ^= 1;
        let message = refused(check(&made.write(signatures.clone()), &[&OWNER]));
        assert!(message.contains(expected), "{message}");
        *made.payload().last_mut().unwrap() ^= 1;
        check(&made.write(signatures.clone()), &[&OWNER]).unwrap();
        made.change(|tag, data| (tag != 1_003).then_some(data));
        let message = refused(check(&made.write(signatures), &[&OWNER]));
        assert!(message.contains("did not sign its header as it is"), "{message}");
    }
}

#[test]
fn what_is_no_sound_signature_is_refused() {
    let made = TestPackage::new();
    let odd = |change: fn(&mut pgp::packet::SignatureConfig)| {
        let bytes = builder::sign_oddly(&OWNER.primary, &made.header(), change);
        refused(check(&made.write(vec![(HEADER, bytes)]), &[&OWNER]))
    };
    let message = odd(|config| config.hash_alg = HashAlgorithm::Sha1);
    assert!(
        message.contains("by way of SHA1, which is too weak to prove anything\nhelp: "),
        "{message}"
    );
    assert!(
        odd(|config| config.typ = SignatureType::Text).contains("its tag 268 is not a signature")
    );
    let message = odd(|config| drop(config.hashed_subpackets.remove(1)));
    assert!(message.contains("does not say by which key it is"), "{message}");
    let message = odd(|config| drop(config.hashed_subpackets.remove(0)));
    assert!(message.contains("did not say when it signed"), "{message}");

    let good = over_header(&made);
    for bytes in
        [Vec::new(), vec![0xc2], vec![0; 64], good[1..].to_vec(), [&good[..], &good].concat()]
    {
        let path = made.write(vec![(HEADER, if bytes.is_empty() { vec![0] } else { bytes })]);
        assert!(refused(check(&path, &[&OWNER])).contains("its tag 268 is not a signature"));
    }
}

/// A signature may hold another one, that one another one: the crate would follow them down.
#[test]
fn a_nest_of_signatures_is_refused_before_it_overflows_the_stack() {
    let nests = || {
        let made = TestPackage::new();
        for size in [3_000, 4_000, 5_000, 60_000] {
            let nest = builder::nest(size);
            let path = made.write(vec![(HEADER, nest.clone())]);
            refused(check(&path, &[&OWNER]));
            let key = [builder::packets(&[&OWNER]), nest].concat();
            let read = Certificate::read(builder::armor(&key).as_bytes());
            assert_eq!(read.is_ok(), size <= 4_000, "{size}");
        }
    };
    // The stack that a program has, where a test has a quarter of it.
    let thread = std::thread::Builder::new().stack_size(8 << 20).spawn(nests);
    thread.unwrap().join().unwrap();
}

#[test]
fn a_time_at_which_the_key_was_not_valid_is_refused() {
    let made = TestPackage::new();
    let at =
        |time| made.write(vec![(HEADER, builder::sign_at(time, &OWNER.primary, &made.header()))]);
    let lasts = |seconds| {
        let lasts = SubpacketData::KeyExpirationTime(Duration::from_secs(seconds));
        OWNER.clone().says(SignatureType::Key, vec![lasts])
    };
    let (made_at, year) = (builder::MADE, 31_536_000);
    // Long over by today's clock.
    check(&at(made_at + year - 1), &[&lasts(year)]).unwrap();
    let message = refused(check(&at(made_at + year), &[&lasts(year)]));
    assert!(message.contains("had expired when it signed\nhelp: "), "{message}");
    check(&at(made_at), &[&OWNER]).unwrap();
    let message = refused(check(&at(made_at - 1), &[&OWNER]));
    assert!(message.contains("was made after the signature that names it"), "{message}");
}

#[test]
fn a_key_that_is_not_for_signatures_signs_nothing() {
    let made = TestPackage::new();
    let path = made.write(vec![(HEADER, over_header(&made))]);
    let certifies = OWNER.clone().says(SignatureType::Key, vec![flags(false)]);
    assert!(refused(check(&path, &[&certifies])).contains("is not one that signs"));
}

#[test]
fn a_subkey_signs_where_both_keys_agree_on_it() {
    let made = TestPackage::new();
    let path = made.write(vec![(HEADER, sign(&OWNER.subkey, &made.header()))]);
    let checked = check(&path, &[&OWNER]).unwrap();
    assert_eq!(checked.fingerprint, OWNER.fingerprint());

    let (binds, sha256) = (SignatureType::SubkeyBinding, HashAlgorithm::Sha256);
    let bound =
        |kind, hash, words| refused(check(&path, &[&OWNER.clone().binds(kind, hash, words)]));
    let agreed = || OWNER.agreement();
    let good = OWNER.clone().binds(binds, sha256, vec![flags(true), agreed()]);
    check(&path, &[&good]).unwrap();
    let not_bound = "is revoked, or not bound to it as one that signs";
    for (kind, words) in [
        (binds, vec![flags(true)]),
        (binds, vec![agreed()]),
        (binds, vec![flags(false), agreed()]),
        (binds, vec![flags(true), STRANGER.agreement()]),
        (SignatureType::SubkeyRevocation, vec![flags(true), agreed()]),
    ] {
        let message = bound(kind, sha256, words);
        assert!(message.contains(not_bound), "{message}");
    }
    let lasts = SubpacketData::KeyExpirationTime(Duration::from_secs(1));
    let message = bound(binds, sha256, vec![flags(true), agreed(), lasts]);
    assert!(message.contains("had expired when it signed"), "{message}");

    // Somebody who takes the owner's subkey for one of theirs.
    let mut thief = STRANGER.clone();
    thief.public.public_subkeys.clone_from(&OWNER.public.public_subkeys);
    assert!(refused(check(&path, &[&thief])).contains(not_bound));
}

/// Whatever stands in a file, it is an error and neither a panic nor a large allocation.
#[test]
fn damage_is_only_an_error() {
    let made = TestPackage::old();
    let path = made.write(vec![(HEADER, over_header(&made)), (ALL, over_all(&made))]);
    let good = fs::read(&path).unwrap();
    for at in (0..good.len()).step_by(97) {
        fs::write(&path, &good[..at]).unwrap();
        check(&path, &[&OWNER]).unwrap_err();
        for byte in [0, 0x7f, 0xff] {
            let mut bad = good.clone();
            bad[at..].iter_mut().take(4).for_each(|there| *there = byte);
            fs::write(&path, &bad).unwrap();
            // The lead and the room between values are of no meaning.
            let _ = check(&path, &[&OWNER]);
        }
        let garbage: Vec<u8> =
            (0..=255).cycle().map(|n: u8| n.wrapping_mul(167)).take(at).collect();
        fs::write(&path, garbage).unwrap();
        check(&path, &[&OWNER]).unwrap_err();
    }
}

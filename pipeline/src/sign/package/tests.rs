// SPDX-License-Identifier: GPL-2.0-or-later
use super::super::key::tests::{key, other};
use super::*;
use rpm::{BuildConfig, CompressionType, FileOptions, Package, PackageBuilder};
use std::fs;
use std::fs::read;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use tempfile::TempDir;

const TIME: u32 = 1_750_000_000;
const MODE: u32 = 0o644;

/// A package as rpmbuild leaves it: digests, sizes, room for signatures, and no signature.
fn built(folder: &TempDir, room: usize, more: Vec<HeaderEntry>) -> PathBuf {
    let config = BuildConfig::v4().compression(CompressionType::Gzip).source_date(1_700_000_000);
    let blob: Vec<u8> = (0..2_000_u32).flat_map(|n| n.wrapping_mul(n).to_be_bytes()).collect();
    let mut package = PackageBuilder::new("vgpu", "1", "GPL", "x86_64", "a test")
        .using_config(config.reserved_space(None))
        .with_file_contents(blob, FileOptions::new("/opt/vgpu/blob"))
        .unwrap()
        .build()
        .unwrap();
    let mut content = package.metadata.header_bytes().unwrap();
    let digest = |bytes: &[u8]| <sha2::Sha256 as md5::Digest>::digest(bytes);
    let sha256 = format!("{:x}", digest(&content));
    content.extend_from_slice(&package.payload);
    let md5: [u8; 16] = <md5::Md5 as md5::Digest>::digest(&content).into();
    let size = u32::try_from(content.len()).unwrap();
    let mut entries = vec![
        HeaderEntry::new(Tag::RPMSIGTAG_SHA256 as u32, IndexData::StringTag(sha256)),
        HeaderEntry::new(Tag::RPMSIGTAG_SIZE as u32, IndexData::Int32(vec![size])),
        HeaderEntry::new(Tag::RPMSIGTAG_MD5 as u32, IndexData::Bin(md5.to_vec())),
        HeaderEntry::new(Tag::RPMSIGTAG_PAYLOADSIZE as u32, IndexData::Int32(vec![8_260])),
    ];
    if room > 0 {
        let tag = Tag::RPMSIGTAG_RESERVEDSPACE as u32;
        entries.push(HeaderEntry::new(tag, IndexData::Bin(vec![0; room])));
    }
    entries.extend(more);
    write(folder, &mut package, entries)
}

fn write(folder: &TempDir, package: &mut Package, entries: Vec<HeaderEntry>) -> PathBuf {
    package.metadata.signature = Header::from_entries(entries, Tag::HEADER_SIGNATURES);
    let path = folder.path().join("built.rpm");
    package.write_file(&path).unwrap();
    path
}

/// Builds and signs one.
fn signed(folder: &TempDir, room: usize) -> (PathBuf, PathBuf) {
    let (from, to) = (built(folder, room, Vec::new()), folder.path().join("signed.rpm"));
    sign_package(&from, &to, key(), TIME).unwrap();
    (from, to)
}

fn verify(path: &Path) -> Result<PackageSignature> {
    verify_package(path, key().public_armored())
}

/// Where the main header and the payload begin.
fn offsets(path: &Path) -> (usize, usize) {
    let offsets = PackageMetadata::open(path).unwrap().get_package_segment_offsets();
    (offsets.header.try_into().unwrap(), offsets.payload.try_into().unwrap())
}

fn refused<T>(result: Result<T>) -> String {
    crate::error::render(&result.err().expect("a refusal"))
}

#[test]
fn a_signed_package_holds_what_rpm_4_11_checks() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = signed(&folder, 4128);
    let signature = verify(&to).unwrap();
    assert_eq!(signature.fingerprint, key().fingerprint());
    assert_eq!(signature.signed_at, TIME);
    let block = package_file::open(&to).unwrap().signature;
    assert_eq!(block.tags().collect::<Vec<_>>(), [62, 268, 269, 273, 1000, 1002, 1004, 1007, 1008]);
    assert_eq!(block.number(1007).unwrap(), Some(8_260));
    assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, MODE);
    let (before, after) = (read(&from).unwrap(), read(&to).unwrap());
    assert_eq!(before[..LEAD], after[..LEAD]);
    assert_eq!(before[offsets(&from).0..], after[offsets(&to).0..]);
    assert_eq!(signature.size, (after.len() - offsets(&to).0) as u64);
}

#[test]
fn the_same_package_gives_the_same_bytes_signed_once_or_twice() {
    for room in [0, 1, 700, 1200, 4128, 9000] {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = signed(&folder, room);
        let first = read(&to).unwrap();
        sign_package(&from, &to, key(), TIME).unwrap();
        assert_eq!(first, read(&to).unwrap());
        sign_package(&to, &to, key(), TIME).unwrap();
        assert_eq!(first, read(&to).unwrap(), "with {room} bytes of room");
        sign_package(&to, &to, key(), TIME + 1).unwrap();
        assert_eq!(verify(&to).unwrap().signed_at, TIME + 1);
        sign_package(&to, &to, key(), TIME).unwrap();
        assert_eq!(first, read(&to).unwrap());
    }
}

#[test]
fn the_signature_header_keeps_its_size_within_the_limits() {
    let folder = tempfile::tempdir().unwrap();
    for (room, data) in
        [(4128, None), (7900, None), (9000, Some(MOST_DATA)), (60_000, Some(MOST_DATA))]
    {
        let (from, to) = signed(&folder, room);
        let [before, after] =
            [from, to].map(|p| package_file::open(&p).unwrap().signature.data_size());
        assert_eq!(after, data.unwrap_or(before));
    }
}

#[test]
fn every_byte_of_the_signature_header_has_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (_, path) = signed(&folder, 1300);
    let good = read(&path).unwrap();
    let size_of_archive = {
        let value = 8_260_u32.to_be_bytes();
        let at = good.windows(4).position(|four| four == value).unwrap();
        at..at + 4
    };
    for at in LEAD..offsets(&path).0 {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        fs::write(&path, &bad).unwrap();
        // No signature and no digest covers this one number, and rpm only shows progress by it.
        assert_eq!(verify(&path).is_ok(), size_of_archive.contains(&at), "at {at}");
    }
}

#[test]
fn no_byte_of_header_or_payload_can_change() {
    let folder = tempfile::tempdir().unwrap();
    let (_, path) = signed(&folder, 0);
    let good = read(&path).unwrap();
    let (header, payload) = offsets(&path);
    let in_payload = (payload..good.len()).step_by((good.len() - payload) / 40);
    for at in (header..payload).step_by(13).chain(in_payload).chain([good.len() - 1]) {
        let mut bad = good.clone();
        bad[at] ^= 1;
        fs::write(&path, &bad).unwrap();
        verify(&path).unwrap_err();
    }
    for end in [0, 50, LEAD, LEAD + 20, header - 1, header + 40, payload, good.len() - 1] {
        fs::write(&path, &good[..end]).unwrap();
        verify(&path).unwrap_err();
    }
    fs::write(&path, [good.as_slice(), b"\0"].concat()).unwrap();
    assert!(refused(verify(&path)).contains("its size is not what it says"));
    fs::write(&path, &good).unwrap();
    verify(&path).unwrap();
}

/// Digests alone are no protection: whoever alters the payload can write new ones.
#[test]
fn digests_made_to_fit_do_not_help() {
    let folder = tempfile::tempdir().unwrap();
    let (_, path) = signed(&folder, 0);
    let mut package = Package::open(&path).unwrap();
    let last = package.payload.len() - 1;
    package.payload[last] ^= 1;
    let content = [package.metadata.header_bytes().unwrap(), package.payload.clone()].concat();
    let md5: [u8; 16] = <md5::Md5 as md5::Digest>::digest(&content).into();
    let entries = package.metadata.signature.get_all_entries().unwrap().into_iter().skip(1);
    let entries = entries.map(|(tag, data)| match tag {
        1004 => HeaderEntry::new(tag, IndexData::Bin(md5.to_vec())),
        _ => HeaderEntry::new(tag, data),
    });
    let forged = write(&folder, &mut package, entries.collect());
    let message = refused(verify(&forged));
    assert!(message.contains("the SHA-256 of its payload is not what it says"), "{message}");
    // Signing such a package would make it look sound.
    let message = refused(sign_package(&forged, &path, key(), TIME));
    assert!(message.contains("the SHA-256 of its payload"), "{message}");
    assert!(message.contains("\nhelp: "), "{message}");
}

#[test]
fn another_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = signed(&folder, 4128);
    let message = refused(verify_package(&to, other().public_armored()));
    let expected = format!("the key `{}` did not sign its header", other().fingerprint());
    assert!(message.contains(&expected), "{message}");
    assert!(refused(verify(&from)).contains("holds the tag 268 0 times"));
    sign_package(&to, &to, other(), TIME).unwrap();
    verify(&to).unwrap_err();
    verify_package(&to, other().public_armored()).unwrap();
}

#[test]
fn what_cannot_be_signed_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("signed.rpm");
    let try_it = |from: &Path| refused(sign_package(from, &to, key(), TIME));
    let ima = HeaderEntry::new(274, IndexData::StringArray(vec!["00".to_owned()]));
    assert!(try_it(&built(&folder, 0, vec![ima])).contains("holds the tag 274"));
    let twice = HeaderEntry::new(1007, IndexData::Int32(vec![1]));
    assert!(try_it(&built(&folder, 0, vec![twice])).contains("the tag 1007 is there twice"));

    let from = built(&folder, 0, Vec::new());
    let good = read(&from).unwrap();
    fs::write(&from, &good[..good.len() - 1]).unwrap();
    assert!(try_it(&from).contains("its size is not what it says: it was altered or cut short"));
    fs::write(&from, b"no package").unwrap();
    assert_eq!(try_it(&from), "it is not an RPM package");
    assert!(try_it(&folder.path().join("absent.rpm")).starts_with("cannot open"));

    let mut plain = PackageBuilder::new("p", "1", "GPL", "noarch", "s").build().unwrap();
    let entries = plain.metadata.signature.get_all_entries().unwrap().into_iter().skip(1);
    let entries = entries.map(|(tag, data)| HeaderEntry::new(tag, data)).collect();
    let unsized_one = write(&folder, &mut plain, entries);
    assert!(try_it(&unsized_one).contains("does not say how large its archive is\nhelp: "));

    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
    let nowhere = folder.path().join("no/such/folder/signed.rpm");
    fs::write(&from, &good).unwrap();
    refused(sign_package(&from, &nowhere, key(), TIME));
}

/// Whatever stands in a header, it is an error and neither a panic nor a large allocation.
#[test]
fn a_hostile_header_is_only_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let from = built(&folder, 0, Vec::new());
    let (to, good) = (folder.path().join("signed.rpm"), read(&from).unwrap());
    let front = offsets(&from).1;
    let mut state = 1_u64;
    let mut random = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    for _ in 0..1000 {
        let mut bad = good[..front + 100].to_vec();
        for _ in 0..=random(3) {
            let at = LEAD + random(front - LEAD);
            bad[at] = [0, 1, 0x7f, 0x80, 0xff][random(5)];
        }
        fs::write(&from, &bad).unwrap();
        let _ = sign_package(&from, &to, key(), TIME).unwrap_err();
        verify(&from).unwrap_err();
    }
}

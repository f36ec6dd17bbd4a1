// SPDX-License-Identifier: GPL-2.0-or-later
//! What `createrepo_c` itself writes, and what is made of it in each compression.

use super::super::{packages, repomd, unpack::unpack};
use super::{refused, sound};
use crate::digest::sha256_file as sha256;
use crate::process::{Invocation, Runner};
use flate2::Compression;
use rpm::{BuildConfig, PackageBuilder};
use std::fs;
use std::io::Read;
use std::path::Path;

/// A repository of two packages, its metadata made anew in this way.
fn create(folder: &Path, args: &[&str]) {
    for (name, epoch) in [("one", 0), ("two-more", 2)] {
        let config = BuildConfig::v4().source_date(1_500_000_000);
        let mut package =
            PackageBuilder::new(name, "1.0~rc1", "GPL", "noarch", "A <test> & \"more\"");
        let package = package.using_config(config).epoch(epoch).release("3.el7").build().unwrap();
        let packages = folder.join("Packages");
        fs::create_dir_all(&packages).unwrap();
        package.write_file(packages.join(format!("{name}.rpm"))).unwrap();
    }
    let call = Invocation::new("createrepo_c").arg("--no-database").args(args).arg(folder);
    Runner::new(&folder.join("log"), |_| {}).unwrap().run(&call).unwrap();
}

#[test]
fn the_metadata_of_createrepo_is_read_in_every_compression() {
    for kind in ["gz", "xz"] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        create(folder, &["--general-compress-type", kind]);
        let primary = repomd(&fs::read(folder.join("repodata/repomd.xml")).unwrap()).unwrap();
        assert!(primary.href.ends_with(&format!("-primary.xml.{kind}")), "{}", primary.href);
        let path = folder.join(&primary.href);
        assert_eq!(primary.sha256, sha256(&path).unwrap());
        let bytes = fs::read(&path).unwrap();
        assert_eq!(primary.size, Some(bytes.len() as u64));

        let listed = sound(&bytes, &primary.href);
        let mut names: Vec<String> = listed.iter().map(|it| it.nevra.to_string()).collect();
        names.sort();
        assert_eq!(names, ["one-1.0~rc1-3.el7.noarch", "two-more-2:1.0~rc1-3.el7.noarch"]);
        for listed in &listed {
            let path = folder.join(&listed.href);
            assert_eq!(listed.sha256, Some(sha256(&path).unwrap()));
            assert_eq!(listed.size, path.metadata().unwrap().len());
        }
        // Debian's createrepo_c does not write zstd, as later ones do.
        let zstd = zstd::encode_all(unpack(&bytes, &primary.href).unwrap(), 10).unwrap();
        assert_eq!(sound(&zstd, "primary.xml.zst"), listed);
        // The digest in repomd.xml proves the bytes, however they end.
        let padding = if kind == "gz" { 77 } else { 8 };
        let skippable = b"\x50\x2a\x4d\x18\x04\0\0\0pad!";
        for (padded, href) in [
            ([bytes.clone(), vec![0; padding]].concat(), primary.href.as_str()),
            ([bytes.clone(), vec![0; padding], empty(kind)].concat(), primary.href.as_str()),
            ([zstd.clone(), skippable.to_vec()].concat(), "primary.xml.zst"),
        ] {
            assert_eq!(sound(&padded, href), listed);
        }
        for (bytes, href) in [(bytes, primary.href.as_str()), (zstd, "primary.xml.zst")] {
            for end in (0..bytes.len()).step_by(97) {
                refused(packages(&bytes[..end], href));
            }
        }
    }
}

#[test]
fn other_checksums_and_bases_of_createrepo_are_seen() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let read = |args: &[&str]| {
        create(folder, args);
        let primary = repomd(&fs::read(folder.join("repodata/repomd.xml")).unwrap())?;
        packages(&fs::read(folder.join(&primary.href)).unwrap(), &primary.href)
    };
    let listed = read(&["--checksum=sha1", "--repomd-checksum=sha256"]).unwrap().listed;
    assert_eq!(listed[0].sha256, None);
    let message = refused(read(&["--repomd-checksum=sha1"]));
    assert_eq!(message, "`repomd.xml`: its list of packages has no sha256");
    let based = read(&["--baseurl=http://example.org/"]).unwrap();
    assert_eq!((based.listed.len(), based.odd.len()), (0, 2));
    assert!(based.odd.iter().all(|odd| odd.why.contains("is not below the address")), "{based:?}");
}

/// Names of files as somebody's upload left them.
#[test]
fn file_names_of_createrepo_are_read_or_odd() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    create(folder, &[]);
    let from = folder.join("Packages/two-more.rpm");
    for (name, is_odd) in [
        ("two+more~1.rpm", false),
        ("two@more:1.rpm", false),
        ("two more.rpm", true),
        ("two\u{fc}more.rpm", true),
        ("two#more.rpm", true),
        ("two%2e%2e.rpm", false),
    ] {
        let to = folder.join("Packages").join(name);
        fs::copy(&from, &to).unwrap();
        let call = Invocation::new("createrepo_c").arg("--no-database").arg(folder);
        Runner::new(&folder.join("log"), |_| {}).unwrap().run(&call).unwrap();
        let primary = repomd(&fs::read(folder.join("repodata/repomd.xml")).unwrap()).unwrap();
        let read = packages(&fs::read(folder.join(&primary.href)).unwrap(), &primary.href).unwrap();
        assert_eq!(
            (read.listed.len(), read.odd.len()),
            (3 - usize::from(is_odd), usize::from(is_odd)),
            "{name}"
        );
        assert!(read.odd.iter().all(|odd| odd.names == ["two-more"]), "{name}");
        fs::remove_file(to).unwrap();
    }
}

/// A stream of nothing.
fn empty(kind: &str) -> Vec<u8> {
    let mut packed = Vec::new();
    match kind {
        "gz" => {
            flate2::read::GzEncoder::new(&b""[..], Compression::fast()).read_to_end(&mut packed)
        }
        _ => liblzma::read::XzEncoder::new(&b""[..], 6).read_to_end(&mut packed),
    }
    .unwrap();
    packed
}

//! What `createrepo_c` itself writes, and what is made of it in each compression.

use super::super::{packages, repomd, unpack::unpack};
use super::refused;
use crate::cmd::{Call, Runner};
use crate::store::sha256;
use rpm::{BuildConfig, PackageBuilder};
use std::fs;
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
    let call = Call::new("createrepo_c").arg("--no-database").args(args).arg(folder);
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

        let listed = packages(&bytes, &primary.href).unwrap();
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
        assert_eq!(packages(&zstd, "primary.xml.zst").unwrap(), listed);
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
    let listed = read(&["--checksum=sha1", "--repomd-checksum=sha256"]).unwrap();
    assert_eq!(listed[0].sha256, None);
    let message = refused(read(&["--repomd-checksum=sha1"]));
    assert_eq!(message, "`repomd.xml`: its list of packages has no sha256");
    let message = refused(read(&["--baseurl=http://example.org/"]));
    assert!(message.contains("is not below the address of the repository\nhelp: "), "{message}");
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The metadata against what was signed: it lists each package once, as what it is and where it lies, and
//! nothing else. `createrepo_c` ends well where it leaves a package out, and clients believe the metadata, not
//! the packages.

use crate::digest;
use crate::error::Help;
use crate::repodata::{self, Listed};
use crate::sign::SignedPackage;
use anyhow::{Context, Result, anyhow, bail, ensure};
use fs_err as fs;
use rpm_inspect::Nevra;
use std::collections::BTreeMap;
use std::path::Path;

/// What a client finds a package by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    nevra: Nevra,
    sha256: String,
    size: u64,
}

/// What the metadata has to say, by place: of the packages as they were signed, before anything else had
/// the tree.
pub fn expected(tree: &Path, signed: &[SignedPackage]) -> Result<BTreeMap<String, Said>> {
    let mut expected = BTreeMap::new();
    for package in signed {
        let path = tree.join(&package.file);
        let said = Said {
            nevra: package.nevra.parse()?,
            sha256: digest::sha256_file(&path)?,
            size: fs::metadata(&path)?.len(),
        };
        expected.insert(package.file.clone(), said);
    }
    Ok(expected)
}

/// Holds the metadata of a tree to what was signed.
pub fn check(tree: &Path, repomd: &[u8], expected: BTreeMap<String, Said>) -> Result<()> {
    let primary = repodata::repomd(repomd)?;
    let bytes = fs::read(tree.join(&primary.href)).context("the list of packages")?;
    let whole = primary.sha256 == digest::sha256(&bytes)
        && primary.size.is_none_or(|size| size == bytes.len() as u64);
    ensure!(whole, "`repomd.xml` is of another list of packages than createrepo_c wrote beside it");
    let packages = repodata::packages(&bytes, &primary.href)?;
    if let Some(odd) = packages.odd.first() {
        bail!("the metadata that createrepo_c wrote cannot be read: {odd}");
    }
    compare(expected, packages.listed)
}

fn compare(mut expected: BTreeMap<String, Said>, listed: Vec<Listed>) -> Result<()> {
    for Listed { nevra, sha256, size, href } in listed {
        let shown = href.escape_debug().to_string();
        let Some(said) = expected.remove(&unescaped(&href)) else {
            bail!(
                "the metadata that createrepo_c wrote lists `{shown}`, which was not signed, or twice"
            );
        };
        let found = Said { nevra, sha256: sha256.unwrap_or_default(), size };
        ensure!(
            found == said,
            "the metadata that createrepo_c wrote says of `{shown}` that it is {}, of {} bytes, sha256 {}, and \
             it is {}, of {} bytes, sha256 {}",
            found.nevra,
            found.size,
            found.sha256,
            said.nevra,
            said.size,
            said.sha256
        );
    }
    if let Some(missing) = expected.keys().next() {
        return Err(anyhow!("the metadata that createrepo_c wrote does not list `{missing}`")
            .help("look into its log for what it could not read of the package"));
    }
    Ok(())
}

/// An address as the path that a server reads out of it.
fn unescaped(href: &str) -> String {
    let mut path = Vec::new();
    let mut rest = href.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.first_chunk::<2>().filter(|_| *first == b'%');
        let digits = digits.filter(|two| two.iter().all(u8::is_ascii_hexdigit));
        let byte =
            digits.and_then(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok());
        path.push(byte.unwrap_or(*first));
        rest = &after[if byte.is_some() { 2 } else { 0 }..];
    }
    String::from_utf8_lossy(&path).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Rendered;
    use crate::process::{Invocation, Runner};

    fn listed(name: &str) -> Listed {
        Listed {
            nevra: format!("{name}-2:1-1.x86_64").parse().unwrap(),
            sha256: Some("ab".repeat(32)),
            size: 7,
            href: format!("Packages/{name}-1-1.x86_64.rpm"),
        }
    }

    fn of(names: &[&str]) -> BTreeMap<String, Said> {
        let all = names.iter().map(|name| {
            let Listed { nevra, sha256, size, href } = listed(name);
            (href, Said { nevra, sha256: sha256.unwrap(), size })
        });
        all.collect()
    }

    fn refusal(names: &[&str], listed: Vec<Listed>) -> String {
        compare(of(names), listed).unwrap_err().rendered()
    }

    #[test]
    fn every_package_is_listed_once_as_what_it_is() {
        compare(of(&["qemu", "qemu-tools"]), vec![listed("qemu-tools"), listed("qemu")]).unwrap();
        let missing = refusal(&["qemu", "qemu-tools"], vec![listed("qemu-tools")]);
        assert!(
            missing.contains("does not list `Packages/qemu-1-1.x86_64.rpm`\nhelp: "),
            "{missing}"
        );
        assert!(refusal(&["qemu"], vec![]).contains("does not list"));
        for (names, all) in [
            (&["qemu"][..], vec![listed("qemu"), listed("glibc")]),
            (&["qemu"], vec![listed("qemu"), listed("qemu")]),
        ] {
            let more = refusal(names, all);
            assert!(more.contains("which was not signed, or twice"), "{more}");
        }
        let changes: [&dyn Fn(&mut Listed); 6] = [
            &|it| it.nevra.name = "glibc".to_owned(),
            &|it| it.nevra.epoch = 7,
            &|it| it.nevra.version = "99".to_owned(),
            &|it| it.nevra.arch = "noarch".to_owned(),
            &|it| it.sha256 = Some("00".repeat(32)),
            &|it| it.size = 8,
        ];
        for change in changes {
            let mut other = listed("qemu");
            change(&mut other);
            let said = refusal(&["qemu"], vec![other]);
            assert!(said.contains("says of `Packages/qemu-1-1.x86_64.rpm` that it is"), "{said}");
        }
        let mut none = listed("qemu");
        none.sha256 = None;
        refusal(&["qemu"], vec![none]);
    }

    #[test]
    fn an_address_is_read_as_a_server_reads_it() {
        let mut one = listed("gcc-c++");
        one.href = "Packages/gcc-c%2B%2B-1-1.x86_64.rpm".to_owned();
        compare(of(&["gcc-c++"]), vec![one]).unwrap();
        assert_eq!(unescaped("a%2fb%zz%+f%2"), "a/b%zz%+f%2");
    }

    fn built(tree: &Path, name: &str) -> SignedPackage {
        let file = format!("Packages/{name}-1-1.noarch.rpm");
        let mut builder = ::rpm::PackageBuilder::new(name, "1", "MIT", "noarch", "A test");
        builder.build().unwrap().write_file(tree.join(&file)).unwrap();
        SignedPackage {
            nevra: format!("{name}-1-1.noarch"),
            file,
            header_sha256: String::new(),
            payload_sha256: String::new(),
        }
    }

    /// By the real one: it is asked once, and then more, less and other is said to have been signed.
    #[test]
    fn what_createrepo_writes_is_held_to_the_packages() {
        let tree = tempfile::tempdir().unwrap();
        let tree = tree.path();
        fs::create_dir(tree.join("Packages")).unwrap();
        let mut signed = vec![built(tree, "gcc-c++"), built(tree, "qemu")];
        let log = tempfile::tempdir().unwrap();
        let runner = Runner::new(&log.path().join("log"), |_| {}).unwrap();
        runner.run(&Invocation::new("createrepo_c").arg(tree)).unwrap();
        let repomd = fs::read(tree.join("repodata/repomd.xml")).unwrap();
        let check = |signed: &[SignedPackage]| {
            let expected = expected(tree, signed).unwrap();
            check(tree, &repomd, expected).map_err(|it| it.to_string())
        };
        check(&signed).unwrap();
        assert!(check(&signed[1..]).unwrap_err().contains("which was not signed"));
        signed.push(built(tree, "tools"));
        let missing = check(&signed).unwrap_err();
        assert!(missing.contains("does not list `Packages/tools-1-1.noarch.rpm`"), "{missing}");
        signed.pop();
        signed[1].nevra = "qemu-7:1-1.noarch".to_owned();
        assert!(check(&signed).unwrap_err().contains("says of `Packages/qemu-1-1.noarch.rpm`"));
        signed[1] = built(tree, "qemu");
        fs::write(tree.join(&signed[1].file), "other").unwrap();
        assert!(check(&signed).unwrap_err().contains("sha256"));
    }
}

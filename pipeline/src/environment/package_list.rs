// SPDX-License-Identifier: GPL-2.0-or-later
//! What an environment was installed from, file by file, so that somebody else can fetch the same.

use crate::config::Lock;
use crate::purl;
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A package file of an environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EnvironmentPackage {
    pub name: String,
    pub version: String,
    pub architecture: String,
    /// The file's name, as its archive has it.
    pub file: String,
    /// In bytes.
    pub size: u64,
    pub sha256: String,
    /// Its address where the lock has one, or its name in everybody's archive as a package URL.
    pub uri: String,
}

/// The packages of a lock.
pub fn of_lock(lock: &Lock) -> Vec<EnvironmentPackage> {
    let of = |package: &crate::config::LockedPackage| {
        let version = package.nevra.strip_prefix(package.name()).unwrap_or_default();
        let version = version.trim_start_matches('-');
        let version = version.strip_suffix(package.arch()).unwrap_or(version);
        EnvironmentPackage {
            name: package.name().to_owned(),
            version: version.trim_end_matches('.').to_owned(),
            architecture: package.arch().to_owned(),
            file: package.file_name().to_owned(),
            size: package.size,
            sha256: package.sha256.to_string(),
            uri: package.url.to_string(),
        }
    };
    lock.packages.iter().map(of).collect()
}

/// The packages of a Debian root, by what `apt-cache show` said of each (deb-control(5), Packages files of
/// an archive). `closure` is what is installed, as `dpkg-query` lists it: each has to be told of.
pub fn of_debian(records: &str, closure: &str, suite: &str) -> Result<Vec<EnvironmentPackage>> {
    let mut known = BTreeMap::new();
    for record in records.split("\n\n").filter(|record| !record.trim().is_empty()) {
        let field = |name: &str| {
            let value =
                |line: &str| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim().to_owned());
            record.lines().find_map(value)
        };
        let required = |name: &str| {
            field(name)
                .with_context(|| format!("apt says no `{name}` of a package that it installed"))
        };
        let (name, version) = (required("Package")?, required("Version")?);
        let architecture = required("Architecture")?;
        let file = required("Filename")?;
        let package = EnvironmentPackage {
            uri: purl::debian(&name, &version, &architecture, suite),
            file: file.rsplit('/').next().unwrap_or_default().to_owned(),
            size: required("Size")?.parse().context("a package's `Size`")?,
            sha256: required("SHA256")?,
            name,
            version,
            architecture,
        };
        let line = format!("{} {} {}", package.name, package.version, package.architecture);
        known.insert(line, package);
    }
    let installed = closure.lines().map(|line| {
        known
            .get(line)
            .cloned()
            .with_context(|| format!("apt does not say of `{line}` what its file is"))
    });
    let installed = installed.collect::<Result<Vec<_>>>()?;
    ensure!(!installed.is_empty(), "the environment has no packages");
    Ok(installed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORDS: &str = "Package: libstdc++6\nArchitecture: amd64\nVersion: 12.2.0-14+deb12u1\n\
        Description: GNU\n Version: 9\nFilename: pool/main/g/gcc-12/libstdc++6_12.2.0-14+deb12u1_amd64.deb\n\
        Size: 613000\nSHA256: ab\n\nPackage: tzdata\nArchitecture: all\nVersion: 1:2026a-0\nSize: 7\n\
        Filename: pool/main/t/tzdata/tzdata_2026a-0_all.deb\nSHA256: cd\n\n";

    #[test]
    fn what_apt_says_of_each_installed_package_is_read() {
        let closure = "libstdc++6 12.2.0-14+deb12u1 amd64\ntzdata 1:2026a-0 all\n";
        let packages = of_debian(RECORDS, closure, "bookworm").unwrap();
        assert_eq!(packages.len(), 2);
        assert_eq!(packages[0].file, "libstdc++6_12.2.0-14+deb12u1_amd64.deb");
        assert_eq!((packages[0].size, &*packages[0].sha256), (613_000, "ab"));
        assert_eq!(
            packages[0].uri,
            "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64&distro=bookworm"
        );
        assert_eq!(packages[1].uri, "pkg:deb/debian/tzdata@1:2026a-0?arch=all&distro=bookworm");
        for (records, closure, expected) in [
            (RECORDS, "tzdata 1:2026b-0 all\n", "apt does not say of `tzdata 1:2026b-0 all`"),
            (RECORDS, "", "no packages"),
            ("Package: a\nVersion: 1\n", closure, "no `Architecture`"),
        ] {
            let error = of_debian(records, closure, "bookworm").unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The rule `file-digests`: a host holds its files to what the header gives (`rpm -V`), for years, and by MD5
//! that is so of another file too. Nothing here compares by it.
//!
//! rpm alone takes MD5 where nobody sets another, and CentOS 7 sets SHA-256: `_binary_filedigest_algorithm` in
//! `macros` of its redhat-rpm-config.

use super::{Check, FileEntry, InspectedPackage, Level, Policy, RuleSpec, SignatureCheck, Target};

pub const RULE: RuleSpec = RuleSpec {
    name: "file-digests",
    level: Level::Require,
    targets: &[Target::El7, Target::El8, Target::El9],
    asks: "the header gives its files' digests by SHA-256 or better; in a run without a target too",
    help: "set `_binary_filedigest_algorithm` to `8`, or have redhat-rpm-config in the environment",
    example: "its header gives the digests of its files by MD5, which other files have too",
    check: Check::Package(check),
};

/// SHA-256, SHA-384 and SHA-512, in OpenPGP's numbers (RFC 9580, 9.5).
const STRONG: [u32; 3] = [8, 9, 10];

fn check(package: &InspectedPackage, policy: &Policy) -> Vec<String> {
    let asked = policy.target.is_some() || policy.signature == SignatureCheck::Deferred;
    let has_digest = |file: &FileEntry| file.is_regular() && !file.has("ghost");
    if !asked
        || STRONG.contains(&package.file_digest_algorithm)
        || !package.files.iter().any(has_digest)
    {
        return Vec::new();
    }
    let name = package.file_digest_name();
    vec![format!("its header gives the digests of its files by {name}, which other files have too")]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::sample::{self, FOLDER, PLAIN};

    #[test]
    fn a_package_of_ours_has_digests_that_one_file_has() {
        let run = Policy { signature: SignatureCheck::Deferred, ..Policy::default() };
        let target = Policy { target: Some(Target::El7), ..Policy::default() };
        let mut package = sample::package("a", "noarch");
        let broken = |package: &InspectedPackage, policy: &Policy| RULE.broken_by(package, policy);
        for (algorithm, name) in
            [(1, "MD5"), (2, "SHA-1"), (11, "SHA-224"), (99, "the algorithm 99")]
        {
            package.package.file_digest_algorithm = algorithm;
            package.package.files = vec![sample::file("/usr/a", PLAIN, None)];
            let what = format!(
                "its header gives the digests of its files by {name}, which other files have too"
            );
            assert_eq!(broken(&package, &run), [what.as_str()]);
            assert_eq!(broken(&package, &target), [what.as_str()]);
            // Anybody's package, for no hosts.
            assert!(broken(&package, &Policy::default()).is_empty());
            // What has no bytes has no digest either.
            package.package.files[0].flags.push("ghost".to_owned());
            package.package.files.push(sample::file("/usr", FOLDER, None));
            assert!(broken(&package, &run).is_empty());
        }
        package.package.files = vec![sample::file("/usr/a", PLAIN, None)];
        for algorithm in STRONG {
            package.package.file_digest_algorithm = algorithm;
            assert!(broken(&package, &run).is_empty());
        }
    }
}

//! What a host's rpm and libraries take, as rules over a package's header.
//!
//! A package that breaks one would fail on the host at install or, worse, at the first start of a VM.

use crate::config::Target;
use anyhow::{Context, Result, bail};
use rpm::PackageMetadata;

/// Features that the rpm 4.11 of CentOS 7 knows (rpm, lib/rpmds.c at 4.11; `rpm --showrc` there).
const EL7_FEATURES: &[&str] = &[
    "BuiltinLuaScripts",
    "CompressedFileNames",
    "ConcurrentAccess",
    "ExplicitPackageProvide",
    "FileCaps",
    "FileDigests",
    "HeaderLoadSortsTags",
    "PartialHardlinkSets",
    "PayloadFilesHavePrefix",
    "PayloadIsBzip2",
    "PayloadIsLzma",
    "PayloadIsXz",
    "ScriptletExpansion",
    "ScriptletInterpreterArgs",
    "TildeInVersions",
    "VersionedDependencies",
];
/// The C library of CentOS 7.
const EL7_GLIBC: (u32, u32) = (2, 17);

/// Refuses a package that the target's hosts would not take, with everything that is wrong at once.
pub fn check(package: &PackageMetadata, target: Target) -> Result<()> {
    if target != Target::El7 {
        bail!("only `target: el7` is known yet");
    }
    let requires: Vec<String> =
        package.get_requires()?.into_iter().map(|dependency| dependency.name).collect();
    let broken: Vec<String> = requires.iter().filter_map(|name| objection(name)).collect();
    if !broken.is_empty() {
        bail!(
            "{} does not fit `verify.target: el7`: it requires {}\n\
             help: build it in an environment of that target",
            package.get_nevra().context("its name")?,
            broken.join(", ")
        );
    }
    Ok(())
}

/// What is wrong with a requirement, if anything is.
fn objection(name: &str) -> Option<String> {
    let because = |why: &str| Some(format!("`{name}` ({why})"));
    if let Some(feature) = name.strip_prefix("rpmlib(").and_then(|rest| rest.strip_suffix(')')) {
        let known = EL7_FEATURES.contains(&feature);
        return if known { None } else { because("rpm 4.11 does not know the feature") };
    }
    if name.starts_with('(') {
        return because("rpm 4.11 knows no rich dependencies");
    }
    if name.starts_with("user(") || name.starts_with("group(") {
        return because("nothing on such a host provides users or groups");
    }
    match glibc(name) {
        Some(version) if version > EL7_GLIBC => because("its glibc is 2.17"),
        _ => None,
    }
}

/// The version in a requirement such as `libc.so.6(GLIBC_2.34)(64bit)`.
fn glibc(name: &str) -> Option<(u32, u32)> {
    let version = name.split_once("(GLIBC_")?.1.split(')').next()?;
    let mut numbers = version.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dom0_takes_passes_and_what_it_does_not_is_named() {
        for good in [
            "rpmlib(PayloadIsXz)",
            "libc.so.6(GLIBC_2.17)(64bit)",
            "libpthread.so.0(GLIBC_2.3.2)(64bit)",
            "libc.so.6(GLIBC_PRIVATE)(64bit)",
            "xcp-clipboardd",
        ] {
            assert_eq!(objection(good), None);
        }
        for bad in [
            "rpmlib(PayloadIsZstd)",
            "rpmlib(RichDependencies)",
            "(a or b)",
            "user(qemu)",
            "libc.so.6(GLIBC_2.18)(64bit)",
            "libm.so.6(GLIBC_3.0)(64bit)",
        ] {
            assert!(objection(bad).is_some_and(|text| text.contains(bad)), "{bad}");
        }
    }
}

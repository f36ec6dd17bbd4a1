// SPDX-License-Identifier: GPL-2.0-or-later
//! The list of rules, one file each. A new one is a file here with its spec, its check and its unit test,
//! two lines below, and a package that breaks it in `tests/toy/rules`.

mod build_id_links;
mod debug_package;
mod digests;
mod executable_stack;
mod file_conflicts;
mod file_digests;
mod file_triggers;
mod glibc;
mod hardening;
mod interpreter;
mod md5_digest;
mod nevra;
mod ownership;
mod package_format;
mod paths;
mod payload;
mod payload_compressor;
mod payload_digest;
mod rich_dependencies;
mod rpath;
mod rpmlib_features;
mod setuid;
mod signature;
mod signature_header;
mod unread_program;
mod user_group_requires;
mod world_writable;

use super::elf_names;
use super::rule::{Check, RuleSpec};
use super::{HostProfile, InspectedPackage, Level, Policy, Rule, SignatureCheck, Target};
pub use debug_package::{BuildIdPath, build_id_path, debug_promise};
use rpm_inspect::{FaultKind, FileEntry, mode};
pub use world_writable::shared_folders;

/// Every rule, in the order in which they are told.
pub const LIST: &[RuleSpec] = &[
    digests::RULE,
    payload::RULE,
    signature::RULE,
    package_format::RULE,
    rpmlib_features::RULE,
    rich_dependencies::RULE,
    user_group_requires::RULE,
    glibc::RULE,
    payload_compressor::RULE,
    signature_header::RULE,
    md5_digest::RULE,
    payload_digest::RULE,
    file_digests::RULE,
    file_triggers::RULE,
    build_id_links::RULE,
    setuid::RULE,
    world_writable::RULE,
    ownership::RULE,
    paths::RULE,
    file_conflicts::RULE,
    debug_package::RULE,
    nevra::RULE,
    unread_program::RULE,
    interpreter::RULE,
    rpath::RULE,
    executable_stack::RULE,
    hardening::RULE,
];

/// The names that a pipeline file may have.
pub const NAMES: [&str; LIST.len()] = {
    let mut names = [""; LIST.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = LIST[at].name;
        at += 1;
    }
    names
};

/// The rule that the name of a source package is held to as well.
pub const NEVRA: Rule = nevra::RULE.rule();

/// A rule about every host.
const EVERYWHERE: &[Target] = &[];

const BUILD_THERE: &str = "build it in an environment of that target";
const ATTRIBUTES: &str = "set it in the spec's %files (`%attr`, `%defattr`)";

/// What reading the package showed to be wrong, of a kind.
fn faults(package: &InspectedPackage, kind: FaultKind) -> Vec<String> {
    let faults = package.faults.iter().filter(|fault| fault.kind == kind);
    faults.map(|fault| fault.what.clone()).collect()
}

/// The files that it has on a host: a source package installs none there.
fn installed_files(package: &InspectedPackage) -> impl Iterator<Item = &FileEntry> {
    package.files.iter().filter(|_| !package.source)
}

/// `what`, where the package gives no digest of that name.
fn absent_digest(package: &InspectedPackage, digest: &str, what: &str) -> Vec<String> {
    let there = package.signature.digests.iter().any(|known| known == digest);
    if there { Vec::new() } else { vec![what.to_owned()] }
}

/// Whether a path is a folder or below it.
fn below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The permissions of a file, as `chmod` takes them.
fn octal(mode: u16) -> String {
    format!("{:04o}", mode & !mode::KIND)
}

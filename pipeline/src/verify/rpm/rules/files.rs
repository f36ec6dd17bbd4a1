//! Rules about the files that a package installs. A source package installs none on a host.

use super::super::facts::{FileFacts, PackageFacts, mode};
use super::super::profile::{BUILD_ID_LINKS, Profile};
use std::collections::BTreeSet;

/// The folders that packages commonly have files in.
const COMMON: [&str; 19] = [
    "/bin",
    "/boot",
    "/etc",
    "/lib",
    "/lib64",
    "/opt",
    "/sbin",
    "/usr/bin",
    "/usr/include",
    "/usr/lib",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/sbin",
    "/usr/share",
    "/usr/src",
    "/var/cache",
    "/var/lib",
    "/var/log",
    "/var/spool",
];

const BUILD_IDS: &str = "/usr/lib/.build-id";

pub fn build_id_links(facts: &PackageFacts, profile: &Profile) -> Vec<String> {
    // One line for all: there are two for every binary.
    let count = installed(facts).filter(|file| below(&file.path, BUILD_IDS)).count();
    if profile.rpm >= BUILD_ID_LINKS || count == 0 {
        return Vec::new();
    }
    let things = if count == 1 { "path" } else { "paths" };
    vec![format!("it has {count} {things} at `{BUILD_IDS}`")]
}

pub fn setuid(facts: &PackageFacts) -> Vec<String> {
    let found = installed(facts).filter_map(|file| {
        let path = &file.path;
        // A folder's setgid bit only hands its group down.
        let bits = if file.is_regular() { file.mode & mode::SETUID_SETGID } else { 0 };
        match &file.capabilities {
            _ if file.is_device() => Some(format!("`{path}` is a device")),
            Some(capabilities) => Some(format!("`{path}` has the capabilities `{capabilities}`")),
            None => (bits != 0).then(|| format!("`{path}` has the mode {}", octal(file.mode))),
        }
    });
    found.collect()
}

/// `shared` are the sticky folders of stock: nobody takes others' files there, but everybody leaves files of
/// his own, which somebody may read or run.
pub fn world_writable(facts: &PackageFacts, shared: Option<&BTreeSet<String>>) -> Vec<String> {
    let open = installed(facts).filter(|file| {
        let known = is_shared(file) && shared.is_some_and(|known| known.contains(&file.path));
        // A link's own mode means nothing.
        file.mode & mode::WORLD_WRITABLE != 0 && !file.is_link() && !known
    });
    open.map(|file| format!("`{}` has the mode {}", file.path, octal(file.mode))).collect()
}

/// The sticky folders of packages that everybody may write to.
pub fn shared<'a>(packages: impl IntoIterator<Item = &'a PackageFacts>) -> BTreeSet<String> {
    let files = packages.into_iter().flat_map(installed).filter(|file| is_shared(file));
    files.map(|file| file.path.clone()).collect()
}

fn is_shared(file: &FileFacts) -> bool {
    const SHARED: u16 = mode::STICKY | mode::WORLD_WRITABLE;
    file.is_directory() && file.mode & SHARED == SHARED
}

pub fn ownership(facts: &PackageFacts) -> Vec<String> {
    let foreign = installed(facts).filter(|file| file.user != "root" || file.group != "root");
    foreign.map(|file| format!("`{}` belongs to {}:{}", file.path, file.user, file.group)).collect()
}

/// Files outside the allowed folders; the folders on the way to those are allowed too.
pub fn places(facts: &PackageFacts, allowed: Option<&[String]>) -> Vec<String> {
    let common = || COMMON.map(str::to_owned).to_vec();
    let allowed = allowed.map_or_else(common, <[String]>::to_vec);
    let stray = installed(facts).filter(|file| {
        let inside = allowed.iter().any(|folder| below(&file.path, folder.trim_end_matches('/')));
        let above = file.is_directory() && allowed.iter().any(|folder| below(folder, &file.path));
        !inside && !above
    });
    stray.map(|file| format!("`{}` is in no allowed folder", file.path)).collect()
}

fn installed(facts: &PackageFacts) -> impl Iterator<Item = &FileFacts> {
    facts.files.iter().filter(|_| !facts.source)
}

/// Whether a path is a folder or below it.
pub fn below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn octal(mode: u16) -> String {
    format!("{:04o}", mode & !mode::KIND)
}

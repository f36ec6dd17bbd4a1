//! Rules about the files that a package installs. A source package installs none on a host.

use super::super::facts::{FileFacts, PackageFacts, mode};
use super::super::profile::{BUILD_ID_LINKS, Profile};

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

pub fn world_writable(facts: &PackageFacts) -> Vec<String> {
    let open = installed(facts).filter(|file| {
        // A link's own mode means nothing; of a folder that is sticky, nobody takes others' files.
        let shared = file.is_directory() && file.mode & mode::STICKY != 0;
        file.mode & mode::WORLD_WRITABLE != 0 && !file.is_link() && !shared
    });
    open.map(|file| format!("`{}` has the mode {}", file.path, octal(file.mode))).collect()
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

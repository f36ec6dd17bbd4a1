// SPDX-License-Identifier: GPL-2.0-or-later
//! Which paths are plain: rpm makes what the header lists, as root, and follows links on its way.

use crate::escape::shown;
use crate::faults::Faults;
use crate::file_list::FileList;
use crate::package::FaultKind;
use std::borrow::Cow;
use std::collections::HashSet;

/// How a header gives its paths: folders, and names that each say which folder is theirs.
pub struct Parts<'a> {
    pub folders: &'a [Cow<'a, str>],
    pub names: &'a [Cow<'a, str>],
    /// Within the folders.
    pub index: &'a [u32],
}

/// What is odd about the parts, whatever they add up to. rpm compares and looks up a file by its folder and
/// its name: two that read as one path are two files to it, and it removes the one when the other comes.
pub fn parts(parts: &Parts) -> Vec<String> {
    let Parts { folders, names, index } = parts;
    let mut odd = Vec::new();
    let mut used = vec![false; folders.len()];
    for (name, at) in names.iter().zip(*index) {
        let folder = &*folders[*at as usize];
        used[*at as usize] = true;
        // So rpm writes the root itself.
        let root = name.is_empty() && folder == "/";
        if !root && (matches!(&**name, "" | "." | "..") || name.contains('/')) {
            odd.push(format!(
                "its header lists `{}` in `{}`, which is no name",
                shown(name),
                shown(folder)
            ));
        }
    }
    for (folder, used) in folders.iter().zip(used) {
        // What a source package has lies in no folder.
        let plain = match &**folder {
            "" | "/" => true,
            path => path
                .strip_prefix('/')
                .and_then(|rest| rest.strip_suffix('/'))
                .is_some_and(|rest| rest.split('/').all(|part| !matches!(part, "" | "." | ".."))),
        };
        if !plain {
            odd.push(format!(
                "its header lists the folder `{}`, which is not a plain path",
                shown(folder)
            ));
        }
        // It would wake triggers that wait for files there.
        if !used {
            odd.push(format!("its header lists the folder `{}`, and nothing in it", shown(folder)));
        }
    }
    odd
}

/// Finds the paths that no sound package has.
pub fn check(list: &FileList, source: bool, faults: &mut Faults) {
    let files = &list.files;
    for what in &list.odd {
        faults.push(FaultKind::Payload, what.clone());
    }
    let links: HashSet<&str> =
        files.iter().filter(|file| file.is_link()).map(|file| file.path.as_str()).collect();
    for file in files {
        let path = &file.path;
        if let Some(why) = odd(path, source) {
            let what = format!("its header lists `{}`, {why}", shown(path));
            faults.push(FaultKind::Payload, what);
        }
        if let Some(link) = above(path).find(|folder| links.contains(folder)) {
            let what =
                format!("`{}` lies behind the link `{}` of its own", shown(path), shown(link));
            faults.push(FaultKind::Payload, what);
        }
        if file.link.as_deref() == Some(path) {
            let what = format!("`{}` is a link to itself", shown(path));
            faults.push(FaultKind::Payload, what);
        }
    }
}

/// Why a path is not plain.
fn odd(path: &str, source: bool) -> Option<&'static str> {
    if path.chars().any(|c| c.is_control() || c == char::REPLACEMENT_CHARACTER) {
        return Some("which is not printable text");
    }
    if source {
        let plain = !path.is_empty() && !path.contains('/') && path != "." && path != "..";
        return (!plain).then_some("which is not a name in one folder");
    }
    match path.strip_prefix('/') {
        None => Some("which is not absolute"),
        // The root itself.
        Some("") => None,
        Some(rest) => {
            let climbs = rest.split('/').any(|part| matches!(part, "" | "." | ".."));
            climbs.then_some("which is not a plain path")
        }
    }
}

/// Every folder above a path, the nearest first.
fn above(path: &str) -> impl Iterator<Item = &str> {
    fn parent(path: &str) -> Option<&str> {
        path.rsplit_once('/').map(|(folder, _)| folder)
    }
    std::iter::successors(parent(path), |path| parent(path)).filter(|folder| !folder.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forged::{FOLDER, PLAIN};
    use crate::forged::{Forged, texts};

    #[test]
    fn a_path_is_a_folder_and_a_name_in_it() {
        let files: [(&str, u16, &[u8]); 2] =
            [("/usr/bin/a", PLAIN, b"a"), ("/usr/share/b", PLAIN, b"b")];
        let sound = Forged::of(&files);
        let none: [String; 0] = [];
        assert_eq!(sound.faults(FaultKind::Payload), none);
        assert_eq!(Forged::of(&[("/", FOLDER, b"")]).faults(FaultKind::Payload), none);
        // Each reads as the same paths.
        for (folders, names, index, expected) in [
            (
                &["/"][..],
                ["usr/bin/a", "usr/share/b"],
                [0, 0],
                "`usr/bin/a` in `/`, which is no name",
            ),
            (&["/usr/"], ["bin/a", "share/b"], [0, 0], "`share/b` in `/usr/`, which is no name"),
            (
                &["/usr/bin/a", "/usr/share/"],
                ["", "b"],
                [0, 1],
                "`` in `/usr/bin/a`, which is no name",
            ),
            (
                &["/usr/bin/", "/usr/shar"],
                ["a", "e/b"],
                [0, 1],
                "the folder `/usr/shar`, which is not",
            ),
            (
                &["/usr/bin/", "/usr/share"],
                ["a", "/b"],
                [0, 1],
                "`/b` in `/usr/share`, which is no name",
            ),
            (
                &["/usr/bin/", "/usr/share/", "/lib64/"],
                ["a", "b"],
                [0, 1],
                "`/lib64/`, and nothing in it",
            ),
        ] {
            let index = index.map(|at: u32| at);
            let faults = sound
                .with(1118, texts(folders))
                .with(1117, texts(&names))
                .numbers(1116, &index)
                .faults(FaultKind::Payload);
            assert!(faults.iter().any(|fault| fault.contains(expected)), "{expected}: {faults:?}");
        }
    }

    #[test]
    fn no_folder_is_another_ones() {
        let files: [(&str, u16, &[u8]); 2] = [("/usr/a", PLAIN, b"a"), ("/usr/b", PLAIN, b"b")];
        let sound = Forged::of(&files);
        for other in ["/usr", "usr/", "//usr/", "/usr//", "/usr/./", "/./usr/", "/usr/../usr/"] {
            let faults = sound
                .with(1118, texts(&["/usr/", other]))
                .numbers(1116, &[0, 1])
                .faults(FaultKind::Payload);
            let expected = format!("its header lists the folder `{other}`");
            assert!(faults.iter().any(|fault| fault.contains(&expected)), "{other}: {faults:?}");
        }
        let message = format!("{:#}", sound.numbers(1116, &[0, 7]).facts().unwrap_err());
        assert!(message.contains("its list of files does not fit"), "{message}");
        let twice = sound.with(1117, texts(&["a", "a"])).faults(FaultKind::Payload);
        assert!(twice.iter().any(|fault| fault.contains("lists `/usr/a` twice")), "{twice:?}");
        let old = sound.with(1027, texts(&["/usr/a"])).facts().unwrap_err();
        assert!(format!("{old:#}").contains("is of rpm 3"), "{old:#}");
    }

    #[test]
    fn only_a_plain_absolute_path_is_one() {
        for plain in ["/", "/usr", "/usr/lib/..x", "/usr/share/qemu/QEMU,cgthree.bin", "/é"] {
            assert_eq!(odd(plain, false), None, "{plain}");
        }
        for bad in ["", "usr", "./usr", "/usr/", "//usr", "/usr/../etc", "/.", "/a\n", "/a\u{1b}"] {
            assert!(odd(bad, false).is_some(), "{bad}");
        }
        assert_eq!(odd("qemu.spec", true), None);
        for bad in ["", "/qemu.spec", "a/b", ".."] {
            assert!(odd(bad, true).is_some(), "{bad}");
        }
        assert_eq!(above("/a/b/c").collect::<Vec<_>>(), ["/a/b", "/a"]);
    }
}

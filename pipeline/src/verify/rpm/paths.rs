//! Which paths are plain: rpm makes what the header lists, as root, and follows links on its way.

use super::facts::{FaultKind, FileFacts};
use super::faults::Faults;
use super::walk::shown;
use std::collections::HashSet;

/// Finds the paths that no sound package has.
pub fn check(files: &[FileFacts], source: bool, faults: &mut Faults) {
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

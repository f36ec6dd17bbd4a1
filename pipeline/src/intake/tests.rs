// SPDX-License-Identifier: GPL-2.0-or-later
use super::*;
use crate::error::Rendered;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use tempfile::TempDir;

const LIMITS: Limits = Limits { entries: 10, depth: 1, bytes: 1000 };

fn folder() -> (TempDir, Folder) {
    let made = tempfile::tempdir().unwrap();
    let folder = Folder::open(made.path(), "RPMS", LIMITS).unwrap();
    (made, folder)
}

fn refused<T>(result: Result<T>) -> String {
    let Err(error) = result else { panic!("it was taken") };
    error.rendered()
}

/// What is said of a folder that something was put into.
fn listed(put: impl FnOnce(&Path)) -> String {
    let (made, folder) = folder();
    put(made.path());
    refused(folder.files())
}

fn pipe(at: &Path) {
    let flags = Mode::RUSR | Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, at, FileType::Fifo, flags, 0).unwrap();
}

#[test]
fn only_regular_files_are_listed() {
    for (expected, said) in [
        ("`RPMS/a` is a pipe", listed(|folder| pipe(&folder.join("a")))),
        ("`RPMS/a` is a socket", listed(|folder| drop(UnixListener::bind(folder.join("a"))))),
        ("`RPMS/a` is a symbolic link", listed(|it| symlink("/etc/shadow", it.join("a")).unwrap())),
        ("`RPMS/a` is a symbolic link", listed(|it| symlink(it, it.join("a")).unwrap())),
        ("`RPMS/b/c` lies too deep", listed(|it| fs::create_dir_all(it.join("b/c")).unwrap())),
        (
            "`RPMS` holds more than 10 files",
            listed(|it| (0..11).for_each(|at| fs::write(it.join(at.to_string()), "").unwrap())),
        ),
    ] {
        assert!(said.starts_with(expected), "{said}");
        assert!(!said.contains("lies") || !said.contains("help"), "{said}");
    }
    let (made, folder) = folder();
    fs::create_dir(made.path().join("x86_64")).unwrap();
    fs::write(made.path().join("x86_64/b"), "").unwrap();
    fs::write(made.path().join("a"), "").unwrap();
    assert_eq!(folder.files().unwrap(), [Path::new("a"), Path::new("x86_64/b")]);
}

#[test]
fn a_hostile_name_is_told_on_one_line_and_moves_nothing() {
    for (name, expected) in [
        (b"a\nb  c".as_slice(), r"`RPMS/a\nb  c`"),
        (b"a\x1b[2Jb", r"`RPMS/a\u{1b}[2Jb`"),
        (b"a\xe2\x80\xaegpj", r"`RPMS/a\u{202e}gpj`"),
        (b"a\xffb", r"`RPMS/a\xffb`"),
        (b"a\xc2\x85b", r"`RPMS/a\u{85}b`"),
    ] {
        let said = listed(|folder| pipe(&folder.join(OsString::from_vec(name.to_vec()))));
        assert!(said.starts_with(expected), "{said}");
    }
    assert_eq!(shown(Path::new(&"x".repeat(250))).chars().count(), SHOWN + 1);
}

#[test]
fn a_copy_has_the_bytes_and_our_mode_and_takes_no_place() {
    let (made, folder) = folder();
    let to = tempfile::tempdir().unwrap();
    fs::write(made.path().join("a"), "bytes").unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o7777;
    for theirs in [0o4755, 0o2755, 0o6777, 0o1644, 0o666] {
        fs::set_permissions(made.path().join("a"), fs::Permissions::from_mode(theirs)).unwrap();
        for (program, expected) in [(false, 0o644), (true, 0o755)] {
            let copy = to.path().join("copy");
            let record = folder.take(Path::new("a"), &copy, program).unwrap();
            assert_eq!((record.size, mode(&copy)), (5, expected));
            assert_eq!(record, FileRecord::of(&copy).unwrap());
            fs::remove_file(copy).unwrap();
        }
    }
    fs::write(to.path().join("there"), "ours").unwrap();
    symlink("/nowhere", to.path().join("link")).unwrap();
    for taken in ["there", "link"] {
        refused(folder.take(Path::new("a"), &to.path().join(taken), false));
    }
    assert_eq!(fs::read(to.path().join("there")).unwrap(), b"ours");
}

#[test]
fn what_is_no_file_of_the_folder_is_not_taken() {
    let (made, folder) = folder();
    let to = tempfile::tempdir().unwrap();
    let outside = to.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), "secret").unwrap();
    symlink(&outside, made.path().join("dir")).unwrap();
    symlink(outside.join("secret"), made.path().join("link")).unwrap();
    pipe(&made.path().join("pipe"));
    let _socket = UnixListener::bind(made.path().join("socket")).unwrap();
    let take = |path: &Path| refused(folder.take(path, &to.path().join("copy"), false));
    for (path, expected) in [
        ("link", "is a symbolic link, or behind one"),
        ("dir/secret", "is a symbolic link, or behind one"),
        ("pipe", "is a pipe"),
        ("socket", "is not a regular file"),
        ("../outside/secret", "`RPMS/../outside/secret`"),
        (".", "is a folder"),
        ("missing", "`RPMS/missing`"),
    ] {
        let said = take(Path::new(path));
        assert!(said.contains(expected), "{path}: {said}");
    }
    take(&outside.join("secret"));
    assert!(!to.path().join("copy").exists());
    // Nor is the folder itself, where something else is in its place.
    assert!(Folder::open(&made.path().join("dir"), "RPMS", LIMITS).is_err());
}

#[test]
fn holes_take_no_more_than_bytes_may() {
    let (made, folder) = folder();
    let to = tempfile::tempdir().unwrap();
    let file = File::create(made.path().join("a")).unwrap();
    for size in [1001, 1 << 40] {
        file.set_len(size).unwrap();
        let said = refused(folder.take(Path::new("a"), &to.path().join("copy"), false));
        assert_eq!(said, format!("`RPMS/a` has {size} bytes, 1000 are the most"));
    }
    // One that grows while it is read.
    let copy = to.path().join("copy");
    let said = refused(copy_new(std::io::repeat(0), &copy, false, 1000));
    assert!(said.ends_with("it has more than 1000 bytes") && !copy.exists(), "{said}");
}

#[test]
fn a_path_below_counts_where_no_link_leads_to_it() {
    let (made, folder) = folder();
    let wanted = Path::new("bin/qemu");
    for tree in ["a", "b", "c"] {
        fs::create_dir_all(made.path().join(tree).join("bin")).unwrap();
    }
    fs::write(made.path().join("a/bin/qemu"), "").unwrap();
    symlink("/bin/sh", made.path().join("b/bin/qemu")).unwrap();
    pipe(&made.path().join("c/bin/qemu"));
    symlink("a", made.path().join("d")).unwrap();
    assert_eq!(folder.below(wanted).unwrap(), [Path::new("a/bin/qemu")]);
}

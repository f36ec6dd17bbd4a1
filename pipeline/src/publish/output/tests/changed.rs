// SPDX-License-Identifier: GPL-2.0-or-later
//! What somebody else could do to an output, or its owner did: modes, owners, attributes, locks.

use super::*;
use crate::process::{Invocation, Runner};
use std::fs::OpenOptions;
use std::os::unix::fs::chown;
use std::time::{Duration, Instant};

fn mode(path: &Path) -> u32 {
    std_fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn chmod(path: &Path, mode: u32) {
    std_fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

#[test]
fn what_others_may_change_is_not_unchanged_and_is_put_right() {
    let world = World::new();
    let stored = world.repository("1", "a");
    let folder = world.place("out");
    let package = "Packages/qemu-1-1.x86_64.rpm";
    write(&stored, &world.output(&folder)).unwrap();
    for (name, spoilt, right) in [
        (package, 0o666, 0o644),
        (package, 0o664, 0o644),
        (package, 0o646, 0o644),
        (package, 0o4644, 0o644),
        ("repodata/repomd.xml", 0o777, 0o644),
        ("manifest.json", 0o2755, 0o644),
        (RECORD, 0o666, 0o644),
        ("Packages", 0o777, 0o755),
        ("Packages", 0o775, 0o755),
        ("repodata", 0o1777, 0o755),
        ("", 0o777, 0o775),
        ("", 0o707, 0o705),
    ] {
        let path = folder.join(name);
        chmod(&path, spoilt);
        assert!(!is_current(&stored, &folder), "{name} {spoilt:o}");
        assert!(write(&stored, &world.output(&folder)).unwrap().anew, "{name} {spoilt:o}");
        assert_eq!(mode(&path), right, "{name} {spoilt:o}");
        assert!(!write(&stored, &world.output(&folder)).unwrap().anew, "{name} {spoilt:o}");
    }
    // What takes from others and gives nothing is the owner's choice.
    for (name, chosen) in [(package, 0o640), ("Packages", 0o750), ("", 0o2770), ("", 0o700)] {
        chmod(&folder.join(name), chosen);
        assert!(!write(&stored, &world.output(&folder)).unwrap().anew, "{name} {chosen:o}");
        assert_eq!(mode(&folder.join(name)), chosen);
    }
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: only root can give a file away");
        return;
    }
    for name in [package, "Packages"] {
        chown(folder.join(name), Some(4321), None).unwrap();
        assert!(write(&stored, &world.output(&folder)).unwrap().anew, "{name}");
        assert_eq!(std_fs::metadata(folder.join(name)).unwrap().uid(), 0);
    }
}

/// A file that nobody may move or remove, for as long as this is there.
struct Fixed<'a>(&'a World, PathBuf);

impl<'a> Fixed<'a> {
    /// None, aloud, where this user or this file system cannot make one.
    fn new(world: &'a World, path: &Path, letter: char) -> Option<Self> {
        let fixed = Self(world, path.to_owned());
        let done = fixed.chattr(&format!("+{letter}"));
        if let Err(error) = done {
            eprintln!("SKIPPED: no file can be made immutable here: {error:#}");
            return None;
        }
        Some(fixed)
    }

    fn chattr(&self, how: &str) -> Result<()> {
        let runner = Runner::new(&self.0.folder.path().join("log"), |_| {})?;
        runner.run(&Invocation::new("chattr").arg(how).arg(&self.1)).map(|_| ())
    }
}

impl Drop for Fixed<'_> {
    fn drop(&mut self) {
        let _ = self.chattr("-i").and_then(|()| self.chattr("-a"));
    }
}

#[test]
fn what_the_kernel_lets_nobody_move_is_one_clear_error_before_any_work_and_hurts_no_other_output() {
    let world = World::new();
    let (old, new) = (world.repository("1", "a"), world.repository("2", "b"));
    let folder = world.place("out");
    write(&old, &world.output(&folder)).unwrap();
    std_fs::write(folder.join("index.html"), "mine").unwrap();
    std_fs::create_dir(folder.join("docs")).unwrap();
    let package = "Packages/qemu-1-1.x86_64.rpm";
    for (name, letter) in [
        ("index.html", 'i'),
        ("index.html", 'a'),
        ("docs", 'i'),
        ("docs", 'a'),
        (package, 'i'),
        ("Packages", 'i'),
        ("repodata/repomd.xml", 'a'),
        (RECORD, 'i'),
        ("", 'i'),
        ("", 'a'),
    ] {
        let path = folder.join(name);
        let Some(fixed) = Fixed::new(&world, &path, letter) else { return };
        let before = tree(&world.place(""));
        let error = world.refusal(&new, &folder);
        // Before anything is built, too.
        let early = crate::error::render(&examine(&world.output(&folder), None).unwrap_err());
        let shown = path.components().collect::<PathBuf>().display().to_string();
        for error in [error, early] {
            assert!(error.contains(&format!("`{shown}`")), "{name} {letter}: {error}");
            assert!(error.contains("\nhelp: ") && error.lines().count() <= 3, "{error}");
        }
        assert_eq!(tree(&world.place("")), before, "{name} {letter}");
        // Nothing is to be done, so nothing is wrong.
        assert!(!write(&old, &world.output(&folder)).unwrap().anew, "{name} {letter}");
        let other = world.place("other");
        write(&new, &world.output(&other)).unwrap();
        write(&old, &world.output(&other)).unwrap();
        assert_eq!(tree(&other)[package], "a");
        drop(fixed);
        std_fs::remove_dir_all(other).unwrap();
    }
    // Beside an output it is nobody's business.
    std_fs::write(world.place("beside"), "").unwrap();
    let Some(_fixed) = Fixed::new(&world, &world.place("beside"), 'i') else { return };
    write(&new, &world.output(&folder)).unwrap();
    // But not what holds it.
    for letter in ['i', 'a'] {
        let Some(_fixed) = Fixed::new(&world, &world.place(""), letter) else { return };
        let error = format!("{:#}", examine(&world.output(&world.place("new")), None).unwrap_err());
        assert!(error.contains("cannot be written: `"), "{error}");
        assert!(error.contains("lsattr -d"), "{error}");
    }
}

/// Whoever may read a folder can lock it; that is no reason to wait.
#[test]
fn a_reader_who_locks_what_is_there_holds_nobody_up() {
    let world = World::new();
    let folder = world.place("out");
    write(&world.repository("1", "a"), &world.output(&folder)).unwrap();
    let places = [world.place(""), folder.clone(), folder.join(RECORD), folder.join("Packages")];
    let held = places.map(|place| {
        let file = std_fs::File::open(place).unwrap();
        file.lock_shared().unwrap();
        file
    });
    let began = Instant::now();
    examine(&world.output(&folder), None).unwrap();
    write(&world.repository("2", "b"), &world.output(&folder)).unwrap();
    assert!(began.elapsed() < Duration::from_secs(5));
    drop(held);
    assert_eq!(std_fs::read_dir(world.place("")).unwrap().count(), 1, "no lock is left");
}

#[test]
fn of_two_who_publish_at_once_one_waits_whichever_store_they_have() {
    let world = World::new();
    let another = Store::open(&world.folder.path().join("another")).unwrap();
    let another = World { folder: tempfile::tempdir().unwrap(), store: another };
    let folder = world.place("out");
    std_fs::create_dir(world.place("other")).unwrap();
    let beside = world.place("beside");
    let turns = |world: &World, folder: &Path, text: &str| {
        let stored = [world.repository("1", text), world.repository("2", text)];
        let consent = Consent { replace: true, ..Consent::default() };
        for turn in 0..40 {
            let output = Output { consent, ..world.output(folder) };
            let written = write(&stored[turn % 2], &output).unwrap();
            assert!(written.left.is_empty());
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| turns(&world, &folder, "a"));
        scope.spawn(|| turns(&another, &folder, "b"));
        scope.spawn(|| turns(&world, &beside, "c"));
    });
    for folder in [&folder, &beside] {
        let now = tree(folder);
        assert_eq!(now.keys().filter(|name| name.starts_with("Packages/")).count(), 1);
        assert!(now.contains_key("Packages/qemu-2-1.x86_64.rpm"));
    }
    assert_eq!(std_fs::read_dir(world.place("")).unwrap().count(), 3);
}

#[test]
fn a_lock_is_its_owners_file_alone_and_one_that_a_killed_run_left_is_taken_over() {
    let world = World::new();
    let folder = world.place("out");
    let lock = world.place(&(switch::stem(&folder) + ".lock"));
    let (old, new) = (world.repository("1", "a"), world.repository("2", "b"));
    for mode in [0o600, 0o666] {
        std_fs::write(&lock, "").unwrap();
        chmod(&lock, mode);
        write(&old, &world.output(&folder)).unwrap();
        assert!(!lock.exists());
    }
    // Held, it is waited for; then it is another file.
    let held = held::hold(&world.place(""), &folder).unwrap();
    assert_eq!(mode(&lock), 0o600);
    std::thread::scope(|scope| {
        let writes = scope.spawn(|| write(&new, &world.output(&folder)).unwrap());
        std::thread::sleep(Duration::from_millis(300));
        assert!(!writes.is_finished());
        drop(held);
        assert!(writes.join().unwrap().anew);
    });
    // What else is there is somebody's, and is named at once.
    let refused = |why: &str| {
        let began = Instant::now();
        let error = format!("{:#}", write(&old, &world.output(&folder)).unwrap_err());
        assert!(
            error.contains(&format!("`{}`", lock.display()))
                || error.contains(&lock.display().to_string()),
            "{error}"
        );
        assert!(error.contains(why), "{error}");
        let early = crate::error::render(&examine(&world.output(&folder), None).unwrap_err());
        assert!(early.contains(why) && began.elapsed() < Duration::from_secs(5), "{early}");
    };
    std_fs::write(world.place("mine"), "mine").unwrap();
    symlink(world.place("mine"), &lock).unwrap();
    refused("Too many levels of symbolic links");
    std_fs::remove_file(&lock).unwrap();
    std_fs::create_dir(&lock).unwrap();
    refused("Is a directory");
    std_fs::remove_dir(&lock).unwrap();
    fifo(&lock);
    refused("");
    std_fs::remove_file(&lock).unwrap();
    if rustix::process::geteuid().is_root() {
        OpenOptions::new().write(true).create_new(true).open(&lock).unwrap();
        chown(&lock, Some(4321), None).unwrap();
        refused("belongs to the user 4321");
    } else {
        eprintln!("SKIPPED: only root can make what belongs to another user");
    }
    assert_eq!(std_fs::read_to_string(world.place("mine")).unwrap(), "mine");
    assert_eq!(tree(&folder)["Packages/qemu-2-1.x86_64.rpm"], "b");
}

// SPDX-License-Identifier: GPL-2.0-or-later
use super::*;
use crate::error::Rendered;

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    (folder, store)
}

fn keep(store: &Store, key: &str, content: &str) -> Stored {
    let work = store.work().unwrap();
    fs::create_dir(work.files().join("sub")).unwrap();
    fs::write(work.files().join("sub/file"), content).unwrap();
    store.keep(work, "stage", key, BTreeMap::new(), &"fact").unwrap()
}

#[test]
fn a_result_comes_back_whole_with_its_facts() {
    let (_folder, store) = store();
    keep(&store, "k", "content");
    let stored = store.get("stage", "k").unwrap().unwrap();
    assert_eq!(stored.names().collect::<Vec<_>>(), ["sub/file"]);
    assert_eq!(stored.facts::<String>().unwrap(), "fact");
    assert!(stored.intact());
    assert!(store.get("stage", "other").unwrap().is_none());
}

#[test]
fn an_altered_or_missing_file_is_seen() {
    let (_folder, store) = store();
    let stored = keep(&store, "k", "content");
    fs::write(stored.path("sub/file"), "contenT").unwrap();
    assert!(!stored.intact());
    fs::remove_file(stored.path("sub/file")).unwrap();
    assert!(!stored.intact());
}

#[test]
fn a_record_that_cannot_be_read_is_no_result() {
    let (folder, store) = store();
    keep(&store, "k", "content");
    fs::write(folder.path().join("results/stage-k").join(RECORD), "{").unwrap();
    assert!(store.get("stage", "k").unwrap().is_none());
    assert!(!folder.path().join("results/stage-k").exists());
}

#[test]
fn a_record_that_was_altered_is_no_result() {
    let (folder, store) = store();
    let record = folder.path().join("results/stage-k").join(RECORD);
    for (from, to) in [("\"size\": 7", "\"size\": 8"), ("\"k\"", "\"l\""), ("facts", "fact")] {
        keep(&store, "k", "content");
        let text = fs::read_to_string(&record).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(&record, text.replacen(from, to, 1)).unwrap();
        assert!(store.get("stage", "k").unwrap().is_none(), "{from}");
    }
}

#[test]
fn work_that_is_not_kept_leaves_nothing() {
    let (folder, store) = store();
    drop(store.work().unwrap());
    assert_eq!(fs::read_dir(folder.path().join("work")).unwrap().count(), 0);
}

#[test]
fn opening_clears_the_work_of_the_dead_and_not_of_the_living() {
    let (folder, store) = store();
    let living = store.work().unwrap();
    let dead = folder.path().join("work/dead");
    fs::create_dir(&dead).unwrap();
    fs::write(dead.join("alive"), "").unwrap();
    Store::open(folder.path()).unwrap();
    assert!(living.path().exists());
    assert!(!dead.exists());
}

mod whose {
    use super::*;
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }

    fn refused(root: &Path) -> String {
        crate::error::render(&Store::open(root).unwrap_err())
    }

    #[test]
    fn a_store_is_its_owners_alone_and_an_open_one_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("a/store");
        Store::open(&root).unwrap();
        assert_eq!(mode(&root), 0o700);
        chmod(&root, 0o2777);
        chmod(&root.join("results"), 0o777);
        Store::open(&root).unwrap();
        assert_eq!((mode(&root), mode(&root.join("results"))), (0o700, 0o755));
    }

    #[test]
    fn a_link_in_the_place_of_the_store_or_of_a_folder_of_it_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let precious = folder.path().join("precious");
        fs::create_dir(&precious).unwrap();
        for name in ["link", "link/", "link/."] {
            let link = folder.path().join("link");
            let _ = fs::remove_file(&link);
            symlink(&precious, &link).unwrap();
            let error = refused(&folder.path().join(name));
            assert!(error.contains("is a symbolic link and no folder\nhelp: "), "{name}: {error}");
        }
        let all =
            ["results", "work", "locks", "logs", "failed", "default", "ccache", "content", "x"];
        for name in all {
            for to in [&precious, &folder.path().join("nowhere")] {
                let root = folder.path().join("store");
                let _ = fs::remove_dir_all(&root);
                fs::create_dir(&root).unwrap();
                symlink(to, root.join(name)).unwrap();
                let error = refused(&root);
                assert!(error.contains(&format!("`{name}` of the store")), "{error}");
                assert!(error.contains("is a symbolic link"), "{error}");
            }
        }
        assert_eq!(fs::read_dir(&precious).unwrap().count(), 0);
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(refused(&folder.path().join("file")).contains("file"));
    }

    #[test]
    fn another_users_store_or_folder_of_it_is_refused() {
        if !rustix::process::geteuid().is_root() {
            eprintln!("SKIPPED: only root can make what belongs to another user");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("store");
        for name in ["", "results", "work", "locks", "logs", "failed", "default", "content"] {
            let _ = fs::remove_dir_all(&root);
            fs::create_dir_all(root.join(name)).unwrap();
            std::os::unix::fs::chown(root.join(name), Some(4321), None).unwrap();
            let error = refused(&root);
            assert!(error.contains("belongs to the user 4321"), "{name}: {error}");
            assert!(error.contains("\nhelp: choose another store"), "{error}");
        }
        // A record that another user wrote is nobody's word.
        let _ = fs::remove_dir_all(&root);
        let store = Store::open(&root).unwrap();
        keep(&store, "k", "content");
        let record = root.join("results/stage-k").join(RECORD);
        std::os::unix::fs::chown(&record, Some(4321), None).unwrap();
        assert!(format!("{:#}", store.get("stage", "k").unwrap_err()).contains("another user"));
    }

    #[test]
    fn what_is_kept_has_fixed_modes() {
        let (_folder, store) = store();
        let work = store.work().unwrap();
        let cases = [
            (0o4755, 0o755),
            (0o6711, 0o755),
            (0o2644, 0o644),
            (0o1666, 0o644),
            (0o600, 0o644),
            (0o777, 0o755),
        ];
        for (given, _) in cases {
            let path = work.files().join(format!("{given:o}"));
            fs::write(&path, "x").unwrap();
            chmod(&path, given);
        }
        fs::create_dir(work.files().join("sub")).unwrap();
        fs::write(work.files().join("sub/x"), "x").unwrap();
        chmod(&work.files().join("sub"), 0o3777);
        let stored = store.keep(work, "stage", "k", BTreeMap::new(), &()).unwrap();
        for (given, wanted) in cases {
            assert_eq!(mode(&stored.path(&format!("{given:o}"))), wanted, "{given:o}");
        }
        assert_eq!(mode(&stored.path("sub")), 0o755);
        assert!(stored.intact());
    }

    #[test]
    fn a_file_that_was_linked_in_keeps_its_users_mode() {
        let (folder, store) = store();
        let theirs = folder.path().join("theirs");
        fs::write(&theirs, "x").unwrap();
        chmod(&theirs, 0o640);
        let work = store.work().unwrap();
        fs::hard_link(&theirs, work.files().join("ours")).unwrap();
        let stored = store.keep(work, "stage", "k", BTreeMap::new(), &()).unwrap();
        assert_eq!((mode(&theirs), mode(&stored.path("ours"))), (0o640, 0o644));
        fs::write(&theirs, "y").unwrap();
        assert!(stored.intact());
    }

    #[test]
    fn a_result_holds_plain_files_alone() {
        let (_folder, store) = store();
        let make = |what: &str, at: &Path| match what {
            "a symbolic link" => symlink("/etc/hostname", at).unwrap(),
            "a socket" => drop(std::os::unix::net::UnixListener::bind(at).unwrap()),
            _ => mknodat(CWD, at, FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap(),
        };
        for what in ["a symbolic link", "a socket", "a FIFO"] {
            let work = store.work().unwrap();
            make(what, &work.files().join("odd\nname"));
            let error =
                store.keep(work, "stage", "k", BTreeMap::new(), &()).unwrap_err().rendered();
            assert!(error.starts_with(&format!("`odd\\nname` is {what}, ")), "{error}");
        }
        assert!(store.get("stage", "k").unwrap().is_none());
        // One that comes in later is not read, and nobody waits for it.
        let stored = keep(&store, "k", "content");
        for what in ["a FIFO", "a symbolic link"] {
            fs::remove_file(stored.path("sub/file")).unwrap();
            make(what, &stored.path("sub/file"));
            assert!(!stored.intact());
        }
    }

    #[test]
    fn a_lock_follows_no_link_and_waits_for_no_reader() {
        let (folder, store) = store();
        let theirs = folder.path().join("theirs");
        fs::write(&theirs, "kept").unwrap();
        let lock = folder.path().join("locks/run-x");
        symlink(&theirs, &lock).unwrap();
        assert!(store.lock("run", "x", || Ok(())).is_err());
        assert_eq!(fs::read_to_string(&theirs).unwrap(), "kept");
        fs::remove_file(&lock).unwrap();
        mknodat(CWD, &lock, FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap();
        assert!(store.lock("run", "x", || Ok(())).is_err());
    }

    #[test]
    fn a_folder_in_the_store_is_one_and_is_in_the_store() {
        let (folder, store) = store();
        assert_eq!(store.folder_for("logs/x").unwrap(), folder.path().join("logs/x"));
        symlink("/etc", folder.path().join("logs/link")).unwrap();
        for bad in ["logs/link", "logs/link/x", "../x", "/etc"] {
            assert!(store.folder_for(bad).is_err(), "{bad}");
        }
    }
}

#[test]
fn a_file_leaves_as_its_record_has_it_or_not_at_all() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let (folder, store) = store();
    let stored = keep(&store, "k", "content");
    let (path, to) = (stored.path("sub/file"), folder.path().join("to"));
    fs::set_permissions(&path, PermissionsExt::from_mode(0o4755)).unwrap();
    stored.copy_out("sub/file", &to).unwrap();
    assert_eq!(fs::read(&to).unwrap(), b"content");
    assert_eq!(to.metadata().unwrap().permissions().mode() & 0o7777, 0o755);
    // Never over what is there.
    assert!(stored.copy_out("sub/file", &to).is_err());
    fs::remove_file(&to).unwrap();
    assert!(stored.copy_out("sub/other", &to).is_err());

    let refused = |swap: &dyn Fn()| {
        fs::remove_file(&path).unwrap();
        swap();
        let error = crate::error::render(&stored.copy_out("sub/file", &to).unwrap_err());
        assert!(!to.exists(), "{error}");
        error
    };
    let changed = "was changed in the store after the stage `stage`";
    assert!(refused(&|| fs::write(&path, "contenT").unwrap()).contains(changed));
    assert!(refused(&|| fs::write(&path, "short").unwrap()).contains(changed));
    assert!(refused(&|| fs::write(&path, "content and more").unwrap()).contains(changed));
    fs::write(folder.path().join("elsewhere"), "content").unwrap();
    refused(&|| symlink(folder.path().join("elsewhere"), &path).unwrap());
    refused(&|| {
        let mode = Mode::RUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    });
    assert!(!stored.intact());
}

/// As on a full disk: what the file system says is nobody's change, and stays what it is.
#[test]
fn what_keeps_a_file_from_being_copied_is_not_told_as_somebodys_change() {
    let (folder, store) = store();
    let stored = keep(&store, "k", "content");
    let there = folder.path().join("there");
    fs::write(&there, "").unwrap();
    for (to, kind) in [
        (there, io::ErrorKind::AlreadyExists),
        (folder.path().join("nowhere/to"), io::ErrorKind::NotFound),
    ] {
        let error = stored.copy_out("sub/file", &to).unwrap_err();
        let said = error.rendered();
        assert!(said.contains("cannot write") && !said.contains("was changed"), "{said}");
        let cause = error.root_cause().downcast_ref::<io::Error>().unwrap();
        assert_eq!(cause.kind(), kind, "{said}");
    }
}

/// More folders in each other than a process may have open, some that nobody may write to, and links out.
#[test]
fn a_work_folder_goes_however_deep_a_build_made_it() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let (folder, store) = store();
    let outside = folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), "ours").unwrap();
    let work = store.work().unwrap();
    let path = work.path().to_owned();
    for (at, name) in ["deep", "deeper"].into_iter().enumerate() {
        let mut inner = work.scratch(name).unwrap();
        symlink(&outside, inner.join("link")).unwrap();
        let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY;
        let mode = Mode::RWXU;
        let mut fd = rustix::fs::open(&inner, flags, mode).unwrap();
        for _ in 0..5000 * (at + 1) {
            rustix::fs::mkdirat(&fd, "x", mode).unwrap();
            rustix::fs::symlinkat("/", &fd, "root").unwrap();
            fd = rustix::fs::openat(&fd, "x", flags, mode).unwrap();
        }
        inner.push("closed");
        fs::create_dir(&inner).unwrap();
        fs::write(inner.join("file"), "").unwrap();
        fs::set_permissions(&inner, PermissionsExt::from_mode(0o500)).unwrap();
    }
    drop(work);
    assert!(!path.exists());
    assert_eq!(fs::read(outside.join("file")).unwrap(), b"ours");
    // What is set aside stays.
    let work = store.work().unwrap();
    fs::write(work.path().join("tree"), "").unwrap();
    store.keep_failed(work, "name").unwrap();
    assert!(store.failed_folder("name").join("tree").exists());
}

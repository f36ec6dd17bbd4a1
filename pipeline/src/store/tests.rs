use super::*;

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    (folder, store)
}

fn keep(store: &Store, key: &str, content: &str) -> Stored {
    let work = store.work().unwrap();
    fs::create_dir(work.files().join("sub")).unwrap();
    fs::write(work.files().join("sub/file"), content).unwrap();
    store.keep(work, "stage", key, &"fact").unwrap()
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

#[test]
fn a_file_leaves_as_its_record_has_it_or_not_at_all() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let (folder, store) = store();
    let stored = keep(&store, "k", "content");
    let (path, to) = (stored.path("sub/file"), folder.path().join("to"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o4755)).unwrap();
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
        let error = format!("{:#}", stored.copy_out("sub/file", &to).unwrap_err());
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
        let mode = rustix::fs::Mode::RUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    });
    assert!(!stored.intact());
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
        let mode = rustix::fs::Mode::RWXU;
        let mut fd = rustix::fs::open(&inner, flags, mode).unwrap();
        for _ in 0..5000 * (at + 1) {
            rustix::fs::mkdirat(&fd, "x", mode).unwrap();
            rustix::fs::symlinkat("/", &fd, "root").unwrap();
            fd = rustix::fs::openat(&fd, "x", flags, mode).unwrap();
        }
        inner.push("closed");
        fs::create_dir(&inner).unwrap();
        fs::write(inner.join("file"), "").unwrap();
        fs::set_permissions(&inner, fs::Permissions::from_mode(0o500)).unwrap();
    }
    drop(work);
    assert!(!path.exists());
    assert_eq!(fs::read(outside.join("file")).unwrap(), b"ours");
    // What is set aside stays.
    let work = store.work().unwrap();
    fs::write(work.path().join("tree"), "").unwrap();
    store.set_aside(work, "name").unwrap();
    assert!(store.set_aside_folder("name").join("tree").exists());
}

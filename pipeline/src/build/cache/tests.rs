// SPDX-License-Identifier: GPL-2.0-or-later
use super::*;
use std::os::unix::fs::symlink;

fn key(text: &str) -> CacheKey {
    serde_json::from_value(text.into()).unwrap()
}

fn stock(store: &Store, fill: impl FnOnce(&Path)) -> Result<Built> {
    let cache = Cache::Fill.open("toy-1", store)?;
    fill(&cache.folder);
    let work = store.work()?;
    cache.keep(&work.files())?;
    let log = crate::build::LogSummary::default();
    let facts = crate::build::Facts { log, compiler_cache: None };
    Built::of(store.keep(work, "stock", "k", BTreeMap::new(), &facts)?)
}

fn put(folder: &Path, name: &str, content: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

#[test]
fn objects_are_kept_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let secret = folder.path().join("secret");
    fs::write(&secret, "secret").unwrap();
    let built = stock(&store, |cache| {
        put(cache, "a/b/cdefR", "object");
        put(cache, "a/stats", "1");
        put(cache, "a/b/.nfs", "x");
        put(cache, "a/b/new\nline", "x");
        put(cache, "ccache.conf", "prefix_command = evil");
        put(cache, "tmp/half.o", "x");
        put(cache, "zz/aR", "x");
        symlink(&secret, cache.join("a/b/linkR")).unwrap();
        symlink("/etc", cache.join("b")).unwrap();
        let mode = rustix::fs::Mode::from_bits_truncate(0o644);
        let fifo = (rustix::fs::FileType::Fifo, cache.join("a/b/fifoR"));
        rustix::fs::mknodat(rustix::fs::CWD, &fifo.1, fifo.0, mode, 0).unwrap();
    });
    let cache = Cache::Read(&built.unwrap()).open("toy-1", &store).unwrap();
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(&cache.folder).unwrap() {
        let entry = entry.unwrap();
        find(&entry.path(), &entry.file_name().to_string_lossy(), &mut found).unwrap();
    }
    assert_eq!(found.into_keys().collect::<Vec<_>>(), ["a/b/cdefR"]);
    assert!(!cache.folder.join("ccache.conf").exists() && !cache.folder.join("b").exists());
    assert!(!cache.mount().writable);
    let read_only = cache.variables().into_iter().any(|(name, _)| name == "CCACHE_READONLY");
    assert!(read_only);
}

#[test]
fn the_same_objects_give_the_same_archive() {
    let digests = [1, 2].map(|_| {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let built = stock(&store, |cache| {
            put(cache, "0/1/aM", "m");
            put(cache, "f/1/bR", "r");
        });
        built.unwrap().stored.files()[ARCHIVE].blake3.clone()
    });
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn a_cache_that_was_altered_in_the_store_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let built = stock(&store, |cache| put(cache, "a/b/cR", "object")).unwrap();
    let archive = built.stored.path(ARCHIVE);
    let text = fs::read(&archive).unwrap();
    let at = text.windows(6).position(|window| window == b"object").unwrap();
    let mut spoilt = text.clone();
    spoilt[at] = b'0';
    fs::write(&archive, spoilt).unwrap();
    let error = Cache::Read(&built).open("toy-1", &store).err().unwrap().to_string();
    assert!(error.contains("is damaged in the store"), "{error}");
}

#[test]
fn holes_beyond_all_measure_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let filled = stock(&store, |cache| {
        put(cache, "a/b/cR", "");
        File::options().write(true).open(cache.join("a/b/cR")).unwrap().set_len(1 << 40).unwrap();
    });
    let error = format!("{:#}", filled.err().unwrap());
    assert!(error.contains("1099511627776 bytes, and no more"), "{error}");
}

#[test]
fn a_pipeline_has_one_cache_of_its_own_and_a_link_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let open = |pipeline: &str, text: &str| Cache::Own(key(text)).open(pipeline, &store);
    let first = open("toy-1", "k1").unwrap().folder;
    put(&first, "a/b/cR", "object");
    assert_eq!(open("toy-1", "k1").unwrap().folder, first);
    let other = open("toy-2", "k1").unwrap();
    assert_ne!(other.folder, first);
    assert!(other.mount().writable);
    // Other sources: what was there is of no more use.
    let second = open("toy-1", "k2").unwrap().folder;
    assert!(!first.exists() && second.exists());

    let target = folder.path().join("target");
    fs::create_dir(&target).unwrap();
    fs::remove_dir(&second).unwrap();
    symlink(&target, &second).unwrap();
    let error = open("toy-1", "k2").err().unwrap().to_string();
    assert!(error.contains("is no folder, and a link is not followed"), "{error}");
    let pipelines = folder.path().join(layout::COMPILER_CACHES);
    fs::remove_dir_all(&pipelines).unwrap();
    symlink(&target, &pipelines).unwrap();
    assert!(open("toy-1", "k2").is_err());
    assert_eq!(fs::read_dir(&target).unwrap().count(), 0);
    fs::remove_file(&pipelines).unwrap();
    fs::write(&pipelines, "").unwrap();
    assert!(open("toy-1", "k2").is_err());
}

#[test]
fn a_folder_of_somebody_else_is_no_cache() {
    // Only root can make one.
    if !rustix::process::geteuid().is_root() {
        println!("SKIPPED: a_folder_of_somebody_else_is_no_cache: not root");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let cache = Cache::Own(key("k")).open("toy-1", &store).unwrap().folder;
    std::os::unix::fs::chown(&cache, Some(65534), None).unwrap();
    let error = Cache::Own(key("k")).open("toy-1", &store).err().unwrap().to_string();
    assert!(error.contains("belongs to the user 65534"), "{error}");
}

#[test]
fn whoever_enters_a_failed_build_later_has_no_cache() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let cache = Cache::Own(key("k")).open("toy-1", &store).unwrap();
    let job = Job {
        purpose: "build".into(),
        argv: Vec::new(),
        confinement: sandbox::Confinement::Sealed,
        mounts: vec![cache.mount(), Mount::read_only("/s", "/sources")],
        variables: cache.variables(),
        memory: "1g".to_owned(),
        pids: 1,
    };
    let job = without(job);
    assert_eq!(job.mounts.len(), 1);
    assert_eq!(job.variables, [(Cow::from("CCACHE_DISABLE"), "1".to_owned())]);
}

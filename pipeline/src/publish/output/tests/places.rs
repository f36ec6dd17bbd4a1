// SPDX-License-Identifier: GPL-2.0-or-later
//! Where no repository may go, whatever lies there.

use super::*;

/// What is said of a place, and that nothing is there afterwards that was not before.
fn refused(world: &World, folder: &Path, apart: Vec<(PathBuf, &'static str)>) -> String {
    let before = tree(world.folder.path());
    let stored = world.repository("1", "a");
    let _ = std_fs::remove_dir_all(stored.path("").parent().unwrap());
    let output = Output { apart, ..world.output(folder) };
    let error = crate::error::render(&examine(&output, None).unwrap_err());
    assert!(error.contains("\nhelp: "), "{error}");
    assert!(write(&stored, &output).is_err());
    assert_eq!(tree(world.folder.path()), before);
    error
}

#[test]
fn the_root_the_users_own_folders_and_the_store_are_never_an_output() {
    let world = World::new();
    let home = world.place("home/me");
    std_fs::create_dir_all(&home).unwrap();
    let mine = || vec![(home.clone(), "your home folder")];
    let error = refused(&world, Path::new("/"), Vec::new());
    assert!(error.contains("is the top of the file system"), "{error}");
    symlink(&home, world.place("link")).unwrap();
    let up = home.join("../../home");
    let behind = world.place("link/.");
    for folder in
        [&home, &world.place("home"), &world.place(""), &up, &behind, &world.place("link")]
    {
        let error = refused(&world, folder, mine());
        assert!(error.contains("is or holds your home folder"), "{folder:?}: {error}");
    }
    let beside = world.place("home/other");
    examine(&Output { apart: mine(), ..world.output(&beside) }, None).unwrap();
    let store = world.store.root().to_owned();
    for folder in [&store, &store.join("results"), &store.join("x/y"), world.folder.path()] {
        assert!(refused(&world, folder, Vec::new()).contains("the store"), "{folder:?}");
    }
    let here = std::env::current_dir().unwrap();
    for folder in [Path::new("."), Path::new(""), Path::new("./."), Path::new(".."), &here] {
        let apart = vec![(PathBuf::from("."), "the current folder")];
        let _ = refused(&world, folder, apart);
    }
}

#[test]
fn the_top_of_a_work_tree_is_no_output_even_where_a_record_says_so() {
    let world = World::new();
    let stored = world.repository("1", "a");
    for (number, name) in [".git", ".hg", ".svn", ".jj", ".bzr"].into_iter().enumerate() {
        let folder = world.place(&number.to_string());
        write(&stored, &world.output(&folder)).unwrap();
        std_fs::write(folder.join(name), "gitdir: elsewhere").unwrap();
        let error = world.refusal(&world.repository("2", "b"), &folder);
        assert!(error.contains(&format!("is the top of a work tree, it has `{name}`")), "{error}");
    }
}

#[test]
fn a_link_is_followed_and_never_replaced() {
    let world = World::new();
    let stored = world.repository("1", "a");
    let (real, link) = (world.place("real"), world.place("link"));
    std_fs::create_dir(&real).unwrap();
    symlink(&real, &link).unwrap();
    write(&stored, &world.output(&link)).unwrap();
    write(&world.repository("2", "b"), &world.output(&link)).unwrap();
    assert!(link.is_symlink() && !real.is_symlink());
    assert_eq!(tree(&real)["Packages/qemu-2-1.x86_64.rpm"], "b");
    // What is behind a link is found as the kernel does.
    write(&stored, &world.output(&link.join("../deep/x"))).unwrap();
    assert!(world.place("deep/x").is_dir());
    symlink(world.place("nowhere"), world.place("dangling")).unwrap();
    for name in ["dangling", "dangling/x", "dangling/"] {
        let error = world.refusal(&stored, &world.place(name));
        assert!(error.contains("is a link that leads nowhere"), "{error}");
    }
    std_fs::create_dir(world.place("theirs")).unwrap();
    std_fs::write(world.place("theirs/x"), "mine").unwrap();
    symlink(world.place("theirs"), world.place("there")).unwrap();
    assert!(world.refusal(&stored, &world.place("there")).contains("holds something else"));
    std_fs::write(world.place("file"), "mine").unwrap();
    for name in ["file", "file/x"] {
        assert!(world.refusal(&stored, &world.place(name)).contains("is no folder"));
    }
    assert_eq!(std_fs::read_to_string(world.place("file")).unwrap(), "mine");
}

#[test]
fn a_folder_of_another_user_is_no_output() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: only root can make what belongs to another user");
        return;
    }
    let world = World::new();
    let stored = world.repository("1", "a");
    let folder = world.place("out");
    write(&stored, &world.output(&folder)).unwrap();
    std::os::unix::fs::chown(folder.join(RECORD), Some(4321), None).unwrap();
    assert!(world.refusal(&stored, &folder).contains("belongs to another user"));
    std::os::unix::fs::chown(&folder, Some(4321), None).unwrap();
    assert!(world.refusal(&stored, &folder).contains("belongs to the user 4321"));
}

/// By whatever road: whoever owns a folder on the way could have the next run write elsewhere.
#[test]
fn an_output_below_a_folder_of_another_user_is_refused() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: only root can make what belongs to another user");
        return;
    }
    let world = World::new();
    for name in ["theirs/ours", "ours", "open/ours"] {
        std_fs::create_dir_all(world.place(name)).unwrap();
    }
    symlink("../ours", world.place("theirs/back")).unwrap();
    for (name, to) in [
        ("out", "theirs/ours"),
        ("chain", "theirs/back"),
        ("of-them", "ours"),
        ("to-of-them", "of-them"),
        ("to-open", "open/ours"),
    ] {
        symlink(to, world.place(name)).unwrap();
    }
    std_fs::set_permissions(world.place("open"), PermissionsExt::from_mode(0o777)).unwrap();
    for name in ["theirs", "of-them"] {
        std::os::unix::fs::lchown(world.place(name), Some(4321), None).unwrap();
    }
    for name in [
        "theirs/new",
        "theirs/ours",
        "theirs/ours/new",
        "theirs/../ours/new",
        "out",
        "out/",
        "out/.",
        "out/new/er",
        "chain",
        "chain/.",
        "chain/new",
        "of-them/.",
        "of-them/new",
        "to-of-them",
        "to-of-them/new",
        "open/new",
        "to-open",
        "to-open/new",
    ] {
        let error = refused(&world, &world.place(name), Vec::new());
        assert!(error.contains("lies in `"), "{name}: {error}");
    }
}

#[test]
fn a_file_system_of_the_kernel_is_no_place_for_an_output() {
    let world = World::new();
    let mut tried = 0;
    for name in [
        "/proc",
        "/proc/self",
        "/proc/sys",
        "/proc/sys/fs/binfmt_misc",
        "/sys",
        "/sys/fs/cgroup",
        "/sys/fs/cgroup/cpu",
        "/sys/fs/bpf",
        "/sys/kernel/debug",
        "/sys/kernel/tracing",
        "/sys/kernel/security",
        "/dev/pts",
        "/dev/mqueue",
        "/dev/hugepages",
    ] {
        let folder = Path::new(name);
        // Some are not there on each machine, and some are a tmpfs that holds them.
        let found = rustix::fs::statfs(folder);
        if found.is_ok_and(|found| found.f_type == 0x0102_1994) || !folder.is_dir() {
            continue;
        }
        for below in ["out", "deep/er/out"] {
            let error = refused(&world, &folder.join(below), Vec::new());
            assert!(error.contains("is on a file system of the kernel ("), "{name}: {error}");
            assert!(!folder.join(below).exists() && !folder.join("deep").exists());
        }
        tried += 1;
    }
    assert!(tried >= 4, "{tried}");
    if Path::new("/dev/shm").is_dir() {
        let folder = tempfile::tempdir_in("/dev/shm").unwrap();
        examine(&world.output(&folder.path().join("out")), None).unwrap();
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
use super::*;
use crate::rules::sample::{FOLDER, LINK, PLAIN, file, package};
use qom_census::Executable;
use rpm_inspect::mode;

/// A package for debuggers with one file more than each of them has.
fn with(path: &str, mode: u16, link: Option<&str>) -> InspectedPackage {
    let mut read = package("a-debuginfo", "x86_64");
    read.package.files = vec![
        file("/usr/lib/debug", FOLDER, None),
        file("/usr/lib/debug/usr/bin/a.debug", PLAIN, None),
        file(path, mode, link),
    ];
    read.elf = read.files.iter().filter(|file| file.is_regular()).map(symbols).collect();
    read
}

/// An ELF file as `strip` leaves it for debuggers.
fn symbols(file: &FileEntry) -> ElfFile {
    ElfFile {
        path: (&file.path).into(),
        info: None,
        unread: Some("symbols".to_owned()),
        starts: Some(Executable::Elf64),
        for_debuggers: true,
        scripts: false,
    }
}

#[test]
fn symbols_are_elf_files_and_neither_programs_nor_scripts() {
    const PATH: &str = "/usr/lib/debug/usr/bin/b.debug";
    let changed = |change: &dyn Fn(&mut ElfFile)| {
        let mut read = with(PATH, PLAIN, None);
        read.elf.iter_mut().filter(|elf| elf.path == Path::new(PATH)).for_each(change);
        debug_promise(&read)
    };
    assert_eq!(changed(&|_| ()), [] as [&str; 0]);
    assert_eq!(
        changed(&|elf| elf.for_debuggers = false),
        [format!("`{PATH}` is a program, and no file of symbols")]
    );
    // Of dwz, and of what is loaded into the kernel.
    assert_eq!(changed(&|elf| (elf.for_debuggers, elf.starts) = (false, None)), [] as [&str; 0]);
    let script = format!("gdb runs a script that is in `{PATH}` (.debug_gdb_scripts)");
    assert_eq!(changed(&|elf| elf.scripts = true), [script.as_str()]);
    // Another format that gdb reads; all files here have the same bytes, as hard links of one have.
    let mut read = with(PATH, PLAIN, None);
    read.elf.retain(|elf| elf.path != Path::new(PATH));
    assert_eq!(debug_promise(&read), [] as [&str; 0]);
    read.package
        .files
        .iter_mut()
        .filter(|file| file.path == PATH)
        .for_each(|file| file.sha256 = None);
    assert_eq!(debug_promise(&read), [format!("`{PATH}` is no ELF file, as symbols are")]);
    // In any package.
    let mut read = package_of("a", PATH);
    read.elf[0].scripts = true;
    assert_eq!((debug_promise(&read).len(), check(&read, None)), (0, vec![script]));
}

fn package_of(name: &str, path: &str) -> InspectedPackage {
    let mut read = package(name, "x86_64");
    read.package.files = vec![file(path, PLAIN, None)];
    read.elf = read.files.iter().map(symbols).collect();
    read
}

#[test]
fn symbols_sources_and_the_links_between_them_are_what_the_name_promises() {
    for (path, mode, link) in [
        ("/usr/lib/debug/usr/lib64/xen/bin/qemu-system-i386.debug", PLAIN, None),
        ("/usr/lib/debug/.dwz/a-1-1.x86_64", PLAIN, None),
        ("/usr/lib/debug/.build-id", FOLDER, None),
        ("/usr/lib/debug/.build-id/ab", FOLDER, None),
        ("/usr/lib/debug/.build-id/ab/cdef01", LINK, Some("../../../../../usr/bin/a")),
        ("/usr/lib/debug/.build-id/ab/cdef01.1", LINK, Some("../../../.build-id/ab/cdef01.1")),
        ("/usr/lib/debug/.build-id/ab/cdef01.debug", LINK, Some("../../usr/bin/a.debug")),
        ("/usr/lib/debug/.build-id/ab/cdef01.2.debug", LINK, Some("../../usr/bin/a.debug")),
        // Some distributions keep the symbols themselves there.
        ("/usr/lib/debug/.build-id/ab/cdef01.debug", PLAIN, None),
        ("/usr/lib/debug/usr/bin/b.debug", LINK, Some("a.debug")),
        ("/usr/lib/debug/bin/b.debug", LINK, Some("../usr/bin/a.debug")),
        ("/usr/src/debug/a-1/hw/misc/a.c", PLAIN, None),
        ("/usr/src/debug", FOLDER, None),
        ("/usr/src", FOLDER, None),
    ] {
        let found = debug_promise(&with(path, mode, link));
        assert_eq!(found, [] as [&str; 0], "{path} {link:?}");
    }
}

#[test]
fn what_runs_closes_a_folder_or_leads_elsewhere_is_not() {
    let fifo = 0o010_644;
    for (path, mode, link) in [
        // gdb runs these.
        ("/usr/lib/debug/usr/bin/a-gdb.py", PLAIN, None),
        ("/usr/lib/debug/usr/bin/a.debug-gdb.gdb", PLAIN, None),
        ("/usr/lib/debug/.build-id/ab/cdef01.debug-gdb.scm", PLAIN, None),
        ("/usr/lib/debug/usr/bin/b-gdb.py", LINK, Some("a.debug")),
        ("/usr/src/debug/a-1/.gdbinit", PLAIN, None),
        ("/usr/src/debug/a-1/.gdbearlyinit", PLAIN, None),
        ("/usr/src/debug/a-1/.lldbinit", PLAIN, None),
        // git runs what stands in this one, and other tools read others.
        ("/usr/src/debug/a-1/.git/config", PLAIN, None),
        ("/usr/src/debug/a-1/b/.git", FOLDER, None),
        ("/usr/src/debug/a-1/.vscode/tasks.json", PLAIN, None),
        ("/usr/src/debug/.env", PLAIN, None),
        ("/usr/lib/debug/usr/bin/.git/config", PLAIN, None),
        ("/usr/lib/debug/.dwz/.git/config", PLAIN, None),
        ("/usr/lib/debug/.dwz-1/a", PLAIN, None),
        // The folder of all such packages is nobody's to close, to open, or to hand down.
        ("/usr/lib/debug/usr", mode::DIRECTORY, None),
        ("/usr/lib/debug/usr", mode::DIRECTORY | 0o700, None),
        ("/usr/lib/debug/usr", mode::DIRECTORY | 0o1777, None),
        ("/usr/lib/debug/usr", mode::DIRECTORY | 0o2755, None),
        ("/usr", mode::DIRECTORY | 0o700, None),
        // A link in the place of a folder leads other packages' files elsewhere.
        ("/usr/lib/debug/usr", LINK, Some("../../../etc")),
        ("/usr/lib/debug", LINK, Some("/etc")),
        ("/usr/src/debug", LINK, Some("/etc")),
        ("/usr/src/debug/a", LINK, Some("b")),
        ("/usr/lib/debug/.build-id", LINK, Some("/etc")),
        ("/usr/lib/debug/.build-id/ab", LINK, Some("/etc")),
        ("/usr/lib/debug/.build-id/zz/cdef01", LINK, Some("/etc")),
        ("/usr/lib/debug/.build-id/ab/cdef01/a", LINK, Some("/etc")),
        ("/usr/lib/debug/.build-id/ab/cdef01", FOLDER, None),
        ("/usr/lib/debug/.build-id/ab/cdef01.a", LINK, Some("/etc")),
        ("/usr/lib/debug/.build-id/ab", PLAIN, None),
        ("/usr/lib/debug/.build-id/evil", PLAIN, None),
        ("/usr/lib/debug/usr/bin/b.debug", LINK, Some("/usr/bin/a.debug")),
        ("/usr/lib/debug/usr/bin/b.debug", LINK, Some("../../../../share/a.debug")),
        ("/usr/lib/debug/usr/bin/b.debug", LINK, Some("../../../x/../../debug/a.debug")),
        ("/usr/lib/debug/usr/bin/b.debug", LINK, Some("a")),
        ("/usr/lib/debug/usr/bin/b", LINK, Some("a.debug")),
        ("/usr/lib/debugger/b.debug", LINK, Some("a.debug")),
        ("/usr/lib/debug/usr/bin/pipe", fifo, None),
        ("/usr/lib/debug/usr/bin/null", mode::CHARACTER_DEVICE | 0o666, None),
    ] {
        let found = debug_promise(&with(path, mode, link));
        let named = found.first().is_some_and(|what| what.contains(&format!("`{path}`")));
        assert!(named, "{path} {mode:o} {link:?}: {found:?}");
    }
}

#[test]
fn a_path_by_build_id_has_the_form_that_rpmbuild_gives_it() {
    const ALL: &str = "/usr/lib/.build-id";
    for (path, expected) in [
        ("", Some(BuildIdPath::Folder)),
        ("/0f", Some(BuildIdPath::Folder)),
        ("/0f/1", Some(BuildIdPath::Id)),
        ("/0f/1.12", Some(BuildIdPath::Id)),
        ("/0f/1.debug", Some(BuildIdPath::Id)),
        ("-evil", None),
        ("/", None),
        ("/0", None),
        ("/0F", None),
        ("/0f0", None),
        ("/0f/", None),
        ("/0f/1/2", None),
        ("/0f/1.", None),
        ("/0f/1.debug.debug", None),
        ("/0f/x", None),
        ("/0f/.debug", None),
    ] {
        assert_eq!(build_id_path(&format!("{ALL}{path}"), ALL), expected, "{path}");
    }
}

#[test]
fn symbols_by_build_id_are_of_programs_of_the_build() {
    let known: BTreeSet<&str> = ["abcdef01", "abcdef02"].into();
    let folder = "/usr/lib/debug/.build-id/ab";
    for (path, link, foreign) in [
        ("cdef01", Some("../../../../../usr/bin/a"), false),
        ("cdef01.debug", Some("../../usr/bin/a.debug"), false),
        ("cdef02.1.debug", Some("../../usr/bin/a.debug"), false),
        ("cdef02.debug", None, false),
        ("cdef03.debug", Some("../../.dwz/a-1-1.x86_64"), false),
        ("cdef03.debug", Some("../../usr/bin/a.debug"), true),
        ("cdef03.debug", None, true),
        ("cdef03", Some("../../../../../usr/bin/bash"), true),
        ("cdef", Some("../../../../../usr/bin/bash"), true),
    ] {
        let path = format!("{folder}/{path}");
        let read = with(&path, if link.is_some() { LINK } else { PLAIN }, link);
        let said = format!("`{path}` is by the build id of no program of this build");
        let expected = if foreign { vec![said] } else { Vec::new() };
        assert_eq!(check(&read, Some(&known)), expected, "{link:?}");
        assert_eq!(check(&read, None), [] as [&str; 0]);
    }
}

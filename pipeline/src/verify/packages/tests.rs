// SPDX-License-Identifier: GPL-2.0-or-later
use super::*;
use crate::error::Rendered;
use crate::rules::{Rule, sample};
use std::path::PathBuf;

#[test]
fn a_name_is_one_packages_whatever_else_differs() {
    let of = |name: &str, arch: &str| sample::package(name, arch);
    let later = |name: &str| {
        let mut facts = of(name, "x86_64");
        facts.package.id.version = "2".to_owned();
        facts.package.id.epoch = 9;
        facts
    };
    // Another architecture, none, the same once more, another version, and the package for dom0.
    for second in [of("qemu", "i686"), of("qemu", "noarch"), of("qemu", "x86_64"), later("qemu")] {
        let arch = second.id.arch.clone();
        for packages in [
            vec![of("qemu", "x86_64"), second.clone()],
            vec![of("qemu", "x86_64"), of("qemu-tools", "x86_64"), second.clone()],
            vec![of("a", "noarch"), of("qemu", "x86_64"), second],
        ] {
            let error = each_name_once(&packages).unwrap_err().rendered();
            let expected =
                format!("two packages are called `qemu`, one of them for `{arch}`\nhelp: ");
            assert!(error.starts_with(&expected), "{error}");
        }
    }
    each_name_once(&[of("qemu", "x86_64"), of("qemu-dm", "x86_64"), of("Qemu", "x86_64")]).unwrap();
    each_name_once(&[]).unwrap();
}

/// A package of so many files that begin as an ELF file does, and are none.
fn of_elf_files(folder: &Path, name: &str, count: usize) -> PathBuf {
    let path = folder.join(name);
    let mut builder = rpm::PackageBuilder::new(name, "1", "MIT", "noarch", "A test");
    for number in 0..count {
        let options = rpm::FileOptions::new(format!("/opt/{number}"));
        builder.with_file_contents(format!("\x7fELF{number}"), options).unwrap();
    }
    builder.build().unwrap().write_file(&path).unwrap();
    path
}

#[test]
fn only_so_many_elf_files_are_looked_at_in_all_packages_together() {
    let folder = tempfile::tempdir().unwrap();
    let all = of_elf_files(folder.path(), "all", MOST_ELF_FILES);
    let (one, more) = (
        of_elf_files(folder.path(), "one", 1),
        of_elf_files(folder.path(), "more", MOST_ELF_FILES + 1),
    );
    let refused = |packages: &[&Path]| -> Option<String> {
        let mut reader = Reader::new(&[], &[]);
        let read = packages.iter().try_for_each(|path| reader.read(path).map(|_| ()));
        read.err().map(|error| crate::error::render(&error))
    };
    assert_eq!(refused(&[&all]), None);
    for (packages, named) in
        [(&[&*more][..], "more"), (&[&*one, &*all][..], "all"), (&[&*all, &*one][..], "one")]
    {
        let error = refused(packages).unwrap();
        let expected =
            "with it there are more than 4096 ELF files, the most that are looked at\nhelp: ";
        assert!(error.starts_with(&format!("package `{named}`: ")), "{error}");
        assert!(error.contains(expected), "{error}");
    }
}

/// A file of one program header, for a machine; `loader` says whether it asks for one.
fn program(class: u8, machine: u16, loader: bool) -> Vec<u8> {
    let mut file = vec![0; 128];
    file[..7].copy_from_slice(&[0x7f, b'E', b'L', b'F', class, 1, 1]);
    let (table, size, at) = if class == 1 { (28, 32, 42) } else { (32, 56, 54) };
    for (at, number) in [(16, 2), (18, machine), (table, 64), (at, size), (at + 2, 1)] {
        file[at..at + 2].copy_from_slice(&number.to_le_bytes());
    }
    file[64] = if loader { 3 } else { 1 };
    file
}

/// Code without its bytes, in a section: what is for debuggers says so.
fn without_code(mut file: Vec<u8>) -> Vec<u8> {
    file[40] = 128;
    file[58..62].copy_from_slice(&[64, 0, 1, 0]);
    file.resize(192, 0);
    (file[132], file[136]) = (8, 6);
    file
}

#[test]
fn what_a_host_would_start_is_read_or_refused_where_types_are_expected() {
    let folder = tempfile::tempdir().unwrap();
    let expected: ExpectedType = serde_json::from_str(r#"{ "name": "vgpu-stub" }"#).unwrap();
    let expected = [expected];
    let said = |path: &str, mode: u16, bytes: &[u8], expected: &[ExpectedType]| {
        let package = folder.path().join("a.rpm");
        let mut builder = rpm::PackageBuilder::new("a", "1", "MIT", "noarch", "A test");
        let options = rpm::FileOptions::new(path).permissions(mode);
        builder.with_file_contents(bytes, options).unwrap();
        builder.build().unwrap().write_file(&package).unwrap();
        Reader::new(expected, &[]).read(&package).err().map(|error| crate::error::render(&error))
    };
    let (data, bin) = ("/usr/share/qemu/a", "/usr/bin/a");
    let symbols = "/usr/lib/debug/usr/bin/a.debug";
    let short = "it is a program of 32 bits";
    let order = |byte: u8| {
        let mut file = program(2, 62, false);
        file[5] = byte;
        file
    };
    for (path, mode, bytes, refused) in [
        (data, 0o644, order(2), Some("not little-endian (data encoding 2)")),
        (bin, 0o755, order(0), Some("not little-endian (data encoding 0)")),
        (bin, 0o755, without_code(program(2, 62, false)), Some("symbols for a debugger")),
        (data, 0o644, without_code(program(2, 62, false)), Some("symbols for a debugger")),
        ("/usr/lib/debugger", 0o644, without_code(program(2, 62, false)), Some("symbols for")),
        (symbols, 0o644, without_code(program(2, 62, false)), None),
        (bin, 0o755, program(1, 3, false), Some(short)),
        (data, 0o644, program(1, 3, true), Some(short)),
        // Such as hvmloader, and a library.
        (data, 0o644, program(1, 3, false), None),
        // Firmware of other machines, however it is installed.
        (data, 0o644, program(2, 0x9026, true), None),
        (bin, 0o755, program(1, 20, true), None),
        (bin, 0o755, program(1, 243, false), None),
    ] {
        let found = said(path, mode, &bytes, &expected);
        match refused {
            Some(what) => {
                let found = found.unwrap_or_default();
                assert!(found.contains(CANNOT) && found.contains(what), "{path} {mode:o}: {found}");
                assert!(found.contains(path), "{found}");
            }
            None => assert_eq!(found, None, "{path} {mode:o}"),
        }
        // Without types there is nothing that it could hide; the rules tell of it.
        assert_eq!(said(path, mode, &bytes, &[]), None);
    }
}

#[test]
fn only_so_many_files_are_looked_at_in_all_packages_together() {
    const SOME: usize = MOST_FILES / 2 - 1;
    let folder = tempfile::tempdir().unwrap();
    // Ghosts: they take no room in the payload.
    let mut builder = rpm::PackageBuilder::new("large", "1", "MIT", "noarch", "A test");
    for number in 0..SOME {
        builder.with_ghost(rpm::FileOptions::ghost(format!("/opt/{number}"))).unwrap();
    }
    let large = folder.path().join("large.rpm");
    builder.build().unwrap().write_file(&large).unwrap();
    let small = of_elf_files(folder.path(), "small", 3);
    let mut reader = Reader::new(&[], &[]);
    assert_eq!(reader.read(&large).unwrap().files.len(), SOME);
    assert_eq!(reader.read(&large).unwrap().faults, []);
    let error = crate::error::render(&reader.read(&small).unwrap_err());
    let expected = "with the package `small` there are more than 131072 files, the most that are";
    assert!(error.starts_with(expected), "{error}");
    assert!(error.contains("\nhelp: "), "{error}");
}

/// As many as anybody reads; one of each rule whatever the others say.
#[test]
fn a_package_of_many_findings_is_told_in_some_lines() {
    let (one, other) = (sample::package("one", "noarch"), sample::package("other", "noarch"));
    let rule = |name: &str| -> Rule { serde_json::from_value(name.into()).unwrap() };
    let finding =
        |rule, what: String| Finding { rule, level: Level::Require, what, help: "leave it".into() };
    let many = |rule| (0..1000).map(move |number| finding(rule, format!("`/{number}`")));
    let all = many(rule("ownership"))
        .chain([finding(rule("setuid"), "`/bin/su`".to_owned())])
        .chain(many(rule("paths")));
    let mut refused: Vec<Refused> = all.map(|finding| (&one, None, finding)).collect();
    refused.push((&other, None, finding(rule("paths"), "`/srv`".to_owned())));
    let message = refusal(&refused).to_string();
    let lines: Vec<&str> = message.lines().collect();
    assert_eq!(lines[0], "one-1-1.noarch breaks rules of a package:");
    assert_eq!(
        lines[40..=45],
        [
            "  ownership: `/39`",
            "  ownership: … and 960 more",
            "  setuid: `/bin/su`",
            "  paths: `/0`",
            "  paths: … and 999 more",
            "other-1-1.noarch breaks rules of a package:",
        ]
    );
    assert_eq!(lines[46], "  paths: `/srv`");
    assert_eq!(lines.len(), 47 + 3, "{message}");
}

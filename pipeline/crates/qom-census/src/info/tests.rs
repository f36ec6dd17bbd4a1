// SPDX-License-Identifier: GPL-2.0-or-later
//! What is read of a file, against gcc and ld as they are told, and against damage.

use super::{ElfInfo, Machine, PT_GNU_RELRO, PT_LOAD, glibc_version, read};
use crate::tests::run;
use std::fs;

fn compile(flags: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let (source, binary) = (folder.path().join("a.c"), folder.path().join("a"));
    let text = "#include <stdio.h>\nint main(int n, char **v) { char b[64]; sprintf(b, \"%s\", *v); \
                return puts(b); }";
    fs::write(&source, text).unwrap();
    let paths = [&source, &binary].map(|path| path.to_str().unwrap());
    run("cc", &[&[paths[0], "-O2", "-s"], flags, &["-o", paths[1]]].concat());
    fs::read(&binary).unwrap()
}

fn facts(flags: &[&str]) -> ElfInfo {
    read(&compile(flags)).unwrap()
}

#[test]
fn a_hardened_program_is_known_as_one() {
    let hard = ["-fPIE", "-pie", "-fstack-protector-all", "-Wl,-z,relro,-z,now,--build-id=sha1"];
    let found = facts(&hard);
    assert!(found.program && found.pie && found.relro && found.bind_now && found.stack_protector);
    assert!(!found.executable_stack);
    assert_eq!(found.needed, ["libc.so.6"]);
    assert!(found.interpreter.is_some_and(|path| path.starts_with("/lib")));
    assert_eq!(found.build_id.map(|id| id.len()), Some(40));
    assert!(found.glibc >= Some((2, 2)), "{:?}", found.glibc);
    assert_eq!((found.soname, found.rpath.len(), found.runpath.len()), (None, 0, 0));
    let machine = if cfg!(target_arch = "aarch64") { Machine::Aarch64 } else { Machine::X86_64 };
    assert_eq!(found.machine, machine);
}

#[test]
fn a_program_without_any_of_it_is_known_as_that() {
    let soft =
        ["-no-pie", "-fno-pie", "-fno-stack-protector", "-Wl,-z,norelro,-z,lazy,-z,execstack"];
    let found = facts(&[&soft[..], &["-Wl,--build-id=none,--hash-style=gnu"]].concat());
    assert!(found.program && found.executable_stack);
    assert!(!found.pie && !found.relro && !found.bind_now && !found.stack_protector);
    assert_eq!(found.build_id, None);
}

#[test]
fn where_a_binary_looks_for_libraries_is_told() {
    let old = facts(&["-Wl,-rpath,/opt/a:/opt/b,--disable-new-dtags"]);
    assert_eq!((old.rpath, old.runpath), (vec!["/opt/a:/opt/b".to_owned()], Vec::new()));
    let new = facts(&["-Wl,-rpath,$ORIGIN/lib,--enable-new-dtags"]);
    assert_eq!((new.rpath, new.runpath), (Vec::new(), vec!["$ORIGIN/lib".to_owned()]));
}

/// Whatever makes the loader load something is told: by which name, and for which tag.
#[test]
fn what_else_the_loader_would_load_is_told() {
    let watched = facts(&["-Wl,--audit=/opt/a.so:b.so,--depaudit=c.so"]);
    assert_eq!(watched.audit, ["/opt/a.so:b.so", "c.so"]);
    let library = ["-shared", "-fPIC", "-Wl,-z,initfirst,-z,interpose"];
    let filters = facts(&[&library[..], &["-Wl,-f,one.so,-f,two.so,-F,/opt/all.so"]].concat());
    assert_eq!(filters.filters, ["/opt/all.so", "one.so", "two.so"]);
    let flags = |facts: &ElfInfo| facts.dynamic.iter().any(|it| it.starts_with("FLAGS_1 0x"));
    assert!(flags(&filters), "{:?}", filters.dynamic);
    let other = facts(&["-shared", "-fPIC", "-Wl,-z,lazy"]);
    assert!(
        !flags(&other) && other.dynamic.contains(&"INIT_ARRAY".to_owned()),
        "{:?}",
        other.dynamic
    );
    let before = facts(&["-include", PREINIT]);
    assert!(before.dynamic.contains(&"PREINIT_ARRAY".to_owned()), "{:?}", before.dynamic);
}

/// A header with a function that runs before those of libraries.
const PREINIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/preinit.h");

/// Changes 8 bytes of each program header of a kind.
fn changed(file: &[u8], kind: u32, offset: usize, change: impl Fn(u64) -> u64) -> ElfInfo {
    let mut file = file.to_vec();
    let first = usize::from(u16::from_le_bytes([file[32], file[33]]));
    for at in (0..usize::from(file[56])).map(|at| first + at * 56) {
        if file[at..].starts_with(&kind.to_le_bytes()) {
            let place = &mut file[at + offset..at + offset + 8];
            let was = u64::from_le_bytes(*place.first_chunk().unwrap());
            place.copy_from_slice(&change(was).to_le_bytes());
        }
    }
    read(&file).unwrap()
}

#[test]
fn memory_that_is_written_and_executed_is_told() {
    let whole = compile(&["-fPIE", "-pie", "-Wl,-z,relro,-z,now"]);
    assert!(!read(&whole).unwrap().writable_code);
    // The flags are behind the kind.
    let open = changed(&whole, PT_LOAD, 0, |word| word | 7 << 32);
    assert!(open.writable_code && !open.executable_stack);
    // By itself neither is.
    assert!(!changed(&whole, PT_LOAD, 0, |word| word & !(1 << 32) | 2 << 32).writable_code);
}

#[test]
fn a_relro_that_protects_nothing_is_none() {
    let whole = compile(&["-fPIE", "-pie", "-Wl,-z,relro,-z,now"]);
    assert!(read(&whole).unwrap().relro);
    for form in [&["-fuse-ld=lld", "-pie"][..], &["-fuse-ld=gold", "-pie"], &["-static-pie"]] {
        assert!(facts(&[form, &["-fPIE", "-Wl,-z,relro,-z,now"]].concat()).relro, "{form:?}");
    }
    let size = |size: u64| changed(&whole, PT_GNU_RELRO, 40, |_| size).relro;
    // Nothing, and less than a page, of which the loader protects none.
    assert!(!size(0) && !size(8));
    // Elsewhere: in memory that is read-only anyway, or in none.
    assert!(!changed(&whole, PT_GNU_RELRO, 16, |_| 0).relro);
    assert!(!changed(&whole, PT_GNU_RELRO, 16, |_| 1 << 40).relro);
}

#[test]
fn a_library_and_a_static_program_are_told_apart() {
    let library = facts(&["-shared", "-fPIC", "-Wl,-soname,liba.so.1"]);
    assert_eq!(library.soname.as_deref(), Some("liba.so.1"));
    assert!(!library.program && library.pie && library.interpreter.is_none());
    let fixed = facts(&["-static", "-no-pie"]);
    assert!(fixed.program && !fixed.pie && fixed.interpreter.is_none() && fixed.needed.is_empty());
    let loose = facts(&["-static-pie"]);
    assert!(loose.program && loose.pie && loose.interpreter.is_none());
}

#[test]
fn relocations_that_are_packed_need_the_loader_that_unpacks_them() {
    let packed = facts(&["-fPIE", "-pie", "-Wl,-z,pack-relative-relocs"]);
    assert_eq!(packed.glibc, Some((2, 36)));
}

#[test]
fn versions_of_glibc_are_read_as_numbers() {
    assert_eq!(glibc_version("GLIBC_2.17"), Some((2, 17)));
    assert_eq!(glibc_version("GLIBC_2.3.4"), Some((2, 3)));
    for other in ["GLIBC_PRIVATE", "GLIBCXX_3.4", "GLIBC_2", "", "VERS_1.0"] {
        assert_eq!(glibc_version(other), None, "{other}");
    }
}

/// Neither where it ends nor what any of its first bytes says makes it panic.
#[test]
fn damage_is_an_error_or_other_facts() {
    let whole = compile(&["-Wl,-rpath,/opt/a"]);
    for end in (0..whole.len()).step_by(31).chain(0..1024) {
        drop(read(&whole[..end.min(whole.len())]));
    }
    let headers = 0..0x400;
    for at in headers {
        for byte in [0, 1, 0x7f, 0xff] {
            let mut file = whole.clone();
            file[at] = byte;
            drop(read(&file));
        }
    }
}

/// Lists that lead back to themselves end.
#[test]
fn lists_that_go_round_end() {
    let dynamic = super::Dynamic {
        strings: b"\0GLIBC_2.5\0",
        // A need at 0 whose next is itself is no next at all; one of 4 bytes overlaps itself.
        versions: &[4; 4096],
        ..super::Dynamic::default()
    };
    assert_eq!(dynamic.glibc(), None);
}

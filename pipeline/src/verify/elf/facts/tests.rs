//! The facts against gcc and ld, as they are told, and against damage.

use super::{ElfFacts, Machine, glibc, read};
use crate::cmd::{Call, Runner};
use std::fs;

fn compile(flags: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let (source, binary) = (folder.path().join("a.c"), folder.path().join("a"));
    let text = "#include <stdio.h>\nint main(int n, char **v) { char b[64]; sprintf(b, \"%s\", *v); \
                return puts(b); }";
    fs::write(&source, text).unwrap();
    let call = Call::new("cc").arg(&source).args(["-O2", "-s"]).args(flags).arg("-o").arg(&binary);
    Runner::new(&folder.path().join("log"), |_| {}).unwrap().run(&call).unwrap();
    fs::read(&binary).unwrap()
}

fn facts(flags: &[&str]) -> ElfFacts {
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
    assert_eq!(glibc("GLIBC_2.17"), Some((2, 17)));
    assert_eq!(glibc("GLIBC_2.3.4"), Some((2, 3)));
    for other in ["GLIBC_PRIVATE", "GLIBCXX_3.4", "GLIBC_2", "", "VERS_1.0"] {
        assert_eq!(glibc(other), None, "{other}");
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

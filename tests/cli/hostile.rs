// SPDX-License-Identifier: GPL-2.0-or-later
//! Broken and hostile files given to `verify`: one clear error each, exit code 1 or 2, no panic, and
//! neither endless time nor endless memory. `rules` has the packages among them.

use crate::support::{ends_with, program, root, scratch, stable};
use insta::assert_snapshot;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// An address space that nothing hostile may exceed.
const MEMORY: &str = "--as=1073741824";

const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const PT_GNU_EH_FRAME: u32 = 0x6474_e550;
const DT_RELA: u64 = 7;
const DT_RELASZ: u64 = 8;
const DT_RELACOUNT: u64 = 0x6fff_fff9;
const DT_RELR: u64 = 36;

/// A small program with the structures of a QEMU, as gcc and ld make it, to be spoilt.
struct Victim {
    folder: TempDir,
    bytes: Vec<u8>,
}

impl Victim {
    fn new(options: &[&str]) -> Self {
        let folder = scratch();
        let program = folder.path().join("qemu");
        let cc = Command::new("cc")
            .args(["-O2", "-fPIE", "-pie", "-s"])
            .args(options)
            .arg(root().join("pipeline/crates/qom-census/fixtures/qemu.c"))
            .arg("-o")
            .arg(&program)
            .status()
            .unwrap();
        assert!(cc.success());
        let bytes = fs::read(&program).unwrap();
        Self { folder, bytes }
    }

    fn word(&self, at: usize) -> u64 {
        u64::from_le_bytes(*self.bytes[at..].first_chunk().unwrap())
    }

    /// Where the first program header of a kind stands.
    fn header(&self, kind: u32) -> usize {
        let first = usize::try_from(self.word(0x20)).unwrap();
        let mut all = (first..).step_by(56);
        all.find(|&at| self.bytes[at..].starts_with(&kind.to_le_bytes())).unwrap()
    }

    /// Where the dynamic section has a tag.
    fn dynamic(&self, tag: u64) -> usize {
        let first = usize::try_from(self.word(self.header(PT_DYNAMIC) + 8)).unwrap();
        (first..).step_by(16).find(|&at| self.word(at) == tag).unwrap()
    }

    /// Where in the file an address lies.
    fn place(&self, address: u64) -> usize {
        let first = usize::try_from(self.word(0x20)).unwrap();
        let mut all = (first..).step_by(56);
        let load = all.find(|&at| {
            self.bytes[at..].starts_with(&PT_LOAD.to_le_bytes())
                && (self.word(at + 16)..self.word(at + 16) + self.word(at + 32)).contains(&address)
        });
        let load = load.unwrap();
        usize::try_from(address - self.word(load + 16) + self.word(load + 8)).unwrap()
    }

    /// Where the relocations are in the file, and how many bytes they take.
    fn relocations(&self) -> (usize, usize) {
        let place = self.place(self.word(self.dynamic(DT_RELA) + 8));
        (place, usize::try_from(self.word(self.dynamic(DT_RELASZ) + 8)).unwrap())
    }

    fn with(&self, change: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
        let mut bytes = self.bytes.clone();
        change(&mut bytes);
        self.write(&bytes)
    }

    fn set<const N: usize>(&self, at: usize, bytes: [u8; N]) -> PathBuf {
        self.with(|file| file[at..at + N].copy_from_slice(&bytes))
    }

    fn write(&self, bytes: &[u8]) -> PathBuf {
        let path = self.path("spoilt");
        fs::write(&path, bytes).unwrap();
        path
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// What `verify` says of a file, which has to be one error.
fn refused(what: &Path, options: &[&str]) -> String {
    let program = program();
    let output = Command::new("timeout")
        .args(["60", "prlimit", MEMORY])
        .arg(program.get_program())
        .arg("verify")
        .arg(what)
        .args(options)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let code = output.status.code();
    let one = said.starts_with("error: ") && said.matches("error: ").count() == 1;
    if matches!(code, Some(1 | 2)) && one && !said.contains("panicked") {
        return said;
    }
    format!("no refusal: {code:?} {said}\n")
}

type Spoil<'a> = &'a dyn Fn(&Victim) -> PathBuf;

/// What is wrong, how the file comes to it, and what is said.
const FILES: &[(&str, Spoil, &str)] = &[
    ("nothing at all", &|v| v.write(b""), "is empty"),
    ("a script", &|v| v.write(b"#!/bin/sh\nexec qemu\n"), "neither an RPM nor an ELF file"),
    ("an archive", &|v| v.write(b"\x1f\x8b\x08\0\0\0\0\0"), "neither an RPM nor an ELF file"),
    ("a folder", &|v| v.folder.path().to_owned(), "is not a file"),
    ("no file", &|v| v.path("missing"), "No such file"),
    ("a device without an end", &|_| PathBuf::from("/dev/zero"), "is not a file"),
    ("a pipe that nobody writes to", &pipe, "is not a file"),
    ("4 GiB of holes", &|v| sparse(v, b""), "4294967296 bytes"),
    ("4 GiB of holes behind a magic number", &|v| sparse(v, b"\x7fELF"), "4294967296 bytes"),
    ("4 GiB of holes behind an RPM's lead", &|v| sparse(v, b"\xed\xab\xee\xdb\x03"), "not sound"),
    ("a magic number alone", &|v| v.write(b"\x7fELF"), "truncated inside its header"),
    ("half a header", &|v| v.with(|f| f.truncate(40)), "truncated inside its header"),
    ("half its program headers", &|v| v.with(|f| f.truncate(100)), "truncated"),
    ("half a file", &|v| v.with(|f| f.truncate(f.len() / 2)), "truncated"),
    ("all but its last byte", &|v| v.with(|f| f.truncate(f.len() - 1)), "truncated"),
    ("32 bits", &|v| v.set(4, [1]), "is not 64-bit (class 1)"),
    ("no class", &|v| v.set(4, [9]), "is not 64-bit (class 9)"),
    ("big-endian", &|v| v.set(5, [2]), "is not little-endian"),
    ("another machine", &|v| v.set(18, 243_u16.to_le_bytes()), "machine `RISCV`"),
    ("an object file", &|v| v.set(16, [1, 0]), "type `REL`"),
    ("a core dump", &|v| v.set(16, [4, 0]), "type `CORE`"),
    ("no program headers", &|v| v.set(56, [0, 0]), "has no program headers"),
    ("65,535 program headers", &|v| v.set(56, [0xff; 2]), "65535 program headers"),
    ("program headers far away", &|v| v.set(32, [0xff; 8]), "truncated inside its program headers"),
    ("section headers far away", &|v| v.set(40, [0xff; 8]), "its section headers end past"),
    ("section headers that are many", &|v| v.set(60, [0xff; 2]), "its section headers end past"),
    ("a segment past the end", &|v| v.set(v.header(PT_LOAD) + 32, [0x7f; 8]), "segment"),
    ("a segment of no memory", &|v| v.set(v.header(PT_LOAD) + 40, [0; 8]), "segment"),
    ("a segment that wraps around", &|v| v.set(v.header(PT_LOAD) + 40, [0xff; 8]), "segment"),
    ("segments over each other", &overlapping, "segments overlap"),
    ("no dynamic section", &|v| v.set(v.header(PT_DYNAMIC), [0; 4]), "has no QOM types"),
    (
        "a dynamic section outside",
        &|v| v.set(v.header(PT_DYNAMIC) + 16, [0xee; 8]),
        "dynamic section lies outside",
    ),
    (
        "relocations outside",
        &|v| v.set(v.dynamic(DT_RELA) + 8, [0xee; 8]),
        "relocations lie outside",
    ),
    (
        "relocations that are too many",
        &|v| v.set(v.dynamic(DT_RELASZ) + 8, [0xee; 8]),
        "relocations lie outside",
    ),
    ("a word that is relocated twice", &relocated_twice, "twice"),
    (
        "packed relocations without a size",
        &|v| v.set(v.dynamic(DT_RELACOUNT), DT_RELR.to_le_bytes()),
        "a table without a size",
    ),
    ("a second dynamic section", &two_of_them, "2 program headers `PT_DYNAMIC`"),
    ("symbols without a program", &symbols, "holds symbols for a debugger"),
    ("no unwind table", &|v| v.set(v.header(PT_GNU_EH_FRAME), [0; 4]), "no unwind table"),
    (
        "an unwind table of unknown form",
        &|v| v.set(v.place(v.word(v.header(PT_GNU_EH_FRAME) + 16)) + 3, [0xff]),
        "unwind table has an unknown form",
    ),
    (
        "an unwind table that lies of its length",
        &|v| v.set(v.place(v.word(v.header(PT_GNU_EH_FRAME) + 16)) + 8, [0xff; 4]),
        "unwind table is truncated",
    ),
];

fn pipe(victim: &Victim) -> PathBuf {
    let path = victim.path("pipe");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

fn sparse(victim: &Victim, head: &[u8]) -> PathBuf {
    let path = victim.write(head);
    File::options().write(true).open(&path).unwrap().set_len(4 << 30).unwrap();
    path
}

/// The second segment begins where the first one does.
fn overlapping(victim: &Victim) -> PathBuf {
    let first = victim.header(PT_LOAD);
    victim.set(first + 56 + 16, victim.word(first + 16).to_le_bytes())
}

/// The loader takes the last of several, and the kernel the first.
fn two_of_them(victim: &Victim) -> PathBuf {
    victim.set(victim.header(PT_GNU_EH_FRAME), PT_DYNAMIC.to_le_bytes())
}

fn symbols(victim: &Victim) -> PathBuf {
    let (whole, path) = (victim.write(&victim.bytes), victim.path("symbols"));
    let strip = ["--only-keep-debug", "-o"];
    ends_with(0, Command::new("strip").args(strip).arg(&path).arg(whole));
    path
}

fn relocated_twice(victim: &Victim) -> PathBuf {
    let (place, _) = victim.relocations();
    victim.set(place + 24, victim.word(place).to_le_bytes())
}

#[test]
fn a_broken_file_gives_one_clear_error() {
    let victim = Victim::new(&["-DQEMU=72"]);
    let wrong: Vec<String> = FILES
        .iter()
        .filter_map(|(what, spoil, expected)| {
            let said = refused(&spoil(&victim), &["--device", "vgpu-stub"]);
            (!said.contains(expected)).then(|| format!("{what}: no `{expected}` in {said}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join(""));
}

#[test]
fn a_binary_without_what_is_asked_for_says_what_it_has() {
    let victim = Victim::new(&["-DQEMU=72"]);
    let binary = victim.write(&victim.bytes);
    let mixed = Victim::new(&["-DQEMU=52", "-DMIXED"]);
    let mixed = mixed.write(&mixed.bytes);
    let ours = ["--device", "vgpu-stub"];
    let asked: &[(&Path, &[&str], &str)] = &[
        (&binary, &["--device", "vgpu-stab"], "no QOM type `vgpu-stab` among its"),
        (&binary, &["--device", "vgpu-stab"], "the nearest is `vgpu-stub`"),
        (Path::new("/bin/true"), &ours, "no QOM type"),
        (
            &binary,
            &[ours.as_slice(), &["--parent", "device"]].concat(),
            "derives from `pci-device`",
        ),
        (&binary, &[ours.as_slice(), &["--property", "colour=str"]].concat(), "`colour=<str>`"),
        (&binary, &[ours.as_slice(), &["--property", "vm_id=uint32"]].concat(), "`pool_id=<str>`"),
        (&binary, &[ours.as_slice(), &["--property", "pool_id"]].concat(), "is not NAME=KIND"),
        (&binary, &["--device", "twice"], "more than once, and differently"),
        (&binary, &["--device", "choosy"], "names two property tables"),
        (&binary, &["--device", "orphan"], "derives from `nobody`"),
        (&binary, &["--device", "VGPU"], "is not a QOM type name"),
        (&binary, &["--device", "device", "--parent", "object"], "is abstract"),
        (&binary, &["--target", "el7"], "`--target` is asked of packages"),
        (&binary, &["--against", "/bin/true", "--only-adds", "A b"], "is not a QOM type name"),
    ];
    for (what, options, expected) in asked {
        let said = refused(what, options);
        assert!(said.contains(expected), "{options:?}: `{expected}` is not in: {said}");
    }
    let said = refused(&mixed, &ours);
    assert_snapshot!(stable(&said), @"error: `FOLDER/spoilt`: the layout of `TypeInfo` is ambiguous: 1 types have that of QEMU 4.2, 6 that of QEMU 5.2");
}

/// Strings without an end and names that lead back to themselves make fewer types, and no trouble.
#[test]
fn names_that_lead_nowhere_are_no_types() {
    let victim = Victim::new(&["-DQEMU=72"]);
    let (place, size) = victim.relocations();
    for target in [0, victim.word(place), u64::MAX, 1 << 40] {
        let spoilt = victim.with(|file| {
            for entry in (place..place + size).step_by(24) {
                file[entry + 16..entry + 24].copy_from_slice(&target.to_le_bytes());
            }
        });
        refused(&spoilt, &["--device", "vgpu-stub"]);
    }
}

/// What a file calls itself may be meant for the terminal of whoever looks at it.
#[test]
fn no_name_reaches_a_terminal_raw() {
    let victim = Victim::new(&["-DQEMU=72", "-Wl,-rpath,/\u{1b}[2Jhidden"]);
    let binary = victim.write(&victim.bytes);
    let said = ends_with(0, program().arg("verify").arg(&binary)).stdout;
    let said = String::from_utf8(said).unwrap();
    assert!(said.contains(r"/\u{1b}[2Jhidden") && !said.contains('\u{1b}'), "{said}");
}

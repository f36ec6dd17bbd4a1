// SPDX-License-Identifier: GPL-2.0-or-later
//! The reader against real compiler and linker output, and against damage.
//!
//! `fixtures/qemu.c` is compiled in each shape that QEMU has had and each form of ELF that
//! is read; gcc, ld and lld write the rest.

mod code;
mod damage;
mod families;
mod loader;
mod sections;
mod types;

use super::{Census, Property, Qom, QomType};
use std::process::Command;
use std::sync::LazyLock;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/qemu.c");

/// The shapes of 4.2, 5.2, 7.2 and 10.0, as the fixture knows them.
const SHAPES: [u32; 4] = [42, 52, 72, 100];

/// A compiler and what it is told for each form of ELF.
const FORMS: [(&str, &[&str]); 5] = [
    ("cc", &["-fPIE", "-pie"]),
    ("cc", &["-fPIE", "-pie", "-fuse-ld=lld", "-Wl,--pack-dyn-relocs=relr"]),
    ("cc", &["-fno-pie", "-no-pie"]),
    ("aarch64-linux-gnu-gcc", &["-fPIE", "-pie", "-DARM"]),
    ("aarch64-linux-gnu-gcc", &["-fno-pie", "-no-pie", "-DARM"]),
];
const PLAIN: (&str, &[&str]) = FORMS[0];
const ARM: (&str, &[&str]) = FORMS[3];

static OLD: LazyLock<Vec<u8>> = LazyLock::new(|| compile(PLAIN, 42, "-O2"));

fn compile((compiler, form): (&str, &[&str]), shape: u32, flag: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("qemu");
    let shape = format!("-DQEMU={shape}");
    let rest = ["-s", flag, &shape, FIXTURE, "-o", binary.to_str().unwrap()];
    run(compiler, &[form, &rest].concat());
    std::fs::read(&binary).unwrap()
}

fn property(name: &str, kind: &str) -> Property {
    Property { name: name.to_owned(), kind: Some(kind.to_owned()) }
}

fn names(found: &QomType) -> Vec<&str> {
    found.properties.iter().flatten().map(|property| property.name.as_str()).collect()
}

/// Runs a tool, which has to end well, and returns what it printed.
#[allow(clippy::disallowed_methods, reason = "tests ask compilers and disassemblers")]
pub fn run(tool: &str, arguments: &[&str]) -> String {
    let output = Command::new(tool).args(arguments).output().unwrap();
    assert!(output.status.success(), "{tool}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn find_type(file: &[u8], name: &str) -> Result<Option<QomType>, Box<dyn std::error::Error>> {
    Ok(Census::read(file)?.find(name)?)
}

fn report(file: &[u8]) -> Qom {
    Census::read(file).unwrap().report()
}

fn error(file: &[u8], name: &str) -> String {
    find_type(file, name).unwrap_err().to_string()
}

fn word(file: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(*file[at..].first_chunk().unwrap())
}

/// Where the program header of this kind stands.
fn program_header(file: &[u8], kind: u32) -> usize {
    let first = usize::try_from(word(file, 0x20)).unwrap();
    (first..).step_by(56).find(|&at| file[at..].starts_with(&kind.to_le_bytes())).unwrap()
}

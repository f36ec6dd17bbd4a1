// SPDX-License-Identifier: GPL-2.0-or-later
//! What somebody could hand to `verify` instead of a sound package: one clear error each, in bounded
//! time and memory, and no panic.

use super::builder::{Bytes, FILE, Recipe, build, plain};
use crate::support::{program, scratch, stable, within};
use insta::assert_snapshot;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// The most address space that `verify` may ask for, in KiB.
const MEMORY: u32 = 512 << 10;
const TIME: Duration = Duration::from_secs(10);

/// Runs `verify` on a file; it has to end with an error or a broken rule. Returns all that it said.
fn refused(path: &Path) -> String {
    let verify = program();
    let mut bounded = Command::new("sh");
    bounded.args(["-c", &format!("ulimit -v {MEMORY} && exec \"$@\""), "sh"]);
    bounded.arg(verify.get_program()).arg("verify").arg(path).env("NO_COLOR", "1");
    let started = Instant::now();
    let output = bounded.output().unwrap();
    let (out, error) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let code = output.status.code();
    assert!(matches!(code, Some(1 | 2)), "{:?}: {out}{error}", output.status);
    assert_eq!(error.matches("error: ").count(), 1, "{error}");
    assert!(!error.contains("panicked"), "{error}");
    assert!(started.elapsed() < within(TIME), "{:?}: {error}", started.elapsed());
    out + &error
}

/// What is said of an edit, and the edit.
type Edit<'a> = (&'a str, &'a dyn Fn(&mut Bytes));

/// Each edit of a package, and what has to be said of it.
fn each(edits: &[Edit]) {
    let folder = scratch();
    let whole = plain(folder.path());
    let mut wrong = Vec::new();
    for (expected, edit) in edits {
        let mut bytes = whole.clone();
        edit(&mut bytes);
        let said = refused(&bytes.write(folder.path()));
        if !said.contains(expected) {
            wrong.push(format!("expected: {expected}\n    said: {said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where the payload's entry of the one file begins.
fn first_entry(bytes: &Bytes) -> usize {
    bytes.payload()
}

#[test]
fn what_is_no_package_is_refused() {
    let folder = scratch();
    let file = folder.path().join("file");
    fs::write(&file, [0xed, 0xab, 0xee, 0xdb]).unwrap();
    assert!(refused(&file).contains("it is not an RPM package"));
    fs::write(&file, [[0xed, 0xab, 0xee, 0xdb, 9].as_slice(), &[0; 200]].concat()).unwrap();
    assert!(refused(&file).contains("its lead says 9"));
    refused(folder.path());
    // 4 GiB of nothing, which take no room on the disk.
    File::create(&file).unwrap().set_len(4 << 30).unwrap();
    assert!(refused(&file).contains("more than any QEMU"));
}

#[test]
fn a_package_that_was_cut_short_is_refused_wherever_it_was_cut() {
    let folder = scratch();
    let whole = plain(folder.path());
    let ends = (0..whole.payload()).step_by(173).chain(whole.payload() - 2..whole.0.len());
    for end in ends.chain(whole.0.len() - 3..whole.0.len()) {
        if end.is_multiple_of(7) || end < whole.payload() {
            refused(&Bytes(whole.0[..end].to_vec()).write(folder.path()));
        }
    }
}

#[test]
fn lying_headers_are_refused() {
    each(&[
        ("at most 1024 are read", &|it| it.set_word(it.signature().start + 8, u32::MAX)),
        ("at most 1048576 are read", &|it| it.set_word(it.signature().start + 12, u32::MAX)),
        ("at most 65535 are read", &|it| it.set_word(it.header().start + 8, 1 << 30)),
        ("at most 16777215 are read", &|it| it.set_word(it.header().start + 12, u32::MAX)),
        ("it has 0 tags", &|it| it.set_word(it.header().start + 8, 0)),
        ("its header is not sound", &|it| it.set_word(it.header().start, 0)),
        ("out of bounds", &|it| {
            let header = it.header();
            let names = it.entry(&header, 1117);
            it.set_word(names + 12, u32::MAX);
        }),
        ("out of bounds", &|it| {
            let header = it.header();
            let modes = it.entry(&header, 1030);
            it.set_word(modes + 8, u32::MAX - 1);
        }),
        ("does not fit its list of folders", &|it| {
            let at = it.value(&it.header(), 1116);
            it.set_word(at, u32::MAX);
            it.fix();
        }),
        ("are not of one length", &|it| {
            let header = it.header();
            it.hide(&header, 1030, 1999).fix();
        }),
        ("is not of its kind", &|it| {
            let header = it.header();
            let sizes = it.entry(&header, 1028);
            it.set_word(sizes + 4, 6);
            it.fix();
        }),
        ("its region does not span it", &|it| {
            let header = it.header();
            let region = it.entry(&header, 63);
            it.set_word(region, 62);
        }),
        ("the SHA-256 of its header is not what it says", &|it| {
            let at = it.value(&it.header(), 1006);
            it.set_word(at, 0);
        }),
        ("its header lists `/usr/share/../et/file`", &|it| {
            let header = it.header().start;
            it.replace(header, b"/usr/share/ruled/\0", b"/usr/share/../et/\0");
        }),
    ]);
}

/// Strings that share their bytes would be counted for ever.
#[test]
fn a_header_of_overlapping_values_costs_no_time() {
    let folder = scratch();
    let (tags, data) = (0xfff0_u32, 0x00ff_0000_u32);
    let whole = plain(folder.path());
    let mut bytes = whole.0[..whole.header().start].to_vec();
    bytes.extend([0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0]);
    bytes.extend([tags.to_be_bytes(), data.to_be_bytes()].concat());
    let entry = [1117_u32, 8, 0, data].map(u32::to_be_bytes).concat();
    bytes.extend(entry.repeat(tags as usize));
    bytes.resize(bytes.len() + data as usize, 0);
    assert!(refused(&Bytes(bytes).write(folder.path())).contains("its values overlap"));
}

#[test]
fn lying_payloads_are_refused() {
    each(&[
        ("is not a cpio archive", &|it| {
            let at = first_entry(it);
            it.replace(at, b"070701", b"070707").fix();
        }),
        ("a number in its payload is not one", &|it| {
            let at = first_entry(it) + 6;
            it.0[at] = b'+';
            it.fix();
        }),
        ("has a name of 0 bytes", &|it| {
            let at = first_entry(it) + 6 + 8 * 11;
            it.0[at..at + 8].copy_from_slice(b"00000000");
            it.fix();
        }),
        ("has a name of 4294967295 bytes", &|it| {
            let at = first_entry(it) + 6 + 8 * 11;
            it.0[at..at + 8].copy_from_slice(b"ffffffff");
            it.fix();
        }),
        ("unpacks to more than the 50 bytes", &|it| {
            let at = first_entry(it) + 6 + 8 * 6;
            it.0[at..at + 8].copy_from_slice(b"ffffffff");
            it.fix();
        }),
        ("its payload has 51 bytes of `/usr/share/ruled/file`, and its header 50", &|it| {
            let at = first_entry(it) + 6 + 8 * 6;
            it.0[at..at + 8].copy_from_slice(b"00000033");
            it.fix();
        }),
        ("with the mode 120777, its header 100644", &|it| {
            let at = first_entry(it) + 6 + 8;
            it.0[at..at + 8].copy_from_slice(b"0000a1ff");
            it.fix();
        }),
        ("which its header does not list", &|it| {
            let (at, path) = (first_entry(it), format!(".{FILE}"));
            it.replace(at, path.as_bytes(), b"/../../../../etc/shado").fix();
        }),
        ("its payload lacks `/usr/share/ruled/file`", &|it| {
            let (at, path) = (first_entry(it), format!(".{FILE}"));
            it.replace(at, path.as_bytes(), b"TRAILER!!!\0\0\0\0\0\0\0\0\0\0\0\0");
            let length = at + 6 + 8 * 11;
            it.0[length..length + 8].copy_from_slice(b"0000000b");
            it.fix();
        }),
        ("its payload ends before its trailer", &|it| {
            let end = it.0.len() - 124;
            it.0.truncate(end);
            it.fix();
        }),
        ("its payload goes on behind its trailer", &|it| {
            it.0.extend([1; 64]);
            it.fix();
        }),
        ("has `/usr/share/ruled/file`, twice", &|it| {
            let at = first_entry(it);
            let entry = it.0[at..at + 188].to_vec();
            it.0.splice(at..at, entry);
            it.fix();
        }),
        ("something was added to it", &|it| it.0.extend([0; 8])),
        ("a file 7, and there is none", &|it| {
            *it = it.with_payload(b"07070X00000007\0\0");
            it.fix();
        }),
    ]);
}

/// A payload of a compressor, in the place of the one that there was.
fn packed(folder: &Path, define: &str, payload: &[u8]) -> String {
    let file = build(folder, &Recipe { define: &[define], ..Recipe::default() });
    let mut bytes = Bytes(fs::read(file).unwrap()).with_payload(payload);
    bytes.fix();
    refused(&bytes.write(folder))
}

#[test]
fn bombs_and_damaged_streams_cost_no_memory() {
    let folder = scratch();
    let folder = folder.path();
    // An entry that is as large as it says, and goes on for ever.
    let mut entry = b"070701".to_vec();
    for field in ["0", "81a4", "0", "0", "1", "0", "7fffffff", "0", "0", "0", "0", "17", "0"] {
        entry.extend(format!("{field:0>8}").bytes());
    }
    entry.extend(format!(".{FILE}\0").bytes());
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.write_all(&entry).unwrap();
    let zeroes = vec![0; 1 << 20];
    for _ in 0..2048 {
        encoder.write_all(&zeroes).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 1 << 20);
    let zstd = "_binary_payload w3.zstdio";
    assert!(packed(folder, zstd, &bomb).contains("unpacks to more than the 50 bytes"));
    let whole = zstd::encode_all([entry.as_slice(), &zeroes].concat().as_slice(), 1).unwrap();
    packed(folder, zstd, &whole[..whole.len() / 2]);
    assert!(packed(folder, zstd, b"no zstd").contains("its payload"));
    assert!(packed(folder, "_binary_payload w2.xzdio", b"\xfd7zXZ\0no xz").contains("its payload"));
    assert!(packed(folder, "_binary_payload w1.gzdio", b"\x1f\x8bno gzip").contains("its payload"));
    packed(folder, "_binary_payload w1.gzdio", b"");
    // `--lzma1=dict=1536MiB` in the classic header: properties, dictionary, unknown length.
    let lzma = [&[0x5d, 0, 0, 0, 0x60][..], &[0xff; 8], &[0; 16]].concat();
    assert!(packed(folder, "_binary_payload w2.lzdio", &lzma).contains("its payload"));
}

#[test]
fn an_unknown_compressor_is_named() {
    let folder = scratch();
    let recipe = Recipe { define: &["_binary_payload w3.zstdio"], ..Recipe::default() };
    let mut bytes = Bytes(fs::read(build(folder.path(), &recipe)).unwrap());
    let header = bytes.header().start;
    bytes.replace(header, b"\0zstd\0", b"\0zstz\0").fix();
    let said = refused(&bytes.write(folder.path()));
    assert_snapshot!(stable(&said), @"
    error: package `edited.rpm`: its payload is compressed with `zstz`, which cannot be unpacked here
    help: build it with xz, gzip or zstd (`_binary_payload`)
    ");
}

#[test]
fn files_behind_links_and_links_to_themselves_are_refused() {
    let folder = scratch();
    let install = "mkdir -p %{buildroot}/usr/lib/there\ncp $file %{buildroot}/usr/lib/there/file\n\
                   ln -s /etc %{buildroot}/usr/lib/thele\nln -s /usr/lib/self %{buildroot}/usr/lib/self";
    let recipe = Recipe {
        install,
        files: "/usr/lib/there/file\n/usr/lib/thele\n/usr/lib/self",
        ..Recipe::default()
    };
    let mut bytes = Bytes(fs::read(build(folder.path(), &recipe)).unwrap());
    let header = bytes.header().start;
    bytes.replace(header, b"\0/usr/lib/there/\0", b"\0/usr/lib/thele/\0").fix();
    let said = refused(&bytes.write(folder.path()));
    assert_snapshot!(stable(&said), @"
    error: `FOLDER/edited.rpm` breaks rules
    ");
}

/// A sound package with gigabytes of nothing behind it, with and without a word about its size.
#[test]
fn a_sparse_tail_is_not_read() {
    let folder = scratch();
    let mut bytes = plain(folder.path());
    let grown = |bytes: &Bytes, size: u64| {
        let path = bytes.write(folder.path());
        File::options().append(true).open(&path).unwrap().set_len(size).unwrap();
        path
    };
    assert!(refused(&grown(&bytes, 4 << 30)).contains("something was added to it"));
    let signature = bytes.signature();
    bytes.hide(&signature, 1000, 1012);
    assert!(refused(&grown(&bytes, 5 << 30)).contains("4294967296 are the most"));
}

/// Small packages that unpack to much, or say so: told at once, before anything is unpacked.
#[test]
fn a_package_that_unpacks_to_far_more_than_it_takes_is_refused_at_once() {
    let folder = scratch();
    for (payload, path) in [
        ("w6.gzdio", "/usr/share/ruled/zeroes"),
        ("w2.xzdio", "/usr/share/ruled/zeroes"),
        ("w3.zstdio", "/usr/share/ruled/zeroes"),
    ] {
        let install = format!("truncate -s 300M %{{buildroot}}{path}");
        let define = format!("_binary_payload {payload}");
        let recipe =
            Recipe { install: &install, files: path, define: &[&define], ..Recipe::default() };
        let bomb = build(folder.path(), &recipe);
        let began = Instant::now();
        let said = refused(&bomb);
        assert!(said.contains("would unpack to 314572850, and "), "{said}");
        assert!(began.elapsed() < Duration::from_secs(1), "{payload}: {:?}", began.elapsed());
    }
    // One that lies about it is found out where it goes beyond what it says.
    each(&[("and 67108864 are the most", &|it| {
        let at = it.value(&it.header(), 1028);
        it.set_word(at, 0xf000_0000);
        it.fix();
    })]);
}

/// Every byte of both headers, one after the other.
#[test]
fn no_changed_byte_of_a_header_goes_unnoticed_or_makes_it_panic() {
    let folder = scratch();
    let whole = plain(folder.path());
    let header = whole.header();
    for at in (header.start..header.end).step_by(61) {
        let mut bytes = whole.clone();
        bytes.0[at] ^= 0x81;
        refused(&bytes.write(folder.path()));
    }
}

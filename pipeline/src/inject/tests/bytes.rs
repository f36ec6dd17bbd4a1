// SPDX-License-Identifier: GPL-2.0-or-later
//! Specs that are not UTF-8, and what rpm would not read.

use super::super::bytes::{decode, encode, readable};
use super::*;

fn edited_bytes(spec: &[u8], edits: &[Edit]) -> Vec<u8> {
    edit(spec, "qemu.spec", edits, &[device()], &BTreeMap::new()).unwrap().spec
}

fn refusal(spec: &[u8]) -> String {
    render(&edit(spec, "qemu.spec", &[], &[], &BTreeMap::new()).unwrap_err())
}

/// All bytes but NUL, in all the company that may change how they are read.
#[test]
fn every_byte_comes_out_as_it_went_in() {
    for first in 1..=255_u8 {
        for second in [b'a', b'\n', 0x80, 0xA9, 0xBF, 0xC3, 0xE2, 0xEE, 0xEF, 0xF0, 0xFF] {
            for third in [b' ', 0x80, 0xBC, 0xBE, 0xEF] {
                let spec = [b'#', first, second, third, first, b'\n'];
                assert_eq!(encode(&decode(&spec, "a").unwrap()), spec);
                assert_eq!(edited_bytes(&spec, &[]), spec);
            }
        }
    }
    let whole: Vec<u8> =
        (0..=0xFFFF_u32).filter_map(char::from_u32).skip(1).collect::<String>().into();
    assert_eq!(encode(&decode(&whole, "a").unwrap()), whole);
}

#[test]
fn latin_1_stays_as_it_is_around_every_edit() {
    let mut spec = b"# par Ren\xe9\n".to_vec();
    spec.extend(SPEC.replace("A device model", "Un mod\u{1}le").bytes());
    let spec: Vec<u8> = spec.into_iter().map(|byte| if byte == 1 { 0xe8 } else { byte }).collect();
    let spec =
        [&spec[..], b"* Tue Jan 06 2026 Andr\xe9 <a@example.org> - 1\n- no end of line: \xfc"]
            .concat();
    let new = edited_bytes(&spec, &all());
    let odd = |text: &[u8]| text.iter().filter(|byte| **byte >= 0x80).copied().collect::<Vec<u8>>();
    assert_eq!(odd(&new), odd(&spec));
    assert!(new.starts_with(b"# par Ren\xe9\n"));
    assert!(new.ends_with(b"Andr\xe9 <a@example.org> - 1\n- no end of line: \xfc"));
    // And again: what was edited once is satisfied.
    assert_eq!(edited_bytes(&new, &all()), new);
}

#[test]
fn other_encodings_are_bytes_too() {
    // KOI8-R, Shift-JIS with a byte that is a backslash, UTF-8 that was cut, a surrogate.
    for odd in [&b"\xf0\xd2"[..], b"\x83\x5cx", b"\xe2\x82", b"\xed\xa0\x80", b"\xef\xbc\x80"] {
        let spec = [b"Name: a\nSource0: a\nSummary: ", odd, b"\n%prep\n"].concat();
        let new = edited_bytes(&spec, &[add_source("x.c")]);
        assert_eq!(
            new,
            [b"Name: a\nSource0: a\nSource1: x.c\nSummary: ", odd, b"\n%prep\n"].concat()
        );
    }
}

#[test]
fn a_line_is_shown_escaped() {
    let spec = b"Source0: a\nPatch1: \xe9%{nope}\n%prep\n";
    let edits = [drop_patch("x.patch")];
    let problem = edit(spec, "qemu.spec", &edits, &[], &BTreeMap::new()).unwrap_err();
    let text = render(&problem);
    assert!(text.contains("\n     2: Patch1: \\xE9%{nope}\n"), "{text}");
    let text = decode(b"\x1b[2J\xe9\xe2\x80\xae\tx\r\n", "a").unwrap();
    assert_eq!(readable(&text), "\\u{1b}[2J\\xE9\\u{202e}\tx\r\n");
    assert_eq!(super::super::readable(b"caf\xe9"), "caf\\xE9");
}

#[test]
fn what_rpm_would_not_read_is_named() {
    let problem = refusal(b"\xef\xbb\xbfName: a\n");
    assert!(problem.contains("line 1 begins with a byte order mark"), "{problem}");
    let problem = refusal(b"Name: a\n# b\n\0\n");
    assert!(problem.contains("line 3 holds a NUL byte"), "{problem}");
    assert!(refusal(b"N\0a\0").contains("UTF-16"));
}

#[test]
fn a_character_that_stands_for_a_byte_is_refused_in_an_edit() {
    let problem = refused(SPEC, &[replace("make all", "make \u{ef41}")]);
    assert!(problem.contains("private use"), "{problem}");
}

// SPDX-License-Identifier: GPL-2.0-or-later
use super::*;
use crate::error::Rendered;

fn source(more: &str) -> GitSource {
    let text = format!(
        "{{ url: 'https://h/rpms/qemu.git', commit: {}, directory: '.', \
         lookaside: {{ url: 'https://l/pkgs/rpms/' {more} }} }}",
        "a1".repeat(20)
    );
    serde_yaml::from_str(&text).unwrap()
}

fn parsed(text: &str) -> Vec<Entry> {
    let (entries, odd) = parse(text).unwrap();
    assert!(odd.is_empty(), "{text}");
    entries
}

fn address(entry: &Entry, source: &GitSource) -> String {
    entry.address(source.lookaside.as_ref().unwrap(), source)
}

#[test]
fn each_form_of_a_line_is_read() {
    let (md5, sha1) = ("0a".repeat(16), "0b".repeat(20));
    let (sha256, sha512) = ("0c".repeat(32), "0d".repeat(64));
    let entries = parsed(&format!(
        "SHA512 (qemu-8.0.tar.xz) = {sha512}\nSHA256 (a b (1).tar) = {sha256}\n\n# a comment\n\
         MD5 (old.tgz) = {}\r\n{md5}  older+1.tgz\nSHA1 (m) = {sha1}\n",
        md5.to_uppercase()
    ));
    let seen: Vec<(&str, &str)> =
        entries.iter().map(|entry| (entry.file.as_str(), entry.kind.as_str())).collect();
    let expected = [
        ("qemu-8.0.tar.xz", "sha512"),
        ("a b (1).tar", "sha256"),
        ("old.tgz", "md5"),
        ("older+1.tgz", "md5"),
        ("m", "sha1"),
    ];
    assert_eq!(seen, expected);
    assert_eq!(entries[2].digest, md5);
    assert_eq!(parsed(""), []);
}

#[test]
fn a_line_that_is_none_is_named() {
    let sha512 = "0d".repeat(64);
    for (line, about) in [
        ("SHA512 (a) = 0d0d".to_owned(), "a"),
        ("BLAKE2B (x) = ab".to_owned(), "x"),
        (format!("SHA512 (../a) = {sha512}"), "../a"),
        (format!("SHA512 (a/b) = {sha512}"), "a/b"),
        (format!("SHA512 (..) = {sha512}"), ".."),
        (format!("SHA512 () = {sha512}"), ""),
        (format!("SHA512 (a\u{1b}b) = {sha512}"), "a\u{1b}b"),
        (format!("SHA3 (a (1)) = {sha512}"), "a (1)"),
        (format!("SHA512(a)={sha512}"), "a"),
        (format!("SHA512 (a) = {}", "0z".repeat(64)), "a"),
        (format!("{sha512}  a"), "a"),
        ("<html>".to_owned(), "<html>"),
        ("a".to_owned(), "a"),
    ] {
        // What is good beside it is read.
        let (entries, odd) = parse(&format!("\n{line}\nSHA512 (good) = {sha512}\n")).unwrap();
        assert_eq!((entries.len(), entries[0].file.as_str()), (1, "good"), "{line}");
        let [odd] = &odd[..] else { panic!("{line}") };
        assert_eq!(odd.name, about, "{line}");
        let why = &odd.why;
        assert!(why.message.starts_with("line 2 is no `SHA512 (FILE) = DIGEST`"), "{line}: {why}");
        assert!(!why.message.contains('\u{1b}'), "{why}");
    }
    let twice = format!("SHA512 (a) = {sha512}\n{}  a\n", "0a".repeat(16));
    assert_eq!(parse(&twice).unwrap_err().rendered(), "line 2 names `a` once more");
    let many = (0..=MOST_FILES).fold(String::new(), |mut all, number| {
        let _ = writeln!(all, "SHA512 ({number}) = {sha512}");
        all
    });
    assert!(parse(&many).unwrap_err().rendered().contains("more than 1000 files"));
}

#[test]
fn a_file_has_its_place_in_the_cache() {
    let digest = "0d".repeat(64);
    let entry = parsed(&format!("SHA512 (a b+1~#.tgz) = {digest}")).remove(0);
    assert_eq!(
        address(&entry, &source("")),
        format!("https://l/pkgs/rpms/qemu/a%20b%2B1~%23.tgz/sha512/{digest}/a%20b%2B1~%23.tgz")
    );
    assert!(address(&entry, &source(", package: qemu-kvm")).contains("/rpms/qemu-kvm/a%20b"));
}

#[test]
fn what_proves_nothing_wants_a_pin() {
    let entry = parsed(&format!("{}  a.tgz", "0a".repeat(16))).remove(0);
    let unpinned = source("");
    assert!(entry.proof(unpinned.lookaside.as_ref().unwrap()).is_none());
    let why = entry.unproved(&unpinned).why;
    assert!(why.message.contains("names `a.tgz` by md5 alone, which proves nothing"), "{why}");
    assert!(why.to_string().contains("pins: [{ name: a.tgz, sha256: … }]"), "{why}");
    let pinned = source(&format!(", pins: [{{ name: a.tgz, sha256: {} }}]", "0c".repeat(32)));
    let proof = entry.proof(pinned.lookaside.as_ref().unwrap()).unwrap();
    assert_eq!(proof.pin().place(), format!("sha256/{}", "0c".repeat(32)));
}

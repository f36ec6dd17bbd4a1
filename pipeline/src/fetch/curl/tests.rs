// SPDX-License-Identifier: GPL-2.0-or-later
use super::*;
use crate::error::Rendered;

#[test]
fn a_redirection_does_not_leave_https_or_the_web() {
    for (from, to) in [
        ("https://h/a", "https://other/b"),
        ("http://h/a", "https://h/a"),
        ("http://h/a", "http://other/b"),
    ] {
        follow(from, to).unwrap();
    }
    for (from, to, expected) in [
        ("https://h/a", "http://h/a?sig=CANARY", "from https to `http://h/a`"),
        ("HTTPS://h/a", "HTTP://h/a", "from https"),
        ("http://h/a", "file:///etc/passwd", "no URL of http"),
        ("http://h/a", "ftp://h/a", "no URL of http"),
        ("http://h/a", "http://h\\@other/", "no URL of http"),
    ] {
        let error = follow(from, to).unwrap_err().rendered();
        assert!(error.contains(expected) && !error.contains("CANARY"), "{error}");
    }
}

#[test]
fn no_attempt_goes_on_for_days() {
    assert_eq!(RetryPolicy::Patient.limit(4 << 30), Duration::from_secs(LONGEST));
    assert_eq!(RetryPolicy::Once.limit(4 << 30), Duration::from_secs(LONGEST_OF_A_MIRROR));
    assert_eq!(RetryPolicy::Once.limit(10_000_000), Duration::from_secs(160));
}

#[test]
fn a_token_is_no_part_of_a_question() {
    let lines = "Accept: a\nX-Token: t\nContent-Type: b\nAuthorization: c\n";
    assert_eq!(kept_headers(lines), ["Accept: a", "Content-Type: b"]);
}

#[test]
fn what_came_is_put_where_it_belongs() {
    let folder = tempfile::tempdir().unwrap();
    let (part, to) = (folder.path().join("part"), folder.path().join("to"));
    let come = |status: u16, bytes: &str| {
        fs::write(&part, bytes).unwrap();
        let answer = Answer { status, redirect: String::new() };
        take(&answer, &part, &to).unwrap();
        fs::read_to_string(&to).unwrap_or_default()
    };
    assert_eq!(come(302, "moved"), "");
    assert_eq!(come(200, "ab"), "ab");
    assert_eq!(come(302, "moved"), "ab");
    assert_eq!(come(206, "cd"), "abcd");
    assert_eq!(come(200, "ef"), "ef");
}

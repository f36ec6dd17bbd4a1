// SPDX-License-Identifier: GPL-2.0-or-later
use super::*;

const KEY: &str =
    "-----BEGIN PGP PRIVATE KEY BLOCK----- lQCANARY= -----END PGP PRIVATE KEY BLOCK-----";

#[test]
fn a_piece_is_short_and_a_terminal_obeys_none_of_it() {
    assert_eq!(excerpt("plain"), "plain");
    assert_eq!(excerpt("a\u{1b}[2J\nb\u{9b}\u{202e}"), "a\\u{1b}[2J\\nb\\u{9b}\\u{202e}");
    let long = excerpt(&"x".repeat(1 << 20));
    assert!(long.len() < 200 && long.ends_with("(1048416 more characters)"), "{long}");
    assert_eq!(excerpt("get https://me:pw@host/a"), "get https://***@host/a");
}

#[test]
fn a_message_keeps_its_lines_and_bounds_each() {
    let text = message(&format!("a: {}\n  | b\u{200b}\nhelp: c", "y".repeat(9000)));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].chars().count() == LONGEST_LINE + 1 && lines[0].ends_with('…'));
    assert_eq!(lines[1..], ["  | b\\u{200b}", "help: c"]);
}

#[test]
fn json_stays_json() {
    let value = serde_json::json!({ "name": "a\u{9b}b\u{202e}c\u{e0041}" });
    let line = json(&value.to_string());
    assert_eq!(line, r#"{"name":"a\u009bb\u202ec\udb40\udc41"}"#);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), value);
}

#[test]
fn no_private_key_is_shown_whatever_became_of_its_lines() {
    let of = |key: &str| format!("the key is a `{key}`, not one");
    for key in [
        KEY.to_owned(),
        KEY.replace(' ', "\n"),
        KEY.replace(' ', "\\n"),
        KEY.replace("PGP PRIVATE KEY BLOCK", "OPENSSH PRIVATE KEY"),
        KEY.replace(" -----END PGP PRIVATE KEY BLOCK-----", ""),
    ] {
        for text in [visible(&of(&key)), message(&of(&key)), json(&of(&key)), excerpt(&of(&key))] {
            assert!(!text.contains("CANARY"), "{text}");
            assert!(text.contains(HIDDEN), "{text}");
        }
    }
    let public = "-----BEGIN PGP PUBLIC KEY BLOCK-----\nabc\n";
    assert_eq!(visible(public), public);
}

#[test]
fn a_secret_is_known_by_its_look() {
    for (text, kind) in [
        (KEY, "a private key"),
        ("of the build server\n  -----BEGIN RSA PRIVATE KEY-----\nx\n", "a private key"),
        ("machine h login me password CANARY\n", "a .netrc"),
        ("machine\n h\n login\n me\n", "a .netrc"),
        ("default login me password CANARY\n", "a .netrc"),
        ("root:$y$j9T$CANARY$x:19000:0:99999:7:::\n", "a list of passwords"),
        ("https://me:CANARY@github.example\n", "a list of logins"),
        ("[default]\naws_secret_access_key = CANARY\n", "a file of credentials"),
        ("{\n  \"auths\": {}\n}\n", "a file of credentials"),
        ("ghp_CANARY\n", "an access token"),
        ("# key\nAGE-SECRET-KEY-1CANARY\n", "an access token"),
    ] {
        assert_eq!(secret(text.as_bytes()), Some(kind), "{text}");
    }
    for text in [
        "version: 1\nname: a\n",
        "/* the machine types that login and password do not know */\n",
        "  \"-----BEGIN RSA PRIVATE KEY-----\\n\"\n",
        "url: https://me:pw@host/a\n",
        "root:x:0:0:root:/root:/bin/sh\n",
        "# `-----BEGIN PGP PUBLIC KEY BLOCK-----`\n-----BEGIN PGP PUBLIC KEY BLOCK-----\n",
    ] {
        assert_eq!(secret(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn a_password_in_what_is_nearly_a_url_is_not_shown() {
    for text in [
        "me:CANARY@host/debian",
        "//me:CANARY@host/debian",
        "https:/me:CANARY@host/debian",
        "https:me:CANARY@host/debian",
        "htps://me:CANARY@host/debian",
        "https://CANARY@host/debian",
        "https://me:CAN/ARY@host/debian",
        "https://me:CAN ARY@host/debian",
        "me:CAN ARY@host/debian",
        "https://me:CAN@ARY@host/debian",
        "ssh://me:CANARY@host/debian",
        "me:CAN?ARY@host/debian",
        "https://host/debian?token=CANARY",
        "https://host/debian#CANARY",
        "host/debian?me:CANARY@x",
        "host/debian?token=CANARY",
        "https:/host/debian?token=CANARY",
    ] {
        let shown = value(text);
        for piece in ["CANARY", "CAN", "ARY"] {
            assert!(!shown.contains(piece), "{text}: {shown}");
        }
        assert!(shown.contains("***") && shown.len() < 60, "{text}: {shown}");
    }
    for plain in [
        "git@host:a/b",
        "host:8080/a",
        "docker.io/library/a:7@sha256:00",
        "Somebody <a@b.example>",
        "what is this?",
        "https://host:8080/a",
    ] {
        assert_eq!(value(plain), plain);
    }
}

#[test]
fn a_password_with_a_slash_is_one() {
    for (text, shown) in [
        (
            "see https://me:p/w@host/a and https://host/b@c",
            "see https://***@host/a and https://host/b@c",
        ),
        ("`https://me:p/w@h`", "`https://***@h`"),
        ("http://host:80/a@b", "http://host:80/a@b"),
        ("http://[::1]:80/a@b", "http://[::1]:80/a@b"),
        ("http://[::1]/a@b", "http://[::1]/a@b"),
    ] {
        assert_eq!(masked(text), shown);
    }
}

#[test]
fn a_key_that_is_no_text_is_known_too() {
    for (bytes, known) in [
        (&b"\x95\x03\x98\x04CANARY"[..], true),
        (b"\x94\x58\x04CANARY", true),
        (b"\xc5\x58\x06CANARY", true),
        (b"\xc5\xc1\x58\x04CANARY", true),
        (b"\xc5\xff\0\0\x01\x58\x04CANARY", true),
        (b"\x9d\x03\x98\x04CANARY", true),
        (b"\x30\x82\x04\xa4\x02\x01\0\x02\x82CANARY", true),
        (b"\x30\x82\x04\xa4\x02\x01\0\x30\x0dCANARY", true),
        (b"\x30\x77\x02\x01\x01\x04\x20CANARY", true),
        (b"\x30\x82\x04\xa4\x02\x01\x03\x30CANARY", true),
        // Public ones, and a text.
        (b"\x99\x01\x0d\x04abc", false),
        (b"\xc6\x33\x04abc", false),
        (b"\x30\x82\x04\xa4\x30\x82abc", false),
        ("Ångström".as_bytes(), false),
        (b"0", false),
        (b"", false),
        (b"\x95", false),
    ] {
        assert_eq!(secret(bytes).is_some(), known, "{bytes:?}");
    }
}

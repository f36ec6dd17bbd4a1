//! Text that somebody else wrote, on its way to a person: file names, scalars, tags of packages, what a
//! tool printed.
//!
//! A message holds at most a short piece of it, without what a terminal would obey or what would turn
//! the order of letters around, and never a secret. Nobody decides that where a message is made alone:
//! what leaves the program goes through [`visible`] or [`json`] once more.

use std::fmt::Write;

/// The most characters of one foreign text that a message holds.
const LONGEST: usize = 160;
/// The most characters of one line of a message: file names and lines of tools stand in it, too.
const LONGEST_LINE: usize = 2000;

const BEGIN: &str = "-----BEGIN";
const END: &str = "-----END";
/// Names of armoured blocks are shorter.
const LONGEST_NAME: usize = 80;
/// What stands where a secret stood.
const HIDDEN: &str = "[a private key, not shown]";
/// How tokens begin that open a door by themselves.
const TOKENS: &[&str] = &["AGE-SECRET-KEY-1", "github_pat_", "ghp_", "gho_", "ghs_", "glpat-"];

/// A short piece of a foreign text, for a message.
pub fn excerpt(text: &str) -> String {
    piece(text, LONGEST)
}

/// A piece of at most so many characters.
pub fn piece(text: &str, most: usize) -> String {
    // A key may be long, so what hides it looks at all of it.
    let whole = masked(&without_keys(text));
    let mut shown = String::new();
    let mut chars = whole.chars();
    for c in chars.by_ref().take(most) {
        if is_obeyed(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    let left = chars.count();
    if left > 0 {
        let _ = write!(shown, "… ({left} more characters)");
    }
    shown
}

/// A whole message, as a terminal may have it: its lines stay, and none of them is without an end.
pub fn message(text: &str) -> String {
    let lines: Vec<String> = visible(text).split('\n').map(cut).collect();
    lines.join("\n")
}

/// A text without what a terminal would obey, and without private keys.
pub fn visible(text: &str) -> String {
    let text = without_keys(text);
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_obeyed(c) && !['\n', '\t'].contains(&c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// A JSON text, which stays one: what a terminal would obey stands in strings alone, and JSON has an
/// escape for it (RFC 8259, 7).
pub fn json(text: &str) -> String {
    let text = without_keys(text);
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_obeyed(c) && c != '\n' {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Hides `user:password@` in the URLs of a text.
pub fn masked(text: &str) -> String {
    let mut parts = text.split("://");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let authority = part.find(['/', ' ']).unwrap_or(part.len());
        out.push_str("://");
        match part[..authority].rfind('@') {
            Some(at) => {
                out.push_str("***");
                out.push_str(&part[at..]);
            }
            None => out.push_str(part),
        }
    }
    out
}

/// What kind of secret a file looks like, if it does. Such a file is refused in the place of any other
/// input, before anybody would quote from it.
pub fn secret(bytes: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(bytes);
    let mut words = ["", "", ""];
    for line in text.lines() {
        let line = line.trim_start();
        if line.starts_with(BEGIN) && is_key(line) {
            return Some("a private key");
        }
        if TOKENS.iter().any(|token| line.starts_with(token)) {
            return Some("an access token");
        }
        if is_account(line) {
            return Some("a list of passwords");
        }
        if has_login(line) {
            return Some("a list of logins");
        }
        if line.starts_with("aws_secret_access_key") || line.starts_with("\"auths\"") {
            return Some("a file of credentials");
        }
        // The words of a .netrc may stand on one line or on several (curl, NETRC).
        for word in line.split_whitespace() {
            words = [words[1], words[2], word];
            match words {
                ["machine", _, "login" | "password"] | ["default", "login", _] => {
                    return Some("a .netrc");
                }
                _ => {}
            }
        }
    }
    None
}

/// A line of `/etc/shadow` (shadow(5)): an account, and a hash that names its method.
fn is_account(line: &str) -> bool {
    let fields: Vec<&str> = line.split(':').collect();
    let hash = fields.get(1).map_or("", |hash| hash.trim_start_matches('!'));
    fields.len() >= 8 && hash.starts_with('$') && hash.matches('$').count() >= 2
}

/// A line of `.git-credentials` (git-credential-store(1)): a URL with a password, and no more.
fn has_login(line: &str) -> bool {
    let Some((scheme, rest)) = line.split_once("://") else { return false };
    let authority = rest.split('/').next().unwrap_or_default();
    ["http", "https"].contains(&scheme)
        && authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
        && !line.contains(char::is_whitespace)
}

/// Whether a line that begins an armoured block begins one of a secret key, of whatever maker.
fn is_key(line: &str) -> bool {
    let name: String = line[BEGIN.len()..].chars().take(LONGEST_NAME).collect();
    let name = name.split("-----").next().unwrap_or_default();
    name.contains("PRIVATE") || name.contains("SECRET")
}

/// A text without the private keys in it, wherever they stand and however their lines end.
fn without_keys(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(BEGIN) {
        let (before, block) = rest.split_at(at);
        shown.push_str(before);
        if !is_key(block) {
            shown.push_str(BEGIN);
            rest = &block[BEGIN.len()..];
            continue;
        }
        shown.push_str(HIDDEN);
        // Without an end there is no telling where it stops.
        rest = block.find(END).map_or("", |end| {
            let end = &block[end + END.len()..];
            end.find("-----").map_or("", |close| &end[close + 5..])
        });
    }
    shown + rest
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(LONGEST_LINE) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

/// Characters that a terminal obeys, that change the direction of others, or that nobody sees.
fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
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
            for text in
                [visible(&of(&key)), message(&of(&key)), json(&of(&key)), excerpt(&of(&key))]
            {
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
}

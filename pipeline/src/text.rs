// SPDX-License-Identifier: GPL-2.0-or-later
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

/// A word of a command line, as a shell reads it.
pub fn word(arg: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !arg.is_empty() && arg.chars().all(plain) {
        arg.to_owned()
    } else {
        format!("'{}'", arg.replace('\'', r"'\''"))
    }
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

/// A value that somebody wrote, in a message that refuses it. In the place of a URL stands what is nearly
/// one, so that a password and a query, which may be a token, are looked for without a scheme too.
pub fn value(text: &str) -> String {
    // What an image's digest stands behind is no login.
    let login =
        text.rfind('@').filter(|at| text[..*at].contains(':') && !text[*at..].starts_with("@sha"));
    let (mut shown, rest) = match login {
        Some(at) => {
            let scheme = text[..at].split_once("://").map_or("", |(scheme, _)| scheme);
            let scheme = if scheme.is_empty() { "" } else { &text[..scheme.len() + 3] };
            (format!("{scheme}***"), &text[at..])
        }
        None => (String::new(), text),
    };
    let is_url = text.contains("://") || text.contains('@');
    match rest.find(['?', '#']).filter(|at| is_url || rest[*at..].contains('=')) {
        Some(at) => shown.extend([&rest[..=at], "***"]),
        None => shown.push_str(rest),
    }
    excerpt(&shown)
}

/// Hides `user:password@` in the URLs of a text.
pub fn masked(text: &str) -> String {
    let mut parts = text.split("://");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str("://");
        match login(part) {
            Some(at) => {
                out.push_str("***");
                out.push_str(&part[at..]);
            }
            None => out.push_str(part),
        }
    }
    out
}

/// Where the `@` is that ends the login of a URL, of which this stands behind the scheme. A password may have
/// a `/` in it, though none should: what no port looks like is the start of one.
fn login(rest: &str) -> Option<usize> {
    let ends = |c: char| c.is_whitespace() || ['"', '\'', '`', '<', '>'].contains(&c);
    let word = &rest[..rest.find(ends).unwrap_or(rest.len())];
    let authority = &word[..word.find('/').unwrap_or(word.len())];
    authority.rfind('@').or_else(|| {
        let (_, port) = authority.rsplit_once(':').filter(|(host, _)| !host.starts_with('['))?;
        if port.bytes().all(|c| c.is_ascii_digit()) { None } else { word.rfind('@') }
    })
}

/// What kind of secret a file looks like, if it does. Such a file is refused in the place of any other
/// input, before anybody would quote from it.
pub fn secret(bytes: &[u8]) -> Option<&'static str> {
    if is_key_packet(bytes) || is_key_der(bytes) {
        return Some("a private key");
    }
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
        if is_login(line) {
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

/// An OpenPGP message that begins with a secret key, or subkey, of whatever version (RFC 9580, 4.2 and 5.5).
fn is_key_packet(bytes: &[u8]) -> bool {
    let (kind, length) = match bytes {
        [first @ 0x80..=0xbf, ..] => ((first >> 2) & 15, [1, 2, 4, 0][usize::from(first & 3)]),
        [first @ 0xc0..=0xff, second, ..] => (
            first & 63,
            if *second < 192 {
                1
            } else if *second < 224 {
                2
            } else {
                5
            },
        ),
        _ => return false,
    };
    [5, 7].contains(&kind) && bytes.get(1 + length).is_some_and(|version| (2..=6).contains(version))
}

/// A private key in DER (RFC 5958, RFC 8017) or a store of keys (RFC 7292): a sequence whose first element
/// is a small number, its version.
fn is_key_der(bytes: &[u8]) -> bool {
    match bytes {
        [0x30, 0x82, _, _, rest @ ..] | [0x30, 0x81, _, rest @ ..] | [0x30, _, rest @ ..] => {
            matches!(rest, [2, 1, 0 | 1 | 3, 0x02 | 0x04 | 0x30, ..])
        }
        _ => false,
    }
}

/// A line of `/etc/shadow` (shadow(5)): an account, and a hash that names its method.
fn is_account(line: &str) -> bool {
    let fields: Vec<&str> = line.split(':').collect();
    let hash = fields.get(1).map_or("", |hash| hash.trim_start_matches('!'));
    fields.len() >= 8 && hash.starts_with('$') && hash.matches('$').count() >= 2
}

/// A line of `.git-credentials` (git-credential-store(1)): a URL with a password, and no more.
fn is_login(line: &str) -> bool {
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
mod tests;

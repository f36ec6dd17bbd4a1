// SPDX-License-Identifier: GPL-2.0-or-later
//! What an LFS server answers to a batch request (git-lfs, docs/api/batch.md).
//!
//! Servers differ in how they write nothing: `null`, an empty list, an empty object or no field at all.
//! Only what is asked of an answer is looked at, so a field that nobody needs may be anything. The
//! reasons here go on after the server's name.

use crate::config::Sha256;
use crate::error::Reason;
use crate::fetch::Origin;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The most of a server's own words that a message shows.
const LONGEST_WORDS: usize = 200;

/// Where an object is, and what to send along.
#[derive(Debug, PartialEq, Eq)]
pub struct Action {
    pub href: String,
    pub headers: BTreeMap<String, String>,
}

impl Action {
    pub fn read(answer: &[u8], oid: &Sha256) -> Result<Self, String> {
        let answer: Value = serde_json::from_slice(answer)
            .map_err(|error| format!("gives an answer that is no JSON: {error}"))?;
        for (field, ours) in [("transfer", "basic"), ("hash_algo", "sha256")] {
            let theirs = some(&answer, field).and_then(Value::as_str).unwrap_or(ours);
            if theirs != ours && !theirs.is_empty() {
                return Err(format!("answers with the {field} `{}` alone", words(theirs)));
            }
        }
        let objects = some(&answer, "objects").and_then(Value::as_array);
        let Some(objects) = objects else {
            let message = some(&answer, "message").and_then(Value::as_str);
            return Err(match message {
                Some(message) => format!("says: {}", words(message)),
                None => "gives an answer without objects".to_owned(),
            });
        };
        let is_asked = |object: &&Value| {
            let named = object.get("oid").and_then(Value::as_str);
            named.is_some_and(|named| named.eq_ignore_ascii_case(oid.as_str()))
        };
        let object = objects.iter().find(is_asked);
        let object = object.ok_or_else(|| format!("says nothing of the object {oid}"))?;
        if let Some(error) = some(object, "error") {
            let code = some(error, "code").map(ToString::to_string).unwrap_or_default();
            let text = some(error, "message").or(Some(error)).and_then(Value::as_str);
            let text = words(&format!("{code} {}", text.unwrap_or_default()));
            return Err(format!("says of the object {oid}: {}", text.trim()));
        }
        // Servers from before the API was released call them links.
        let actions = some(object, "actions").or_else(|| some(object, "_links"));
        let action = actions.and_then(|actions| some(actions, "download"));
        let action = action.ok_or_else(|| format!("offers no download of the object {oid}"))?;
        let href = some(action, "href").and_then(Value::as_str).unwrap_or_default();
        let scheme = href.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        if !matches!(scheme.as_deref(), Some("http" | "https")) {
            return Err(format!("leads to `{}`, which is no URL of http", words(href)));
        }
        Ok(Self { href: href.to_owned(), headers: headers(action)? })
    }

    /// Refuses to leave https for where anybody can listen: the object is pinned, and who asks for it,
    /// and with which token, is still nobody's business.
    pub fn refuse_in_clear(self, endpoint: &str) -> Result<Self, Reason> {
        let is_https = |url: &str| Origin::of(url).map(|origin| origin.is_https);
        if is_https(endpoint) != Some(false) && is_https(&self.href) != Some(true) {
            let why = "is asked over https and leads to http, where anybody can listen";
            return Err(
                Reason::new(why).help("`same-as` of the object, or a mirror, is another way to it")
            );
        }
        Ok(self)
    }

    /// The headers as curl reads them from a file: one a line.
    pub fn header_lines(&self) -> String {
        self.headers.iter().fold(String::new(), |mut lines, (name, value)| {
            // Without a value, curl would take a header away.
            let end = if value.is_empty() { ";" } else { ": " };
            let _ = writeln!(lines, "{name}{end}{value}");
            lines
        })
    }
}

fn headers(action: &Value) -> Result<BTreeMap<String, String>, String> {
    let mut headers = BTreeMap::new();
    let Some(given) = some(action, "header") else { return Ok(headers) };
    let given = given.as_object().ok_or("gives headers that are no map")?;
    for (name, value) in given {
        let value = match value {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => return Err(format!("gives the header `{}` no value", words(name))),
        };
        let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if name.is_empty() || !name.chars().all(token) || value.chars().any(char::is_control) {
            return Err("sends a header with characters that no header has".to_owned());
        }
        headers.insert(name.clone(), value);
    }
    Ok(headers)
}

/// A field that says something.
fn some<'a>(value: &'a Value, field: &str) -> Option<&'a Value> {
    value.get(field).filter(|value| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    })
}

/// Somebody else's words on one line.
fn words(text: &str) -> String {
    text.chars().take(LONGEST_WORDS).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(object: &str) -> Result<Action, String> {
        whole(&format!("{{ \"objects\": [{}] }}", object.replace('@', &"ab".repeat(32))))
    }

    fn whole(answer: &str) -> Result<Action, String> {
        Action::read(answer.as_bytes(), &Sha256::try_from("ab".repeat(32)).unwrap())
    }

    #[test]
    fn an_answer_is_taken_however_it_writes_what_it_does_not_say() {
        for object in [
            r#"{ "oid": "@", "actions": { "download": { "href": "https://h/o" } } }"#,
            r#"{ "oid": "@", "actions": { "download": { "href": "https://h/o", "header": null } } }"#,
            r#"{ "oid": "@", "actions": { "download": { "href": "https://h/o", "header": {} } } }"#,
            r#"{ "oid": "@", "actions": { "download": { "href": "https://h/o", "header": [] } } }"#,
            r#"{ "oid": "@", "error": null, "_links": null, "authenticated": null, "actions":
                { "upload": null, "verify": 1, "download": { "href": "https://h/o",
                "expires_in": -1, "expires_at": null, "header": { "X": null } } } }"#,
            r#"{ "oid": "@", "size": "12", "error": {}, "actions": { "download":
                { "href": "https://h/o", "expires_in": "3600", "expires_at": "0001-01-01T00:00:00Z" } } }"#,
            r#"{ "oid": "@", "actions": null, "_links": { "download": { "href": "https://h/o" } } }"#,
        ] {
            let action = read(object).unwrap();
            assert_eq!(
                (action.href.as_str(), action.headers.len()),
                ("https://h/o", 0),
                "{object}"
            );
        }
        let upper = format!(
            r#"{{ "transfer": null, "hash_algo": "", "ref": {{}}, "objects": [null, {{}}, {{ "oid":
               "{}", "actions": {{ "download": {{ "href": "HTTPS://h/o" }} }} }}] }}"#,
            "AB".repeat(32)
        );
        assert_eq!(whole(&upper).unwrap().href, "HTTPS://h/o");
    }

    #[test]
    fn headers_are_sent_as_they_were_given() {
        let action = read(
            r#"{ "oid": "@", "actions": { "download": { "href": "http://h/o", "header":
               { "Authorization": "Basic x", "X-Number": 5, "X-True": true, "X-Empty": "" } } } }"#,
        );
        let lines = action.unwrap().header_lines();
        assert_eq!(lines, "Authorization: Basic x\nX-Empty;\nX-Number: 5\nX-True: true\n");
    }

    #[test]
    fn what_leads_nowhere_says_why() {
        for (object, expected) in [
            (r#"{ "oid": "other" }"#, "says nothing of the object @"),
            (r#"{ "oid": "@" }"#, "offers no download of the object @"),
            (r#"{ "oid": "@", "actions": null }"#, "offers no download"),
            (r#"{ "oid": "@", "actions": [] }"#, "offers no download"),
            (r#"{ "oid": "@", "actions": { "download": null } }"#, "offers no download"),
            (
                r#"{ "oid": "@", "error": { "code": 404, "message": "Object does not exist" } }"#,
                "@: 404 Object does not exist",
            ),
            (r#"{ "oid": "@", "error": { "code": 410 } }"#, "@: 410"),
            (r#"{ "oid": "@", "error": "gone" }"#, "@: gone"),
            (
                r#"{ "oid": "@", "error": { "code": "x", "message": "a\u001b[2J\nb" } }"#,
                "a\\u{1b}[2J\\nb",
            ),
            (r#"{ "oid": "@", "actions": { "download": {} } }"#, "offers no download"),
            (r#"{ "oid": "@", "actions": { "download": { "href": 1 } } }"#, "leads to ``"),
            (
                r#"{ "oid": "@", "actions": { "download": { "href": "/lfs/o" } } }"#,
                "leads to `/lfs/o`, which is no URL of http",
            ),
            (
                r#"{ "oid": "@", "actions": { "download": { "href": "file:///etc/passwd" } } }"#,
                "leads to `file:///etc/passwd`, which is no URL of http",
            ),
            (
                r#"{ "oid": "@", "actions": { "download": { "href": "http://h", "header": { "A": "b\nC: d" } } } }"#,
                "a header with characters",
            ),
            (
                r#"{ "oid": "@", "actions": { "download": { "href": "http://h", "header": { "A: b": "" } } } }"#,
                "a header with characters",
            ),
            (
                r#"{ "oid": "@", "actions": { "download": { "href": "http://h", "header": { "A": {} } } } }"#,
                "gives the header `A` no value",
            ),
            (
                r#"{ "oid": "@", "actions": { "download": { "href": "http://h", "header": "A: b" } } }"#,
                "gives headers that are no map",
            ),
        ] {
            let found = read(object).unwrap_err();
            let expected = expected.replace('@', &"ab".repeat(32));
            assert!(found.contains(&expected), "{object}: {found}");
            assert!(!found.contains('\n') && found.len() < 600, "{found}");
        }
        for (answer, expected) in [
            ("", "an answer that is no JSON"),
            ("<html>", "an answer that is no JSON"),
            ("null", "without objects"),
            ("[]", "without objects"),
            (r#"{ "objects": null }"#, "without objects"),
            (r#"{ "objects": [] }"#, "without objects"),
            (r#"{ "message": "Rate limit", "documentation_url": "x" }"#, "says: Rate limit"),
            (r#"{ "transfer": "tus", "objects": [] }"#, "answers with the transfer `tus` alone"),
            (
                r#"{ "hash_algo": "sha3", "objects": [] }"#,
                "answers with the hash_algo `sha3` alone",
            ),
        ] {
            let found = whole(answer).unwrap_err();
            assert!(found.contains(expected), "{answer}: {found}");
        }
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(whole(&deep).unwrap_err().contains("no JSON"));
    }

    #[test]
    fn nothing_leaves_https() {
        let action = |href: &str, header: &str| {
            read(&format!(
                r#"{{ "oid": "@", "actions": {{ "download": {{ "href": "{href}", "header": {header} }} }} }}"#
            ))
            .unwrap()
        };
        for header in [r#"{ "Authorization": "x" }"#, "null"] {
            for href in ["HTTP://h/o", "http://h:443/o"] {
                for endpoint in ["https://h", "HTTPS://h/lfs"] {
                    let why = action(href, header).refuse_in_clear(endpoint).unwrap_err();
                    assert!(why.message.contains("leads to http, where anybody"), "{why}");
                }
                action(href, header).refuse_in_clear("http://h").unwrap();
            }
            action("https://h/o", header).refuse_in_clear("https://h").unwrap();
            action("https://h/o", header).refuse_in_clear("http://h").unwrap();
        }
    }
}

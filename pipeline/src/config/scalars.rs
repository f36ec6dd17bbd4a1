// SPDX-License-Identifier: GPL-2.0-or-later
//! Scalars with a rule, which is said once: as data, out of which come the check, what the schema says,
//! and the words of a refusal.
//!
//! Many of them end up in an argv, a path, a shell line of %prep or a spec, so each admits what its
//! use needs and nothing more. A pattern is written in what ECMA-262, which JSON Schema takes, and
//! `regex-lite` have in common and read alike.

use super::nearest::nearer;
use crate::text;
use regex_lite::Regex;
use schemars::Schema;
use serde::de::Visitor;
use serde_json::json;
use std::fmt;
use std::marker::PhantomData;
use std::sync::OnceLock;

mod addresses;
mod macros;
mod names;
mod paths;

pub use addresses::{FileUrl, GitUrl, ImageDigest, ImageReference, RpmUrl, Url, WebUrl};
pub use names::{
    AnyText, CMacro, CValue, Commit, ConfigSymbol, DebianPackage, DebianVersion, Fingerprint,
    GitRef, KeyFingerprint, Line, MacroName, MacroValue, Memory, Name, PackagePattern,
    PropertyKind, PropertyName, PropertyValue, QomType, Register, ReleaseSuffix, RpmCapability,
    RpmVersion, SettingWord, Sha256, Sha512, Suite, TextPattern, VariableName,
};
pub use paths::{
    CFile, FileName, HostPath, LocalFile, LocalPath, PlainFile, SourceFile, TreeFolder, TreePath,
};

/// What is said of every address that would have to hold one.
const SECRETS: &str = "an address is shown and published, and a query may be a token: passwords are for \
                       `~/.netrc` and git's credential helpers; what only such an address has can be a \
                       `path:`, or lie in a mirror";

/// What people write before a digest.
const DIGESTS: [&str; 2] = ["sha256", "sha512"];

/// How near a mistyped word is to what was meant.
const NEAR: f64 = 0.7;

/// How a scalar that has the look of a number, of `true` or of nothing is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// It wants quotes: an editor, and every other reader of YAML, takes it for what it looks like.
    Text,
    /// As it is spelled.
    Spelled,
    /// It is a number, and taken as it is spelled.
    Number,
}

/// The rule of a scalar.
#[derive(Debug)]
pub struct Scalar {
    /// What it has to be, for `… is not …`.
    pub expected: &'static str,
    pub pattern: &'static str,
    /// What the pattern admits and should not.
    never: Option<&'static str>,
    /// The most characters, where there is a bound besides the pattern's.
    longest: Option<usize>,
    pub reading: Reading,
    /// Whether a secret may stand in its place, which nobody is shown.
    pub hidden: bool,
    /// Words that somebody may take for one, or mistype, and what is meant.
    meant: &'static [(&'static str, &'static str)],
    /// Whether C has another name for what it names, out of which no change of letters makes this one.
    named_in_c: bool,
    help: Option<&'static str>,
    /// Whether it is an address, in which people put passwords.
    address: bool,
    compiled: OnceLock<[Option<Regex>; 2]>,
}

impl Scalar {
    const fn new(expected: &'static str, pattern: &'static str) -> Self {
        Self {
            expected,
            pattern,
            never: None,
            longest: None,
            reading: Reading::Text,
            hidden: false,
            meant: &[],
            named_in_c: false,
            help: None,
            address: false,
            compiled: OnceLock::new(),
        }
    }

    const fn never(mut self, pattern: &'static str) -> Self {
        self.never = Some(pattern);
        self
    }

    const fn longest(mut self, characters: usize) -> Self {
        self.longest = Some(characters);
        self
    }

    const fn read(mut self, reading: Reading) -> Self {
        self.reading = reading;
        self
    }

    const fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    const fn meant(mut self, words: &'static [(&'static str, &'static str)]) -> Self {
        self.meant = words;
        self
    }

    const fn named_in_c(mut self) -> Self {
        self.named_in_c = true;
        self
    }

    const fn address(mut self) -> Self {
        self.address = true;
        self
    }

    const fn help(mut self, help: &'static str) -> Self {
        self.help = Some(help);
        self
    }

    pub fn admits(&self, text: &str) -> bool {
        let [pattern, never] = self.compiled.get_or_init(|| {
            // A test compiles each; a rule that does not compile admits nothing.
            [Regex::new(self.pattern).ok(), self.never.and_then(|never| Regex::new(never).ok())]
        });
        self.longest.is_none_or(|most| text.len() <= most || text.chars().count() <= most)
            && pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
            && self.never.is_none_or(|_| never.as_ref().is_some_and(|never| !never.is_match(text)))
    }

    /// What was meant by a text that is refused, if that can be told.
    pub fn meant_by(&self, text: &str) -> Option<String> {
        let word = self.meant.iter().find(|(wrong, _)| text.eq_ignore_ascii_case(wrong));
        let word = word.or_else(|| {
            let near = nearer(&text.to_ascii_lowercase(), self.meant.iter().map(|it| it.0), NEAR);
            self.meant.iter().find(|(wrong, _)| near == Some(*wrong))
        });
        let trimmed = text.trim();
        let slips = [
            Some(trimmed.to_owned()),
            self.in_small(trimmed),
            self.digest_in(trimmed),
            self.in_capitals(trimmed),
            (!text.contains("://")).then(|| trimmed.trim_matches(['/', '%']).to_owned()),
        ];
        // What its pattern begins with, and the text does not.
        let begin = self.pattern.trim_start_matches(['^', '(']);
        let forgotten = [
            ("\\.[", "."),
            ("/", "/"),
            ("CONFIG_", "CONFIG_"),
            ("sha256:", "sha256:"),
            ("https?://", "https://"),
        ];
        let forgotten = forgotten.iter().filter(|(pattern, _)| begin.starts_with(pattern));
        let forgotten = forgotten.map(|(_, start)| format!("{start}{trimmed}"));
        let candidates = word.map(|(_, right)| (*right).to_owned()).into_iter();
        let mut candidates = candidates.chain(slips.into_iter().flatten()).chain(forgotten);
        candidates.find(|candidate| self.admits(candidate))
    }

    /// The same in small letters, where those are the same name.
    fn in_small(&self, text: &str) -> Option<String> {
        let is_small = u8::is_ascii_lowercase;
        let is_capital = u8::is_ascii_uppercase;
        // Words without a mark between them, as in `SysBusDevice` and `PCIDevice`.
        let words = text.as_bytes().windows(2).any(|it| is_small(&it[0]) && is_capital(&it[1]))
            || text
                .as_bytes()
                .windows(3)
                .any(|it| is_capital(&it[0]) && is_capital(&it[1]) && is_small(&it[2]));
        let other = self.named_in_c && words;
        (!other).then(|| text.to_ascii_lowercase())
    }

    /// The digest in a text that names its kind before it or its file behind it.
    fn digest_in(&self, text: &str) -> Option<String> {
        let text = text.to_ascii_lowercase();
        let rest = DIGESTS.iter().find_map(|kind| text.strip_prefix(kind));
        let rest = rest.unwrap_or(&text).trim_start_matches([':', '=', '-', ' ']);
        let digest = rest.split_ascii_whitespace().next()?;
        (self.expected.starts_with("a sha") && digest.len() < text.len()).then(|| digest.to_owned())
    }

    /// The same in capitals, where nothing else will do.
    fn in_capitals(&self, text: &str) -> Option<String> {
        (!self.pattern.contains("a-z")).then(|| text.to_ascii_uppercase())
    }

    /// What about a text is wrong, if that is one thing.
    pub fn fault(&self, text: &str) -> Option<String> {
        if self.in_small(text).is_some_and(|text| self.admits(&text)) {
            return Some("small letters are wanted".to_owned());
        }
        if self.in_capitals(text).is_some_and(|text| self.admits(&text)) {
            return Some("capital letters are wanted".to_owned());
        }
        let digits = self.expected.contains("hexadecimal digits")
            && !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        digits.then(|| format!("it has {} digits", text.len()))
    }

    /// What to try, where nothing tells what was meant.
    pub fn help_for(&self, text: &str) -> Option<&'static str> {
        if text.contains(['“', '”', '‘', '’', '„', '\u{a0}']) {
            return Some(
                "quotes and spaces as a word processor makes them: YAML knows `\"`, `'` and the plain space",
            );
        }
        if self.address && text.contains(['@', '?', '#']) { Some(SECRETS) } else { self.help }
    }

    /// Says in a schema what the program enforces.
    fn declare(&self, schema: &mut Schema) {
        let kind = match self.reading {
            Reading::Text => json!("string"),
            Reading::Spelled => json!(["string", "number", "boolean"]),
            Reading::Number => json!(["string", "integer"]),
        };
        schema.insert("type".to_owned(), kind);
        schema.insert("pattern".to_owned(), json!(self.pattern));
        if let Some(most) = self.longest {
            schema.insert("maxLength".to_owned(), json!(most));
        }
        if let Some(never) = self.never {
            // A `pattern` alone would refuse every number that is taken as it is spelled.
            schema.insert("not".to_owned(), json!({ "type": "string", "pattern": never }));
        }
    }

    /// What is said of a text that it does not admit.
    pub fn refusal(&self, text: &str) -> String {
        if self.hidden {
            return format!("that is not {}", self.expected);
        }
        if text.is_empty() {
            return format!("an empty text is not {}", self.expected);
        }
        format!("`{}` is not {}", text::value(text), self.expected)
    }
}

/// The scalar of a definition in a schema.
pub fn named(name: &str) -> Option<&'static Scalar> {
    all().find(|(found, _)| *found == name).map(|(_, scalar)| scalar)
}

/// Every scalar with its name.
pub fn all() -> impl Iterator<Item = (&'static str, &'static Scalar)> {
    let tables = [addresses::ALL, names::ALL, paths::ALL];
    tables.into_iter().flatten().map(|(name, scalar)| (*name, scalar()))
}

/// Reads a scalar where it stands: only a visitor's own error carries its place.
struct ScalarVisitor<T>(PhantomData<T>, &'static Scalar);

impl<T: TryFrom<String, Error = String>> Visitor<'_> for ScalarVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.1.expected)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        T::try_from(text.to_owned()).map_err(E::custom)
    }
}

/// The longest of a name that becomes the name of a file, with something put before and behind it: a file
/// system takes 255 bytes.
pub(super) const LONGEST_NAME: usize = 100;

impl ImageReference {
    /// The reference without its tag.
    pub fn repository(&self) -> &str {
        self.as_str().rsplit_once(':').map_or(self.as_str(), |(repository, _)| repository)
    }
}

impl Memory {
    /// As podman and docker write it: `8g`, `512m`.
    pub fn engine_notation(&self) -> String {
        self.as_str().replace("GiB", "g").replace("MiB", "m")
    }
}

#[cfg(test)]
mod tests;

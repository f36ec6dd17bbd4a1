//! The words of the format: strings that carry their rule in their type.
//!
//! Many of them end up in an argv, a path, a shell line of %prep or a spec, so each admits what its
//! use needs and nothing more.

use crate::text;
use schemars::JsonSchema;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::marker::PhantomData;

/// Reads a word where it stands: only a visitor's own error carries the place of the scalar.
struct Spelling<T>(PhantomData<T>, &'static str);

impl<T: TryFrom<String, Error = String>> Visitor<'_> for Spelling<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.1)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        T::try_from(text.to_owned()).map_err(E::custom)
    }
}

macro_rules! word {
    ($(#[$doc:meta])* $name:ident, $pattern:literal, $expected:expr, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
        #[schemars(extend("pattern" = $pattern))]
        pub struct $name(String);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                from.deserialize_str(Spelling::<Self>(PhantomData, $expected))
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                let valid: fn(&str) -> bool = $valid;
                if valid(&text) {
                    Ok(Self(text))
                } else {
                    Err(refused(&text, $expected))
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl $name {
            #[allow(dead_code, reason = "some are only ever shown")]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

/// What is said of a text that is no such word. In the place of a variable's name often stands what the
/// variable should hold, and that is shown to nobody.
fn refused(text: &str, expected: &str) -> String {
    if expected == VARIABLE {
        return format!("that is not {VARIABLE}");
    }
    format!("`{}` is not {expected}", text::value(text))
}

/// First character and every other one from their sets, within a sane length.
fn spelled(text: &str, first: fn(char) -> bool, rest: fn(char) -> bool) -> bool {
    let mut chars = text.chars();
    text.len() <= 255 && chars.next().is_some_and(first) && chars.all(rest)
}

/// Whether a URL carries what belongs in a keyring or a `~/.netrc`: a pipeline file holds no secret, and
/// an address is shown and published. What stands in a query may be a token.
fn has_secret(url: &str) -> bool {
    if url.contains(['?', '#']) {
        return true;
    }
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    // An address of ssh has the user's name, which opens nothing.
    let user = rest.split('@').next().unwrap_or_default();
    text::has_login(url) && (scheme.starts_with("http") || user.contains(':'))
}

/// The longest of a word that becomes the name of a file, with something put before and behind it: a file
/// system takes 255 bytes.
pub(super) const LONGEST_NAME: usize = 100;

fn lower_or_digit(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

word!(
    /// The name of a pipeline or a repository, which is a section in a file of yum's: at most 100 lowercase
    /// letters, digits, `.` and `-`, and not `main`, which is yum's own.
    Name, "^(?!main$)[a-z0-9][a-z0-9.-]{0,99}$",
    "a name of at most 100 lowercase letters, digits, `.` and `-`, other than yum's own `main`",
    |s| s.len() <= LONGEST_NAME && s != "main"
        && spelled(s, lower_or_digit, |c| lower_or_digit(c) || ".-".contains(c))
);
word!(
    /// A sha256 as 64 lowercase hexadecimal digits.
    Sha256, "^[0-9a-f]{64}$", "a sha256 of 64 lowercase hexadecimal digits",
    |s| s.len() == 64 && s.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
);
word!(
    /// A sha512 as 128 lowercase hexadecimal digits.
    Sha512, "^[0-9a-f]{128}$", "a sha512 of 128 lowercase hexadecimal digits",
    |s| s.len() == 128 && s.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
);
word!(
    /// The name of a QOM type, as `-device help` prints it.
    QomType, "^[a-z][a-z0-9.-]*$", "a QOM type name of lowercase letters, digits, `.` and `-`",
    |s| spelled(s, |c| c.is_ascii_lowercase(), |c| lower_or_digit(c) || ".-".contains(c))
);
word!(
    /// A symbol of QEMU's build configuration.
    ConfigSymbol, "^CONFIG_[A-Z0-9_]+$", "a symbol such as `CONFIG_PCI`",
    |s| s.strip_prefix("CONFIG_").is_some_and(|rest| !rest.is_empty()
        && rest.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'))
);
word!(
    /// A folder in QEMU's source tree, relative to its top.
    TreePath, "^[A-Za-z0-9_][A-Za-z0-9_./-]*$", "a relative path such as `hw/misc`, without `..`",
    |s| spelled(s, |c| c.is_ascii_alphanumeric() || c == '_',
            |c| c.is_ascii_alphanumeric() || "_./-".contains(c))
        && s.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
);
word!(
    /// A file or a folder of a host, by its path from the top.
    HostPath, "^/[^\\u0000-\\u001f\\u007f-\\u009f]*$",
    "an absolute path such as `/usr/lib64`, without `.`, `..` and empty parts",
    |s| s == "/" || s.strip_prefix('/').is_some_and(|path| {
        let mut parts = path.strip_suffix('/').unwrap_or(path).split('/');
        parts.all(|part| !["", ".", ".."].contains(&part)) && !path.chars().any(char::is_control)
    })
);
word!(
    /// The name of a file, without a folder.
    FileName, "^[A-Za-z0-9_][A-Za-z0-9_.+~-]*$", "a plain file name",
    |s| spelled(s, |c| c.is_ascii_alphanumeric() || c == '_',
        |c| c.is_ascii_alphanumeric() || "_.+~-".contains(c))
);
word!(
    /// A folder of a repository: a path, or `.` for its top.
    TreeFolder, "^(\\.|[A-Za-z0-9_][A-Za-z0-9_./-]*)$", "a folder such as `SOURCES`, or `.` for the top of the repository",
    |s| s == "." || TreePath::try_from(s.to_owned()).is_ok()
);
word!(
    /// The name of a file as it may lie in rpmbuild's SOURCES: whatever a spec can say, without a folder
    /// and without what moves a terminal.
    SourceFile, "^[^/\\u0000-\\u001f\\u007f-\\u009f\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]{1,255}$",
    "the name of a file, without a folder and control characters",
    |s| (1..=255).contains(&s.len()) && ![".", ".."].contains(&s)
        && !s.chars().any(|c| c == '/' || c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
);
word!(
    /// The name of a Debian package (Debian policy 5.6.1).
    DebianPackage, "^[a-z0-9][a-z0-9+.-]+$", "a Debian package name",
    |s| s.len() > 1 && spelled(s, lower_or_digit, |c| lower_or_digit(c) || "+.-".contains(c))
);
word!(
    /// A Debian version (Debian policy 5.6.12), epoch included.
    DebianVersion, "^[0-9][A-Za-z0-9.+:~-]*$", "a Debian version such as `1:7.2+dfsg-7`",
    |s| spelled(s, |c| c.is_ascii_digit(), |c| c.is_ascii_alphanumeric() || ".+:~-".contains(c))
);
word!(
    /// A suite of a Debian archive, such as `bookworm`.
    Suite, "^[a-z][a-z0-9-]*$", "a suite such as `bookworm`",
    |s| spelled(s, |c| c.is_ascii_lowercase(), |c| lower_or_digit(c) || c == '-')
);
word!(
    /// A git commit: 40 hexadecimal digits, or 64 in a SHA-256 repository.
    Commit, "^([0-9a-f]{40}|[0-9a-f]{64})$", "a git commit of 40 lowercase hexadecimal digits",
    |s| [40, 64].contains(&s.len()) && s.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
);
word!(
    /// A branch or a tag (git-check-ref-format, without what a refspec gives a meaning).
    GitRef, "^[A-Za-z0-9_][A-Za-z0-9_.+/-]*$", "a branch or tag such as `master` or `v4.2.1`",
    |s| spelled(s, |c| c.is_ascii_alphanumeric() || c == '_',
            |c| c.is_ascii_alphanumeric() || "_.+/-".contains(c))
        && !s.ends_with(['/', '.'])
        && !["..", "//", "/.", ".lock"].iter().any(|bad| s.contains(bad))
);
word!(
    /// Where a git repository is, as git takes it: https, http, ssh, git, file, or `user@host:path`.
    GitUrl, "^((https|http|ssh|git|file)://|[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:)[^\\s?#]+$",
    "a git URL of https, http, ssh, git or file, or `user@host:path`, without a password, a query or a fragment",
    |s| s.chars().all(|c| c.is_ascii_graphic()) && !has_secret(s) && (
        ["https://", "http://", "ssh://", "git://", "file:///"].iter()
            .any(|scheme| s.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty() && !rest.starts_with('-')))
        || s.split_once('@').is_some_and(|(user, rest)| {
            let plain = |t: &str| !t.is_empty() && !t.starts_with('-')
                && t.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
            plain(user) && rest.split_once(':').is_some_and(|(host, path)| plain(host) && !path.is_empty())
        }))
);
word!(
    /// A file or folder that is fetched: http or https.
    WebUrl, "^https?://[^\\s?#]+$", "a URL of http or https, without a user, a password, a query or a fragment",
    |s| !has_secret(s) && ["http://", "https://"].iter().any(|scheme| s.len() > scheme.len() && s.starts_with(scheme))
        && s.chars().all(|c| c.is_ascii_graphic()) && !s.contains(['"', '\'', '\\', '<', '>', '`'])
);
word!(
    /// An OpenPGP fingerprint: 40 hexadecimal digits, or 64 of a version 6 key.
    Fingerprint, "^([0-9A-F]{40}|[0-9A-F]{64})$", "a fingerprint of 40 uppercase hexadecimal digits",
    |s| [40, 64].contains(&s.len()) && s.chars().all(|c| c.is_ascii_digit() || ('A'..='F').contains(&c))
);
word!(
    /// A container image by registry, name and tag.
    ImageReference, "^[a-z0-9][a-z0-9._:/-]*:[A-Za-z0-9_][A-Za-z0-9_.-]*$",
    "an image such as `docker.io/library/centos:7.5.1804`",
    |s| s.len() <= 255 && s.rsplit_once(':').is_some_and(|(name, tag)| {
        spelled(name, lower_or_digit, |c| lower_or_digit(c) || "._:/-".contains(c))
            && !["..", "//"].iter().any(|bad| name.contains(bad))
            && name.contains('/')
            && spelled(tag, |c| c.is_ascii_alphanumeric() || c == '_',
                |c| c.is_ascii_alphanumeric() || "_.-".contains(c))
    })
);
word!(
    /// The digest of an image, of its manifest or of its configuration (OCI image-spec, descriptor).
    ImageDigest, "^sha256:[0-9a-f]{64}$", "a digest such as `sha256:…` with 64 hexadecimal digits",
    |s| s.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64
        && hex.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c)))
);
word!(
    /// What yum is asked to install: a package by name, or a capability such as `/usr/bin/gcc`.
    RpmCapability, "^[A-Za-z0-9/_][A-Za-z0-9/_.+()-]*$", "the name of a package or a capability",
    |s| spelled(s, |c| c.is_ascii_alphanumeric() || "/_".contains(c),
        |c| c.is_ascii_alphanumeric() || "/_.+()-".contains(c))
);
word!(
    /// The name of an rpm macro.
    MacroName, "^[A-Za-z_][A-Za-z0-9_]{2,}$", "an rpm macro name of at least three letters, digits and `_`",
    |s| s.len() >= 3 && spelled(s, |c| c.is_ascii_alphabetic() || c == '_',
        |c| c.is_ascii_alphanumeric() || c == '_')
);
const VARIABLE: &str = "the name of an environment variable: letters, digits and `_`";
word!(
    /// The name of an environment variable.
    VariableName, "^[A-Za-z_][A-Za-z0-9_]*$", VARIABLE,
    |s| spelled(s, |c| c.is_ascii_alphabetic() || c == '_', |c| c.is_ascii_alphanumeric() || c == '_')
);
word!(
    /// The name of a C macro.
    CMacro, "^[A-Za-z_][A-Za-z0-9_]*$", "the name of a C macro: letters, digits and `_`",
    |s| spelled(s, |c| c.is_ascii_alphabetic() || c == '_', |c| c.is_ascii_alphanumeric() || c == '_')
);
word!(
    /// The value of a C macro: a number or a name. It is taken as it is spelled; editors want a number
    /// in quotes.
    CValue, "^[A-Za-z0-9_]+$", "a number or a name as C spells it",
    |s| spelled(s, |c| c.is_ascii_alphanumeric() || c == '_', |c| c.is_ascii_alphanumeric() || c == '_')
);
word!(
    /// The name of a QOM property.
    PropertyName, "^[A-Za-z_][A-Za-z0-9_.+*\\[\\]-]*$", "the name of a property: letters, digits, `_`, `-` and `.`",
    |s| spelled(s, |c| c.is_ascii_alphabetic() || c == '_',
        |c| c.is_ascii_alphanumeric() || "_.+*[]-".contains(c))
);
word!(
    /// The kind of a property's value, as `-device TYPE,help` has it.
    PropertyKind, "^[A-Za-z][A-Za-z0-9_./<>-]*$", "the kind of a property, such as `str` or `uint32`",
    |s| spelled(s, |c| c.is_ascii_alphabetic(),
        |c| c.is_ascii_alphanumeric() || "_./<>-".contains(c))
);
word!(
    /// The value of a property, as it stands on QEMU's command line; it may be empty. It is taken as it
    /// is spelled.
    PropertyValue, "^[^\\u0000-\\u001f\\u007f-\\u009f]*$", "one line of text of at most 255 bytes",
    |s| s.len() <= 255 && !s.chars().any(char::is_control)
);
word!(
    /// What stands behind `%{?dist}` in the Release, and so in the names of packages.
    ReleaseSuffix, "^\\.[a-z0-9]{1,31}$",
    "a suffix of a dot and at most 31 lowercase letters or digits, such as `.vgpu1`",
    |s| (2..=32).contains(&s.len()) && spelled(s, |c| c == '.', lower_or_digit)
);
word!(
    /// One line of text: not empty, no control characters.
    Line, "^[^\\u0000-\\u0008\\u000a-\\u001f\\u007f-\\u009f]+$", "one line of text",
    |s| !s.trim().is_empty() && !s.chars().any(|c| c.is_control() && c != '\t')
);
word!(
    /// Memory, in MiB or GiB.
    Memory, "^[1-9][0-9]{0,6}[MG]iB$", "an amount of memory such as `8GiB` or `512MiB`",
    |s| s.strip_suffix("MiB").or_else(|| s.strip_suffix("GiB")).is_some_and(|digits| {
        (1..=7).contains(&digits.len()) && !digits.starts_with('0')
            && digits.chars().all(|c| c.is_ascii_digit())
    })
);
word!(
    /// Where a repository is served: http, https or file.
    Url, "^(http|https|file)://[^\\s?#]+$",
    "a URL of http, https or file, without a user, a password, a query or a fragment",
    |s| !has_secret(s) && ["http://", "https://", "file:///"].iter().any(|scheme| s.len() > scheme.len() && s.starts_with(scheme))
        && s.chars().all(|c| c.is_ascii_graphic()) && !s.contains(['"', '\'', '\\', '<', '>'])
);

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

// SPDX-License-Identifier: GPL-2.0-or-later
//! The name of a declared file, as far as it can be told.

use crate::inject::bytes;
use crate::inject::macros::mark;

/// What is known of a name.
#[derive(Debug, Clone)]
pub struct Name {
    /// The name, or how the spec spells it where it cannot be told.
    pub text: String,
    /// What it certainly ends with, where it cannot be told whole.
    tail: Option<String>,
}

/// Whether a declared file is the one that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileIs {
    It,
    Another,
    /// What it is called hangs on something that is not known here.
    Unclear,
}

impl Name {
    /// Of the `value` of a tag, with its marks, that the spec spells as `spelled`.
    pub fn new(value: &str, spelled: &str) -> Self {
        let Some(at) = value.rfind(mark::is) else {
            return Self { text: file(value).to_owned(), tail: None };
        };
        let last = value[at..].chars().next().unwrap_or_default();
        let behind = &value[at + last.len_utf8()..];
        // A macro may take what follows it for its arguments.
        let arguments =
            behind.starts_with([' ', '\t']) || value[..at].contains(char::is_whitespace);
        let tail = if arguments { "" } else { behind };
        if tail.contains('/') {
            return Self { text: file(tail).to_owned(), tail: None };
        }
        let text = file(spelled).to_owned();
        Self { text, tail: Some(tail.to_owned()) }
    }

    pub fn is(&self, file: &str) -> FileIs {
        match &self.tail {
            None if self.text == file => FileIs::It,
            Some(tail) if file.ends_with(tail.as_str()) => FileIs::Unclear,
            _ => FileIs::Another,
        }
    }

    /// The name for people.
    pub fn readable(&self) -> String {
        bytes::readable(&self.text)
    }
}

/// The last part of a path or address, and of a query: rpm takes `…/download?file=a.tar` for `a.tar`.
fn file(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some((_, last)) => last.rsplit('=').next().unwrap_or(last),
        None => path,
    }
}

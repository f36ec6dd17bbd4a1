// SPDX-License-Identifier: GPL-2.0-or-later
//! Errors: anyhow's chain of causes, in which any cause may say what to try.
//!
//! A message says what and where; the help stands beside it and never in its text, so that whoever shows
//! an error decides how. Type and message of a cause stay what they were: a help is transparent.

use anyhow::{Error, Result};
use serde::{Deserialize, Serialize};
use std::error::Error as StdError;
use std::fmt;

/// An error with what to try. It shows itself as the error does.
struct Helped {
    error: Error,
    help: String,
}

impl fmt::Display for Helped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl fmt::Debug for Helped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&render(&self.error))?;
        write!(f, "\nhelp: {}", self.help)
    }
}

impl StdError for Helped {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.error.source()
    }
}

/// Says beside an error what to try.
pub trait Help {
    #[must_use]
    fn help(self, text: impl Into<String>) -> Self;
    #[must_use]
    fn with_help<S: Into<String>>(self, text: impl FnOnce() -> S) -> Self;
}

/// An error about an unknown word, with the known one that is nearest.
pub fn did_you_mean(error: Error, nearest: Option<impl fmt::Display>) -> Error {
    match nearest {
        Some(nearest) => error.help(format!("did you mean `{nearest}`?")),
        None => error,
    }
}

impl Help for Error {
    fn help(self, text: impl Into<String>) -> Self {
        Self::new(Helped { error: self, help: text.into() })
    }

    fn with_help<S: Into<String>>(self, text: impl FnOnce() -> S) -> Self {
        self.help(text())
    }
}

impl<T> Help for Result<T> {
    fn help(self, text: impl Into<String>) -> Self {
        self.map_err(|error| error.help(text))
    }

    fn with_help<S: Into<String>>(self, text: impl FnOnce() -> S) -> Self {
        self.map_err(|error| error.help(text()))
    }
}

/// A cause, with the helps that stand beside it, in the order in which they were said.
struct Cause<'e> {
    error: &'e (dyn StdError + 'static),
    helps: Vec<&'e str>,
}

/// The chain of causes, the outermost first, each without the helps around it.
fn causes(error: &Error) -> impl Iterator<Item = Cause<'_>> {
    error.chain().map(|mut error| {
        let mut helps = Vec::new();
        while let Some(helped) = error.downcast_ref::<Helped>() {
            helps.push(helped.help.as_str());
            error = helped.error.as_ref();
        }
        helps.reverse();
        Cause { error, helps }
    })
}

/// The outermost cause of a type.
pub fn find<T: StdError + Send + Sync + 'static>(error: &Error) -> Option<&T> {
    // A context has the type of what it was given, too, and only anyhow knows.
    let own = error.downcast_ref::<T>();
    let inner = || find(&error.downcast_ref::<Helped>()?.error);
    own.or_else(inner).or_else(|| find_all(error).next())
}

/// Every cause of a type.
pub fn find_all<T: StdError + Send + Sync + 'static>(error: &Error) -> impl Iterator<Item = &T> {
    causes(error).filter_map(|cause| cause.error.downcast_ref::<T>())
}

/// Why something is refused, as data: what an error says in one message, and what to try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    pub message: String,
    pub helps: Vec<String>,
}

impl Reason {
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), helps: Vec::new() }
    }

    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.helps.push(text.into());
        self
    }

    /// With words in front of its message.
    #[must_use]
    pub fn within(mut self, place: impl fmt::Display) -> Self {
        self.message = format!("{place}{}", self.message);
        self
    }

    pub fn of(error: &Error) -> Self {
        let causes: Vec<Cause> = causes(error).collect();
        let messages: Vec<String> = causes.iter().map(|cause| cause.error.to_string()).collect();
        let mut helps: Vec<String> = Vec::new();
        // The innermost cause knows best what to try.
        for help in causes.iter().rev().flat_map(|cause| &cause.helps) {
            // Two rooms may know the same way out.
            if !helps.iter().any(|known| known == help) {
                helps.push((*help).to_owned());
            }
        }
        Self { message: messages.join(": "), helps }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.helps.iter().try_for_each(|help| write!(f, "\nhelp: {help}"))
    }
}

impl From<Reason> for Error {
    fn from(Reason { message, helps }: Reason) -> Self {
        helps.into_iter().fold(Self::msg(message), Help::help)
    }
}

/// An error as people read it.
pub fn render(error: &Error) -> String {
    Reason::of(error).to_string()
}

/// An error's whole text, where a test looks at it.
#[cfg(test)]
pub trait Rendered {
    fn rendered(&self) -> String;
}

#[cfg(test)]
impl Rendered for Error {
    fn rendered(&self) -> String {
        render(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Context, anyhow};
    use std::io;

    #[test]
    fn what_to_try_comes_last_whichever_cause_knew_it() {
        let error = anyhow!("inner").help("try this").context("outer").help("or that");
        let error = error.context("top");
        assert_eq!(render(&error), "top: outer: inner\nhelp: try this\nhelp: or that");
        assert_eq!(render(&anyhow!("alone")), "alone");
        let twice = anyhow!("inner").help("try this").context("outer").help("try this");
        assert_eq!(render(&twice), "outer: inner\nhelp: try this");
    }

    #[test]
    fn a_help_is_in_nobodys_way() {
        let error = Error::from(io::Error::from(io::ErrorKind::NotFound)).help("a").help("b");
        assert_eq!(error.to_string(), io::Error::from(io::ErrorKind::NotFound).to_string());
        assert_eq!(format!("{error:#}"), error.to_string());
        let error = Err::<(), _>(error).context("outer").with_help(|| "c").unwrap_err();
        assert_eq!(find::<io::Error>(&error).unwrap().kind(), io::ErrorKind::NotFound);
        assert_eq!(Reason::of(&error).helps, ["a", "b", "c"]);
        assert_eq!(format!("{error:#}").matches("outer").count(), 1);
    }
}

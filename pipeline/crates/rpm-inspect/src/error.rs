// SPDX-License-Identifier: GPL-2.0-or-later
//! Why a package cannot be read.

use std::error::Error as StdError;
use std::{fmt, io};

/// What is wrong with a package, by the answer that a caller may give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The file cannot be read.
    Io,
    /// It does not begin as an RPM package.
    NotRpm,
    /// It is a package of rpm 3, or of a version that is not known here.
    Unsupported,
    /// Its payload is packed by a program that is not known here.
    UnknownCompressor,
    /// It ends before one of its parts does.
    Truncated,
    /// One of its parts is such as no rpmbuild writes.
    Malformed,
    /// It asks for more time or memory than any package should.
    TooLarge,
    /// Its payload would unpack to so much more than it takes that somebody meant it to.
    Bomb,
    /// A digest or a size that it gives is wrong, and its payload cannot be read.
    Altered,
}

/// Why a package cannot be read.
///
/// It is shown in one line that speaks of the package as "it", without the text of
/// [`source`](StdError::source). What it quotes of the package has control characters escaped.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// The same mistake, seen from further away.
    pub(crate) fn context(self, message: impl Into<String>) -> Self {
        let kind = self.kind;
        Self { kind, message: message.into(), source: Some(Box::new(self)) }
    }

    /// The same mistake, where the reason is that somebody altered the package.
    pub(crate) fn altered(self, message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Altered, ..self.context(message) }
    }

    /// What kind of mistake it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn StdError + 'static))
    }
}

impl From<io::Error> for Error {
    fn from(source: io::Error) -> Self {
        Self { source: Some(Box::new(source)), ..Self::new(ErrorKind::Io, "it cannot be read") }
    }
}

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// Makes an error of what is missing, or of what another reader says.
pub(crate) trait OrError<T> {
    fn or_error(self, kind: ErrorKind, message: impl Into<String>) -> Result<T>;
}

impl<T> OrError<T> for Option<T> {
    fn or_error(self, kind: ErrorKind, message: impl Into<String>) -> Result<T> {
        self.ok_or_else(|| Error::new(kind, message))
    }
}

impl<T, E: Into<Box<dyn StdError + Send + Sync>>> OrError<T> for Result<T, E> {
    fn or_error(self, kind: ErrorKind, message: impl Into<String>) -> Result<T> {
        self.map_err(|source| Error { source: Some(source.into()), ..Error::new(kind, message) })
    }
}

/// Returns an [`Error`] of this kind.
macro_rules! bail {
    ($kind:ident, $($message:tt)+) => {
        return Err($crate::error::Error::new(
            $crate::error::ErrorKind::$kind,
            format!($($message)+),
        ).into())
    };
}
pub(crate) use bail;

/// Returns an [`Error`] of this kind, unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $kind:ident, $($message:tt)+) => {
        if !$condition {
            $crate::error::bail!($kind, $($message)+);
        }
    };
}
pub(crate) use ensure;

// SPDX-License-Identifier: GPL-2.0-or-later
//! Why a file cannot be read, or a type cannot be told.

use std::error::Error as StdError;
use std::fmt;

/// What is wrong with a file, by the answer that a caller may give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// It does not begin as an ELF file.
    NotElf,
    /// It is an ELF file of a class, byte order, machine or type that is not read here, or one that
    /// holds symbols for a debugger and no program.
    Unsupported,
    /// It ends before one of its structures does.
    Truncated,
    /// One of its structures is such as no linker writes.
    Malformed,
    /// It claims more than any QEMU has, so that reading it would cost time or memory without bound.
    TooLarge,
    /// It has QOM types, and no unwind table to tell its functions apart.
    NoUnwindTable,
    /// Its types are laid out in two ways, of which a program has one.
    Ambiguous,
}

/// Why a file cannot be read.
///
/// It is shown in one line, without the text of [`source`](StdError::source), and holds no bytes of
/// the file but in numbers.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<goblin::error::Error>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
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
        self.source.as_ref().map(|source| source as &(dyn StdError + 'static))
    }
}

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// Makes an error of what is missing, or of what the reader of structures says.
pub(crate) trait OrError<T> {
    fn or_error(self, kind: ErrorKind, message: &str) -> Result<T>;
}

impl<T> OrError<T> for Option<T> {
    fn or_error(self, kind: ErrorKind, message: &str) -> Result<T> {
        self.ok_or_else(|| Error::new(kind, message))
    }
}

impl<T> OrError<T> for Result<T, goblin::error::Error> {
    fn or_error(self, kind: ErrorKind, message: &str) -> Result<T> {
        self.map_err(|source| Error { source: Some(source), ..Error::new(kind, message) })
    }
}

/// Returns an [`Error`] of this kind, unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $kind:ident, $($message:tt)+) => {
        if !$condition {
            return Err($crate::error::Error::new(
                $crate::error::ErrorKind::$kind,
                format!($($message)+),
            ));
        }
    };
}
pub(crate) use ensure;

/// Why a type that a binary speaks of cannot be told.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FindError {
    /// Two structures bear its name, and say different things.
    DescribedTwice {
        /// Its name.
        name: String,
    },
    /// Its line of parents leads to no root within the binary.
    NoRoot {
        /// Its name.
        name: String,
        /// The parent that its structure names.
        parent: String,
    },
    /// Which properties it has is decided when the program runs, or in code that is not understood.
    Unresolved {
        /// Its name.
        name: String,
        /// Why, in one line.
        reason: String,
    },
}

impl fmt::Display for FindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DescribedTwice { name } => {
                write!(f, "the binary describes QOM type `{name}` more than once, and differently")
            }
            Self::NoRoot { name, parent } => write!(
                f,
                "QOM type `{name}` derives from `{parent}`, whose line of parents leads nowhere in \
                 this binary"
            ),
            Self::Unresolved { name, reason } => {
                write!(f, "the properties of QOM type `{name}`: {reason}")
            }
        }
    }
}

impl StdError for FindError {}

//! How a command fails: by its input, found before any work, or by the work itself.

use crate::cmd::interrupted;
use anyhow::{Error, Result};
use std::process::ExitCode;

/// A failed command.
#[derive(Debug)]
pub enum Failed {
    /// The input or the usage is wrong: exit code 2.
    Input(Error),
    /// A tool, a build, a judgement or a disk failed: exit code 1.
    Work(Error),
}

impl Failed {
    /// Prints the one error, and says how to exit.
    pub fn report(self) -> ExitCode {
        let (Self::Input(error) | Self::Work(error)) = &self;
        if let Some(signal) = interrupted(error) {
            eprintln!("interrupted; what was finished is kept, the next run goes on from there");
            return ExitCode::from(128 + u8::try_from(signal).unwrap_or(0));
        }
        eprintln!("error: {error:#}");
        match self {
            Self::Input(_) => ExitCode::from(2),
            Self::Work(_) => ExitCode::from(1),
        }
    }
}

/// Says of what kind an error is.
pub trait IntoFailed<T> {
    fn input(self) -> Result<T, Failed>;
    fn work(self) -> Result<T, Failed>;
}

impl<T> IntoFailed<T> for Result<T> {
    fn input(self) -> Result<T, Failed> {
        self.map_err(Failed::Input)
    }

    fn work(self) -> Result<T, Failed> {
        self.map_err(Failed::Work)
    }
}

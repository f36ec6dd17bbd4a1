//! How a command fails: by its input, found before any work, or by the work itself.

use super::disk;
use crate::cmd::interrupted;
use crate::text;
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
            tell!("interrupted; what was finished is kept, the next run goes on from there");
            return ExitCode::from(128 + u8::try_from(signal).unwrap_or(0));
        }
        tell!("error: {}", text::message(&told(error)));
        match self {
            Self::Input(_) => ExitCode::from(2),
            Self::Work(_) => ExitCode::from(1),
        }
    }
}

/// The chain of causes as one message, with what to try behind it, whichever cause knew it.
fn told(error: &Error) -> String {
    let texts: Vec<String> = error.chain().map(ToString::to_string).collect();
    let parts = texts.iter().map(|text| text.split_once("\nhelp: ").unwrap_or((text, "")));
    let (what, help): (Vec<&str>, Vec<&str>) = parts.unzip();
    let help = help.iter().filter(|help| !help.is_empty()).map(|help| format!("\nhelp: {help}"));
    let disk = disk::help(&texts).map(|help| format!("\nhelp: {help}")).unwrap_or_default();
    what.join(": ") + &help.collect::<String>() + &disk
}

/// Says of what kind an error is.
pub trait IntoFailed<T> {
    fn input(self) -> Result<T, Failed>;
    fn work(self) -> Result<T, Failed>;
}

impl<T> IntoFailed<T> for Result<T> {
    fn input(self) -> Result<T, Failed> {
        // A full disk says nothing about the input, however early it is met.
        self.map_err(
            |error| {
                if disk::failed(&error) { Failed::Work(error) } else { Failed::Input(error) }
            },
        )
    }

    fn work(self) -> Result<T, Failed> {
        self.map_err(Failed::Work)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    #[test]
    fn what_to_try_comes_last_whichever_cause_knew_it() {
        let error = anyhow!("inner\nhelp: try this").context("outer\nhelp: or that").context("top");
        assert_eq!(told(&error), "top: outer: inner\nhelp: or that\nhelp: try this");
        assert_eq!(told(&anyhow!("alone")), "alone");
    }
}

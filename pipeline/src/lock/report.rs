// SPDX-License-Identifier: GPL-2.0-or-later
//! What was seen upstream, and whether a person has to act.

use crate::process::interrupted;
use anyhow::{Error, Result};

/// One thing that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether somebody has to do something about it.
    pub act: bool,
    pub text: String,
}

/// Everything that it saw.
#[derive(Debug, Default)]
pub struct UpstreamReport {
    pub findings: Vec<Finding>,
}

impl UpstreamReport {
    pub fn must_act(&self) -> bool {
        self.findings.iter().any(|finding| finding.act)
    }

    /// What could not be looked at has to be, and is no reason to say nothing of the rest.
    pub fn record_error<T>(&mut self, looked: Result<T>, what: &str) -> Result<Option<T>> {
        match looked {
            Ok(seen) => Ok(Some(seen)),
            Err(error) if interrupted(&error).is_some() => Err(error),
            Err(error) => {
                self.act(format!("{what} could not be looked at: {}", one_line(&error)));
                Ok(None)
            }
        }
    }

    pub fn act(&mut self, text: impl Into<String>) {
        self.findings.push(Finding { act: true, text: text.into() });
    }

    pub fn note(&mut self, text: impl Into<String>) {
        self.findings.push(Finding { act: false, text: text.into() });
    }
}

/// An error without what it would advise.
pub fn one_line(error: &Error) -> String {
    let texts: Vec<String> = error.chain().map(ToString::to_string).collect();
    let firsts: Vec<&str> = texts.iter().filter_map(|text| text.lines().next()).collect();
    firsts.join(": ")
}

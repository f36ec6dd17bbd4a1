// SPDX-License-Identifier: GPL-2.0-or-later
//! Mirrors: folders and servers that have content under its digest.

use crate::config::WebUrl;
use crate::error::Help;
use crate::text;
use anyhow::{Result, anyhow};
use std::fmt;
use std::path::{Path, PathBuf};

/// A folder on this machine, or one that a web server serves.
#[derive(Debug, Clone)]
pub enum Mirror {
    Folder(PathBuf),
    Url(WebUrl),
}

impl Mirror {
    /// Reads one as a person writes it. A folder has to be there: a mirror that was mistyped would
    /// otherwise be passed over without a word.
    pub fn parse(text: &str) -> Result<Self> {
        if let Ok(url) = WebUrl::try_from(text.to_owned()) {
            return Ok(Self::Url(url));
        }
        let folder = PathBuf::from(text.strip_prefix("file://").unwrap_or(text));
        if !folder.is_dir() && !text.contains("://") {
            return Err(anyhow!("mirror `{}` is not a folder on this machine", text::value(text))
                .help(
                    "`vgpu-pipeline lock FILE --fetch DIR` makes one; a server is named by its URL",
                ));
        }
        if !folder.is_dir() {
            return Err(anyhow!("mirror `{}` is neither a folder on this machine nor a URL of http or https, without a \
                 password, a query or a fragment", text::value(text)).help("an address is shown; what a server wants to know of you is for `~/.netrc`"));
        }
        Ok(Self::Folder(std::path::absolute(folder)?))
    }

    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::Url(_) => None,
        }
    }
}

impl fmt::Display for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::Url(url) => write!(f, "{url}"),
        }
    }
}

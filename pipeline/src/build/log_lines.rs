// SPDX-License-Identifier: GPL-2.0-or-later
//! The log of a build, read back line by line and never as a whole.

use crate::files;
use anyhow::Result;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// A longer line is read in pieces of this size.
const LONGEST: u64 = 1 << 16;

/// The lines of a log, up to where it cannot be read.
pub fn log_lines(log: &Path) -> Result<impl Iterator<Item = String>> {
    let file = files::open(log, &files::LOG)?;
    let mut reader = BufReader::new(file);
    Ok(std::iter::from_fn(move || {
        let mut line = Vec::new();
        let read = reader.by_ref().take(LONGEST).read_until(b'\n', &mut line);
        let text = || String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned();
        read.ok().filter(|count| *count > 0).map(|_| text())
    }))
}

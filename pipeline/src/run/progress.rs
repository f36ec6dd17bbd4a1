// SPDX-License-Identifier: GPL-2.0-or-later
//! How far a stage is, from what it prints.

use crate::build;
use crate::files;
use std::cell::Cell;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// A log of fewer lines says nothing about how far a stage is.
const FEWEST_LINES: u64 = 200;

/// Reads the lines of a stage. Meson counts its steps. A QEMU of before prints a line for each, so that
/// the last log of the same stage says how many there will be.
pub struct Progress {
    expected: u64,
    lines: Cell<u64>,
    counts: Cell<bool>,
    percent: Cell<u64>,
}

impl Progress {
    /// One for a stage whose last log is still there.
    pub fn new(last_log: &Path) -> Self {
        let expected = files::open(last_log, &files::LOG).map_or(0, |file| {
            BufReader::new(file).split(b'\n').map_while(Result::ok).count() as u64
        });
        let expected = if expected < FEWEST_LINES { 0 } else { expected };
        Self { expected, lines: Cell::new(0), counts: Cell::new(false), percent: Cell::new(0) }
    }

    /// How much is done, and of how much, where another hundredth is.
    pub fn read(&self, line: &str) -> Option<(u64, u64)> {
        self.lines.set(self.lines.get() + 1);
        let counted = build::progress(line).map(|it| (u64::from(it.done), u64::from(it.total)));
        if counted.is_some() {
            self.counts.set(true);
        }
        let by_lines = (self.lines.get().min(self.expected), self.expected);
        let (done, total) = counted.or((!self.counts.get()).then_some(by_lines))?;
        let percent = (done * 100).checked_div(total)?;
        (self.percent.replace(percent) != percent).then_some((done, total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_counts_and_else_the_last_log_does() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let progress = Progress::new(&log);
        assert_eq!(progress.read("a line"), None, "nobody knows how many there will be");
        assert_eq!(progress.read("[1/4] Compiling a"), Some((1, 4)));
        std::fs::write(&log, "line\n".repeat(400)).unwrap();
        let progress = Progress::new(&log);
        let reported: Vec<_> = (0..10).filter_map(|_| progress.read("  CC  a.o")).collect();
        assert_eq!(reported, [(4, 400), (8, 400)]);
        // What is longer this time is at its end for a while.
        let last = (0..1000).filter_map(|_| progress.read("  CC  a.o")).last();
        assert_eq!(last, Some((400, 400)));
        assert_eq!(progress.read("[2/4] Compiling a"), Some((2, 4)));
        assert_eq!(progress.read("  warning"), None);
    }
}

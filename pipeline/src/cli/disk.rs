// SPDX-License-Identifier: GPL-2.0-or-later
//! Troubles of a disk: whoever meets one, the way out is the same.

use crate::error::find_all;
use anyhow::Error;
use rustix::io::Errno;
use std::io::{self, ErrorKind};

/// What each is called in the C library's words, which children print too, and what to try.
const TROUBLES: [(Errno, &str, &str); 5] = [
    (Errno::NOSPC, "No space left on device", MAKE_ROOM),
    (Errno::DQUOT, "Disk quota exceeded", MAKE_ROOM),
    (
        Errno::FBIG,
        "File too large",
        "`ulimit -f` limits the size of files, or the file system does",
    ),
    (
        Errno::IO,
        "Input/output error",
        "the disk under that path fails: `dmesg` says more; run again with `--store` or `--output` on \
         another one, where everything is made anew",
    ),
    (
        Errno::ROFS,
        "Read-only file system",
        "the kernel mounts a file system so when its disk fails, or somebody did: name another one with \
         `--store` or `--output`",
    ),
];
/// What is said of a child that failed where there was no room (`process::Failure`).
const SCARCE: &str = " KiB are free on the disk of `";
const MAKE_ROOM: &str = "make room on that file system, or name another one with `--store` or \
    `--output`; what was finished is kept, and the next run goes on from there";

/// Whether an error is one of a disk and not of what somebody wrote.
pub fn failed(error: &Error) -> bool {
    let ours = [Errno::NOSPC, Errno::DQUOT, Errno::FBIG, Errno::IO].map(Errno::raw_os_error);
    find_all::<io::Error>(error).any(|error| {
        // One that names its path may have lost its number.
        let kind = matches!(
            error.kind(),
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
        );
        kind || error.raw_os_error().is_some_and(|code| ours.contains(&code))
    })
}

/// What to try, where a message has a trouble of a disk in it.
pub fn help(message: &str) -> Option<&'static str> {
    let said = |words: &str| message.contains(words);
    let known = TROUBLES.iter().find(|(_, words, _)| said(words)).map(|(_, _, help)| *help);
    known.or(said(SCARCE).then_some(MAKE_ROOM))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn each_trouble_is_known_by_its_number_and_by_its_words() {
        for (errno, words, _) in TROUBLES {
            let inner = io::Error::from(errno);
            assert!(inner.to_string().starts_with(words), "{inner}");
            let error = Err::<(), _>(inner).context("cannot write `x`").unwrap_err();
            assert_eq!(failed(&error), errno != Errno::ROFS);
            let child = format!("`rpmbuild` ended\n  | cp: error writing 'x': {words}");
            assert!(help(&child).is_some());
        }
        // As `tempfile` has it, with the path in its words.
        for kind in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::FileTooLarge] {
            let error = Err::<(), _>(io::Error::new(kind, "at path `x`")).context("cannot write");
            assert!(failed(&error.unwrap_err()));
        }
        assert!(!failed(&io::Error::new(ErrorKind::PermissionDenied, "x").into()));
        let words_alone = Error::msg("No space left on device");
        assert!(!failed(&words_alone));
        assert_eq!(help("0 KiB are free on the disk of `x`"), Some(MAKE_ROOM));
        assert_eq!(help("another trouble"), None);
    }
}

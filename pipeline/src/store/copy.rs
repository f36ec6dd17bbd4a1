// SPDX-License-Identifier: GPL-2.0-or-later
//! Files on their way: opened as what they are, and hashed while they are copied, so that what arrives
//! is what its record says, whatever became of the file it was copied from.

use super::stored::{WHO, changed};
use super::{FileRecord, Stored};
use crate::error::Help;
use anyhow::{Context, Error, Result, bail, ensure};
use rustix::fs::{Mode, OFlags};
use std::fmt;
use std::fs::{self, File, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The modes that a file of ours may have: nothing of a container's own choice survives a copy.
const PLAIN: u32 = 0o644;
const PROGRAM: u32 = 0o755;

/// More came than the bytes that may.
#[derive(Debug)]
struct TooLong(u64);

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it has more than {} bytes", self.0)
    }
}

impl std::error::Error for TooLong {}

/// Opens a regular file of a result, and nothing that could block or lead elsewhere.
fn open(path: &Path) -> Result<File> {
    let shown = || format!("cannot open `{}`", path.display());
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty()).with_context(shown)?);
    ensure!(file.metadata()?.is_file(), "`{}` is not a regular file", path.display());
    Ok(file)
}

/// Copies what is read to a place where nothing is yet, up to a bound, and says what it was. What does
/// not go well leaves nothing behind.
pub fn copy_new(input: impl Read, to: &Path, program: bool, most: u64) -> Result<FileRecord> {
    let shown = || format!("cannot write `{}`", to.display());
    let mut file = File::options().write(true).create_new(true).open(to).with_context(shown)?;
    let mode = if program { PROGRAM } else { PLAIN };
    // Not left to the umask: a repository is read by a web server.
    let copied = file
        .set_permissions(Permissions::from_mode(mode))
        .with_context(shown)
        .and_then(|()| copy(input, &mut file, most).with_context(shown));
    if copied.is_err() {
        // The error that is on its way says more than that it left something.
        let _ = fs::remove_file(to);
    }
    copied
}

fn copy(input: impl Read, output: &mut impl Write, most: u64) -> Result<FileRecord> {
    let mut hasher = blake3::Hasher::new();
    let mut input = input.take(most.saturating_add(1));
    let mut size = 0;
    let mut piece = vec![0; 1 << 17];
    loop {
        let count = input.read(&mut piece)?;
        if count == 0 {
            break;
        }
        hasher.update(&piece[..count]);
        output.write_all(&piece[..count])?;
        size += count as u64;
    }
    ensure!(size <= most, TooLong(most));
    Ok(FileRecord { size, blake3: hasher.finalize().to_hex().to_string() })
}

impl Stored {
    /// Copies one of its files to a place where nothing is yet. A file that is no longer what was
    /// kept is refused: whoever goes on works with the bytes of the record, and no others.
    pub fn copy_out(&self, name: &str, to: &Path) -> Result<()> {
        let stage = &self.record.stage;
        let Some(expected) = self.record.files.get(name) else {
            bail!("the result of `{stage}` has no file `{name}`");
        };
        let path = self.path(name);
        let from = open(&path)?;
        let program = from.metadata()?.permissions().mode() & 0o100 != 0;
        let found = copy_new(from, to, program, expected.size);
        let why = match found {
            Ok(found) if found == *expected => return Ok(()),
            Ok(_) => {
                fs::remove_file(to)?;
                Error::msg("its bytes are others")
            }
            Err(error) if error.is::<TooLong>() => error,
            // A disk that is full, or fails, is nobody's deed.
            Err(error) => {
                return Err(error).with_context(|| {
                    format!("cannot copy `{}` of the stage `{stage}`", path.display())
                });
            }
        };
        Err(why.context(changed(&path, stage).to_string()).help(WHO))
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! A payload as a stream of entries: cpio's "new ASCII" format and rpm's stripped form of it.
//!
//! Source: `lib/cpio.c` of rpm 4.18; the format is cpio(5)'s `newc`.
//!
//! Never enters: what an entry is for. Names and sizes are as the archive gives them, bounded.

use crate::error::{ErrorKind, OrError, Result, bail, ensure};
use crate::links::PayloadInode;
use std::io::{self, Read};

/// The longest name that rpm reads.
const LONGEST_NAME: u32 = 4096;

/// An archive that is read from its start to its end.
pub struct Archive<R> {
    input: R,
    read: u64,
}

/// What stands before the bytes of a file.
pub enum Head {
    /// An entry of its own name, type and permissions, how many bytes follow, and which file it is.
    Named {
        name: Vec<u8>,
        mode: u32,
        size: u32,
        place: PayloadInode,
    },
    /// An entry of the file at this place of the header, whose size is the header's.
    Index(u32),
    End,
}

impl<R: Read> Archive<R> {
    pub fn new(input: R) -> Self {
        Self { input, read: 0 }
    }

    /// How many bytes were read.
    pub fn read(&self) -> u64 {
        self.read
    }

    /// The next entry; the bytes of the one before have to be read.
    pub fn next(&mut self) -> Result<Head> {
        self.pad()?;
        let magic: [u8; 6] =
            self.exactly().or_error(ErrorKind::Truncated, "its payload ends before its trailer")?;
        match &magic {
            b"07070X" => {
                let index = self.hex()?;
                self.pad()?;
                Ok(if index == u32::MAX { Head::End } else { Head::Index(index) })
            }
            b"070701" | b"070702" => self.named(),
            _ => bail!(Malformed, "its payload is not a cpio archive of rpm's kind"),
        }
    }

    fn named(&mut self) -> Result<Head> {
        let mut fields = [0; 13];
        for field in &mut fields {
            *field = self.hex()?;
        }
        let [inode, mode, _, _, links, _, size, major, minor, _, _, length, _] = fields;
        ensure!(
            length > 0 && length <= LONGEST_NAME,
            Malformed,
            "an entry of its payload has a name of {length} bytes"
        );
        let mut name = vec![0; length as usize];
        self.input
            .read_exact(&mut name)
            .or_error(ErrorKind::Truncated, "its payload is cut short")?;
        self.read += u64::from(length);
        ensure!(name.pop() == Some(0), Malformed, "a name in its payload does not end");
        self.pad()?;
        let place = PayloadInode { inode: (major, minor, inode), links };
        Ok(if name == b"TRAILER!!!" { Head::End } else { Head::Named { name, mode, size, place } })
    }

    /// The bytes of an entry, in pieces.
    pub fn content(&mut self, size: u64, mut take: impl FnMut(&[u8])) -> Result<()> {
        let mut piece = [0; 1 << 14];
        let mut left = size;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
            let count = self
                .input
                .read(&mut piece[..most])
                .or_error(ErrorKind::Malformed, "its payload is damaged")?;
            ensure!(count > 0, Truncated, "its payload is cut short");
            take(&piece[..count]);
            left -= count as u64;
            self.read += count as u64;
        }
        Ok(())
    }

    /// Reads what stands behind the trailer, up to a bound, and says whether it is more than zeroes.
    pub fn rest(&mut self, most: u64) -> Result<bool> {
        let mut rest = Vec::new();
        let mut input = self.input.by_ref().take(most);
        loop {
            rest.clear();
            let count = input.by_ref().take(1 << 14).read_to_end(&mut rest);
            if count.or_error(ErrorKind::Malformed, "its payload is damaged")? == 0 {
                return Ok(input.limit() == 0);
            }
            self.read += rest.len() as u64;
            if rest.iter().any(|byte| *byte != 0) {
                return Ok(true);
            }
        }
    }

    fn pad(&mut self) -> Result<()> {
        let missing = self.read.next_multiple_of(4) - self.read;
        let copied = io::copy(&mut self.input.by_ref().take(missing), &mut io::sink());
        self.read += copied.or_error(ErrorKind::Malformed, "its payload is damaged")?;
        Ok(())
    }

    fn hex(&mut self) -> Result<u32> {
        let digits: [u8; 8] = self.exactly()?;
        std::str::from_utf8(&digits)
            .ok()
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|text| u32::from_str_radix(text, 16).ok())
            .or_error(ErrorKind::Malformed, "a number in its payload is not one")
    }

    fn exactly<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.input
            .read_exact(&mut bytes)
            .or_error(ErrorKind::Truncated, "its payload is damaged or cut short")?;
        self.read += N as u64;
        Ok(bytes)
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! gzip as it is met: members one behind the other, with zeros between and behind them.

use flate2::bufread::GzDecoder;
use std::io::{self, BufRead, Read};

const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Unpacks a file of gzip. What stands behind its members and is neither zeros nor another member is no
/// part of it, as gzip(1) has it.
pub struct Gzip<R> {
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Gzip<R> {
    pub fn new(input: R) -> Self {
        Self { member: Some(GzDecoder::new(input)) }
    }

    /// Whether a file that begins like this is one of gzip.
    pub fn begins(head: &[u8]) -> bool {
        head.starts_with(&MAGIC)
    }
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(mut member) = self.member.take() {
            let read = member.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                self.member = Some(member);
                return Ok(read);
            }
            let mut input = member.into_inner();
            if another(&mut input)? {
                self.member = Some(GzDecoder::new(input));
            }
        }
        Ok(0)
    }
}

/// Passes over zeros. Whether another member follows.
fn another(input: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let bytes = input.fill_buf()?;
        match bytes.iter().take_while(|byte| **byte == 0).count() {
            0 => return Ok(bytes.first() == Some(&MAGIC[0])),
            zeros => input.consume(zeros),
        }
    }
}

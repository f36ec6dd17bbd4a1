// SPDX-License-Identifier: GPL-2.0-or-later
//! A spec's bytes as text that edits can work on, and back, without losing one.
//!
//! A spec may hold a name in Latin-1 that nobody wants changed. A byte that is no part of a UTF-8
//! character stands in the text as one character of a block that Unicode leaves to private use, and
//! so do the bytes of that block's own characters: whatever goes in comes out again.

use crate::error::Help;
use anyhow::{Result, anyhow};

/// The character that stands for the byte 0; the block has one for each byte.
const BLOCK: u32 = 0xEF00;

fn stand_in(byte: u8) -> char {
    char::from_u32(BLOCK + u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The byte that a character stands for.
fn raw(c: char) -> Option<u8> {
    u32::from(c).checked_sub(BLOCK).and_then(|byte| u8::try_from(byte).ok())
}

/// The text of a spec. What rpm itself would not read as text is refused with its line.
pub fn decode(spec: &[u8], name: &str) -> Result<String> {
    let line_of = |at: usize| spec[..at].split(|&byte| byte == b'\n').count();
    if spec.starts_with(b"\xef\xbb\xbf") {
        return Err(anyhow!(
            "{name}: line 1 begins with a byte order mark, which rpm takes for an unknown tag"
        )
        .help("save the spec as UTF-8 without one"));
    }
    if let Some(at) = spec.iter().position(|&byte| byte == 0) {
        return Err(anyhow!(
            "{name}: line {} holds a NUL byte, behind which rpm reads no further",
            line_of(at)
        )
        .help("a spec is text; was it saved as UTF-16, or is it damaged?"));
    }
    let mut text = String::with_capacity(spec.len());
    for chunk in spec.utf8_chunks() {
        for c in chunk.valid().chars() {
            if raw(c).is_none() {
                text.push(c);
            } else {
                let mut bytes = [0; 4];
                text.extend(c.encode_utf8(&mut bytes).bytes().map(stand_in));
            }
        }
        text.extend(chunk.invalid().iter().copied().map(stand_in));
    }
    Ok(text)
}

/// The bytes of a text that [`decode`] made.
pub fn encode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        if let Some(byte) = raw(c) {
            bytes.push(byte);
        } else {
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    bytes
}

/// Whether a text of the user's could be taken for a byte that it does not mean.
pub fn is_ambiguous(text: &str) -> bool {
    text.chars().any(|c| raw(c).is_some())
}

/// Text of [`decode`] as people may see it: what is no character is escaped, as is whatever would
/// act on their terminal or turn the direction of reading.
pub fn readable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (raw(c), c) {
            (Some(byte), _) => out.extend(["\\x", &format!("{byte:02X}")]),
            (None, '\n' | '\t') => out.push(c),
            (None, '\r') if matches!(chars.peek(), None | Some('\n')) => out.push(c),
            (None, _) if c.is_control() || turns(c) => {
                out.extend(["\\u{", &format!("{:x}", u32::from(c)), "}"]);
            }
            _ => out.push(c),
        }
    }
    out
}

/// Characters of Unicode's bidirectional algorithm, and those that have no width.
fn turns(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{61c}')
}

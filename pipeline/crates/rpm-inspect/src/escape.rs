// SPDX-License-Identifier: GPL-2.0-or-later
//! Text of a package on its way into a message.

/// A text on one line, without what a terminal would obey.
pub fn shown(text: &str) -> String {
    text.escape_debug().to_string()
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

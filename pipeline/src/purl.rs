// SPDX-License-Identifier: GPL-2.0-or-later
//! Package URLs: what a package is called wherever it is served (the purl specification, its types `deb` and
//! `rpm`).

use std::fmt::Write;

/// A package of Debian's.
pub fn debian(name: &str, version: &str, architecture: &str, suite: &str) -> String {
    let (name, version) = (escaped(name), escaped(version));
    format!("pkg:deb/debian/{name}@{version}?arch={architecture}&distro={suite}")
}

fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte);
    let mut escaped = String::new();
    for byte in text.bytes() {
        if plain(byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! How long a campaign is: a slice each time, unless a variable says; `tests/README.md` has them.

use std::str::FromStr;

/// The number that a variable has, or that of the slice where there is none.
pub fn number<N: FromStr>(variable: &str, slice: N) -> N {
    let Ok(text) = std::env::var(variable) else { return slice };
    text.parse().unwrap_or_else(|_| panic!("{variable}: `{text}` is no number"))
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! What this machine cannot check.

/// Says aloud, and so that `tests/run` counts it, what this machine cannot check. The harness keeps what a test
/// prints by `println!` to itself where the test passes.
macro_rules! skipped {
    ($($why:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stdout().lock(), "\nSKIPPED: {}", format_args!($($why)*));
    }};
}
pub(crate) use skipped;

// SPDX-License-Identifier: GPL-2.0-or-later
//! The integration tests: the built program with real tools, in lanes from quick to slow. A lane is a folder,
//! a suite a module in it. What is not the real thing says so in its first lines.

#![allow(
    clippy::disallowed_methods,
    reason = "tests start the tools that the program is judged by"
)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod support;

mod form;

mod cli;

mod toy;

mod qemu;

mod host;

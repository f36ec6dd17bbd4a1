// SPDX-License-Identifier: GPL-2.0-or-later
//! The integration tests: the built program with real tools. Stand-ins are in `fixtures/` and say so.

#![allow(
    clippy::disallowed_methods,
    reason = "tests start the tools that the program is judged by"
)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod cache;
mod census;
mod containment;
mod device;
mod difference;
mod docker;
mod docs;
mod dom0;
mod equal_runs;
mod failures;
mod forge;
mod guest;
mod hostile;
mod input;
mod install;
mod intake;
mod interrupt;
mod leash;
mod leftovers;
mod limits;
mod lock;
mod output;
mod owners;
mod packaging;
mod probe;
mod radar;
mod rules;
mod secrets;
mod shell;
mod signing;
mod sources;
mod spec;
mod support;
mod tidy;
mod toy;
mod workflows;
mod wrapper;

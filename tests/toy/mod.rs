// SPDX-License-Identifier: GPL-2.0-or-later
//! Pipelines on a small tree in the shape of QEMU, in real containers.

pub mod bump;
pub mod cache;
pub mod containment;
pub mod difference;
pub mod docker;
pub mod equal_runs;
pub mod failures;
pub mod intake;
pub mod interrupt;
pub mod leftovers;
pub mod lock;
pub mod output;
pub mod owners;
pub mod pipeline;
pub mod radar;
pub mod release;
pub mod rules;
pub mod secrets;
pub mod shell;
pub mod sources;
pub mod spec;

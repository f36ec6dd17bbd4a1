// SPDX-License-Identifier: GPL-2.0-or-later
//! A real QEMU, built by the workstation pipeline, and guests in it.

pub mod census;
pub mod device;
pub mod guest;
pub mod probe;
pub mod signing;

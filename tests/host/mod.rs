// SPDX-License-Identifier: GPL-2.0-or-later
//! What a host does with what was published.

pub mod dom0;
mod first_device;
pub mod install;
pub mod wrapper;

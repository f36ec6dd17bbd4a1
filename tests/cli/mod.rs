// SPDX-License-Identifier: GPL-2.0-or-later
//! The command line alone, without a container.

pub mod answers;
pub mod hostile;
pub mod input;
pub mod leash;
pub mod limits;

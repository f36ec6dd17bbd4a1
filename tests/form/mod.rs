// SPDX-License-Identifier: GPL-2.0-or-later
//! The project itself: house rules, documents, workflows. Needs the tree and the program.

pub mod docs;
pub mod tidy;
pub mod workflows;

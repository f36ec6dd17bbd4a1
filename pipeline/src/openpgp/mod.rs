// SPDX-License-Identifier: GPL-2.0-or-later
//! Public keys, and the signatures that other people put on their packages.
//!
//! A package from outside is believed for one reason: a key that the pipeline pins signed all of it.
//! This room reads such keys and decides that, for what distributions have shipped since CentOS 7.
//! Our own packages are judged by `sign`, which asks for more.
//!
//! What never enters: a secret key, the clock (what was signed while a key was valid stays signed),
//! key servers and webs of trust, the signatures of rpm's version 6.

mod certificate;
mod check;
mod issuer;
mod packet;
mod self_signatures;
#[cfg(test)]
mod tests;

pub use certificate::{Certificate, Keys, Refused, rsa_bits};
pub use check::check_package;
pub use packet::{OneKey, armour_blocks, each_key, is_one_line, one_signature};
pub use self_signatures::SelfSignatures;

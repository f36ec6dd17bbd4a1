// SPDX-License-Identifier: GPL-2.0-or-later
//! Which QOM types a QEMU binary has, read out of the file and without running it.
//!
//! QEMU's object model (QOM) describes every device, machine and CPU by a `TypeInfo` structure that
//! code registers when the program starts. This crate finds those structures in the ELF file as
//! `strip` leaves it, decodes them as the loader and the type system would, and says of each type
//! its parent, interfaces and properties. It also says what a host cares for in any ELF file: its
//! libraries, its loader, how it is hardened ([`ElfInfo`]).
//!
//! ```
//! use qom_census::Census;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/x86_64-rela-4.2");
//! // `path` is a QEMU, such as /usr/bin/qemu-system-x86_64; here a small program of its shape.
//! let census = Census::read(&std::fs::read(path)?)?;
//! let device = census.find("vgpu-stub")?.ok_or("there is no such type")?;
//! assert_eq!(device.parent, "pci-device");
//! let properties: Vec<String> =
//!     device.properties.iter().flatten().map(|property| property.to_string()).collect();
//! assert_eq!(properties, ["pool_id=<str>", "priority=<str>", "vm_id=<uint32>"]);
//! assert!(census.find("no-such-device")?.is_none());
//! # Ok(())
//! # }
//! ```
//!
//! # What it reads
//!
//! 64-bit little-endian programs and libraries for x86-64 and aarch64: position-independent or at
//! fixed addresses, with plain (RELA) or packed (RELR) relocations, of QEMU 4.2 to 11.1. Addresses
//! are those of the file, with the load address at zero; sizes are in bytes. No string is ever
//! searched for: the linker merges tails, so that `priority` may be the end of another string, and
//! a name that is in a file proves nothing.
//!
//! Layouts are detected from the data and never assumed; a binary whose data disagree is refused.
//! Held against `qom-list-types` of QEMU 4.2 to 11.1, no type is claimed that a binary does not know,
//! but for those that are marked as [conditional](QomType::conditional).
//!
//! Not found are types of loops that are in no [`Family`], of which
//! [`Uncounted::made_at_run_time`] counts the calls; types of loadable modules, which are listed apart
//! ([`Module`]); and properties that code adds one by one. Those only the running program knows.
//!
//! # Hostile files
//!
//! The file is not trusted: any bytes give an error or a report, never a panic, in bounded time and
//! memory (`fuzz/` has the fuzz target). Names in a report are ASCII letters, digits and a little
//! punctuation; the texts of [`ElfInfo`] are whatever the file says, and whoever prints them has to
//! escape them.
//!
//! # How it works
//!
//! | what | module | source of its facts |
//! | --- | --- | --- |
//! | what kind of ELF file it is | `header` | System V gABI |
//! | ELF as memory: PIE or fixed addresses, x86-64 or aarch64 | `image` | System V gABI |
//! | whether memory is what the file says | `segments` | gABI, Linux, glibc |
//! | the dynamic section | `dynamic` | gABI, glibc |
//! | what only debuggers read | `sections` | gABI, gdb's manual |
//! | pointers: RELA and RELR | `relocations` | gABI, psABIs |
//! | where functions begin | `functions` | LSB, `.eh_frame_hdr` |
//! | what their code says | `code` | Intel SDM, Arm ARM |
//! | static types, in both layouts | `types` | `include/qom/object.h` |
//! | which of them are registered, and when | `registry` | `include/qemu/module.h` |
//! | property tables, in three layouts | `property_layout` | `include/hw/qdev-properties.h` |
//! | which table a type has | `property_tables` | `hw/core/qdev-properties.c` |
//! | types made from tables | `families` | `virtio-pci.c`, `target/i386/cpu.c`, … |
//! | what a host asks of any ELF file | `info` | gABI |
//! | types of loadable modules | `modules` | `scripts/modinfo-generate.py` |
//! | what is said of all that | `qom` | |

#![warn(missing_docs)]

mod census;
mod code;
mod dynamic;
mod error;
mod families;
mod functions;
mod header;
mod image;
mod info;
mod modules;
mod property_layout;
mod property_tables;
mod qom;
mod registry;
mod relocations;
mod sections;
mod segments;
#[cfg(test)]
mod tests;
mod types;

pub use census::Census;
pub use error::{Error, ErrorKind, FindError};
pub use header::{Executable, Machine, executable};
pub use info::{ElfInfo, glibc_version};
pub use property_layout::PropertyLayout;
pub use qom::{Family, Module, Property, Qom, QomType, Uncounted};
pub use sections::{has_gdb_scripts, is_for_debuggers};
pub use types::TypeInfoLayout;

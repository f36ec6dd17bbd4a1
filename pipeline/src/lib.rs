// SPDX-License-Identifier: GPL-2.0-or-later
//! `vgpu-pipeline`: from pinned sources to a signed yum repository with a device of your own in QEMU.
//!
//! The program is its binary. What a library has of it is the shapes that it prints, for whoever reads its
//! `--json`:
//!
//! ```
//! use vgpu_pipeline::{Event, Note, Stage, render_note};
//!
//! let line = r#"{"event":"note","stage":"build","note":{"kind":"wrote","path":"/build/RPMS/a.rpm"}}"#;
//! let Event::Note { stage, note } = serde_json::from_str(line)? else { panic!("another event") };
//! assert_eq!(stage, Stage::Build);
//! assert_eq!(render_note(&note), "Wrote: /build/RPMS/a.rpm");
//! # Ok::<(), serde_json::Error>(())
//! ```

mod apt;
mod build;
mod cli;
mod config;
mod digest;
mod dom0;
mod environment;
mod error;
mod fetch;
mod files;
mod folders;
mod git;
mod init;
mod inject;
mod intake;
mod lock;
mod note;
mod openpgp;
mod package_file;
mod process;
mod project;
mod publish;
mod purl;
mod repodata;
mod rules;
mod run;
mod sandbox;
mod sign;
mod source;
mod stage;
mod store;
mod text;
mod verify;

pub use cli::{main, render_note};
pub use note::Note;
pub use rules::rules_table;
pub use run::{Event, Failure, FailureKind, FileMistake, State};
pub use stage::{CacheKey, Stage};
pub use verify::Report;

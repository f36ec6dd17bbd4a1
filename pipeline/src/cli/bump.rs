// SPDX-License-Identifier: GPL-2.0-or-later
//! `bump`: the pins of a pipeline moved to what is upstream today.

use super::lock::print;
use super::notes;
use super::{Classify, CommandError, Execute, ProjectArgs};
use crate::error::Help;
use crate::fetch::{Network, Origins};
use crate::lock::{LockContext, Task};
use crate::sandbox::Engine;
use anyhow::anyhow;
use clap::Args;

#[derive(Debug, Args)]
pub struct Bump {
    #[command(flatten)]
    project: ProjectArgs,
    /// Write nothing: say what would change
    #[arg(long)]
    dry_run: bool,
    /// The container engine [default: podman, else docker, whichever is on PATH]
    #[arg(long, value_enum)]
    engine: Option<Engine>,
}

impl Execute for Bump {
    fn run(&self) -> Result<(), CommandError> {
        if self.project.file.is_none() {
            return Err(anyhow!("`bump` changes a pipeline file, and none is named")
                .help("vgpu-pipeline bump FILE"))
            .usage();
        }
        let store = self.project.store().usage()?;
        let project = self.project.load(&store).usage()?;
        let cx = LockContext {
            project: &project,
            store: &store,
            origins: &Origins { network: Network::On, mirrors: Vec::new() },
            engine: self.engine,
            on_note: &|note| tell!("note: {}", notes::render(&note)),
        };
        cx.preflight(Task::Bump).usage()?;
        let bump = cx.bump().failed()?;
        print(&bump.report);
        if !bump.changes() {
            say!("nothing changed");
        } else if self.dry_run {
            tell!("nothing is written");
        } else {
            bump.write(&cx)
                .failed()?
                .iter()
                .for_each(|file| tell!("{} is written", file.display()));
        }
        Ok(())
    }

    fn project(&self) -> Option<&ProjectArgs> {
        Some(&self.project)
    }
}

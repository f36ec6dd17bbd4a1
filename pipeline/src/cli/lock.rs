// SPDX-License-Identifier: GPL-2.0-or-later
//! `lock`: what an environment is made of, pinned; and what moved since.

use super::notes;
use super::{Classify, CommandError, Execute, FetchArgs, ProjectArgs};
use crate::error::Help;
use crate::lock::{LockContext, Task, UpstreamReport, examine_mirror};
use crate::sandbox::Engine;
use anyhow::{Result, anyhow};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct Lock {
    #[command(flatten)]
    project: ProjectArgs,
    #[command(flatten)]
    reach: FetchArgs,
    /// Write nothing: say what moved upstream since the pins were set; exit code 1 where someone must act
    #[arg(long, conflicts_with = "fetch")]
    check: bool,
    /// Write nothing: fill this mirror folder with everything that the pipeline and its lock pin
    #[arg(long, value_name = "DIR")]
    fetch: Option<PathBuf>,
    /// The container engine [default: podman, else docker, whichever is on PATH]
    #[arg(long, value_enum, conflicts_with = "check")]
    engine: Option<Engine>,
}

impl Execute for Lock {
    fn run(&self) -> Result<(), CommandError> {
        let store = self.project.store().usage()?;
        let project = self.project.load(&store).usage()?;
        self.mirrors_are_asked().usage()?;
        let origins = self.reach.origins().usage()?;
        let cx = LockContext {
            project: &project,
            store: &store,
            origins: &origins,
            engine: self.engine,
            on_note: &|note| tell!("note: {}", notes::render(&note)),
        };
        let task = match (self.check, &self.fetch) {
            (true, _) => Task::Check,
            (false, Some(_)) => Task::Fill,
            (false, None) => Task::Resolve,
        };
        cx.preflight(task).usage()?;
        if let Some(folder) = &self.fetch {
            examine_mirror(folder).usage()?;
        }
        if self.check {
            let report = cx.check().failed()?;
            print(&report);
            if report.must_act() {
                return Err(anyhow!("somebody has to act on what is marked ACT")).failed();
            }
            return Ok(());
        }
        if let Some(folder) = &self.fetch {
            let held = cx.populate_mirror(folder).failed()?;
            tell!("{} holds {held} pieces of content: use it with --mirror", folder.display());
            return Ok(());
        }
        let resolved = cx.resolve().failed()?;
        resolved.notes.iter().for_each(|note| tell!("note: {note}"));
        resolved.changes.iter().for_each(|line| say!("{line}"));
        if resolved.changes.is_empty() {
            say!("nothing changed");
        }
        cx.write(&resolved).failed()?;
        tell!("{} is written", project.lock_file.display());
        Ok(())
    }

    fn project(&self) -> Option<&ProjectArgs> {
        Some(&self.project)
    }
}

impl Lock {
    /// Refuses to be silent about a mirror where only upstream can say what there is.
    fn mirrors_are_asked(&self) -> Result<()> {
        if self.fetch.is_none() && !self.reach.mirror.is_empty() {
            return Err(anyhow!(
                "`--mirror` is for `lock --fetch`: what there is today, only its origin knows"
            )
            .help("leave out `--mirror`"));
        }
        Ok(())
    }
}

/// Shows what was seen upstream.
pub fn print(report: &UpstreamReport) {
    for finding in &report.findings {
        let mark = if finding.act { "ACT " } else { "    " };
        say!("{mark}{}", finding.text);
    }
}

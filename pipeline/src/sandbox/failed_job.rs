// SPDX-License-Identifier: GPL-2.0-or-later
//! A job that failed, written down beside the folders that it worked in, so that somebody can enter
//! its container again and find the tree as it stood.

use super::{Image, Job, arguments, owner, removal};
use crate::error::Help;
use crate::process::Runner;
use anyhow::{Context, Result, anyhow};
use fs_err as fs;
use serde::{Deserialize, Serialize};
use std::io::{ErrorKind, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

const RECORD: &str = "failed-job.json";

/// What is needed to enter.
#[derive(Debug, Serialize, Deserialize)]
pub struct FailedJob {
    job: Job,
    image: Image,
}

impl FailedJob {
    /// Leaves it in the folder of a work that is about to be moved away.
    pub fn save(job: &Job, image: &Image, work: &Path) -> Result<()> {
        let mut job = job.clone();
        for mount in &mut job.mounts {
            if let Ok(inside) = mount.host.strip_prefix(work) {
                mount.host = inside.to_owned();
            }
        }
        let failed_job = Self { job, image: image.clone() };
        fs::write(work.join(RECORD), serde_json::to_vec_pretty(&failed_job)?)?;
        Ok(())
    }

    /// The failed job in a folder, if there is one.
    pub fn load(folder: &Path) -> Result<Option<Self>> {
        let text = match fs::read(folder.join(RECORD)) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| folder.display().to_string()),
        };
        let mut failed_job: Self = serde_json::from_slice(&text)?;
        for mount in &mut failed_job.job.mounts {
            mount.host = folder.join(&mount.host);
        }
        Ok(Some(failed_job))
    }

    /// The command that failed.
    pub fn command(&self) -> &[String] {
        &self.job.argv
    }

    /// Where a folder of the host is inside.
    pub fn mounts(&self) -> impl Iterator<Item = (&PathBuf, &str)> {
        self.job.mounts.iter().map(|mount| (&mount.host, &*mount.inside))
    }

    /// Runs a command there, on this terminal.
    pub fn enter(&self, command: &[String], runner: &Runner) -> Result<ExitStatus> {
        let engine = self.image.engine();
        if !self.image.exists(runner)? {
            return Err(anyhow!(
                "`{}` no longer has the image {}",
                engine.program(),
                self.image.reference()
            )
            .help("run the pipeline again"));
        }
        owner::sweep(runner, engine)?;
        let name = owner::container_name("shell");
        let mut call = arguments(engine, &name, &self.job, runner)?.arg("--interactive");
        if std::io::stdin().is_terminal() {
            call = call.arg("--tty");
        }
        if self.mounts().any(|(_, inside)| inside == "/build") {
            call = call.arg("--workdir=/build");
        }
        let call = call.arg(self.image.reference()).args(command);
        runner.run_interactive(&call.on_kill(removal(engine, &name)))
    }
}

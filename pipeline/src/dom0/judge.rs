// SPDX-License-Identifier: GPL-2.0-or-later
//! What a host makes of settings, by its own judge: the Python that the package brings, under that of the
//! environment.

use super::{ServedDevices, lay_out};
use crate::config::Wrapper;
use crate::process::Runner;
use crate::sandbox::{self, Confinement, Image, Interaction, Job, Mount};
use anyhow::{Context, Result, ensure};
use fs_err as fs;
use serde::Deserialize;
use serde_json::json;
use std::path::Path;
use std::time::Duration;

const PROGRAM: &str = include_str!("judge.py");
const LIMIT: Duration = Duration::from_secs(120);
const MOST_OUTPUT: u64 = 64 << 20;

/// What comes of a setting.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Judged {
    /// The values of QEMU's `-device`.
    Passed(Vec<String>),
    /// It is refused, with these words.
    Refused(String),
}

/// Asks the judge of settings: the platform key and the value of each.
pub fn judge(
    settings: &[(String, String)],
    (wrapper, served): (&Wrapper, &ServedDevices),
    folder: &Path,
    image: &Image,
    runner: &Runner,
) -> Result<Vec<Judged>> {
    let programs = folder.join("programs");
    lay_out(served, &programs)?;
    fs::write(programs.join("judge.py"), PROGRAM)?;
    // The input has no end, so an empty line is one.
    let lines = settings.iter().map(|setting| json!(setting).to_string() + "\n");
    let lines = lines.chain(["\n".to_owned()]);
    let job = Job {
        purpose: "wrapper".into(),
        argv: [wrapper.python.program(), "-B", "/wrapper/judge.py"].map(str::to_owned).to_vec(),
        confinement: Confinement::Sealed,
        mounts: vec![Mount::read_only(&programs, "/wrapper")],
        variables: Vec::new(),
        memory: "1g".to_owned(),
        pids: 64,
    };
    let interaction =
        Interaction { input: lines.collect(), until: None, limit: LIMIT, max_output: MOST_OUTPUT };
    let said = sandbox::run_with_input(runner, image, &job, folder, &interaction)
        .context("the judge of settings that dom0 gets")?;
    let found = said.lines().map(serde_json::from_str).collect::<Result<Vec<Judged>, _>>()?;
    ensure!(found.len() == settings.len(), "the judge of settings gave {} answers", found.len());
    Ok(found)
}

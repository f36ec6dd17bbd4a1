//! Runs the built binary in the sandbox and asks it for the device.

use crate::cmd::Runner;
use crate::config::ExpectedType;
use crate::sandbox::{self, Confinement, Image, Job, Mount};
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What a binary answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probed {
    pub binary: String,
    /// The first line of `-version`.
    pub version: String,
    /// The lines of `-device help` that name the expected devices.
    pub devices: Vec<String>,
}

/// Asks `-version`, `-device help` and `-device TYPE,help`.
pub fn run(
    folder: &Path,
    binary: &str,
    expected: &[ExpectedType],
    image: &Image,
    cmd: &Runner,
) -> Result<Probed> {
    let ask = |args: &[&str]| -> Result<String> {
        let program = format!("/probe/{binary}");
        let argv = std::iter::once(program.as_str()).chain(args.iter().copied());
        let job = Job {
            purpose: "probe".into(),
            argv: argv.map(str::to_owned).collect(),
            confinement: Confinement::Sealed,
            mounts: vec![Mount::read_only(folder, "/probe")],
            variables: Vec::new(),
            memory: "1g".to_owned(),
            pids: 64,
        };
        let output = sandbox::run(cmd, image, &job)
            .with_context(|| format!("`{binary} {}` in the sandbox", args.join(" ")))?;
        Ok(output.stdout)
    };
    let version = ask(&["-version"])?.lines().next().unwrap_or_default().to_owned();
    let help = ask(&["-device", "help"])?;
    let mut devices = Vec::new();
    for expected in expected {
        let name = expected.name.as_str();
        let quoted = format!("name \"{name}\"");
        let Some(line) = help.lines().find(|line| line.starts_with(&quoted)) else {
            bail!("`{binary} -device help` does not list `{name}`");
        };
        devices.push(line.to_owned());
        let properties = ask(&["-device", &format!("{name},help")])?;
        for property in expected.properties.iter().flatten().map(|(name, _)| name) {
            if !has_property(&properties, property.as_str()) {
                bail!("`{binary} -device {name},help` does not list the property `{property}`");
            }
        }
    }
    Ok(Probed { binary: binary.to_owned(), version, devices })
}

/// A property's line is `  pool_id=<str>`, with or without a description (`qdev_device_help`).
fn has_property(help: &str, property: &str) -> bool {
    help.lines()
        .any(|line| line.trim_start().split_once('=').is_some_and(|(name, _)| name == property))
}

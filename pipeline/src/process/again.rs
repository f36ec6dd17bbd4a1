// SPDX-License-Identifier: GPL-2.0-or-later
//! This program once more: in its own place without what it should not know, or beside it for an
//! answer that is too much for its own memory.

use super::child::ENVIRONMENT;
use super::interrupt;
use anyhow::{Context, Error, Result, bail};
use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use xshell::Shell;

/// Whatever is installed over this program meanwhile.
const OURSELVES: &str = "/proc/self/exe";

/// Starts this program anew in its own place, with the same arguments, without some variables, and with
/// another standard input where one is given. It comes back only where that is impossible.
pub fn start_anew(without: &[&str], stdin: Option<OwnedFd>) -> Error {
    let command = || -> Result<Command> {
        let mut args = std::env::args_os();
        let name = args.next().unwrap_or_else(|| OURSELVES.into());
        let mut command: Command = Shell::new()?.cmd(OURSELVES).args(args).into();
        command.arg0(name);
        for variable in without {
            command.env_remove(variable);
        }
        if let Some(stdin) = stdin {
            command.stdin(Stdio::from(stdin));
        }
        Ok(command)
    };
    match command() {
        Ok(mut command) => Error::from(command.exec()).context("cannot start this program anew"),
        Err(error) => error,
    }
}

/// Asks this program something, and returns what it prints. What it says of a failure is the error.
pub fn ask<I: IntoIterator<Item: AsRef<OsStr>>>(args: I, stdin: Option<&File>) -> Result<String> {
    let mut command: Command = Shell::new()?.cmd(OURSELVES).args(args).into();
    let stdin = match stdin {
        Some(file) => Stdio::from(file.try_clone()?),
        None => Stdio::null(),
    };
    let variables = ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
    command.env_clear().envs(variables).stdin(stdin);
    let output = command.output().context("cannot start this program once more")?;
    if !output.status.success() {
        // A terminal's Ctrl-C ends that one too.
        interrupt::check()?;
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim_end();
        match said.strip_prefix("error: ") {
            Some(said) => bail!("{said}"),
            None => bail!("this program ended with {}", output.status),
        }
    }
    Ok(String::from_utf8(output.stdout)?)
}

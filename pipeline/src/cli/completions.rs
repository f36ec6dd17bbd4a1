// SPDX-License-Identifier: GPL-2.0-or-later
//! `completions`: for the user's shell.

use super::{Cli, CommandError, Execute};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

#[derive(Debug, Args)]
pub struct Completions {
    shell: Shell,
}

impl Execute for Completions {
    fn run(&self) -> Result<(), CommandError> {
        // Into memory first: the generator panics where a reader went away.
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "vgpu-pipeline", &mut text);
        say!("{}", String::from_utf8_lossy(&text).trim_end());
        Ok(())
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! `schema`: the format, for editors.

use super::{Classify, CommandError, Execute};
use clap::Args;

#[derive(Debug, Args)]
pub struct Schema {}

impl Execute for Schema {
    fn run(&self) -> Result<(), CommandError> {
        let text = serde_json::to_string_pretty(&crate::config::schema());
        say!("{}", text.map_err(anyhow::Error::from).failed()?);
        Ok(())
    }
}

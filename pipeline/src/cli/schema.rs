//! `schema`: the format, for editors.

use super::{Failed, IntoFailed};
use clap::Args;

#[derive(Debug, Args)]
pub struct Schema {}

impl Schema {
    pub fn run(&self) -> Result<(), Failed> {
        let text = serde_json::to_string_pretty(&crate::config::schema());
        say!("{}", text.map_err(anyhow::Error::from).work()?);
        Ok(())
    }
}

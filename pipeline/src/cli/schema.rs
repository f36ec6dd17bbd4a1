//! `schema`: the format, for editors.

use super::{Failed, IntoFailed};

pub fn run() -> Result<(), Failed> {
    let text = serde_json::to_string_pretty(&crate::config::schema());
    say!("{}", text.map_err(anyhow::Error::from).work()?);
    Ok(())
}

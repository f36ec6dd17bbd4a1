// SPDX-License-Identifier: GPL-2.0-or-later
//! `key`: make a signing key, or show one's public half.

use super::{Classify, CommandError, Execute};
use crate::config::{KeySource, Sign};
use crate::error::Help;
use crate::process::interrupt;
use crate::sign::{self, Public, SigningKey};
use crate::text;
use anyhow::{Context, Result};
use clap::Subcommand;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub enum Key {
    /// Make an RSA-4096 key that rpm 4.11 accepts, readable by its owner only
    New {
        /// The file that the secret key is written to; it must not exist
        file: PathBuf,
        /// Whose key it is
        #[arg(
            long,
            value_name = "NAME <EMAIL>",
            default_value = "vgpu-pipeline <signing@localhost>"
        )]
        user_id: String,
    },
    /// Show the fingerprint and the public half of a key
    Show {
        /// The armoured secret key [default: the development key]
        file: Option<PathBuf>,
        /// The environment variable that holds the armoured secret key
        #[arg(long, value_name = "NAME", conflicts_with = "file")]
        key_env: Option<String>,
        /// The environment variable that holds its passphrase
        #[arg(long, value_name = "NAME")]
        passphrase_env: Option<String>,
        /// Of several keys in the file, the one with this fingerprint
        #[arg(long, value_name = "FINGERPRINT")]
        fingerprint: Option<String>,
        /// Print one JSON object on standard output
        #[arg(long)]
        json: bool,
    },
}

impl Execute for Key {
    fn run(&self) -> Result<(), CommandError> {
        // Making a key takes its time, and until it is written there is nothing to be cleaned up.
        interrupt::end_at_once(true);
        match self {
            Self::New { file, user_id } => make(file, user_id).usage(),
            Self::Show { json, .. } => self.show(*json).usage(),
        }
    }

    fn prints_json(&self) -> bool {
        matches!(self, Self::Show { json: true, .. })
    }

    fn secrets(&self) -> Vec<&str> {
        match self {
            Self::New { .. } => Vec::new(),
            Self::Show { key_env, passphrase_env, .. } => {
                [key_env, passphrase_env].into_iter().filter_map(|name| name.as_deref()).collect()
            }
        }
    }
}

impl Key {
    fn show(&self, json: bool) -> Result<()> {
        let key = sign::open(&self.section()?, Path::new(""))?
            .context("there is no development key yet")
            .help("the first `run` makes it")?;
        if json {
            super::print_json(&serde_json::to_string(&Public::of(&key))?);
            return Ok(());
        }
        tell!("{} {}", key.fingerprint(), text::visible(key.user_id()));
        if let Some(seconds) = key.expires() {
            let days = (i64::from(seconds) - i64::from(sign::now()?)) / (24 * 60 * 60);
            tell!("expires in {days} days");
        }
        for other in key.others() {
            tell!("passed over: {}", text::visible(other));
        }
        say!("{}", key.public_armored().trim_end());
        Ok(())
    }

    /// What is asked for, as a pipeline would say it.
    fn section(&self) -> Result<Sign> {
        fn word<T: TryFrom<String, Error = String>>(text: Option<&String>) -> Result<Option<T>> {
            text.cloned().map(T::try_from).transpose().map_err(anyhow::Error::msg)
        }
        let Self::Show { file, key_env, passphrase_env, fingerprint, .. } = self else {
            return Ok(Sign::default());
        };
        let file = file.clone().map(KeySource::File);
        Ok(Sign {
            key: file.or(word(key_env.as_ref())?.map(KeySource::Env)),
            passphrase_env: word(passphrase_env.as_ref())?,
            fingerprint: word(fingerprint.as_ref())?,
        })
    }
}

fn make(file: &Path, user_id: &str) -> Result<()> {
    sign::make_place(file)?;
    let key = SigningKey::generate(user_id, sign::now()?)?;
    interrupt::end_at_once(false);
    sign::write_new(file, &key)?;
    interrupt::end_at_once(true);
    tell!("wrote the secret key to {}", file.display());
    say!("{}", key.fingerprint());
    Ok(())
}

//! `key`: make a signing key, or show one's public half.

use super::{Failed, IntoFailed};
use crate::config::{KeySource, Sign};
use crate::sign::{self, SigningKey};
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
        /// The environment variable that holds its passphrase
        #[arg(long, value_name = "NAME")]
        passphrase_env: Option<String>,
    },
}

impl Key {
    pub fn run(&self) -> Result<(), Failed> {
        match self {
            Self::New { file, user_id } => make(file, user_id).input(),
            Self::Show { file, passphrase_env } => {
                show(file.as_deref(), passphrase_env.as_deref()).input()
            }
        }
    }
}

fn make(file: &Path, user_id: &str) -> Result<()> {
    let key = SigningKey::generate(user_id, sign::now()?)?;
    sign::write_new(file, &key)?;
    tell!("wrote the secret key to {}", file.display());
    say!("{}", key.fingerprint());
    Ok(())
}

fn show(file: Option<&Path>, passphrase_env: Option<&str>) -> Result<()> {
    let word = |text: &str| text.to_owned().try_into().map_err(anyhow::Error::msg);
    let sign = Sign {
        key: file.map(|file| KeySource::File(file.to_owned())),
        passphrase_env: passphrase_env.map(word).transpose()?,
        fingerprint: None,
    };
    let signer = sign::load(&sign, Path::new(""))?
        .context("there is no development key yet\nhelp: the first `run` makes it")?;
    tell!("{} {}", signer.fingerprint(), signer.user_id());
    if let Some(seconds) = signer.expires() {
        let days = (i64::from(seconds) - i64::from(sign::now()?)) / (24 * 60 * 60);
        tell!("expires in {days} days");
    }
    say!("{}", signer.public_armored().trim_end());
    Ok(())
}

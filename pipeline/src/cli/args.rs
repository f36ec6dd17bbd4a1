// SPDX-License-Identifier: GPL-2.0-or-later
//! Arguments that several commands share.

use crate::config::{KeySource, Settings};
use crate::error::Help;
use crate::fetch::{Mirror, Network, Origins};
use crate::files;
use crate::folders;
use crate::project::Project;
use crate::store::Store;
use crate::store::owned::refuse_others_word;
use anyhow::{Context, Result, anyhow};
use clap::Args;
use std::path::PathBuf;

/// The variable that names the store.
const STORE: &str = "VGPU_PIPELINE_STORE";

/// Which pipeline, and where results are kept.
#[derive(Debug, Args)]
pub struct ProjectArgs {
    /// The pipeline file [default: the workstation pipeline that this program carries]
    pub file: Option<PathBuf>,
    /// The folder that keeps results between runs [default: VGPU_PIPELINE_STORE, or vgpu-pipeline in the user's
    /// cache folder]
    #[arg(long, value_name = "DIR")]
    #[allow(clippy::doc_markdown, reason = "clap prints it as it stands")]
    pub store: Option<PathBuf>,
}

/// Whose repository it becomes.
#[derive(Debug, Args)]
pub struct SigningArgs {
    /// Sign with the armoured key in this file, whatever the pipeline says
    #[arg(long, value_name = "FILE", conflicts_with = "key_env")]
    pub key: Option<PathBuf>,
    /// Sign with the armoured key that this environment variable holds, whatever the pipeline says
    #[arg(long, value_name = "NAME")]
    pub key_env: Option<String>,
}

/// What to try where an option would do nothing beside another one.
pub const ONE_OF_THEM: &str = "leave out one of them";

/// Where content may come from.
#[derive(Debug, Args)]
pub struct FetchArgs {
    /// A folder or URL that is asked for content, by its digest, before its origin is; repeatable
    #[arg(long, value_name = "DIR|URL")]
    pub mirror: Vec<String>,
    /// Open no connection: what is neither in the store nor in a mirror folder is listed
    #[arg(long)]
    pub offline: bool,
}

impl FetchArgs {
    /// What the command line says, then what the user's settings say.
    pub fn origins(&self) -> Result<Origins> {
        let network = if self.offline { Network::Off } else { Network::On };
        let parse = |texts: &[String]| -> Result<Vec<Mirror>> {
            texts.iter().map(|text| Mirror::parse(text)).collect()
        };
        let mut mirrors = parse(&self.mirror)?;
        if let Some(server) =
            mirrors.iter().find(|mirror| self.offline && mirror.folder().is_none())
        {
            return Err(anyhow!("`--offline` asks no server, the mirror `{server}` neither")
                .help(ONE_OF_THEM.to_string()));
        }
        mirrors.extend(parse(&settings()?.mirrors)?);
        Ok(Origins { network, mirrors })
    }
}

/// The user's settings, if there are any.
fn settings() -> Result<Settings> {
    let Some(folder) = folders::config() else { return Ok(Settings::default()) };
    let file = folder.join("config.yaml");
    refuse_others_word(&file, "the settings")?;
    match files::read_text_if_there(&file, &files::SETTINGS)? {
        Some(text) => Ok(Settings::parse(&text, &file.display().to_string())?),
        None => Ok(Settings::default()),
    }
}

impl ProjectArgs {
    pub fn store(&self) -> Result<Store> {
        let variable = std::env::var_os(STORE).filter(|value| !value.is_empty());
        let root = match self.store.clone().or(variable.map(PathBuf::from)) {
            Some(root) => root,
            None => default_store()?,
        };
        Store::open(&root)
    }

    pub fn load(&self, store: &Store) -> Result<Project> {
        let mut project = match &self.file {
            Some(file) => Project::read(file)?,
            None => Project::default_in(store)?,
        };
        // Whoever has it in a variable types the next command with that variable.
        project.named_store.clone_from(&self.store);
        Ok(project)
    }
}

impl SigningArgs {
    /// The pipeline, signed as the command line says.
    pub fn apply(&self, mut project: Project) -> Result<Project> {
        if let Some(key) = self.key_source()? {
            project.pipeline.sign.key = Some(key);
        }
        Ok(project)
    }

    /// The variable that it names.
    pub fn secrets(&self) -> Vec<&str> {
        self.key_env.as_deref().into_iter().collect()
    }

    fn key_source(&self) -> Result<Option<KeySource>> {
        if let Some(file) = &self.key {
            // The pipeline's own paths start from its folder, a flag's from where it is typed.
            return Ok(Some(KeySource::File(std::path::absolute(file)?)));
        }
        let name = self.key_env.clone().map(TryInto::try_into).transpose();
        Ok(name.map_err(anyhow::Error::msg)?.map(KeySource::Env))
    }
}

/// Where results are kept unless somebody says otherwise (XDG Base Directory Specification).
fn default_store() -> Result<PathBuf> {
    folders::cache()
        .context("neither XDG_CACHE_HOME nor HOME says where results are kept")
        .help("use `--store`")
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! A project: a pipeline file, where it stands, and the state of its lock. All commands share it.

mod default;
mod inputs;
mod lock;

use crate::config::{self, LocalFile, LocalRole, Pipeline};
use crate::digest;
use crate::error::Help;
use crate::files::{self, write};
use crate::store::Store;
use crate::text::word;
use anyhow::{Context, Result, anyhow};
pub use default::{CARRIED, DEFAULT};
use fs_err as fs;
#[cfg(test)]
pub use inputs::DeviceFile;
pub use inputs::Inputs;
pub use lock::LockState;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A pipeline and where it came from.
#[derive(Debug)]
pub struct Project {
    pub pipeline: Pipeline,
    /// The file as it was named; the default pipeline has none.
    pub file: Option<PathBuf>,
    /// What stands in it, to show the line of a mistake.
    text: String,
    /// The contracts that it names, with what stands in them.
    contracts: Vec<(PathBuf, String)>,
    /// The folder that its relative paths start from.
    pub base_dir: PathBuf,
    /// Where the lock of its environment is, or would be.
    pub lock_file: PathBuf,
    /// blake3 of where its file is, links resolved: another pipeline may have the same name.
    pub place: String,
    /// The store, where the command line names it: a command that is shown has to name it too.
    pub named_store: Option<PathBuf>,
}

/// A text that people wrote.
pub struct Written<'p> {
    /// What it is: `pipeline` or `contract`.
    pub role: &'static str,
    pub name: &'p str,
    pub text: &'p str,
}

impl Written<'_> {
    /// Its place among others; a contract may have the name of the pipeline.
    pub fn place(&self) -> String {
        match self.role {
            "pipeline" => "pipeline.yaml".to_owned(),
            role => format!("{role}s/{}", self.name),
        }
    }
}

impl Project {
    /// Reads a pipeline file and the contracts that it names.
    pub fn read(file: &Path) -> Result<Self> {
        let shown = file.display().to_string();
        let text = files::read_text(file, &files::PIPELINE)?;
        let mut pipeline = config::parse(&text, &shown)?;
        let base_dir = file.parent().unwrap_or(Path::new("")).to_owned();
        let is_contract = |file: &LocalFile| file.role == LocalRole::Contract;
        inputs::refuse_unusable(&pipeline, &text, &shown, &base_dir, is_contract)?;
        let (mut contracts, mut contract_texts) = (Vec::new(), Vec::new());
        for path in &pipeline.verify.contracts {
            let path = files::join(&base_dir, path);
            let shown = path.display().to_string();
            let text = files::read_text(&path, &files::CONTRACT)?;
            contracts.push(config::parse_contract(&text, &shown)?);
            contract_texts.push((path, text));
        }
        pipeline = pipeline.with_contracts(contracts, &text, &shown)?;
        if let Some(kernel) = pipeline.verify.guest.as_mut().and_then(|guest| guest.kernel.as_mut())
        {
            *kernel = files::join(&base_dir, &*kernel);
        }
        let place = digest::blake3(fs::canonicalize(file)?.as_os_str().as_encoded_bytes());
        let (lock_file, file) = (lock::file_of(file), Some(file.to_owned()));
        let contracts = contract_texts;
        Ok(Self { pipeline, file, text, contracts, base_dir, lock_file, place, named_store: None })
    }

    /// The pipeline that this program carries, laid out in the store so that it is read like any other.
    pub fn default_in(store: &Store) -> Result<Self> {
        Ok(Self { file: None, ..Self::read(&default::lay_out(store)?)? })
    }

    /// What people wrote: the file, and the contracts that it names.
    pub fn written(&self) -> impl Iterator<Item = Written<'_>> {
        let own = self.file.as_deref().map_or("workstation.yaml", file_name);
        let file = Written { role: "pipeline", name: own, text: &self.text };
        let contracts = self.contracts.iter();
        std::iter::once(file).chain(contracts.map(|(path, text)| Written {
            role: "contract",
            name: file_name(path),
            text,
        }))
    }

    /// What stands in the file, without what else was read for it.
    pub fn as_written(&self) -> Result<Pipeline> {
        Ok(config::parse(&self.text, &self.shown())?)
    }

    /// The file's text with the values of another pipeline in it.
    pub fn rewritten(&self, wanted: &Pipeline) -> Result<String> {
        let text = config::rewrite(&self.text, &self.shown(), wanted)?;
        let (size, most) = (text.len() as u64, files::PIPELINE.most);
        if size > most {
            return Err(anyhow!(
                "`{}` would have {size} bytes, and {most} are the most",
                self.shown()
            )
            .help("nothing was changed: look at what upstream has so much of"));
        }
        Ok(text)
    }

    /// Writes the file anew, unless somebody else did since it was read.
    pub fn replace_text(&self, text: &str) -> Result<&Path> {
        let file = self.file.as_ref().context("the carried pipeline is nobody's to change")?;
        if files::read_text(file, &files::PIPELINE)? != self.text {
            return Err(anyhow!("`{}` was changed by somebody else meanwhile", file.display())
                .help("nothing was written; try again"));
        }
        let mode = fs::metadata(file)?.permissions().mode() & 0o777;
        if mode & 0o222 == 0 {
            return Err(anyhow!("`{}` is read-only", file.display()).help("chmod u+w"));
        }
        write::write(file, text.as_bytes(), mode)?;
        Ok(file)
    }

    fn shown(&self) -> String {
        self.file.as_ref().map(|file| file.display().to_string()).unwrap_or_default()
    }

    pub fn name(&self) -> &str {
        self.pipeline.name.as_str()
    }

    /// What is this pipeline's and not another's of the same name is kept under this.
    pub fn own_name(&self) -> String {
        format!("{}-{}", self.pipeline.name, self.place.get(..8).unwrap_or(&self.place))
    }

    /// The name of its spec's file.
    pub fn spec_name(&self) -> &str {
        self.pipeline.spec.file_name()
    }

    /// Its spec, as errors call it.
    pub fn spec_shown(&self) -> String {
        match &self.pipeline.spec.file {
            Some(file) => files::join(&self.base_dir, file).display().to_string(),
            None => self.spec_name().to_owned(),
        }
    }

    /// The workstation's project, as a test wants its contracts.
    #[cfg(test)]
    pub fn with_contracts(contracts: &[&str]) -> Self {
        let text = include_str!("../../workstation.yaml");
        let contracts = contracts.iter().map(|text| {
            config::parse_contract(text, "contract").unwrap_or_else(|error| panic!("{error}"))
        });
        let pipeline = config::parse(text, "pipeline").unwrap();
        Self::of(pipeline.with_contracts(contracts.collect(), text, "pipeline").unwrap())
    }

    /// A project that a test makes of a pipeline alone.
    #[cfg(test)]
    pub fn of(pipeline: Pipeline) -> Self {
        Self {
            pipeline,
            file: None,
            text: String::new(),
            contracts: Vec::new(),
            base_dir: "pipeline".into(),
            lock_file: "lock".into(),
            place: "place".to_owned(),
            named_store: None,
        }
    }

    /// Its spec, where that is a file on this machine.
    pub fn local_spec(&self) -> Result<Option<Vec<u8>>> {
        let file = self.pipeline.spec.file.as_ref();
        file.map(|file| files::read_any_text(&files::join(&self.base_dir, file), &files::SPEC))
            .transpose()
    }

    /// A command of this program on this pipeline, as somebody would type it.
    pub fn command(&self, command: &str) -> String {
        let mut line = format!("vgpu-pipeline {command}");
        if let Some(file) = &self.file {
            // Not an option, whatever it begins with.
            let here =
                if file.as_os_str().as_encoded_bytes().starts_with(b"-") { "./" } else { "" };
            line.extend([" ", &word(&format!("{here}{}", file.display()))]);
        }
        if let Some(store) = &self.named_store {
            line.extend([" --store ", &word(&store.display().to_string())]);
        }
        line
    }

    /// The default output folder.
    pub fn default_output(&self) -> PathBuf {
        Path::new("out").join(self.name())
    }
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

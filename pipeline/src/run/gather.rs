//! What a pipeline reads besides itself, and its digests.

use super::Loaded;
use crate::environment;
use crate::inject::{self, Edited};
use crate::plan::{Inputs, Stage, plan};
use crate::sign::{self, Signer};
use crate::store::Store;
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;

/// Everything that the walk needs, read once.
pub struct Gathered {
    pub inputs: Inputs,
    pub spec: String,
    pub edited: Edited,
    pub containerfile: PathBuf,
    /// Each device's C file: where it is, and its bytes.
    pub devices: Vec<(PathBuf, Vec<u8>)>,
    /// The key, unless it is the development key and was not made yet.
    pub signer: Option<Signer>,
}

pub fn gather(loaded: &Loaded, store: &Store) -> Result<Gathered> {
    let Loaded { pipeline, beside } = loaded;
    let spec_file = beside.join(&pipeline.spec.file);
    let spec = fs::read_to_string(&spec_file)
        .with_context(|| format!("spec `{}`", spec_file.display()))?;
    let containerfile = beside.join(&pipeline.environment.containerfile);
    let containerfile_bytes = fs::read(&containerfile)
        .with_context(|| format!("containerfile `{}`", containerfile.display()))?;
    let mut devices = Vec::new();
    for device in &pipeline.device {
        let path = beside.join(&device.source);
        let bytes = fs::read(&path).with_context(|| {
            format!("source of device `{}`: `{}`", device.qom_type, path.display())
        })?;
        devices.push((path, bytes));
    }
    for source in &pipeline.source {
        if let crate::config::Source::Path(path) = source {
            let path = beside.join(&path.file);
            fs::metadata(&path).with_context(|| format!("source `{}`", path.display()))?;
        }
    }
    let shown = spec_file.display().to_string();
    let edited = inject::edit(&spec, &shown, &pipeline.spec.edits, &pipeline.device)?;
    let signer = sign::load(&pipeline.sign, beside)?;
    let digest = |bytes: &[u8]| blake3::hash(bytes).to_hex().to_string();
    let mut inputs = Inputs {
        containerfile: digest(&containerfile_bytes),
        spec: digest(spec.as_bytes()),
        devices: devices.iter().map(|(_, bytes)| digest(bytes)).collect(),
        signer: signer.as_ref().map(Signer::fingerprint),
        closure: None,
    };
    if let Some(key) = plan(pipeline, &inputs).key(Stage::Environment)
        && let Some(stored) = store.get(Stage::Environment.name(), key.as_str())?
    {
        inputs.closure = Some(environment::identity(&stored)?.digest);
    }
    Ok(Gathered { inputs, spec, edited, containerfile, devices, signer })
}

//! What a pipeline reads besides itself, and its digests.

use super::Loaded;
use crate::config::{Base, Edit, Lock, Source, Stock};
use crate::environment;
use crate::inject::{self, Edited};
use crate::plan::{Inputs, Stage, plan};
use crate::sign::{self, Signer};
use crate::source::Sources;
use crate::store::Store;
use crate::verify::{self, Installed};
use crate::wrapper;
use anyhow::{Context, Result, bail};
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

/// Everything that the walk needs, read once.
pub struct Gathered {
    pub inputs: Inputs,
    /// The spec, unless it is in a git source that was not fetched yet.
    pub spec: Option<Spec>,
    pub containerfile: PathBuf,
    pub lock: Locked,
    /// Each device's C file: where it is, and its bytes.
    pub devices: Vec<(PathBuf, Vec<u8>)>,
    /// What the hosts have, where the pipeline names a list.
    pub installed: Option<Installed>,
    /// The key, unless it is the development key and was not made yet.
    pub signer: Option<Signer>,
}

/// A spec as it stands and as it will be built.
pub struct Spec {
    pub text: Vec<u8>,
    pub edited: Edited,
    /// As it is built for the test binary, where there is one.
    pub for_tests: Option<Edited>,
    /// As the stock package is built, where there is one.
    pub stock: Option<Edited>,
}

/// The lock of the environment.
pub enum Locked {
    /// The base needs none.
    Never,
    Current(Box<Lock>),
    /// There is none, or it is of another declaration: why nothing can be built.
    Wanting(String),
}

impl Locked {
    pub fn current(&self) -> Option<&Lock> {
        match self {
            Self::Current(lock) => Some(lock),
            Self::Never | Self::Wanting(_) => None,
        }
    }
}

pub fn gather(loaded: &Loaded, store: &Store) -> Result<Gathered> {
    let Loaded { pipeline, beside, .. } = loaded;
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
        if let Source::Path(path) = source {
            let path = beside.join(&path.file);
            fs::metadata(&path).with_context(|| format!("source `{}`", path.display()))?;
        }
    }
    if let Some(file) = pipeline.wrapper.as_ref().and_then(|wrapper| wrapper.vendor.path()) {
        let path = beside.join(file);
        fs::metadata(&path).with_context(|| format!("wrapper `{}`", path.display()))?;
    }
    let digest = |bytes: &[u8]| blake3::hash(bytes).to_hex().to_string();
    let installed = match &pipeline.verify.installed {
        Some(file) => {
            let path = beside.join(file);
            let shown = || format!("`verify.installed`: `{}`", path.display());
            let text = fs::read_to_string(&path).with_context(shown)?;
            Some((digest(text.as_bytes()), Installed::parse(text).with_context(shown)?))
        }
        None => None,
    };
    let mut spec = match &pipeline.spec.file {
        Some(file) => {
            let path = beside.join(file);
            let text = fs::read(&path).with_context(|| format!("spec `{}`", path.display()))?;
            Some(edit(loaded, text, &path.display().to_string())?)
        }
        None => None,
    };
    let signer = sign::load(&pipeline.sign, beside)?;
    let lock = read_lock(loaded)?;
    let mut inputs = Inputs {
        containerfile: digest(&containerfile_bytes),
        spec: spec.as_ref().map(|spec| digest(&spec.text)),
        carried: wrapper::digest(),
        installed: installed.as_ref().map(|(digest, _)| digest.clone()),
        devices: devices.iter().map(|(_, bytes)| digest(bytes)).collect(),
        lock: match lock.current() {
            Some(lock) => Some(digest(&serde_json::to_vec(lock)?)),
            None => None,
        },
        guest: pipeline.verify.guest.as_ref().and_then(verify::guest_digest),
        signer: signer.as_ref().map(Signer::fingerprint),
        closure: None,
    };
    let first = plan(pipeline, &inputs);
    let get = |stage: Stage| match first.key(stage) {
        Some(key) => store.get(stage.name(), key.as_str()),
        None => Ok(None),
    };
    if let Some(stored) = get(Stage::Environment)? {
        inputs.closure = Some(environment::identity(&stored)?.digest);
    }
    if spec.is_none()
        && let Some(stored) = get(Stage::Source)?
        && stored.intact()
    {
        spec = Some(from_source(loaded, &Sources::recall(stored))?);
    }
    let installed = installed.map(|(_, installed)| installed);
    Ok(Gathered { inputs, spec, containerfile, lock, devices, installed, signer })
}

/// The spec that came with the sources.
pub fn from_source(loaded: &Loaded, sources: &Sources) -> Result<Spec> {
    let path = sources.spec().context("the sources hold no spec")?;
    let text =
        fs::read(&path).with_context(|| format!("spec `{}`", loaded.pipeline.spec.file_name()))?;
    edit(loaded, text, loaded.pipeline.spec.file_name())
}

fn edit(loaded: &Loaded, text: Vec<u8>, shown: &str) -> Result<Spec> {
    let pipeline = &loaded.pipeline;
    let edit = |spec: &[u8], edits: &[Edit]| {
        inject::edit(spec, shown, edits, &pipeline.device, &pipeline.build.define)
    };
    let edited = edit(&text, &pipeline.spec.edits)?;
    let for_tests = match &pipeline.build.test_binary {
        Some(binary) => Some(edit(&edited.spec, &binary.edits).context("`build.test-binary`")?),
        None => None,
    };
    let stock = match &pipeline.verify.stock {
        Some(Stock::Build(stock)) => Some(edit(&text, &stock.edits).context("`verify.stock`")?),
        None => None,
    };
    Ok(Spec { text, edited, for_tests, stock })
}

fn read_lock(loaded: &Loaded) -> Result<Locked> {
    let Base::Image(declared) = &loaded.pipeline.environment.base else {
        return Ok(Locked::Never);
    };
    let path = &loaded.lock_file;
    let shown = path.display().to_string();
    let again = "help: `vgpu-pipeline lock` resolves it where there is a network";
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Ok(Locked::Wanting(format!("the environment has no lock `{shown}`\n{again}")));
        }
        Err(error) => bail!("cannot read the lock `{shown}`: {error}"),
    };
    let lock = Lock::parse(&text, &shown)?;
    Ok(match lock.stale(declared) {
        Some(why) => {
            Locked::Wanting(format!("`{shown}` is older than the pipeline: {why}\n{again}"))
        }
        None => Locked::Current(Box::new(lock)),
    })
}

//! What a pipeline reads besides itself, and its digests.

use super::Loaded;
use crate::config::{Base, Edit, Lock, Source, Stock};
use crate::environment;
use crate::files;
use crate::inject::{self, Edited};
use crate::plan::{Inputs, Stage, plan};
use crate::sign::{self, Signer};
use crate::source::Sources;
use crate::store::Store;
use crate::verify::{self, Installed};
use crate::wrapper;
use anyhow::{Context, Result, bail};
use std::path::PathBuf;

/// Everything that the walk needs, read once.
pub struct Gathered {
    pub inputs: Inputs,
    /// The spec, unless it is in a git source that was not fetched yet.
    pub spec: Option<Spec>,
    /// The text of the Containerfile, which may be another by the time that its stage comes.
    pub containerfile: String,
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
    /// The stock spec with the edits for the test binary: built for its objects alone, and only where
    /// those edits want nothing of the devices.
    pub stock_for_tests: Option<Edited>,
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
    let path = files::join(beside, &pipeline.environment.containerfile);
    let containerfile = files::read_text(&path, &files::CONTAINERFILE)?;
    environment::check_containerfile(&containerfile, &path.display().to_string())?;
    let mut devices = Vec::new();
    for device in &pipeline.device {
        let path = files::join(beside, &device.source);
        let bytes = files::read_any_text(&path, &files::DEVICE)
            .and_then(|bytes| refuse_no_device(bytes, &path.display().to_string()));
        let bytes = bytes.with_context(|| format!("source of device `{}`", device.qom_type))?;
        devices.push((path, bytes));
    }
    for source in &pipeline.source {
        if let Source::Path(path) = source {
            files::look(&files::join(beside, &path.file), &files::SOURCE)?;
        }
    }
    if let Some(file) = pipeline.wrapper.as_ref().and_then(|wrapper| wrapper.vendor.path()) {
        files::look(&files::join(beside, file), &files::WRAPPER)?;
    }
    let digest = |bytes: &[u8]| blake3::hash(bytes).to_hex().to_string();
    let installed = match &pipeline.verify.installed {
        Some(file) => {
            let path = files::join(beside, file);
            let installed = Installed::read(&path).context("`verify.installed`")?;
            Some((digest(installed.text().as_bytes()), installed))
        }
        None => None,
    };
    let mut spec = match &pipeline.spec.file {
        Some(file) => {
            let path = files::join(beside, file);
            let text = files::read_any_text(&path, &files::SPEC)?;
            Some(edit(loaded, text, &path.display().to_string())?)
        }
        None => None,
    };
    let signer = sign::load(&pipeline.sign, beside, &store.scratch(sign::PUBLIC_KEYS)?)?;
    let lock = read_lock(loaded)?;
    let mut inputs = Inputs {
        place: loaded.place.clone(),
        containerfile: digest(containerfile.as_bytes()),
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
    let text = files::read_any_text(&path, &files::SPEC)
        .with_context(|| format!("spec `{}`", loaded.pipeline.spec.file_name()))?;
    edit(loaded, text, loaded.pipeline.spec.file_name())
}

fn edit(loaded: &Loaded, text: Vec<u8>, shown: &str) -> Result<Spec> {
    let pipeline = &loaded.pipeline;
    inject::refuse_no_spec(&text, shown)?;
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
    // For the objects of its compiler cache alone: a tree that cannot be made is none.
    let stock_for_tests = stock.as_ref().zip(pipeline.build.test_binary.as_ref());
    let stock_for_tests = stock_for_tests.and_then(|(stock, binary)| {
        let defines = &pipeline.build.define;
        inject::edit(&stock.spec, shown, &binary.edits, &[], defines).ok()
    });
    Ok(Spec { text, edited, for_tests, stock, stock_for_tests })
}

fn read_lock(loaded: &Loaded) -> Result<Locked> {
    let Base::Image(declared) = &loaded.pipeline.environment.base else {
        return Ok(Locked::Never);
    };
    let path = &loaded.lock_file;
    let shown = path.display().to_string();
    let again = "help: `vgpu-pipeline lock` resolves it where there is a network";
    let Some(text) = files::read_text_if_there(path, &files::LOCK)? else {
        return Ok(Locked::Wanting(format!("the environment has no lock `{shown}`\n{again}")));
    };
    let lock = Lock::parse(&text, &shown)?;
    Ok(match lock.stale(declared) {
        Some(why) => {
            Locked::Wanting(format!("`{shown}` is older than the pipeline: {why}\n{again}"))
        }
        None => Locked::Current(Box::new(lock)),
    })
}

/// Refuses a file that cannot be a device's: a compiler shows the lines that it stumbles over, and what was
/// named in a source's place may be a secret that looks like none. Nothing in QEMU can be declared, and no
/// type registered, without its headers.
fn refuse_no_device(bytes: Vec<u8>, shown: &str) -> Result<Vec<u8>> {
    let includes = |line: &[u8]| {
        let rest = line.trim_ascii().strip_prefix(b"#").map(<[u8]>::trim_ascii_start);
        rest.is_some_and(|rest| rest.starts_with(b"include"))
    };
    if !bytes.split(|byte| *byte == b'\n').any(includes) {
        bail!(
            "`{shown}` has no `#include`, so it is no device, and nothing of it is shown\n\
             help: `device.source` names the C file, which begins with `#include \"qemu/osdep.h\"`"
        );
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_c_of_qemus_or_is_not_shown() {
        for text in [
            "CANARY\n",
            "",
            "int CANARY;\n",
            "// #include CANARY\n",
            "- include: CANARY\n",
            "#define CANARY 1\n",
            "include CANARY\n",
        ] {
            let error = refuse_no_device(text.into(), "key").unwrap_err().to_string();
            assert!(error.starts_with("`key` has no `#include`, so it is no device"), "{error}");
            assert!(error.contains("\nhelp: ") && !error.contains("CANARY"), "{error}");
        }
        for text in [
            "#include \"qemu/osdep.h\"\n",
            "/* é */\r\n  #  include <a>\r\n",
            "#include_next <a>",
            include_str!("../../../device/vgpu-stub.c"),
        ] {
            refuse_no_device(text.into(), "a.c").unwrap();
        }
    }
}

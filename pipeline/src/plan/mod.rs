//! The plan: what would run, in which order, under which keys.
//!
//! Pure: from the validated pipeline and the digests of its local inputs to ordered steps. `plan`
//! prints it and `run` walks it, so what is shown is what is done. No I/O enters this room, and
//! neither does the store: whether a step is cached is found by whoever walks the plan.

mod key;

use crate::config::{Pipeline, Source};
pub use key::Key;
use key::Recipe;
use serde::Serialize;

/// The stages, in the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    Source,
    Environment,
    Inject,
    Build,
    Verify,
    Sign,
    Publish,
}

impl Stage {
    pub const ALL: [Self; 7] = [
        Self::Source,
        Self::Environment,
        Self::Inject,
        Self::Build,
        Self::Verify,
        Self::Sign,
        Self::Publish,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Environment => "environment",
            Self::Inject => "inject",
            Self::Build => "build",
            Self::Verify => "verify",
            Self::Sign => "sign",
            Self::Publish => "publish",
        }
    }

    /// The stages whose results this one reads: they are checked before it runs.
    pub fn takes(self) -> &'static [Self] {
        match self {
            Self::Source | Self::Environment | Self::Inject => &[],
            Self::Build => &[Self::Source, Self::Environment, Self::Inject],
            Self::Verify => &[Self::Environment, Self::Build],
            Self::Sign => &[Self::Build, Self::Verify],
            Self::Publish => &[Self::Source, Self::Inject, Self::Sign],
        }
    }

    /// The version of a stage's rule: raised with every change of what it makes of the same inputs.
    fn rule(self) -> u32 {
        match self {
            Self::Source
            | Self::Environment
            | Self::Inject
            | Self::Build
            | Self::Verify
            | Self::Sign
            | Self::Publish => 1,
        }
    }
}

/// Digests of what a pipeline reads besides itself, gathered by `run`.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// blake3 of the Containerfile.
    pub containerfile: String,
    /// blake3 of the spec as it stands.
    pub spec: String,
    /// blake3 of each device's C file, in the pipeline's order.
    pub devices: Vec<String>,
    /// The fingerprint of the signing key. `None` while the development key was not made yet.
    pub signer: Option<String>,
    /// The identity of the environment that the store has for this declaration: the digest of the
    /// closure that was really installed. `None` until it is built once.
    pub closure: Option<String>,
}

/// One step. Its key is unknown while it depends on an environment or a key that is not there yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    pub stage: Stage,
    pub key: Option<Key>,
}

/// The ordered steps of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    pub steps: Vec<Step>,
}

impl Plan {
    pub fn key(&self, stage: Stage) -> Option<&Key> {
        self.steps.iter().find(|step| step.stage == stage)?.key.as_ref()
    }
}

/// Computes the plan.
pub fn plan(pipeline: &Pipeline, inputs: &Inputs) -> Plan {
    let source = source_key(&pipeline.source);
    let environment = Recipe::new(Stage::Environment)
        .config("base", &pipeline.environment.base)
        .text("containerfile", &inputs.containerfile)
        .key();
    let mut inject =
        Recipe::new(Stage::Inject).text("spec", &inputs.spec).config("edits", &pipeline.spec.edits);
    for (device, digest) in pipeline.device.iter().zip(&inputs.devices) {
        inject = inject
            .text("device", device.qom_type.as_str())
            .text("file", device.file_name())
            .text("directory", device.directory.as_str())
            .text("condition", device.condition.as_str())
            .text("content", digest);
    }
    let inject = inject.key();
    let build = inputs.closure.as_ref().map(|closure| {
        Recipe::new(Stage::Build)
            .config("define", &pipeline.build.define)
            .config("nodeps", &pipeline.build.nodeps)
            .takes(&source)
            .text("closure", closure)
            .takes(&inject)
            .key()
    });
    let verify = build.as_ref().map(|build| {
        Recipe::new(Stage::Verify).config("verify", &pipeline.verify).takes(build).key()
    });
    let sign = verify.as_ref().zip(inputs.signer.as_ref()).map(|(verify, signer)| {
        Recipe::new(Stage::Sign).text("signer", signer).takes(verify).key()
    });
    let publish = sign.as_ref().map(|sign| {
        Recipe::new(Stage::Publish)
            .config("publish", &pipeline.publish)
            .text("name", pipeline.name.as_str())
            .takes(sign)
            .key()
    });
    let keys = [Some(source), Some(environment), Some(inject), build, verify, sign, publish];
    let steps = Stage::ALL.into_iter().zip(keys);
    Plan { steps: steps.map(|(stage, key)| Step { stage, key }).collect() }
}

/// A path's folder says nothing about its content, so only the name and the pin count.
fn source_key(sources: &[Source]) -> Key {
    let mut recipe = Recipe::new(Stage::Source);
    for source in sources {
        recipe = match source {
            Source::Debian(debian) => recipe
                .text("debian", debian.package.as_str())
                .text("version", debian.version.as_str())
                .config("files", &debian.files),
            Source::Path(path) => recipe
                .text("path", &path.file.file_name().unwrap_or_default().to_string_lossy())
                .text("sha256", path.sha256.as_str()),
        };
    }
    recipe.key()
}

#[cfg(test)]
mod tests;

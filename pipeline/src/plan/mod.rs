//! The plan: what would run, in which order, under which keys.
//!
//! Pure: from the validated pipeline and the digests of its local inputs to ordered steps. `plan`
//! prints it and `run` walks it, so what is shown is what is done. No I/O enters this room, and
//! neither does the store: whether a step is cached is found by whoever walks the plan.

mod key;

use crate::config::{Base, Edit, Pipeline, Source, Stock};
pub use key::Key;
use key::Recipe;
use serde::{Deserialize, Serialize};

/// The stages, in the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    Source,
    Environment,
    Inject,
    Stock,
    Build,
    Wrapper,
    Verify,
    Sign,
    Publish,
}

impl Stage {
    pub const ALL: [Self; 9] = [
        Self::Source,
        Self::Environment,
        Self::Inject,
        Self::Stock,
        Self::Build,
        Self::Wrapper,
        Self::Verify,
        Self::Sign,
        Self::Publish,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Environment => "environment",
            Self::Inject => "inject",
            Self::Stock => "stock",
            Self::Build => "build",
            Self::Wrapper => "wrapper",
            Self::Verify => "verify",
            Self::Sign => "sign",
            Self::Publish => "publish",
        }
    }

    /// The stages whose results this one reads: they are checked before it runs.
    pub fn takes(self) -> &'static [Self] {
        match self {
            Self::Source | Self::Environment => &[],
            // Only a spec of the git source is read there, but what is damaged would be needed by `build`.
            Self::Inject => &[Self::Source],
            Self::Stock => &[Self::Source, Self::Environment],
            // Where there is a stock package, its build filled the compiler cache that this one reads.
            Self::Build => &[Self::Source, Self::Environment, Self::Inject, Self::Stock],
            Self::Wrapper => &[Self::Environment],
            // The source package has to hold what went in, so that is read again.
            Self::Verify => &[
                Self::Source,
                Self::Environment,
                Self::Inject,
                Self::Build,
                Self::Stock,
                Self::Wrapper,
            ],
            Self::Sign => &[Self::Build, Self::Wrapper, Self::Verify],
            Self::Publish => &[Self::Source, Self::Inject, Self::Sign],
        }
    }

    /// The version of a stage's rule: raised with every change of what it makes of the same inputs.
    fn rule(self) -> u32 {
        match self {
            Self::Build | Self::Wrapper | Self::Sign => 2,
            Self::Source | Self::Inject | Self::Stock => 3,
            // An environment of revision 4 had no history to build on; it was taken back.
            Self::Environment | Self::Publish => 5,
            Self::Verify => 7,
        }
    }
}

/// Digests of what a pipeline reads besides itself, gathered by `run`.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// blake3 of where the pipeline's file is: what makes a cache that only it may write its own.
    pub place: String,
    /// blake3 of the Containerfile.
    pub containerfile: String,
    /// blake3 of the spec as it stands, where it is a file of this machine. A spec of the git source
    /// is covered by that.
    pub spec: Option<String>,
    /// blake3 of each device's C file, in the pipeline's order.
    pub devices: Vec<String>,
    /// blake3 of what the program carries for a dom0.
    pub carried: String,
    /// blake3 of the list of what the hosts have, where the pipeline names one.
    pub installed: Option<String>,
    /// blake3 of the lock. `None` where the base needs none, and while there is no current one.
    pub lock: Option<String>,
    /// blake3 of what a guest would boot from, where the pipeline wants one and this machine has it all.
    pub guest: Option<String>,
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

/// The compiler cache that the devices are built with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CompilerCache {
    /// What the build of the stock package left, under this key; nobody writes to it any more.
    Stock(Key),
    /// One that this pipeline alone writes and reads.
    Own(Key),
}

/// The ordered steps of a pipeline: every stage but `stock` and `wrapper` where it has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub steps: Vec<Step>,
    /// Unknown while the environment is.
    pub compiler_cache: Option<CompilerCache>,
}

impl Plan {
    /// The stages up to one.
    pub fn stages(&self, until: Stage) -> impl DoubleEndedIterator<Item = Stage> {
        self.steps.iter().map(|step| step.stage).filter(move |stage| *stage <= until)
    }

    pub fn key(&self, stage: Stage) -> Option<&Key> {
        self.steps.iter().find(|step| step.stage == stage)?.key.as_ref()
    }
}

/// Computes the plan.
pub fn plan(pipeline: &Pipeline, inputs: &Inputs) -> Plan {
    let source = source_key(pipeline);
    let environment = environment_key(pipeline, inputs);
    let inject = Recipe::new(Stage::Inject)
        .config("edits", &pipeline.spec.edits)
        // A file's name may be made of macros that the builder sets.
        .config("define", &pipeline.build.define);
    let mut inject = match (&inputs.spec, &pipeline.spec.git) {
        (None, Some(path)) => inject.text("spec-path", path.as_str()).takes(&source),
        (spec, _) => inject.text("spec", spec.as_deref().unwrap_or_default()),
    };
    for (device, digest) in pipeline.device.iter().zip(&inputs.devices) {
        inject = inject
            .text("device", device.qom_type.as_str())
            .text("file", device.file_name())
            .text("directory", device.directory.as_str())
            .text("condition", device.condition.as_str())
            .text("content", digest);
        if !device.defines.is_empty() {
            inject = inject.config("defines", &device.defines);
        }
    }
    if let Some(binary) = &pipeline.build.test_binary {
        inject = inject.config("test-edits", &binary.edits);
    }
    let inject = inject.key();
    let stock = pipeline.verify.stock.as_ref().map(|Stock::Build(stock)| {
        inputs.closure.as_ref().map(|closure| {
            let mut recipe = Recipe::new(Stage::Stock)
                .text("spec", inputs.spec.as_deref().unwrap_or_default())
                .config("edits", &stock.edits)
                .config("define", &pipeline.build.define)
                .config("nodeps", &pipeline.build.nodeps)
                .takes(&source)
                .text("closure", closure);
            // Its compiler cache holds the objects of the test binary's tree too.
            recipe = for_tests(recipe, pipeline);
            without(recipe, "without", &stock.edits).key()
        })
    });
    let compiler_cache = match &stock {
        Some(stock) => stock.clone().map(CompilerCache::Stock),
        None => own_cache(pipeline, inputs, &source).map(CompilerCache::Own),
    };
    let build = inputs.closure.as_ref().zip(compiler_cache.as_ref()).map(|(closure, cache)| {
        let mut build = Recipe::new(Stage::Build)
            .config("define", &pipeline.build.define)
            .config("nodeps", &pipeline.build.nodeps)
            .takes(&source)
            .text("closure", closure)
            .takes(&inject)
            // The objects are the same, whichever cache they come from, as long as nobody put others
            // there: a result is good for whoever would have used the same cache, and for nobody else.
            .config("cache", cache);
        if let Some(binary) = &pipeline.build.test_binary {
            build = build.text("test-binary", binary.file.as_str());
            build = without(build, "test-without", &binary.edits);
        }
        build.key()
    });
    let wrapper = pipeline.wrapper.as_ref().map(|wrapper| {
        inputs.closure.as_ref().map(|closure| {
            Recipe::new(Stage::Wrapper)
                .config("wrapper", wrapper)
                .text("carried", &inputs.carried)
                .text("closure", closure)
                .key()
        })
    });
    let verify = build.as_ref().map(|build| {
        let mut verify = Recipe::new(Stage::Verify).config("verify", &pipeline.verify).takes(build);
        if let Some(installed) = &inputs.installed {
            verify = verify.text("installed", installed);
        }
        if let Some(guest) = &inputs.guest {
            verify = verify.text("guest", guest);
        }
        stock.iter().chain(&wrapper).flatten().fold(verify, Recipe::takes).key()
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
    let keys = [
        Some(Some(source)),
        Some(environment),
        Some(Some(inject)),
        stock,
        Some(build),
        wrapper,
        Some(verify),
        Some(sign),
        Some(publish),
    ];
    let steps = Stage::ALL.into_iter().zip(keys);
    let steps = steps.filter_map(|(stage, key)| Some(Step { stage, key: key? })).collect();
    Plan { steps, compiler_cache }
}

/// With what the tree of the test binary is built by, where there is one.
fn for_tests(recipe: Recipe, pipeline: &Pipeline) -> Recipe {
    let Some(binary) = &pipeline.build.test_binary else { return recipe };
    without(recipe.config("test-edits", &binary.edits), "test-without", &binary.edits)
}

/// With the sources that a build does not have, where its edits drop some.
fn without(recipe: Recipe, name: &'static str, edits: &[Edit]) -> Recipe {
    let dropped = Edit::dropped(edits);
    if dropped.is_empty() { recipe } else { recipe.config(name, &dropped) }
}

/// What one pipeline's own cache is kept under: the pipeline, and all that runs in its build but its
/// devices. An edit runs too, one for the test binary as well, and what it left must not outlive it.
fn own_cache(pipeline: &Pipeline, inputs: &Inputs, source: &Key) -> Option<Key> {
    let mut recipe = Recipe::new(Stage::Build)
        .text("place", &inputs.place)
        .text("name", pipeline.name.as_str())
        .text("spec", inputs.spec.as_deref().unwrap_or_default())
        .config("edits", &pipeline.spec.edits)
        .config("define", &pipeline.build.define)
        .takes(source)
        .text("closure", inputs.closure.as_ref()?);
    recipe = for_tests(recipe, pipeline);
    Some(recipe.key())
}

/// Without its lock an image base has no key.
fn environment_key(pipeline: &Pipeline, inputs: &Inputs) -> Option<Key> {
    let recipe = Recipe::new(Stage::Environment)
        .config("base", &pipeline.environment.base)
        .text("containerfile", &inputs.containerfile);
    Some(match &pipeline.environment.base {
        Base::Debian(_) => recipe.key(),
        Base::Image(_) => recipe.text("lock", inputs.lock.as_ref()?).key(),
    })
}

/// Where content comes from says nothing about it, so only names and pins count.
fn source_key(pipeline: &Pipeline) -> Key {
    let mut recipe = Recipe::new(Stage::Source);
    if let Some(spec) = &pipeline.spec.git {
        recipe = recipe.text("spec", spec.as_str());
    }
    for source in &pipeline.source {
        recipe = match source {
            Source::Git(git) => {
                recipe = recipe
                    .text("commit", git.commit.as_str())
                    .text("directory", git.directory.as_str());
                for object in &git.lfs {
                    recipe = recipe
                        .text("lfs", object.file.as_str())
                        .text("sha256", object.sha256.as_str());
                }
                match &git.lookaside {
                    Some(lookaside) => recipe.config("lookaside", &lookaside.pins),
                    None => recipe,
                }
            }
            Source::Archive(archive) => {
                recipe.text("archive", archive.file_name()).text("sha256", archive.sha256.as_str())
            }
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

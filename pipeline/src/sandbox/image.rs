//! Images: imported from a root filesystem, built from a Containerfile, found again by name.

use super::Engine;
use crate::cmd::Runner;
use anyhow::Result;
use std::path::Path;

/// An image of one engine, by the name that it has there.
#[derive(Debug, Clone)]
pub struct Image {
    engine: Engine,
    reference: String,
}

impl Image {
    /// The image of a key. Whether the engine has it is another question.
    pub fn of(engine: Engine, key: &str) -> Self {
        Self { engine, reference: format!("localhost/vgpu-pipeline:{key}") }
    }

    pub fn engine(&self) -> Engine {
        self.engine
    }

    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// Its id, if the engine has it.
    pub fn id(&self, cmd: &Runner) -> Result<Option<String>> {
        let call = self.engine.call().args(["images", "--quiet", "--no-trunc", &self.reference]);
        let output = cmd.run(&call.read())?;
        Ok(output.stdout.lines().next().map(str::to_owned))
    }

    /// Makes it from a Containerfile on a root filesystem, with the network off.
    pub fn build(
        &self,
        cmd: &Runner,
        base: &Path,
        containerfile: &Path,
        empty: &Path,
    ) -> Result<()> {
        let base_reference = format!("{}-base", self.reference);
        cmd.run(&self.engine.call().arg("import").arg(base).arg(&base_reference))?;
        let mut call = self
            .engine
            .call()
            .args(["build", "--network=none", "--tag", &self.reference])
            .arg(format!("--build-arg=BASE={base_reference}"))
            .arg("--file")
            .arg(containerfile);
        if self.engine == Engine::Podman {
            // Without it every build has an id of its own; docker's builder has no such option.
            call = call.args(["--timestamp=0", "--pull=never"]);
        }
        cmd.run(&call.arg(empty))?;
        Ok(())
    }
}

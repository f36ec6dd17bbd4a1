// SPDX-License-Identifier: GPL-2.0-or-later
//! Images: imported, loaded or pulled; found again by name, or by the id that nobody can give away.

use super::Engine;
use crate::config::{ImageDigest, ImageReference};
use crate::error::{Help, find};
use crate::process::{Failure, Invocation, Runner};
use anyhow::{Context, Result, anyhow, bail};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Duration;

/// Where an engine writes what it copies; what a killed one left there is nobody's.
pub(super) const TMPDIR: &str = "TMPDIR";
/// The longest that a registry may take.
const PULL_LIMIT: Duration = Duration::from_secs(30 * 60);

/// An image of one engine, by a name that it has there or by its id.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Image {
    engine: Engine,
    reference: String,
}

impl Image {
    /// The image of a key. Whether the engine has it is another question.
    pub fn of(engine: Engine, key: &str) -> Self {
        Self { engine, reference: format!("localhost/vgpu-pipeline:{key}") }
    }

    /// An image by its id, under a name that follows from it.
    pub fn of_id(engine: Engine, id: &ImageDigest) -> Self {
        let hex = id.as_str().trim_start_matches("sha256:");
        Self::of(engine, &format!("id-{}", hex.get(..16).unwrap_or(hex)))
    }

    /// An image by its id, which nobody can give to another one.
    pub fn by_id(engine: Engine, id: &ImageDigest) -> Self {
        Self { engine, reference: id.as_str().to_owned() }
    }

    /// The name of the base that this image stands on, where an engine needs one.
    #[must_use]
    pub fn base(&self) -> Self {
        Self { engine: self.engine, reference: format!("{}-base", self.reference) }
    }

    pub fn engine(&self) -> Engine {
        self.engine
    }

    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// Whether the engine has it. An engine that cannot say so has failed, and not said no.
    pub fn exists(&self, runner: &Runner) -> Result<bool> {
        let call = self.engine.call().arg("image");
        match self.engine {
            // podman has an exit code for that alone (podman-image-exists(1)).
            Engine::Podman => match runner.run(&call.args(["exists", &self.reference])) {
                Ok(_) => Ok(true),
                Err(error)
                    if find::<Failure>(&error).is_some_and(|it| it.status.code() == Some(1)) =>
                {
                    Ok(false)
                }
                Err(error) => Err(error),
            },
            // docker has one for every trouble.
            Engine::Docker => {
                let format = "--format={{.ID}} {{.Repository}}:{{.Tag}}";
                let call = call.args(["ls", "--all", "--no-trunc", format]).capture_stdout();
                Ok(runner.run(&call)?.stdout.split_whitespace().any(|word| word == self.reference))
            }
        }
    }

    /// Makes it from the tar of a root filesystem; `tmp` is for what an engine writes on the way.
    pub fn import(&self, runner: &Runner, tar: &Path, tmp: &Path) -> Result<()> {
        let call = in_its_folder(self.engine.call().arg("import"), tar)?;
        runner.run(&call.arg(&self.reference).env(TMPDIR, tmp))?;
        Ok(())
    }

    /// Gives this name to an image that the engine has under its id; false if it has none.
    pub fn tag(&self, runner: &Runner, id: &ImageDigest) -> Result<bool> {
        let there = Self::by_id(self.engine, id).exists(runner)?;
        if there {
            runner.run(&self.engine.call().args(["tag", id.as_str(), &self.reference]))?;
        }
        Ok(there)
    }

    /// Loads what [`Image::save`] wrote.
    pub fn load(
        &self,
        runner: &Runner,
        archive: &Path,
        id: &ImageDigest,
        tmp: &Path,
    ) -> Result<()> {
        let call = self.engine.call().args(["load", "--quiet", "--input"]).env(TMPDIR, tmp);
        runner.run(&in_its_folder(call, archive)?)?;
        if !self.tag(runner, id)? {
            bail!("`{}` does not hold the image {id}", archive.display());
        }
        Ok(())
    }

    /// Writes an image, without a name, as an archive that every engine loads.
    pub fn save(runner: &Runner, engine: Engine, id: &ImageDigest, to: &Path) -> Result<()> {
        let mut call = engine.call().arg("save");
        if engine == Engine::Podman {
            call = call.args(["--quiet", "--format", "docker-archive"]);
        }
        let call = in_its_folder(call.arg("--output"), to)?;
        runner.run(&call.arg(id.as_str().trim_start_matches("sha256:")))?;
        Ok(())
    }

    /// Pulls an image by the digest of its manifest, and refuses one that has another id.
    pub fn pull(
        &self,
        runner: &Runner,
        from: &ImageReference,
        digest: &ImageDigest,
        id: &ImageDigest,
        tmp: &Path,
    ) -> Result<()> {
        let pinned = format!("{}@{digest}", from.repository());
        let call = self.engine.call().args(["pull", "--quiet", &pinned]).limit(PULL_LIMIT);
        runner
            .run(&call.env(TMPDIR, tmp))
            .with_context(|| format!("cannot pull the image {pinned}"))?;
        if !self.tag(runner, id)? {
            return Err(anyhow!("{pinned} is not the image {id} that the lock names")
                .help("was the lock edited? `vgpu-pipeline lock` writes it anew"));
        }
        Ok(())
    }

    /// Pulls what a tag names today: its manifest's digest, and its id.
    pub fn resolve(
        runner: &Runner,
        engine: Engine,
        tag: &ImageReference,
        tmp: &Path,
    ) -> Result<(ImageDigest, ImageDigest)> {
        let call = engine.call().args(["pull", "--quiet", tag.as_str()]).limit(PULL_LIMIT);
        runner
            .run(&call.env(TMPDIR, tmp))
            .with_context(|| format!("cannot pull the image {tag}"))?;
        let format = "{{.Id}}{{range .RepoDigests}} {{.}}{{end}}";
        let call = engine.call().args(["image", "inspect", "--format", format, tag.as_str()]);
        let shown = runner.run(&call.capture_stdout())?.stdout;
        let (id, digest) = read_inspection(&shown, tag.repository())
            .with_context(|| format!("`{}` says of {tag}: `{}`", engine.program(), shown.trim()))?;
        Ok((digest, id))
    }
}

/// A call with a file as its next word: podman takes a colon in a path for a URL's, and no name of ours
/// has one.
pub(super) fn in_its_folder(call: Invocation, file: &Path) -> Result<Invocation> {
    let file = std::path::absolute(file)?;
    let (folder, name) = file.parent().zip(file.file_name()).context("a file has a name")?;
    Ok(call.current_dir(folder).arg(name))
}

/// An id and the digest that the repository serves it by; podman leaves `sha256:` off the id.
fn read_inspection(shown: &str, repository: &str) -> Option<(ImageDigest, ImageDigest)> {
    let mut words = shown.split_whitespace();
    let id = words.next()?;
    let id = if id.starts_with("sha256:") { id.to_owned() } else { format!("sha256:{id}") };
    // docker leaves out where its own images come from.
    let short = repository.trim_start_matches("docker.io/").trim_start_matches("library/");
    let served = words.find_map(|word| {
        let (name, digest) = word.split_once('@')?;
        (name == repository || name == short).then_some(digest)
    })?;
    Some((id.try_into().ok()?, served.to_owned().try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inspection_is_read_as_both_engines_write_it() {
        let (a, b) = ("a".repeat(64), "b".repeat(64));
        let shown = format!("{a} other/centos@sha256:{a} h/centos@sha256:{b}\n");
        let (id, digest) = read_inspection(&shown, "h/centos").unwrap();
        assert_eq!(
            (id.as_str(), digest.as_str()),
            (&*format!("sha256:{a}"), &*format!("sha256:{b}"))
        );
        assert!(read_inspection(&format!("sha256:{a}"), "h/centos").is_none());
    }
}

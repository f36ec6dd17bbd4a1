// SPDX-License-Identifier: GPL-2.0-or-later
//! An image's build: the steps of a Containerfile, which are nobody of the host as jobs are.
//!
//! Root's podman gives a build a user namespace of its own too, if it is kept from two things. The layer
//! that a step makes would name the host's ids: where all layers become one, podman reads them through
//! the namespace instead, and refuses an id that is not in it. So the image is the same one whichever ids
//! the host has to spare, and for whoever is not root; but for a file capability, which the kernel binds
//! to the id of its namespace's root. And the root folder of a build's container stays the host's root,
//! whom the namespace does not have: an archive that holds nothing but a root folder, added first of all,
//! gives it over.
//!
//! What a build has started, and what it has mounted and made on its way, would outlive podman. So all of
//! it is in namespaces of processes and mounts that end with this process, and in a storage of its own in
//! a folder of the work: nothing of it can be left, and nobody else's podman sees it. The finished image
//! alone is put into the host's storage. docker has none of that: there a step is the host's root, with
//! docker's few capabilities. Nowhere it has a network.

use super::image::{TMPDIR, in_its_folder};
use super::{DESCRIPTORS, Engine, Image, users};
use crate::config::ImageDigest;
use crate::process::{Invocation, OWN, Runner};
use anyhow::{Error, Result, ensure};
use fs_err as fs;
use rustix::process::geteuid;
use std::path::Path;
use std::time::Duration;

/// The archive in a build's context that holds a root folder.
const ROOT: &str = ".vgpu-pipeline-root.tar";
const CONTAINERFILE: &str = "Containerfile";
const CONTEXT: &str = "context";
const ARCHIVE: &str = "image.tar";
const ID: &str = "id";
const TMP: &str = "tmp";
/// The longest that the steps of a Containerfile may take together.
const LIMIT: Duration = Duration::from_secs(2 * 60 * 60);
/// What each of them may have: more than rpm and yum need for a whole environment.
const MOST_MEMORY: &str = "--memory=4g";
/// In bytes: podman unpacks the holes of a sparse file.
const LARGEST_FILE: &str = "--ulimit=fsize=4294967296:4294967296";

/// What an image stands on.
#[derive(Debug, Clone, Copy)]
pub enum Base<'a> {
    /// The archive of a root filesystem.
    Tar(&'a Path),
    /// An image that the engine has.
    Image(&'a ImageDigest),
}

/// What it takes to build an image, besides the engine.
pub fn tools() -> &'static [&'static [&'static str]] {
    if geteuid().is_root() { &[&["setpriv"], &["unshare"], &["mount"]] } else { &[] }
}

impl Engine {
    /// What has to be the first instruction of a Containerfile after FROM.
    pub fn first_instruction(self) -> Option<String> {
        self.is_apart().then(|| format!("ADD {ROOT} /"))
    }

    /// Whether it builds images apart from the host's users and storage.
    fn is_apart(self) -> bool {
        self == Self::Podman && geteuid().is_root()
    }
}

impl Image {
    /// Makes it from the text of a Containerfile, with the network off, and returns it by its id. `under`
    /// is a folder of the work that this is a part of.
    pub fn build(
        &self,
        runner: &Runner,
        text: &str,
        base: Base,
        context: &Path,
        under: &Path,
    ) -> Result<Self> {
        let folder = tempfile::tempdir_in(under)?;
        let folder = std::path::absolute(folder.path())?;
        fs::write(folder.join(CONTAINERFILE), text)?;
        fs::create_dir(folder.join(TMP))?;
        if self.engine().is_apart() {
            self.build_apart(runner, base, context, &folder)?;
        } else {
            self.build_on_host(runner, base, context, &folder)?;
        }
        let id = fs::read_to_string(folder.join(ID))?;
        let id = ImageDigest::try_from(id.trim().to_owned()).map_err(Error::msg)?;
        let built = Self::by_id(self.engine(), &id);
        ensure!(
            built.exists(runner)?,
            "`{}` lost the image {} that it just made",
            self.engine().program(),
            built.reference()
        );
        Ok(built)
    }

    fn build_on_host(&self, runner: &Runner, base: Base, context: &Path, at: &Path) -> Result<()> {
        match base {
            Base::Tar(tar) => self.base().import(runner, tar, &at.join(TMP))?,
            Base::Image(id) => ensure!(self.base().tag(runner, id)?, "the base {id} is gone"),
        }
        let call = match self.engine() {
            Engine::Podman => self.with_podman(Engine::Podman.call(), self.base().reference()),
            // A layer of another build may be something else under the same words.
            Engine::Docker => self
                .call(Engine::Docker.call(), self.base().reference())
                .args(["--no-cache", DESCRIPTORS]),
        };
        let call = call.arg("--iidfile").arg(at.join(ID)).env(TMPDIR, at.join(TMP));
        // podman takes a path there for a list of paths.
        let call = in_its_folder(call.arg("--file"), &at.join(CONTAINERFILE))?;
        runner.run(&call.arg(std::path::absolute(context)?))?;
        Ok(())
    }

    fn build_apart(&self, runner: &Runner, base: Base, context: &Path, at: &Path) -> Result<()> {
        copy_folder(context, &at.join(CONTEXT))?;
        write_root(&at.join(CONTEXT).join(ROOT))?;
        let mut podman = apart(at);
        let base = match base {
            Base::Tar(tar) => {
                let call = in_its_folder(podman.clone().arg("import"), tar)?;
                runner.run(&call.arg(self.base().reference()).known_as("podman import"))?;
                self.base().reference().to_owned()
            }
            // It is read where it is.
            Base::Image(id) => {
                let format = "{{.Store.GraphDriverName}}.imagestore={{.Store.GraphRoot}}";
                let call = Engine::Podman.call().args(["info", "--format", format]);
                let host = runner.run(&call.capture_stdout())?.stdout;
                podman = podman.args(["--storage-opt", host.trim()]);
                id.as_str().trim_start_matches("sha256:").to_owned()
            }
        };
        let build = self
            .with_podman(podman.clone(), &base)
            .args(users::build_options()?)
            .args(["--squash-all", MOST_MEMORY, LARGEST_FILE, "--iidfile", &own(ID)])
            .args(["--file", &own(CONTAINERFILE), &own(CONTEXT)]);
        runner.run(&build.known_as("podman build")).map_err(super::with_help_for_host)?;
        let save = podman.args(["save", "--quiet", "--format=docker-archive", "--output"]);
        let save = save.args([&own(ARCHIVE), self.reference()]).known_as("podman save");
        runner.run(&save)?;
        let load = Engine::Podman.call().args(["load", "--quiet", "--input"]);
        runner.run(&in_its_folder(load.env(TMPDIR, at.join(TMP)), &at.join(ARCHIVE))?)?;
        Ok(())
    }

    fn with_podman(&self, podman: Invocation, base: &str) -> Invocation {
        // Without a time every build has an id of its own; docker's builder has no such option.
        let call = self.call(podman, base).args(["--timestamp=0", "--pull=never"]);
        call.args(["--layers=false", "--http-proxy=false"])
    }

    fn call(&self, engine: Invocation, base: &str) -> Invocation {
        let call = engine.args(["build", "--network=none", "--tag", self.reference()]);
        call.arg(format!("--build-arg=BASE={base}")).limit(LIMIT)
    }
}

/// podman in namespaces of its own, with a storage of its own in a folder. The locks that podman keeps
/// at [`OWN`] are its own too: a new storage would take them from the host's.
fn apart(folder: &Path) -> Invocation {
    let call = Invocation::alone_in(folder, Engine::Podman.program());
    call.args(["root", "runroot", "tmpdir"].map(|it| format!("--{it}={}", own(it))))
}

/// A path in a build's own folder, as the build sees it.
fn own(name: &str) -> String {
    format!("{OWN}/{name}")
}

/// An archive of a root folder that is root's and holds nothing.
fn write_root(to: &Path) -> Result<()> {
    let mut archive = tar::Builder::new(fs::File::create_new(to)?);
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Directory);
    header.set_path("./")?;
    header.set_mode(0o755);
    header.set_size(0);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_cksum();
    archive.append(&header, std::io::empty())?;
    archive.finish()?;
    Ok(())
}

/// Copies folders and plain files: a context is our own work, and there is nothing else in it.
fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, to) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy_folder(&entry.path(), &to)?;
        } else {
            ensure!(kind.is_file(), "`{}` is no plain file", entry.path().display());
            fs::copy(entry.path(), &to)?;
        }
    }
    Ok(())
}

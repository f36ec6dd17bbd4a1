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

use super::image::in_its_folder;
use super::{DESCRIPTORS, Engine, Image, users};
use crate::cmd::{Call, Runner};
use anyhow::{Result, ensure};
use fs_err as fs;
use rustix::process::geteuid;
use std::path::Path;

/// The archive in a build's context that holds a root folder.
const ROOT: &str = ".vgpu-pipeline-root.tar";
const CONTAINERFILE: &str = "Containerfile";
const CONTEXT: &str = "context";
const ARCHIVE: &str = "image.tar";
/// Where a build's own folder lies, as the build sees it: the path is short, as podman wants it, without
/// odd characters, and there on every machine; and podman keeps locks there, which a storage of its own
/// would take from the host's.
const OWN: &str = "/dev/shm";
/// Runs the words after the first one with the first one's folder at [`OWN`].
const IN_OWN: &str = r#"mount --bind "$0" /dev/shm && exec "$@""#;

impl Engine {
    /// What has to be the first instruction of a Containerfile after FROM.
    pub fn first_instruction(self) -> Option<String> {
        self.is_apart().then(|| format!("ADD {ROOT} /"))
    }

    /// What it takes besides the engine to build an image.
    pub fn builds_with(self) -> &'static [&'static [&'static str]] {
        if self.is_apart() { &[&["setpriv"], &["unshare"], &["mount"]] } else { &[] }
    }

    /// Whether it builds images apart from the host's users and storage.
    fn is_apart(self) -> bool {
        self == Self::Podman && geteuid().is_root()
    }
}

impl Image {
    /// Makes it on its base from the text of a Containerfile, with the network off. `under` is a folder
    /// of the work that this is a part of.
    pub fn build(&self, cmd: &Runner, text: &str, context: &Path, under: &Path) -> Result<()> {
        let folder = tempfile::tempdir_in(under)?;
        fs::write(folder.path().join(CONTAINERFILE), text)?;
        if self.engine().is_apart() {
            return self.build_apart(cmd, context, folder.path());
        }
        let call = match self.engine() {
            Engine::Podman => self.with_podman(Engine::Podman.call()),
            // A layer of another build may be something else under the same words.
            Engine::Docker => self.call(Engine::Docker.call()).args(["--no-cache", DESCRIPTORS]),
        };
        // podman takes a path there for a list of paths.
        let call = in_its_folder(call.arg("--file"), &folder.path().join(CONTAINERFILE))?;
        cmd.run(&call.arg(std::path::absolute(context)?))?;
        Ok(())
    }

    fn build_apart(&self, cmd: &Runner, context: &Path, folder: &Path) -> Result<()> {
        copy_folder(context, &folder.join(CONTEXT))?;
        write_root(&folder.join(CONTEXT).join(ROOT))?;
        let call = Engine::Podman.call().args(["info", "--format", "{{.Store.GraphRoot}}"]);
        let host = cmd.run(&call.read())?.stdout;
        let podman = apart(folder, host.trim())?;
        let build = self.with_podman(podman.clone()).args(users::build_options()?);
        let build = build.args(["--squash-all", "--file", &own(CONTAINERFILE), &own(CONTEXT)]);
        cmd.run(&build.known_as("podman build"))?;
        let save = podman.args(["save", "--quiet", "--format=docker-archive", "--output"]);
        let save = save.args([&own(ARCHIVE), self.reference()]).known_as("podman save");
        cmd.run(&save)?;
        let load = Engine::Podman.call().args(["load", "--quiet", "--input"]);
        cmd.run(&in_its_folder(load, &folder.join(ARCHIVE))?)?;
        Ok(())
    }

    fn with_podman(&self, podman: Call) -> Call {
        // Without a time every build has an id of its own; docker's builder has no such option.
        let call = self.call(podman).args(["--timestamp=0", "--pull=never", "--layers=false"]);
        call.arg("--http-proxy=false")
    }

    fn call(&self, engine: Call) -> Call {
        let call = engine.args(["build", "--network=none", "--tag", self.reference()]);
        call.arg(format!("--build-arg=BASE={}", self.base().reference()))
    }
}

/// podman in namespaces of its own, with a storage of its own in a folder. It reads the host's images
/// where they are.
fn apart(folder: &Path, host: &str) -> Result<Call> {
    let call = Call::new("setpriv").args(["--pdeathsig=KILL", "unshare", "--pid", "--fork"]);
    let call = call.args(["--kill-child", "--mount-proc", "/bin/sh", "-c", IN_OWN]);
    let call = call.arg(std::path::absolute(folder)?).arg(Engine::Podman.program());
    let call = call.args(["root", "runroot", "tmpdir"].map(|it| format!("--{it}={}", own(it))));
    Ok(call.args(["--storage-opt", &format!("additionalimagestore={host}")]))
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

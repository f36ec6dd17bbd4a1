//! An image's build: the steps of a Containerfile, which are nobody of the host as jobs are.
//!
//! podman gives a build a user namespace of its own too, and then has to be kept from two things. The
//! layer that a step makes would name the host's ids. Where all layers become one, podman reads it
//! through the namespace instead, and refuses an id that is not in it: so the image is the same one
//! whichever ids the host has to spare, and for whoever is not root; but for a file capability, which
//! the kernel binds to the id of its namespace's root. And the root folder of a build's
//! container stays the host's root, whom the namespace does not have: an archive that holds nothing but
//! a root folder, added first of all, gives it over.
//!
//! What a step has started outlives podman, as nobody's child. In a process namespace of the build's
//! own, which ends with this process, the kernel ends it. docker has neither for a single build: there a step is the host's root, with
//! docker's few capabilities and without a network.

use super::image::in_its_folder;
use super::{DESCRIPTORS, Engine, Image, owner, users};
use crate::cmd::{Call, Runner, interrupted};
use anyhow::{Result, ensure};
use fs_err as fs;
use std::path::Path;

/// The archive in a build's context that holds a root folder.
const ROOT: &str = ".vgpu-pipeline-root.tar";
/// Removes a build's container, and then the name of its base. podman has no way to name that container.
const REMOVE: &str = r#"
podman ps --all --external --format '{{.ID}} {{.Image}}' | while read -r id image; do
    [ "$image" != "$1" ] || podman rm --force --time=0 "$id"
done
podman untag "$1" "$1"
"#;

impl Engine {
    /// What has to be the first instruction of a Containerfile after FROM.
    pub fn first_instruction(self) -> Option<String> {
        (self == Self::Podman).then(|| format!("ADD {ROOT} /"))
    }
}

impl Image {
    /// Makes it on its base from the text of a Containerfile, with the network off. `under` is a folder
    /// of the work that this is a part of.
    pub fn build(&self, cmd: &Runner, text: &str, context: &Path, under: &Path) -> Result<()> {
        owner::sweep(cmd, self.engine())?;
        let folder = tempfile::tempdir_in(under)?;
        let containerfile = folder.path().join("Containerfile");
        fs::write(&containerfile, text)?;
        match self.engine() {
            Engine::Podman => self.build_with_podman(cmd, &containerfile, context, folder.path()),
            Engine::Docker => {
                let call = self.build_call(Engine::Docker.call(), self.base().reference());
                // A layer of another build may be something else under the same words.
                let call = call.args(["--no-cache", DESCRIPTORS]).arg("--file");
                let call = in_its_folder(call, &containerfile)?;
                cmd.run(&call.arg(std::path::absolute(context)?))?;
                Ok(())
            }
        }
    }

    fn build_with_podman(
        &self,
        cmd: &Runner,
        containerfile: &Path,
        context: &Path,
        folder: &Path,
    ) -> Result<()> {
        let own_context = folder.join("context");
        copy_folder(context, &own_context)?;
        write_root(&own_context.join(ROOT))?;
        let base = owner::build_name(cmd);
        cmd.run(&Engine::Podman.call().args(["tag", self.base().reference(), &base]))?;
        let ids = users::build_options()?;
        let engine = if ids.is_empty() {
            Engine::Podman.call()
        } else {
            let call =
                Call::new("setpriv").args(["--pdeathsig=KILL", "unshare", "--pid", "--fork"]);
            call.args(["--kill-child", "--mount-proc", Engine::Podman.program()])
        };
        let call = self
            .build_call(engine, &base)
            .args(ids)
            // With a time or the base's name every build has an id of its own; docker's builder has no such
            // options.
            .args(["--timestamp=0", "--omit-history"])
            .args(["--squash-all", "--pull=never", "--layers=false"])
            .args(["--http-proxy=false", "--file"]);
        // podman takes a path there for a list of paths.
        let call = in_its_folder(call, containerfile)?.arg(std::path::absolute(&own_context)?);
        let built = cmd.run(&call.cleaned_up_by(removal(&base)));
        match &built {
            // That has cleaned up already.
            Err(error) if interrupted(error).is_some() => {}
            _ => {
                let _ = cmd.run(&removal(&base));
            }
        }
        built.map(drop)
    }

    fn build_call(&self, engine: Call, base: &str) -> Call {
        let call = engine.args(["build", "--network=none", "--tag", self.reference()]);
        call.arg(format!("--build-arg=BASE={base}"))
    }
}

/// Ends what a build with podman left, by the name of its base.
pub fn removal(base: &str) -> Call {
    Call::new("/bin/sh").args(["-c", REMOVE, "sh", base])
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

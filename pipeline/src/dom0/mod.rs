// SPDX-License-Identifier: GPL-2.0-or-later
//! The stage `dom0`: what a dom0 gets beside QEMU. The package `qemu-device-dom0`, made of the files of
//! `wrapper/` that this program carries and of the contracts of the pipeline's devices, and the vendor's
//! qemu-wrapper with our lines in it.
//!
//! The vendor's file is patched by the very program that the package brings, under the Python of the
//! environment. Nothing of the vendor's ever enters the package.

mod assets;
mod devices;
mod judge;
mod package;
mod scriptlets;
mod step;
mod vendor;

use crate::config;
use crate::intake::{Folder, Limits};
use crate::process::Runner;
use crate::sandbox::{self, Confinement, Image, Job, Mount};
use crate::stage::Context;
use crate::store::Stored;
use anyhow::Result;
use assets::ASSETS;
pub use devices::ServedDevices;
use fs_err as fs;
pub use judge::{Judged, judge};
pub use package::{is as is_package_of, name as package_name};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
pub use step::Dom0Step;
pub use vendor::{as_shipped, fetch as fetch_vendor, pins};

/// The first and the last of the lines that the patcher puts in (`wrapper/qemu_device/patch/block.py`).
pub const BEGIN: &str = "# qemu-device begin, ";
pub const END: &str = "# qemu-device end";

/// The patched wrapper, its difference to the vendor's, and the vendor's as hosts have it.
pub const PATCHED: &str = "qemu-wrapper";
pub const DIFFERENCE: &str = "qemu-wrapper.diff";
pub const SHIPPED: &str = "qemu-wrapper.vendor";

/// A script of a few hundred lines, many times.
const WORKSPACE: Limits = Limits { entries: 1, depth: 0, bytes: 4 << 20 };

/// What was made for a dom0.
#[derive(Debug)]
pub struct Dom0 {
    stored: Stored,
    facts: Facts,
}

/// What the store keeps with the files.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Facts {
    /// Where the vendor's wrapper comes from.
    origin: Option<String>,
    /// The hosts that were asked.
    contacted: BTreeSet<String>,
    /// How many lines the patch adds.
    added: usize,
    /// The package's file.
    package: String,
}

impl Dom0 {
    fn of(stored: Stored) -> Result<Self> {
        let facts = stored.facts()?;
        Ok(Self { stored, facts })
    }

    /// The package for hosts, as the store has it.
    pub fn package(&self) -> &str {
        &self.facts.package
    }
}

/// Patches the vendor's wrapper and makes the package.
fn make(
    wrapper: &config::Wrapper,
    served: &ServedDevices,
    base_dir: &Path,
    image: &Image,
    cx: &Context,
) -> Result<Dom0> {
    let (store, runner, fetch) = (cx.store(), cx.runner(), cx.fetch);
    let file = vendor::fetch(&wrapper.vendor, base_dir, fetch)?;
    let work = store.work()?;
    let bench =
        PatchWorkspace::lay_out(served, &work.scratch("wrapper")?, &work.scratch("bench")?)?;
    let shipped = work.files().join(SHIPPED);
    vendor::apply_distro_edits(&file, wrapper, &shipped)?;
    bench.put(&shipped)?;
    let difference = bench.patcher(&["--diff"], wrapper.python, image, runner)?;
    bench.patcher(&[], wrapper.python, image, runner)?;
    bench.take(&work.files().join(PATCHED))?;
    fs::write(work.files().join(DIFFERENCE), &difference)?;
    let is_added = |line: &&str| line.starts_with('+') && !line.starts_with("+++");
    let facts = Facts {
        origin: vendor::origin(&wrapper.vendor),
        contacted: fetch.contacted(),
        added: difference.lines().filter(is_added).count(),
        package: package::write(wrapper, served, &work.files())?,
    };
    Dom0::of(cx.keep(work, &facts)?)
}

/// Lays the carried programs out with what a pipeline says of its devices, as they find each other.
fn lay_out(served: &ServedDevices, programs: &Path) -> Result<()> {
    let assets = ASSETS.iter().map(|file| (file.name, file.text));
    for (name, text) in assets.chain(served.files()) {
        let to = programs.join(name);
        fs::create_dir_all(to.parent().unwrap_or(programs))?;
        fs::write(&to, text)?;
    }
    Ok(())
}

/// The carried programs, and a folder with a qemu-wrapper that they may write to, for the environment.
struct PatchWorkspace {
    programs: PathBuf,
    folder: PathBuf,
}

impl PatchWorkspace {
    fn lay_out(served: &ServedDevices, programs: &Path, folder: &Path) -> Result<Self> {
        lay_out(served, programs)?;
        Ok(Self { programs: programs.to_owned(), folder: folder.to_owned() })
    }

    /// Lays a wrapper there.
    fn put(&self, wrapper: &Path) -> Result<()> {
        let file = self.folder.join(PATCHED);
        fs::copy(wrapper, &file)?;
        fs::set_permissions(&file, PermissionsExt::from_mode(0o755))?;
        sandbox::chown_to_builder(&file)
    }

    /// Takes it away, and nothing that the patcher may have left in its place.
    fn take(&self, to: &Path) -> Result<()> {
        Folder::open(&self.folder, "bench", WORKSPACE)?.take(Path::new(PATCHED), to, true)?;
        Ok(())
    }

    /// Runs the patcher on the folder's qemu-wrapper, and returns what it prints.
    fn patcher(
        &self,
        options: &[&str],
        python: config::Python,
        image: &Image,
        runner: &Runner,
    ) -> Result<String> {
        let file = format!("/bench/{PATCHED}");
        let words = [python.program(), "-B", "/wrapper/qemu-device-patch"].into_iter();
        let words = words.chain(options.iter().copied()).chain([file.as_str()]);
        let job = Job {
            purpose: "wrapper".into(),
            argv: words.map(str::to_owned).collect(),
            confinement: Confinement::Sealed,
            mounts: vec![
                Mount::read_only(&self.programs, "/wrapper"),
                Mount::writable(&self.folder, "/bench"),
            ],
            variables: Vec::new(),
            memory: "1g".to_owned(),
            pids: 64,
        };
        sandbox::ask(runner, image, &job, self.programs.parent().unwrap_or(&self.programs))
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! Where an output folder may be. Everything here is found out before any work.

use super::{Output, held, switch};
use crate::error::{Help, find_all};
use crate::store::owned::{own_folder, refuse_foreign_parents, refuse_foreign_way};
use anyhow::{Context, Result, anyhow};
use fs_err as fs;
use rustix::fs::{Access, AtFlags, CWD, StatxAttributes, StatxFlags, accessat, statfs, statx};
use rustix::io::Errno;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// What makes a folder the top of a work tree.
const WORK_TREES: [&str; 5] = [".git", ".hg", ".svn", ".jj", ".bzr"];
const HELP: &str = "name another folder with `--output`";

/// File systems whose files are answers and handles of the kernel, where even to try would do something:
/// a folder in a cgroup file system is a cgroup (`statfs(2)`, `linux/magic.h`).
const KERNELS: [(u32, &str); 22] = [
    (0x9fa0, "proc"),
    (0x6265_6572, "sysfs"),
    (0x0027_e0eb, "cgroup"),
    (0x6367_7270, "cgroup2"),
    (0x6462_6720, "debugfs"),
    (0x7472_6163, "tracefs"),
    (0x7363_6673, "securityfs"),
    (0x1cd1, "devpts"),
    (0x6165_676c, "pstore"),
    (0xde5e_81e4, "efivarfs"),
    (0xcafe_4a11, "bpf"),
    (0xf97c_ff8c, "selinuxfs"),
    (0x4341_5d53, "smackfs"),
    (0x6265_6570, "configfs"),
    (0x4249_4e4d, "binfmt_misc"),
    (0x1980_0202, "mqueue"),
    (0x9584_58f6, "hugetlbfs"),
    (0x6e73_6673, "nsfs"),
    (0x6573_5543, "fusectl"),
    (0x6759_6969, "rpc_pipefs"),
    (0x0765_5821, "resctrl"),
    (0xabba_1974, "xenfs"),
];

/// An output folder with no link left in its path.
pub struct Target {
    pub path: PathBuf,
    pub parent: PathBuf,
    /// Whether it is there yet.
    pub there: bool,
}

/// Finds where the output is, and refuses a place that no repository may take.
pub fn find(output: &Output) -> Result<Target> {
    let path = resolve(output.folder)?;
    // As it was named: whoever owns a folder on the way, or a link, could lead elsewhere.
    let named: PathBuf = std::path::absolute(output.folder)?.components().collect();
    if named.is_symlink() {
        refuse_foreign_way(&named, "the output", HELP)?;
    } else {
        refuse_foreign_parents(&named, "the output", HELP)?;
    }
    let shown = path.display();
    let Some(parent) = path.parent().map(Path::to_owned) else {
        return Err(anyhow!("the output `{shown}` is the top of the file system").help(HELP));
    };
    for (folder, what) in &output.apart {
        if real(folder).starts_with(&path) {
            return Err(anyhow!("the output `{shown}` is or holds {what}").help(HELP));
        }
    }
    refuse_kernels(&path)?;
    let store = real(output.store);
    if store.starts_with(&path) || path.starts_with(&store) {
        return Err(anyhow!("the output `{shown}` is, holds or lies in the store").help(HELP));
    }
    let there = match fs::symlink_metadata(&path) {
        Ok(found) => Some(found),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error.into()),
    };
    let Some(there) = there else { return Ok(Target { path, parent, there: false }) };
    // Its owner could put another folder in its place, or another record into it.
    own_folder(&path, "the output", HELP)?;
    for name in WORK_TREES {
        if path.join(name).symlink_metadata().is_ok() {
            return Err(anyhow!("the output `{shown}` is the top of a work tree, it has `{name}`")
                .help(HELP));
        }
    }
    if is_mount(&path)? || fs::symlink_metadata(&parent)?.dev() != there.dev() {
        return Err(anyhow!(
            "the output `{shown}` is a mount point, which cannot change places with another folder"
        )
        .help("name a folder inside of it with `--output`"));
    }
    Ok(Target { path, parent, there: true })
}

impl Target {
    /// Refuses a place where no new state could be switched in, whatever the reason is: it is tried.
    pub fn writable(&self) -> Result<()> {
        let folder = nearest(&self.parent)?;
        let try_out = || -> Result<()> {
            refuse_fixed(folder)?;
            accessat(CWD, folder, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS)
                .map_err(io::Error::from)?;
            let _held = held::hold(folder, &self.path)?;
            switch::try_out(folder, &self.path)
        };
        try_out()
            .with_context(|| {
                format!(
                    "the output `{}` cannot be written: `{}`",
                    self.path.display(),
                    folder.display()
                )
            })
            .help(HELP)
    }
}

/// The folder that is there of those that hold a place.
fn nearest(path: &Path) -> Result<&Path> {
    let mut there = path.ancestors().filter(|up| up.symlink_metadata().is_ok());
    there.next().context("the root folder is there")
}

fn refuse_kernels(path: &Path) -> Result<()> {
    let folder = nearest(path)?;
    let magic = statfs(folder).map_err(io::Error::from)?.f_type & 0xffff_ffff;
    if let Some((_, name)) = KERNELS.iter().find(|(of, _)| i64::from(*of) == magic) {
        return Err(anyhow!("the output `{}` cannot be written: `{}` is on a file system of the kernel ({name}), which \
             keeps no files", path.display(), folder.display()).help(HELP));
    }
    Ok(())
}

/// Refuses what the kernel lets nobody move or remove (`chattr(1)`, `i` and `a`).
pub fn refuse_fixed(path: &Path) -> Result<()> {
    let fixed = StatxAttributes::IMMUTABLE | StatxAttributes::APPEND;
    if attributes(path)?.intersects(fixed) {
        let shown = path.display();
        return Err(anyhow!("`{shown}` may be neither moved nor removed (`lsattr -d` shows why), so that no new state \
             can take the place of the one that is there").help(format!("chattr -i -a {shown}")));
    }
    Ok(())
}

/// Follows what links there are, and what is not there yet stays as it is written.
fn resolve(output: &Path) -> Result<PathBuf> {
    let shown = output.display();
    let absolute = std::path::absolute(output)
        .with_context(|| format!("the output `{shown}` is no folder"))
        .help(HELP)?;
    let absolute: PathBuf = absolute.components().collect();
    let mut rest = Vec::new();
    let mut there = absolute.as_path();
    while let Err(error) = there.symlink_metadata() {
        // What no file system could have is not what is not there yet.
        if error.kind() == ErrorKind::InvalidFilename {
            return Err(anyhow!("the output `{shown}`: {error}").help(HELP));
        }
        let part = there.components().next_back().context("the root folder is there")?;
        let Component::Normal(part) = part else {
            return Err(anyhow!(
                "the output `{shown}` goes back out of a folder that is not there"
            )
            .help(HELP));
        };
        rest.push(part);
        there = there.parent().context("the root folder is there")?;
    }
    let Ok(mut real) = there.canonicalize() else {
        return Err(anyhow!(
            "the output `{shown}`: `{}` is a link that leads nowhere",
            there.display()
        )
        .help(HELP));
    };
    if !real.is_dir() {
        return Err(anyhow!(
            "cannot write the output `{shown}`: `{}` is no folder",
            there.display()
        )
        .help(HELP));
    }
    real.extend(rest.iter().rev());
    Ok(real)
}

/// A folder by its real path, where it is there.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

/// What was found out about a name in an output, or done to it; none where it is not there any more. A
/// folder may be in use, and what somebody has in it may go at any moment: that is nobody's fault.
pub fn if_there<T>(found: Result<T>) -> Result<Option<T>> {
    let is_gone = |error: &anyhow::Error| {
        find_all::<io::Error>(error).any(|cause| cause.kind() == ErrorKind::NotFound)
            || find_all::<Errno>(error).any(|cause| *cause == Errno::NOENT)
    };
    match found {
        Err(error) if is_gone(&error) => Ok(None),
        found => found.map(Some),
    }
}

/// Whether something is mounted there.
pub fn is_mount(path: &Path) -> Result<bool> {
    Ok(attributes(path)?.contains(StatxAttributes::MOUNT_ROOT))
}

fn attributes(path: &Path) -> Result<StatxAttributes> {
    let found = statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::empty())
        .map_err(io::Error::from)
        .with_context(|| path.display().to_string())?;
    Ok(found.stx_attributes)
}

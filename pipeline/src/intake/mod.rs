// SPDX-License-Identifier: GPL-2.0-or-later
//! The one door for what a container leaves behind: packages, a test binary, a patched file.
//!
//! A folder that a container could write to is hostile until its files went through here. They are opened
//! beneath the folder's own descriptor, without following a link, crossing a mount or waiting for a
//! writer; only regular files are taken, bounded in number, depth and size; each is copied into a new
//! file of ours with a mode of ours, and whatever is asked of it is asked of that copy.
//!
//! What never enters: a name or a mode that a container chose, and a file in its place.

mod packages;
#[cfg(test)]
mod tests;

use crate::error::Help;
use crate::store::{FileRecord, copy_new};
use anyhow::{Context, Result, anyhow, bail, ensure};
pub use packages::packages;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, openat2, statat};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// As many characters of a hostile name as a message shows.
const SHOWN: usize = 120;

/// What may lie in a folder, at the most.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Files and folders together.
    pub entries: usize,
    /// Folders in each other, the top one not counted.
    pub depth: usize,
    /// The bytes of one file, as it claims and as it is read.
    pub bytes: u64,
}

/// A folder that a container could write to.
pub struct Folder {
    fd: OwnedFd,
    /// What it is called in messages.
    name: &'static str,
    limits: Limits,
}

impl Folder {
    /// Opens a folder that we made; its last part may have been replaced since.
    pub fn open(path: &Path, name: &'static str, limits: Limits) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty())
            .with_context(|| format!("`{name}` is no longer the folder that it was"))?;
        Ok(Self { fd, name, limits })
    }

    /// Every file below, as paths relative to it, sorted. Anything that is neither a regular file nor a
    /// folder is an error that names it.
    pub fn files(&self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        let mut folders = vec![(PathBuf::new(), 0)];
        let mut entries = 0;
        while let Some((folder, depth)) = folders.pop() {
            let opened = self.folder(&folder)?;
            for entry in Dir::read_from(&opened)? {
                let entry = entry?;
                let name = entry.file_name();
                if matches!(name.to_bytes(), b"." | b"..") {
                    continue;
                }
                entries += 1;
                let most = self.limits.entries;
                ensure!(entries <= most, "`{}` holds more than {most} files", self.name);
                let path = folder.join(OsStr::from_bytes(name.to_bytes()));
                let stat = statat(&opened, name, AtFlags::SYMLINK_NOFOLLOW)
                    .with_context(|| self.shown(&path))?;
                match FileType::from_raw_mode(stat.st_mode) {
                    FileType::RegularFile => files.push(path),
                    FileType::Directory if depth < self.limits.depth => {
                        folders.push((path, depth + 1));
                    }
                    FileType::Directory => bail!("{} lies too deep", self.shown(&path)),
                    other => return Err(self.refusal(&path, other)),
                }
            }
        }
        files.sort_unstable();
        Ok(files)
    }

    /// Takes a copy of one file to a place where nothing is yet.
    pub fn take(&self, path: &Path, to: &Path, program: bool) -> Result<FileRecord> {
        let shown = || self.shown(path);
        let file = File::from(self.open_beneath(path, OFlags::NONBLOCK | OFlags::NOCTTY)?);
        let found = rustix::fs::fstat(&file).with_context(shown)?;
        let kind = FileType::from_raw_mode(found.st_mode);
        if kind != FileType::RegularFile {
            return Err(self.refusal(path, kind));
        }
        let most = self.limits.bytes;
        // A file of holes takes no room here, and all of its size in a copy.
        let size = file.metadata().with_context(shown)?.len();
        ensure!(size <= most, "{} has {size} bytes, {most} are the most", shown());
        copy_new(file, to, program, most).with_context(shown)
    }

    /// The folders right below, and whether each has a regular file of a path that is reached through no link.
    pub fn below(&self, path: &Path) -> Result<Vec<PathBuf>> {
        let opened = self.folder(Path::new(""))?;
        let mut found = Vec::new();
        for (entry, at) in Dir::read_from(&opened)?.zip(0..) {
            let most = self.limits.entries;
            ensure!(at < most, "`{}` holds more than {most} files", self.name);
            let name = entry?.file_name().to_owned();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let path = Path::new(OsStr::from_bytes(name.to_bytes())).join(path);
            // By its path alone: what is not there, or behind a link, is not what was asked for.
            let Ok(file) = self.open_beneath(&path, OFlags::PATH) else { continue };
            let stat = rustix::fs::fstat(&file).with_context(|| self.shown(&path))?;
            if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
                found.push(path);
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// A path in it as a message shows it.
    fn shown(&self, path: &Path) -> String {
        format!("`{}/{}`", self.name, shown(path))
    }

    fn folder(&self, path: &Path) -> Result<OwnedFd> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        self.open_beneath(path, OFlags::DIRECTORY)
    }

    fn open_beneath(&self, path: &Path, more: OFlags) -> Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | more;
        let resolve = ResolveFlags::BENEATH
            | ResolveFlags::NO_SYMLINKS
            | ResolveFlags::NO_MAGICLINKS
            | ResolveFlags::NO_XDEV;
        match openat2(&self.fd, path, flags, Mode::empty(), resolve) {
            Ok(fd) => Ok(fd),
            Err(Errno::NOSYS) => Err(anyhow!(
                "this machine's kernel cannot open a file beneath a folder"
            )
            .help("`openat2` came with Linux 5.6; a container's seccomp profile may hide it")),
            Err(Errno::LOOP) => bail!("{} is a symbolic link, or behind one", self.shown(path)),
            Err(Errno::XDEV) => bail!("{} is on another mount", self.shown(path)),
            // What a socket answers.
            Err(Errno::NXIO) => bail!("{} is not a regular file", self.shown(path)),
            Err(error) => Err(error).with_context(|| self.shown(path)),
        }
    }

    fn refusal(&self, path: &Path, kind: FileType) -> anyhow::Error {
        let kind = match kind {
            FileType::Symlink => "a symbolic link",
            FileType::Fifo => "a pipe",
            FileType::Socket => "a socket",
            FileType::CharacterDevice | FileType::BlockDevice => "a device",
            FileType::Directory => "a folder",
            FileType::RegularFile | FileType::Unknown => "of no known kind",
        };
        anyhow!("{} is {kind}; only regular files are taken", self.shown(path))
            .help("something in the build put it there: look for it in the spec")
    }
}

/// A name that somebody else chose, on one line, without what could move a terminal's cursor or turn
/// its direction.
pub fn shown(path: &Path) -> String {
    let bytes = path.as_os_str().as_bytes();
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.escape_debug().to_string(),
        Err(_) => bytes.escape_ascii().to_string(),
    };
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

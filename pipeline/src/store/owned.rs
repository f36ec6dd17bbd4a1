// SPDX-License-Identifier: GPL-2.0-or-later
//! Whose a folder or a file is. What others could have put somewhere is neither trusted nor changed.
//!
//! Everything here works on what was opened without following a link, so that nobody can put another
//! file in its place between the look and the act.

use crate::error::Help;
use anyhow::{Context, Result, anyhow};
use rustix::fs::{FileType, Mode, OFlags, Stat, fchmod, fstat};
use std::ffi::OsString;
use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

/// What nobody but the owner needs.
const PRIVATE: Mode = Mode::RWXU;
/// The kernel follows no more on one way (`path_resolution(7)`), and says so itself.
const MOST_LINKS: u32 = 40;

/// Makes a folder that is ours alone, or sees that it is. A mode that is too generous is fixed; a
/// link in its place or a foreign owner is refused. `what` names it in the message, `help` says what
/// to try.
pub fn private_folder(path: &Path, what: &str, help: &str) -> Result<()> {
    let shown = || format!("cannot make {what} `{}`", path.display());
    refuse_foreign_parents(path, what, help)?;
    if let Some(parent) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(parent)
            .with_context(shown)
            .help(help)?;
    }
    // Somebody may have been quicker to make one of them.
    refuse_foreign_parents(path, what, help)?;
    match DirBuilder::new().mode(0o700).create(path) {
        // What it is, the look below says.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(error).with_context(shown).help(help);
        }
        _ => {}
    }
    let folder = own_folder(path, what, help)?;
    let mode = fstat(&folder).with_context(shown).help(help)?.st_mode & 0o7777;
    if mode != PRIVATE.bits() {
        fchmod(&folder, PRIVATE).with_context(shown).help(help)?;
    }
    Ok(())
}

/// Refuses a place that somebody else could take away and put another one there: each folder that holds
/// it, and each link on the way there, has to be root's or ours, and none may be written by everybody
/// unless it keeps owners apart (the sticky bit). A group that may write is the owner's choice.
pub fn refuse_foreign_parents(path: &Path, what: &str, help: &str) -> Result<()> {
    let path = std::path::absolute(path)?;
    match path.parent() {
        Some(parent) => each_step(parent, |folder, found| judge(&path, folder, found, what, help)),
        None => Ok(()),
    }
}

/// The same of a place that is there, with itself and with what it leads to where it is a link.
pub fn refuse_foreign_way(path: &Path, what: &str, help: &str) -> Result<()> {
    let path = std::path::absolute(path)?;
    each_step(&path, |folder, found| judge(&path, folder, found, what, help))
}

fn judge(path: &Path, folder: &Path, found: &Metadata, what: &str, help: &str) -> Result<()> {
    let we = rustix::process::geteuid().as_raw();
    let owner = found.uid();
    if owner != 0 && owner != we && Some(owner) != unmapped_id() {
        return Err(anyhow!(
            "{what} `{}` lies in `{}` of the user {owner}, who could put another one in its place",
            path.display(),
            folder.display()
        )
        .help(format!("{help}; with `sudo`, `sudo -H` takes root's own home")));
    }
    if !found.is_symlink() && found.mode() & 0o1002 == 0o002 {
        return Err(anyhow!(
            "{what} `{}` lies in `{}`, which everybody may write to",
            path.display(),
            folder.display()
        )
        .help(help.to_string()));
    }
    Ok(())
}

/// Looks at each folder and each link that the kernel goes through on its way to a path. What is not
/// there yet will be made by us, below what is.
fn each_step(path: &Path, mut look: impl FnMut(&Path, &Metadata) -> Result<()>) -> Result<()> {
    let parts = |path: &Path| -> Vec<OsString> {
        path.components().rev().map(|part| part.as_os_str().to_owned()).collect()
    };
    let mut at = PathBuf::from("/");
    look(&at, &at.symlink_metadata()?)?;
    let mut links = 0;
    let mut rest = parts(path);
    while let Some(part) = rest.pop() {
        match Path::new(&part).components().next() {
            Some(Component::RootDir) => at = PathBuf::from("/"),
            Some(Component::ParentDir) => drop(at.pop()),
            Some(Component::Normal(name)) => {
                let next = at.join(name);
                let Ok(found) = next.symlink_metadata() else { break };
                look(&next, &found)?;
                if !found.is_symlink() {
                    at = next;
                } else if links == MOST_LINKS {
                    break;
                } else {
                    links += 1;
                    rest.extend(parts(&next.read_link()?));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Who owns, as it looks in here, what belongs to ids that this user namespace does not have: in one of
/// a single user the top of the file system (`user_namespaces(7)`).
fn unmapped_id() -> Option<u32> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let map = read("/proc/self/uid_map")?;
    let whole = map.split_whitespace().eq(["0", "0", "4294967295"]);
    let overflow = read("/proc/sys/kernel/overflowuid")?.trim().parse().ok();
    overflow.filter(|_| !whole)
}

/// Opens a folder of ours, which is refused where it is a link or somebody else's.
pub fn own_folder(path: &Path, what: &str, help: &str) -> Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
    let folder = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(folder) => folder,
        Err(rustix::io::Errno::LOOP | rustix::io::Errno::NOTDIR) => {
            return Err(anyhow!(
                "{what} `{}` is {} and no folder",
                path.display(),
                if path.is_symlink() { "a symbolic link" } else { "a file" }
            )
            .help(help.to_string()));
        }
        Err(error) => {
            return Err(io::Error::from(error))
                .with_context(|| format!("cannot open {what} `{}`", path.display()))
                .with_help(|| help.to_string());
        }
    };
    refuse_foreign(&fstat(&folder)?, path, what, help)?;
    Ok(folder)
}

fn refuse_foreign(found: &Stat, path: &Path, what: &str, help: &str) -> Result<()> {
    let we = rustix::process::geteuid().as_raw();
    if found.st_uid != we {
        return Err(anyhow!(
            "{what} `{}` belongs to the user {}, and this runs as the user {we}",
            path.display(),
            found.st_uid
        )
        .help(help.to_string()));
    }
    Ok(())
}

/// Refuses a folder that has links or others' folders in it.
pub fn own_entries(path: &Path, but: &[&str], what: &str, help: &str) -> Result<()> {
    for entry in fs_err::read_dir(path)? {
        let entry = entry?;
        let inside = format!("`{}` of {what}", entry.file_name().display());
        let path = entry.path();
        let kind = entry.file_type()?;
        if kind.is_symlink() {
            return Err(anyhow!("{inside} is a symbolic link").help(help.to_string()));
        }
        if !kind.is_dir() || but.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        own_folder(&path, &inside, help)?;
    }
    Ok(())
}

/// Opens a plain file: no link is followed, and a FIFO or a device is refused and not waited for.
pub fn plain_file(path: &Path, how: &OpenOptions) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = how.clone().custom_flags(flags.bits().cast_signed()).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no plain file"));
    }
    Ok(file)
}

/// Opens a plain file of ours to read it.
pub fn own_file(path: &Path) -> io::Result<File> {
    let file = plain_file(path, OpenOptions::new().read(true))?;
    let we = rustix::process::geteuid().as_raw();
    if fstat(&file)?.st_uid != we {
        return Err(io::Error::other(format!("it belongs to another user than {we}")));
    }
    Ok(file)
}

/// Makes the folders from `top` on down to `path` where they are missing, and refuses those that are
/// links or somebody else's: what is written into them has to be there and nowhere else.
pub fn own_folders(top: &Path, path: &Path, what: &str, help: &str) -> Result<()> {
    fs_err::create_dir_all(top)?;
    let top = top.canonicalize().with_context(|| top.display().to_string())?;
    own_folder(&top, what, help)?;
    let mut at = top;
    for part in path.components() {
        at.push(part);
        if at.symlink_metadata().is_err() {
            fs_err::create_dir(&at)?;
        }
        own_folder(&at, what, help)?;
    }
    Ok(())
}

/// Refuses a file that says what this program does, where somebody else could have written it.
pub fn refuse_others_word(path: &Path, what: &str) -> Result<()> {
    let Ok(found) = path.metadata() else { return Ok(()) };
    let we = rustix::process::geteuid().as_raw();
    let (owner, shown) = (found.uid(), path.display());
    if owner != we && owner != 0 {
        return Err(anyhow!(
            "{what} `{shown}` belong to the user {owner}, and this runs as the user {we}"
        )
        .help("only the user's own or root's are followed"));
    }
    if found.mode() & 0o002 != 0 {
        return Err(anyhow!("{what} `{shown}` may be written by everybody")
            .help(format!("chmod o-w {shown}")));
    }
    refuse_foreign_way(path, what, "keep it in a folder of your own")
}

/// What a name stands for that is no plain file and no folder.
pub fn oddity(kind: FileType) -> &'static str {
    match kind {
        FileType::Symlink => "a symbolic link",
        FileType::Fifo => "a FIFO",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        FileType::RegularFile => "a file",
        FileType::Directory => "a folder",
        FileType::Unknown => "something unknown",
    }
}

#[cfg(test)]
mod tests;

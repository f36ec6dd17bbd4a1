// SPDX-License-Identifier: GPL-2.0-or-later
//! How a new state gets in: it grows beside the old one, and the two folders change places in one step
//! of the kernel (`renameat2(2)`, `RENAME_EXCHANGE`). What is not ours then goes from the old state
//! into the new one by its name alone, never as a copy.
//!
//! The work folder's journal says enough to put right, at any later moment, what a killed run left:
//! which output it is for, whether the two have changed places, and what in the old state is ours.

use super::Before;
use super::old_state::OldState;
use super::record::{RECORD, Record};
use super::target::{Target, if_there};
use crate::error::{Help, find_all};
use crate::store::Stored;
use crate::store::owned::{own_file, own_folder};
use anyhow::{Context, Result, anyhow};
use fs_err as fs;
use rustix::fs::{AtFlags, CWD, RenameFlags, linkat, renameat_with};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// How everything begins that lies beside an output while it is written.
const PREFIX: &str = ".vgpu-pipeline-";
const JOURNAL: &str = "journal.json";
const GROWING: &str = "journal.new";
const TREE: &str = "tree";
/// What takes the output's part where a switch is only tried.
const OTHER: &str = "other";
/// How often an old state is emptied once more, into which something came meanwhile.
const AGAIN: usize = 3;
const LARGEST: u64 = 16 << 20;
const CANNOT: &str = "cannot switch a new state in";
const NEEDED: &str = "the file system has to support renameat2, as ext4, xfs, btrfs and tmpfs do";

/// What has to be known to end a switch that was begun.
#[derive(Debug, Serialize, Deserialize)]
struct Journal {
    format: u32,
    /// The output's name, in the folder that holds the work folder too.
    output: Vec<u8>,
    /// The inode of the tree that was made: once another one has its name, the two have changed places.
    inode: u64,
    /// The files of the old state that are ours.
    ours: BTreeSet<String>,
}

/// How everything is called that lies beside one output, and beside no other: the digest of its name
/// is in it.
pub fn stem(output: &Path) -> String {
    let name = output.file_name().unwrap_or_default();
    format!("{PREFIX}{}", &blake3::hash(name.as_bytes()).to_hex()[..16])
}

/// How the work folders of an output are called.
pub fn prefix(output: &Path) -> String {
    stem(output) + "-"
}

/// Tries, with nothing of anybody's, what a switch does with a file system. For who holds the lock.
pub fn try_out(folder: &Path, output: &Path) -> Result<()> {
    let work = tempfile::Builder::new().prefix(&prefix(output)).tempdir_in(folder)?;
    fs::write(work.path().join(GROWING), "x")?;
    let (tree, other) = (work.path().join(TREE), work.path().join(OTHER));
    fs::create_dir(&tree)?;
    fs::create_dir(&other)?;
    renameat_with(CWD, &tree, CWD, &other, RenameFlags::EXCHANGE)
        .map_err(io::Error::from)
        .context(CANNOT)
        .help(NEEDED)?;
    Ok(work.close()?)
}

/// Makes the new state and switches it in.
pub fn switch(stored: &Stored, new: &Record, before: &Before, target: &Target) -> Result<()> {
    let prefix = prefix(&target.path);
    let work = tempfile::Builder::new().prefix(&prefix).tempdir_in(&target.parent)?.keep();
    let tree = work.join(TREE);
    let done = begin(&work, before, target)
        .and_then(|()| fill(stored, new, before, target, &tree))
        .and_then(|()| exchange(target, &tree));
    // Whatever came of it, the folder is ended as that of a killed run would be.
    let ended = settle(&work, &target.path);
    done?;
    match ended? {
        Settled::Clear => Ok(()),
        Settled::Left(why) => Err(anyhow!("the new state is in place; the old one could not be cleared in full, and what is left of it \
             is in `{}`{}", tree.display(), why.map(|why| format!(": {why}")).unwrap_or_default()).help("move what is yours into the output by hand")),
    }
}

fn begin(work: &Path, before: &Before, target: &Target) -> Result<()> {
    let tree = work.join(TREE);
    fs::create_dir(&tree)?;
    let ours = before.record.iter().flat_map(|record| record.files.keys().cloned());
    let journal = Journal {
        format: 1,
        output: target.path.file_name().context("the output has a name")?.as_bytes().to_vec(),
        inode: fs::symlink_metadata(&tree)?.ino(),
        ours: ours.chain([RECORD.to_owned()]).collect(),
    };
    let growing = work.join(GROWING);
    let mut file = fs::File::create(&growing)?;
    file.write_all(&serde_json::to_vec(&journal)?)?;
    file.sync_all()?;
    fs::rename(&growing, work.join(JOURNAL))?;
    sync(work)
}

fn fill(
    stored: &Stored,
    new: &Record,
    before: &Before,
    target: &Target,
    tree: &Path,
) -> Result<()> {
    let mut folders = BTreeSet::from([tree.to_owned()]);
    for name in stored.names() {
        let to = tree.join(name);
        let folder = to.parent().context("a file has a folder")?;
        fs::create_dir_all(folder)?;
        folders
            .extend(folder.ancestors().take_while(|up| up.starts_with(tree)).map(Path::to_owned));
        stored.copy_out(name, &to)?;
        sync(&to)?;
    }
    let mut record = fs::File::create(tree.join(RECORD))?;
    record.write_all((serde_json::to_string_pretty(new)? + "\n").as_bytes())?;
    record.sync_all()?;
    for name in &before.foreign {
        let from = target.path.join(name);
        let there = if_there(fs::symlink_metadata(&from).map_err(Into::into))?;
        if there.is_some_and(|it| !it.is_dir()) {
            // With a second name it is there at every moment. Where it cannot have one, it follows
            // after the switch, as folders do.
            let _ = linkat(CWD, &from, CWD, tree.join(name), AtFlags::empty());
        }
    }
    // A web server has to read it; where its owner has decided otherwise, that stays.
    let mut mode = 0o755;
    if target.there {
        let old = fs::symlink_metadata(&target.path)?;
        mode = old.mode() & 0o7777 & !super::EVERYBODY;
        let _ = std::os::unix::fs::lchown(tree, None, Some(old.gid()));
    }
    fs::set_permissions(tree, PermissionsExt::from_mode(mode))?;
    folders.iter().try_for_each(|folder| sync(folder))
}

fn exchange(target: &Target, tree: &Path) -> Result<()> {
    let how = if target.there { RenameFlags::EXCHANGE } else { RenameFlags::NOREPLACE };
    renameat_with(CWD, tree, CWD, &target.path, how)
        .map_err(io::Error::from)
        .context(CANNOT)
        .help(NEEDED)?;
    sync(&target.parent)
}

pub fn sync(path: &Path) -> Result<()> {
    fs::File::open(path)?.sync_all()?;
    Ok(())
}

/// Whether a run that was killed left something beside an output that was for it.
pub fn has_leftovers(target: &Target) -> bool {
    let stem = stem(&target.path);
    fs::read_dir(&target.parent).is_ok_and(|entries| {
        entries.flatten().any(|entry| entry.file_name().as_bytes().starts_with(stem.as_bytes()))
    })
}

/// Ends what killed runs have begun with this output, and says which folders keep something of
/// somebody's. Only for who holds the lock: nobody else is at it then. What is beside another output may
/// be in use.
pub fn sweep(target: &Target) -> Result<Vec<PathBuf>> {
    let mut left = Vec::new();
    let prefix = prefix(&target.path);
    for entry in fs::read_dir(&target.parent)? {
        let path = entry?.path();
        let named = path.file_name().is_some_and(|n| n.as_bytes().starts_with(prefix.as_bytes()));
        // What is another's, or has no journal of ours, is not ours to clear.
        if named
            && own_folder(&path, "the folder", "").is_ok()
            && !matches!(settle(&path, &target.path), Ok(Settled::Clear))
        {
            left.push(path.join(TREE));
        }
    }
    Ok(left)
}

enum Settled {
    Clear,
    /// Something of the old state had to stay, for a reason that may be known: as somebody's that has no
    /// place in the new one.
    Left(Option<String>),
}

/// Ends a switch, wherever it was: what was not switched in is dropped, what was not carried over is.
fn settle(work: &Path, output: &Path) -> Result<Settled> {
    let tree = work.join(TREE);
    let name = output.file_name().context("the output has a name")?.as_bytes();
    let mut text = Vec::new();
    let read = own_file(&work.join(JOURNAL)).and_then(|f| f.take(LARGEST).read_to_end(&mut text));
    let journal = match read.ok().and_then(|_| serde_json::from_slice::<Journal>(&text).ok()) {
        Some(journal) if journal.format == 1 && journal.output == name => journal,
        // Killed before there was a whole one, it holds empty folders at most; else it is not ours.
        _ => {
            let known = [TREE, OTHER, GROWING].map(OsString::from);
            let names: Vec<_> =
                fs::read_dir(work)?.flatten().map(|entry| entry.file_name()).collect();
            let is_gone = |folder: PathBuf| {
                folder.symlink_metadata().is_err() || fs::remove_dir(&folder).is_ok()
            };
            if names.iter().all(|name| known.contains(name))
                && is_gone(tree)
                && is_gone(work.join(OTHER))
            {
                fs::remove_dir_all(work)?;
            }
            return Ok(Settled::Clear);
        }
    };
    match tree.symlink_metadata() {
        // It went to its place, where nothing had been.
        Err(_) => {}
        Ok(found) if found.ino() == journal.inode => fs::remove_dir_all(&tree)?,
        // Somebody took the new state away: the old one is better than none.
        Ok(_) if output.symlink_metadata().is_err() => fs::rename(&tree, output)?,
        Ok(_) => {
            let old = OldState { tree: &tree, output, ours: &journal.ours };
            let mut ended = old.end();
            // Who was on the way there when the two changed places may come after the look.
            for _ in 0..AGAIN {
                if ended.as_ref().is_err_and(is_not_empty) {
                    ended = old.end();
                }
            }
            match ended {
                Ok(true) => {}
                Ok(false) => return Ok(Settled::Left(None)),
                Err(error) => return Ok(Settled::Left(Some(error.to_string()))),
            }
        }
    }
    fs::remove_dir_all(work)?;
    sync(output.parent().context("the output has a folder")?)?;
    Ok(Settled::Clear)
}

fn is_not_empty(error: &anyhow::Error) -> bool {
    find_all::<io::Error>(error).any(|cause| cause.kind() == io::ErrorKind::DirectoryNotEmpty)
}

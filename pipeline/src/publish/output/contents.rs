// SPDX-License-Identifier: GPL-2.0-or-later
//! What lies in an output folder, and what of it is not ours.

use super::record::{RECORD, Record};
use super::target::{self, Target, is_mount};
use crate::error::Help;
use crate::publish::RELEASES;
use crate::publish::manifest::{MANIFEST, SUMS};
use crate::store::owned::oddity;
use anyhow::{Context, Result, anyhow};
use fs_err as fs;
use rustix::fs::{Access, AtFlags, CWD, FileType, accessat, lstat};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

/// The most names that a message shows.
const SHOWN: usize = 10;

/// Every name at the top of a repository that this program may want, so that what lies in the way is
/// found before any work.
fn reserved(pipeline: &str) -> BTreeSet<String> {
    let names = [
        "Packages",
        "SRPMS",
        "repodata",
        RELEASES,
        "wrapper",
        MANIFEST,
        SUMS,
        "DEVELOPMENT-KEY.txt",
    ];
    let named =
        [format!("{SUMS}.asc"), format!("RPM-GPG-KEY-{pipeline}"), format!("{pipeline}.repo")];
    names.map(str::to_owned).into_iter().chain(named).collect()
}

/// The entries at the top of a folder that are not ours. Refuses the folder where it has some and no
/// record, where one lies in the way of ours or in a folder of ours, and where one cannot be carried
/// over.
pub fn foreign(folder: &Path, record: Option<&Record>, pipeline: &str) -> Result<Vec<OsString>> {
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    let Some(record) = record else {
        let Some(first) = entries.first() else { return Ok(Vec::new()) };
        return Err(anyhow!("the output `{}` holds something else than a repository of this program (`{}` for one), \
             and has no record `{RECORD}` of it", folder.display(), entry_name(first)).help("name a folder that is empty or not there with `--output`; if it is an older output \
             of this pipeline, move it away: it is made anew from the store"));
    };
    let ours = Ours::new(record, pipeline);
    let mut foreign = Vec::new();
    let mut strays = Vec::new();
    for entry in entries {
        let name = entry.file_name();
        match name.to_str() {
            Some(RECORD) => {}
            Some(text) if ours.tops.contains(text) => ours.strays(folder, text, &mut strays)?,
            _ => {
                if target::if_there(portable(&entry.path()))?.is_some() {
                    foreign.push(name);
                }
            }
        }
    }
    if strays.is_empty() {
        return Ok(foreign);
    }
    let more = strays.len().saturating_sub(SHOWN);
    strays.truncate(SHOWN);
    if more > 0 {
        strays.push(format!("and {more} more"));
    }
    Err(anyhow!("in the output `{}`, among the files of the repository, is what is not this program's:\n  {}", folder.display(), strays.join("\n  ")).help("move it out of there; what lies beside the repository's own folders may stay"))
}

fn entry_name(entry: &fs::DirEntry) -> String {
    entry.file_name().to_string_lossy().escape_debug().to_string()
}

/// The names that are ours.
struct Ours<'a> {
    record: &'a Record,
    tops: BTreeSet<String>,
    folders: BTreeSet<&'a str>,
}

impl<'a> Ours<'a> {
    fn new(record: &'a Record, pipeline: &str) -> Self {
        let mut tops = reserved(pipeline);
        let mut folders = BTreeSet::new();
        for name in record.files.keys() {
            tops.insert(name.split('/').next().unwrap_or(name).to_owned());
            folders.extend(name.match_indices('/').map(|(at, _)| &name[..at]));
        }
        Self { record, tops, folders }
    }

    /// What is at or below a name of ours and is not what the record says.
    fn strays(&self, folder: &Path, name: &str, found: &mut Vec<String>) -> Result<()> {
        target::if_there(self.look(folder, name, found)).map(|_| ())
    }

    fn look(&self, folder: &Path, name: &str, found: &mut Vec<String>) -> Result<()> {
        let path = folder.join(name);
        let kind = FileType::from_raw_mode(lstat(&path)?.st_mode);
        let wanted = match kind {
            FileType::RegularFile => self.record.files.contains_key(name),
            FileType::Directory => self.folders.contains(name) && !is_mount(&path)?,
            _ => false,
        };
        if !wanted {
            found.push(format!("`{}`, {}", name.escape_debug(), oddity(kind)));
            return Ok(());
        }
        if kind == FileType::Directory {
            for entry in fs::read_dir(&path)? {
                match entry?.file_name().into_string() {
                    Ok(inside) => self.strays(folder, &format!("{name}/{inside}"), found)?,
                    Err(odd) => found.push(format!("`{name}/{}`", odd.display())),
                }
            }
        }
        Ok(())
    }
}

/// Refuses a folder that holds something which could not be moved or removed once the new state is in.
pub fn refuse_fixed(target: &Target, record: Option<&Record>, foreign: &[OsString]) -> Result<()> {
    if !target.there {
        return Ok(());
    }
    let folder = &target.path;
    let mut all = BTreeSet::from([folder.clone()]);
    all.extend(foreign.iter().map(|name| folder.join(name)));
    for name in record.iter().flat_map(|record| record.files.keys().map(String::as_str)) {
        all.extend(folder.join(name).ancestors().take_while(|up| up != folder).map(Path::to_owned));
    }
    all.insert(folder.join(RECORD));
    all.iter()
        .filter(|path| path.symlink_metadata().is_ok())
        .try_for_each(|path| target::if_there(target::refuse_fixed(path)).map(|_| ()))
}

/// Refuses what could not be moved into the new state.
fn portable(path: &Path) -> Result<()> {
    let help = "move it out of the output";
    if is_mount(path)? {
        return Err(anyhow!("`{}` is a mount point, and stays with no folder", path.display())
            .help(help.to_string()));
    }
    let is_folder = FileType::from_raw_mode(lstat(path)?.st_mode) == FileType::Directory;
    // A folder that moves gets another `..`, so it has to be writable itself.
    if is_folder {
        accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS)
            .map_err(std::io::Error::from)
            .with_context(|| format!("`{}` cannot be carried over", path.display()))
            .with_help(|| help.to_string())?;
    }
    Ok(())
}

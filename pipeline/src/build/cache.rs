// SPDX-License-Identifier: GPL-2.0-or-later
//! The compiler cache: who fills one, who only reads it, and what is kept of it.
//!
//! A build runs what its sources say, and could write into a cache whatever it wants others to link.
//! So a cache that others read is filled by the build of the stock package alone, from nothing, and is
//! kept with that result as one archive under its digest. Builds with a device read a copy that is
//! mounted read-only. Without a stock package a pipeline has a cache of its own, which no other reads.
//! In no case is a configuration read that a build could have written.

use super::Built;
use crate::error::Help;
use crate::sandbox::{self, Job, Mount};
use crate::stage::CacheKey;
use crate::store::{Store, Work, clear, layout};
use anyhow::{Context, Result, anyhow, bail, ensure};
use rustix::fs::OFlags;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The cache in the result of the build that filled it.
pub const ARCHIVE: &str = "ccache.tar";
/// Where it is in the container.
const INSIDE: &str = "/ccache";
/// No QEMU comes near these; ccache's own limit of size is the half.
const LARGEST: u64 = 4 << 30;
const MOST_FILES: usize = 200_000;

/// Which cache a build has.
pub enum Cache<'a> {
    /// None yet: it fills one, which is kept with its result.
    Fill,
    /// The one that this build filled.
    Read(&'a Built),
    /// The pipeline's own.
    Own(CacheKey),
}

/// A cache that containers can have.
pub struct Opened {
    folder: PathBuf,
    state: State,
    /// Holds the folder, where it is thrown away.
    _work: Option<Work>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Filling,
    ReadOnly,
    Own,
}

impl Cache<'_> {
    pub fn open(&self, pipeline: &str, store: &Store) -> Result<Opened> {
        let (state, work, folder) = match self {
            Self::Own(key) => {
                (State::Own, None, own(&store.root().join(layout::COMPILER_CACHES), pipeline, key)?)
            }
            Self::Fill => {
                let work = store.work()?;
                let folder = work.scratch("ccache")?;
                (State::Filling, Some(work), folder)
            }
            Self::Read(built) => {
                let work = store.work()?;
                let folder = work.scratch("ccache")?;
                unpack(built, &folder)?;
                (State::ReadOnly, Some(work), folder)
            }
        };
        Ok(Opened { folder, state, _work: work })
    }
}

impl Opened {
    pub fn mount(&self) -> Mount {
        match self.state {
            State::ReadOnly => Mount::read_only(&self.folder, INSIDE),
            State::Filling | State::Own => Mount::writable(&self.folder, INSIDE),
        }
    }

    pub fn variables(&self) -> Vec<(Cow<'static, str>, String)> {
        let mut variables = vec![
            ("CCACHE_DIR", INSIDE),
            // With it, neither a file in the cache nor one of the system is read (ccache 3.7's and
            // 4.7's manuals, "Configuration"): `prefix_command` there would run in every later build.
            ("CCACHE_CONFIGPATH", "/dev/null"),
            ("CCACHE_TEMPDIR", "/tmp/ccache"),
            // The tree's path is the same in every container, the compiler's mtime is not.
            ("CCACHE_COMPILERCHECK", "content"),
            // What a file includes is what the compiler itself says of it (-MD), so that a file that is
            // not in the cache is preprocessed once.
            ("CCACHE_DEPEND", "1"),
        ];
        match self.state {
            State::ReadOnly => {
                variables.extend([("CCACHE_READONLY", "1"), ("CCACHE_NOSTATS", "1")]);
            }
            State::Filling => variables.push(("CCACHE_MAXSIZE", "2G")),
            State::Own => {}
        }
        let owned = |(name, value): (&'static str, &str)| (name.into(), value.to_owned());
        variables.into_iter().map(owned).collect()
    }

    /// Keeps what was filled among a result's files.
    pub fn keep(&self, files: &Path) -> Result<()> {
        if self.state == State::Filling {
            pack(&self.folder, &files.join(ARCHIVE)).context("the compiler cache")?;
        }
        Ok(())
    }
}

/// A job as somebody may enter it later, when its cache is gone or another's.
pub fn without(mut job: Job) -> Job {
    job.mounts.retain(|mount| mount.inside != INSIDE);
    job.variables.retain(|(name, _)| !name.starts_with("CCACHE_"));
    job.variables.push(("CCACHE_DISABLE".into(), "1".to_owned()));
    job
}

/// The folder of a pipeline's own cache. One of an earlier state of its sources is cleared away.
fn own(all: &Path, pipeline: &str, key: &CacheKey) -> Result<PathBuf> {
    let (me, builder) = (rustix::process::geteuid().as_raw(), sandbox::builder()?);
    ours(all, &[me])?;
    let folder = all.join(pipeline);
    ours(&folder, &[me])?;
    for entry in fs::read_dir(&folder)? {
        let entry = entry?;
        if entry.file_name() != key.short() {
            if entry.file_type()?.is_dir() {
                // However deep a build made it; what cannot be cleared now is in nobody's way.
                let _ = clear(&entry.path());
                let _ = fs::remove_dir(entry.path());
            } else {
                fs::remove_file(entry.path())?;
            }
        }
    }
    let cache = folder.join(key.short());
    ours(&cache, &[me, builder])?;
    Ok(cache)
}

/// Makes a folder, or refuses what lies in its place and is not a folder of the expected owners.
fn ours(folder: &Path, owners: &[u32]) -> Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(error).with_context(|| format!("`{}`", folder.display()));
        }
        _ => {}
    }
    let found = folder.symlink_metadata()?;
    let shown = folder.display();
    let why = match found.uid() {
        _ if !found.is_dir() => anyhow!("`{shown}` is no folder, and a link is not followed"),
        owner if !owners.contains(&owner) => anyhow!("`{shown}` belongs to the user {owner}"),
        _ => return Ok(()),
    };
    Err(why.help("remove it, and find out who put it there"))
}

/// The objects of a cache as one archive. Statistics, locks, configuration and whatever else lies
/// there are no objects, and a link could lead anywhere.
fn pack(folder: &Path, archive: &Path) -> Result<()> {
    let mut objects = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        // ccache spreads objects over folders that are one digit of their digests.
        let digit = name.as_encoded_bytes();
        if matches!(digit, [b'0'..=b'9' | b'a'..=b'f']) && entry.file_type()?.is_dir() {
            find(&entry.path(), &name.to_string_lossy(), &mut objects)?;
        }
    }
    let total: u64 = objects.values().map(|(_, size)| size).sum();
    if total > LARGEST {
        bail!("it has {total} bytes, and no more than {LARGEST} are kept");
    }
    let mut tar = tar::Builder::new(io::BufWriter::new(File::create_new(archive)?));
    for (name, (path, size)) in objects {
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let flags = i32::try_from(flags.bits())?;
        let file = OpenOptions::new().read(true).custom_flags(flags).open(&path)?;
        ensure!(file.metadata()?.is_file(), "`{name}` is no plain file");
        let mut header = tar::Header::new_gnu();
        header.set_size(size);
        header.set_mode(0o644);
        header.set_mtime(0);
        tar.append_data(&mut header, &name, file.take(size))?;
    }
    tar.into_inner()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok(())
}

fn find(folder: &Path, name: &str, objects: &mut BTreeMap<String, (PathBuf, u64)>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let Ok(own) = entry.file_name().into_string() else { continue };
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        if own.starts_with('.') || own.starts_with("stats") || !own.chars().all(plain) {
            continue;
        }
        let name = format!("{name}/{own}");
        // Five levels are more than ccache makes.
        if kind.is_dir() && name.split('/').count() <= 5 {
            find(&entry.path(), &name, objects)?;
        } else if kind.is_file() {
            objects.insert(name, (entry.path(), entry.metadata()?.len()));
            ensure!(objects.len() <= MOST_FILES, "it has more than {MOST_FILES} files");
        }
    }
    Ok(())
}

/// Lays a kept cache out, and refuses one that is not what was recorded when it was kept.
fn unpack(built: &Built, folder: &Path) -> Result<()> {
    let path = built.stored.path(ARCHIVE);
    let digest = built.stored.files().get(ARCHIVE).map(|record| record.blake3.as_str());
    let file = File::open(&path).with_context(|| format!("`{}`", path.display()))?;
    let mut hashed = Hashed { file, hasher: blake3::Hasher::new() };
    let mut archive = tar::Archive::new(&mut hashed);
    archive.set_preserve_mtime(false);
    archive.unpack(folder).context("the compiler cache of the stock package")?;
    io::copy(&mut hashed, &mut io::sink())?;
    let found = hashed.hasher.finalize().to_hex();
    ensure!(
        digest == Some(found.as_str()),
        anyhow!("the compiler cache of the stock package is damaged in the store")
            .help("run again")
    );
    Ok(())
}

/// A file that is hashed while it is read.
struct Hashed {
    file: File,
    hasher: blake3::Hasher,
}

impl Read for Hashed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}

#[cfg(test)]
mod tests;

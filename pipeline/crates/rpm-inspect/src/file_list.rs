// SPDX-License-Identifier: GPL-2.0-or-later
//! The files that a header lists.

use crate::HeaderStructure;
use crate::error::{Result, ensure};
use crate::escape::shown;
use crate::package::{FileEntry, mode};
use crate::paths::{self, Parts};
use rpm::IndexTag as Tag;

/// The most files that a package may list: six times what the largest package of a distribution has.
pub const MOST_FILES: usize = 1 << 17;

/// All paths of a header take no more than this, written out: a folder is given once for its files.
const MOST_PATHS: usize = 32 << 20;

/// The bits of a file's flags (rpm, `lib/rpmfiles.h`).
const FLAGS: [(u32, &str); 11] = [
    (1 << 0, "config"),
    (1 << 1, "doc"),
    (1 << 2, "icon"),
    (1 << 3, "missingok"),
    (1 << 4, "noreplace"),
    (1 << 5, "spec"),
    (1 << 6, "ghost"),
    (1 << 7, "license"),
    (1 << 8, "readme"),
    (1 << 11, "pubkey"),
    (1 << 12, "artifact"),
];

/// Everything that the header says of the files, and what reading the payload needs besides.
pub struct FileList {
    pub files: Vec<FileEntry>,
    /// Device and inode of each: files that share both are hard links of one.
    pub inodes: Vec<(u32, u32)>,
    /// What the header gives as the digest of each. It stays in here: by MD5 it tells no two files apart.
    pub digests: Vec<Option<String>>,
    /// The algorithm of the digests, in OpenPGP's numbers.
    pub algorithm: u32,
    /// What is odd about flags, and how the paths are put together.
    pub odd: Vec<String>,
}

/// MD5, which is what a header means that names no algorithm.
const MD5: u32 = 1;

/// The algorithm of the files' digests, in OpenPGP's numbers.
pub fn algorithm(header: &HeaderStructure) -> Result<u32> {
    Ok(header.number(Tag::RPMTAG_FILEDIGESTALGO as u32)?.unwrap_or(MD5))
}

/// Reads the lists, which have to fit each other.
pub fn read(header: &HeaderStructure) -> Result<FileList> {
    let algorithm = algorithm(header)?;
    let Named { paths, mut odd } = names(header)?;
    let count = paths.len();
    let modes = header.shorts(Tag::RPMTAG_FILEMODES as u32)?;
    let flags = header.numbers(Tag::RPMTAG_FILEFLAGS as u32)?;
    let sizes = sizes(header)?;
    let text = |tag: Tag| header.texts(tag as u32);
    let (users, groups) = (text(Tag::RPMTAG_FILEUSERNAME)?, text(Tag::RPMTAG_FILEGROUPNAME)?);
    let (links, digests) = (text(Tag::RPMTAG_FILELINKTOS)?, text(Tag::RPMTAG_FILEDIGESTS)?);
    let capabilities = text(Tag::RPMTAG_FILECAPS)?;
    let colours = header.numbers(Tag::RPMTAG_FILECOLORS as u32)?;
    let devices = header.numbers(Tag::RPMTAG_FILEDEVICES as u32)?;
    let inodes = header.numbers(Tag::RPMTAG_FILEINODES as u32)?;
    let lengths = [
        modes.len(),
        flags.len(),
        sizes.len(),
        users.len(),
        groups.len(),
        links.len(),
        digests.len(),
        devices.len(),
        inodes.len(),
    ];
    let alike = lengths.iter().all(|length| *length == count)
        && [capabilities.len(), colours.len()].iter().all(|some| *some == 0 || *some == count);
    ensure!(alike, Malformed, "its lists of files are not of one length");
    let known = FLAGS.iter().fold(0, |all, (bit, _)| all | bit);
    for (path, unknown) in paths.iter().zip(&flags).map(|(path, flags)| (path, flags & !known)) {
        if unknown != 0 {
            let path = shown(path);
            odd.push(format!("`{path}` has the flags {unknown:#x}, of which rpm knows nothing"));
        }
    }
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let files = paths
        .into_iter()
        .enumerate()
        .map(|(at, path)| FileEntry {
            path,
            size: sizes[at],
            mode: modes[at],
            user: users[at].clone().into_owned(),
            group: groups[at].clone().into_owned(),
            flags: named(flags[at]),
            link: (modes[at] & mode::KIND == mode::LINK).then(|| links[at].clone().into_owned()),
            capabilities: capabilities.get(at).and_then(|text| some(text)),
            sha256: None,
            colour: colours.get(at).copied().unwrap_or_default(),
        })
        .collect();
    Ok(FileList {
        files,
        inodes: devices.into_iter().zip(inodes).collect(),
        digests: digests.iter().map(|text| some(text)).collect(),
        algorithm,
        odd,
    })
}

/// Every path, and what is odd about how it is put together.
struct Named {
    paths: Vec<String>,
    odd: Vec<String>,
}

fn names(header: &HeaderStructure) -> Result<Named> {
    let folders = header.texts(Tag::RPMTAG_DIRNAMES as u32)?;
    let names = header.texts(Tag::RPMTAG_BASENAMES as u32)?;
    let index = header.numbers(Tag::RPMTAG_DIRINDEXES as u32)?;
    let old = header.texts(Tag::RPMTAG_OLDFILENAMES as u32)?;
    ensure!(old.is_empty(), Unsupported, "its list of files is of rpm 3, which is not read here");
    let sound = names.len() == index.len()
        && names.len() <= MOST_FILES
        && index.iter().all(|at| (*at as usize) < folders.len());
    ensure!(sound, Malformed, "its list of files does not fit its list of folders");
    let mut length = 0;
    for (name, at) in names.iter().zip(&index) {
        length += name.len() + folders[*at as usize].len();
    }
    ensure!(
        length <= MOST_PATHS,
        TooLarge,
        "its paths take {length} bytes, at most {MOST_PATHS} are read"
    );
    let odd = paths::parts(&Parts { folders: &folders, names: &names, index: &index });
    let paths = names.iter().zip(index).map(|(name, at)| format!("{}{name}", folders[at as usize]));
    Ok(Named { paths: paths.collect(), odd })
}

fn sizes(header: &HeaderStructure) -> Result<Vec<u64>> {
    let long = header.longs(Tag::RPMTAG_LONGFILESIZES as u32)?;
    if !long.is_empty() {
        return Ok(long);
    }
    let short = header.numbers(Tag::RPMTAG_FILESIZES as u32)?;
    Ok(short.into_iter().map(u64::from).collect())
}

fn named(flags: u32) -> Vec<String> {
    let known = FLAGS.iter().filter(|(bit, _)| flags & bit != 0);
    known.map(|(_, name)| (*name).to_owned()).collect()
}

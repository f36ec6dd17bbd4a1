// SPDX-License-Identifier: GPL-2.0-or-later
//! git-lfs without git-lfs: pointers are read here, objects come from the server's batch API
//! (git-lfs, docs/spec.md and docs/api/batch.md).

mod answer;
mod server;

use super::OTHER_SOURCE;
use super::git::MOST_FILES;
use crate::config::{Commit, FileName, GitSource, LfsObject, Sha256, SourceFile, TreeFolder};
use crate::error::{Help, Reason};
use crate::fetch::check::{LARGEST_POINTER, is_lfs_pointer};
use crate::fetch::{Download, Fetch, LARGEST, redacted, same_origin};
use crate::files;
use crate::git::{Kind, Repository};
use answer::Action;
use anyhow::{Result, anyhow, bail};
use fs_err as fs;
use server::Endpoint;
use std::collections::BTreeMap;
use std::path::Path;

/// No answer about one object comes near this.
const LARGEST_ANSWER: u64 = 1 << 20;
const MEDIA_TYPE: &str = "application/vnd.git-lfs+json";

/// What stands in a repository where an object should be.
#[derive(Debug, PartialEq, Eq)]
pub struct Pointer {
    sha256: Sha256,
    size: u64,
    /// How many bytes the pointer itself has.
    length: u64,
}

impl Pointer {
    /// The pointer in a file, if it is one; a pointer that leads to no file says why.
    pub fn read(path: &Path) -> Result<Option<Result<Self, Reason>>> {
        let length = path.metadata()?.len();
        if length >= LARGEST_POINTER {
            return Ok(None);
        }
        let bytes = files::read(path, &files::SOURCE)?;
        Ok(is_lfs_pointer(&bytes, length).then(|| Self::parse(&bytes)))
    }

    fn parse(bytes: &[u8]) -> Result<Self, Reason> {
        let text = String::from_utf8_lossy(bytes);
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
        if field("ext-").is_some() {
            let why = "is a git-lfs pointer with an extension: another program makes the file of its object";
            return Err(Reason::new(why).help(OTHER_SOURCE));
        }
        let sha256 = field("oid sha256:").map(|oid| oid.trim().to_ascii_lowercase());
        let sha256 = sha256.and_then(|oid| Sha256::try_from(oid).ok());
        let size = field("size ").map(str::trim).filter(|size| is_decimal(size));
        let size = size.and_then(|size| size.parse().ok());
        match sha256.zip(size) {
            Some((_, size @ LARGEST..)) => Err(Reason::new(format!(
                "is a git-lfs pointer to {size} bytes, more than {LARGEST}"
            ))),
            Some((sha256, size)) => Ok(Self { sha256, size, length: bytes.len() as u64 }),
            None => Err(Reason::new("is a git-lfs pointer without a sha256 and a size")),
        }
    }

    /// Refuses a pin that the repository itself does not agree with.
    pub fn check(&self, object: &LfsObject, source: &GitSource) -> Result<()> {
        if self.sha256 == object.sha256 && self.size == object.size {
            return Ok(());
        }
        Err(anyhow!(
            "the git-lfs pointer `{}` of commit {} is for sha256 {} of {} bytes, \
             and the pipeline pins {} of {}",
            object.file,
            source.commit,
            self.sha256,
            self.size,
            object.sha256,
            object.size
        )
        .help("pin what the commit names, or another commit"))
    }

    /// The object that it leads to, as the file of that name.
    pub fn object(&self, file: SourceFile) -> LfsObject {
        LfsObject { file, sha256: self.sha256.clone(), size: self.size, same_as: None }
    }

    /// A pointer that the pipeline does not know of.
    pub fn unlisted(&self, name: &str, source: &GitSource) -> Reason {
        let (commit, length) = (&source.commit, self.length);
        Reason::new(format!(
            "`{name}` of commit {commit} is a git-lfs pointer of {length} bytes, not the file itself"
        ))
        .help(format!(
            "pin the object in the source's `lfs`:\n      - {{ file: {}, sha256: {}, size: {} }}",
            yaml(name),
            self.sha256,
            self.size
        ))
    }
}

fn is_decimal(size: &str) -> bool {
    size.bytes().all(|byte| byte.is_ascii_digit()) && (size == "0" || !size.starts_with('0'))
}

/// The pointers among the files of a folder, by the files' names. `into` is an empty folder.
pub fn pointers(
    repository: &Repository,
    commit: &Commit,
    directory: &TreeFolder,
    into: &Path,
) -> Result<BTreeMap<SourceFile, Result<Pointer, Reason>>> {
    let entries = repository.folder(commit, directory)?;
    if entries.len() > MOST_FILES {
        bail!("commit {commit} has more than {MOST_FILES} files in `{directory}`");
    }
    let small = entries.iter().filter(|it| it.kind == Kind::File && it.size < LARGEST_POINTER);
    let paths: Vec<&str> = small.map(|entry| entry.path.as_str()).collect();
    repository.check_out(commit, paths.iter().copied(), into)?;
    let mut pointers = BTreeMap::new();
    for path in paths {
        let name = path.rsplit('/').next().unwrap_or_default();
        if let Ok(name) = SourceFile::try_from(name.to_owned())
            && let Some(pointer) = Pointer::read(&into.join(path))?
        {
            pointers.insert(name, pointer);
        }
    }
    Ok(pointers)
}

/// A name as a flow mapping of YAML takes it.
pub fn yaml(name: &str) -> String {
    match FileName::try_from(name.to_owned()) {
        Ok(_) => name.to_owned(),
        Err(_) => format!("'{}'", name.replace('\'', "''")),
    }
}

/// Downloads an object from where the repository keeps it.
pub fn download(
    object: &LfsObject,
    source: &GitSource,
    repository: &Repository,
    to: &Path,
    fetch: &Fetch,
) -> Result<()> {
    let endpoint = match server::of(source, repository, fetch)? {
        Endpoint::Server(url) => url,
        Endpoint::Folder(folder) => return copy_local(&folder, object, to),
    };
    let work = fetch.store().work()?;
    let (header, body, answer) =
        (work.path().join("h"), work.path().join("b"), work.path().join("a"));
    fs::write(&header, format!("Accept: {MEDIA_TYPE}\nContent-Type: {MEDIA_TYPE}\n"))?;
    let request = serde_json::json!({
        "operation": "download",
        "transfers": ["basic"],
        "objects": [{ "oid": object.sha256.as_str(), "size": object.size }],
        "hash_algo": "sha256",
    });
    fs::write(&body, request.to_string())?;
    let url = format!("{endpoint}/objects/batch");
    let batch = Download {
        url: &url,
        to: &answer,
        size: LARGEST_ANSWER,
        header: Some(&header),
        body: Some(&body),
    };
    fetch.download(&batch)?;
    let action = Action::read(&files::read(&answer, &files::SOURCE)?, &object.sha256)
        .map_err(Reason::new)
        .and_then(|action| action.refuse_in_clear(&url))
        .map_err(|why| why.within(format_args!("the LFS server at {} ", redacted(&url))))?;
    fs::write(&header, action.header_lines())?;
    let file =
        Download { url: &action.href, to, size: object.size, header: Some(&header), body: None };
    // The server may lead anywhere, and the user's credentials are for where the user leads.
    if same_origin(&action.href, &url) && action.headers.is_empty() {
        fetch.download(&file)
    } else {
        fetch.download_for_server(&file)
    }
}

/// The object of a repository on this machine, bare or not, where git-lfs keeps it.
fn copy_local(folder: &Path, object: &LfsObject, to: &Path) -> Result<()> {
    let oid = object.sha256.as_str();
    let place = format!("lfs/objects/{}/{}/{oid}", &oid[..2], &oid[2..4]);
    let places = [folder.join(&place), folder.join(".git").join(&place)];
    let Some(found) = places.iter().find(|path| path.exists()) else {
        return Err(anyhow!("`{}` does not have the git-lfs object {oid}", folder.display())
            .help("`git lfs fetch --all` there brings it"));
    };
    files::copy(found, to, &files::SOURCE)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Result<Pointer, Reason>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p");
        fs::write(&path, text).unwrap();
        Pointer::read(&path).unwrap()
    }

    #[test]
    fn a_pointer_is_read_in_every_version_and_other_files_are_none() {
        let oid = "ab".repeat(32);
        for version in [
            "https://git-lfs.github.com/spec/v1",
            "https://hawser.github.com/spec/v1",
            "http://git-media.io/v/2",
        ] {
            for text in [
                format!("version {version}\noid sha256:{oid}\nsize 12\n"),
                format!("version {version}\noid sha256:{oid}\nsize 12"),
                format!("version {version}\r\noid sha256:{oid}\r\nsize 12\r\n"),
                format!("\nversion {version}\noid sha256:{}\nsize 12\n\n", oid.to_uppercase()),
                format!("version {version}\noid sha256:{oid}\nsize 12\nx-later thing\n"),
            ] {
                let pointer = read(&text).unwrap().unwrap();
                assert_eq!((pointer.sha256.as_str(), pointer.size), (&*oid, 12), "{text}");
            }
        }
        for text in ["a patch", "", "see version https://git-lfs.github.com/spec/v1", "version 1\n"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_pointer_that_leads_to_no_file_says_why() {
        let head = "version https://git-lfs.github.com/spec/v1\n";
        let oid = "ab".repeat(32);
        for (rest, expected) in [
            (String::new(), "without a sha256"),
            (format!("oid sha256:{oid}\n"), "and a size"),
            (format!("oid sha256:{oid}\nsize -1\n"), "and a size"),
            (format!("oid sha512:{oid}\nsize 1\n"), "without a sha256"),
            (format!("ext-0-crypt sha256:{oid}\noid sha256:{oid}\nsize 1\n"), "an extension"),
        ] {
            let why = read(&format!("{head}{rest}")).unwrap().unwrap_err();
            assert!(why.to_string().contains(expected), "{rest}: {why}");
        }
    }

    #[test]
    fn a_name_is_quoted_where_yaml_wants_it() {
        assert_eq!(yaml("a-1.tar.gz"), "a-1.tar.gz");
        assert_eq!(yaml("it's @{a}: b"), "'it''s @{a}: b'");
    }
}

//! git-lfs without git-lfs: pointers are read here, objects come from the server's batch API
//! (git-lfs, docs/spec.md and docs/api/batch.md).

use crate::config::{GitSource, LfsObject, Sha256};
use crate::fetch::check::LFS_POINTER;
use crate::fetch::{Download, Fetch, plain};
use crate::git::Remote;
use anyhow::{Context, Result, bail};
use fs_err as fs;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// A pointer has less than this (docs/spec.md).
const LARGEST_POINTER: u64 = 1024;
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
    /// The pointer in a file, if it is one.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let length = path.metadata()?.len();
        if length >= LARGEST_POINTER {
            return Ok(None);
        }
        let bytes = fs::read(path)?;
        if !bytes.starts_with(LFS_POINTER) {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&bytes);
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
        let sha256 = field("oid sha256:").and_then(|oid| Sha256::try_from(oid.to_owned()).ok());
        let size = field("size ").and_then(|size| size.parse().ok());
        match sha256.zip(size) {
            Some((sha256, size)) => Ok(Some(Self { sha256, size, length })),
            None => bail!("`{}` is a git-lfs pointer without oid and size", path.display()),
        }
    }

    /// Refuses a pin that the repository itself does not agree with.
    pub fn check(&self, object: &LfsObject, source: &GitSource) -> Result<()> {
        if self.sha256 == object.sha256 && self.size == object.size {
            return Ok(());
        }
        bail!(
            "the git-lfs pointer `{}` of commit {} is for sha256 {} of {} bytes, \
             and the pipeline pins {} of {}\n\
             help: pin what the commit names, or another commit",
            object.file,
            source.commit,
            self.sha256,
            self.size,
            object.sha256,
            object.size
        )
    }

    /// A pointer that the pipeline does not know of.
    pub fn unlisted(&self, name: &str, source: &GitSource) -> String {
        format!(
            "`{name}` of commit {} is a git-lfs pointer of {} bytes, not the file itself\n\
             help: pin the object in the source's `lfs`:\n      - {{ file: {name}, sha256: {}, size: {} }}",
            source.commit, self.length, self.sha256, self.size
        )
    }
}

/// The answer to a batch request.
#[derive(Deserialize)]
struct Batch {
    #[serde(default)]
    objects: Vec<BatchObject>,
}

#[derive(Deserialize)]
struct BatchObject {
    oid: String,
    actions: Option<Actions>,
    error: Option<BatchError>,
}

#[derive(Deserialize)]
struct Actions {
    download: Option<Action>,
}

#[derive(Deserialize)]
struct Action {
    href: String,
    #[serde(default)]
    header: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct BatchError {
    code: u32,
    message: String,
}

/// Downloads an object from where the repository's remote keeps it.
pub fn download(object: &LfsObject, source: &GitSource, to: &Path, fetch: &Fetch) -> Result<()> {
    let remote = Remote::new(&source.url, fetch.cmd())?;
    let endpoint = match endpoint(remote.address()) {
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
    let Action { href, header: headers } = action(&fs::read(&answer)?, object, &plain(&url))?;
    fs::write(&header, header_lines(&headers)?)?;
    fetch.download(&Download {
        url: &href,
        to,
        size: object.size,
        header: Some(&header),
        body: None,
    })
}

/// What the server says of the object.
fn action(answer: &[u8], object: &LfsObject, url: &str) -> Result<Action> {
    let batch: Batch =
        serde_json::from_slice(answer).with_context(|| format!("the answer of {url}"))?;
    let found = batch.objects.into_iter().find(|found| found.oid == object.sha256.as_str());
    let Some(found) = found else {
        bail!("the LFS server at {url} says nothing of the object {}", object.sha256);
    };
    if let Some(BatchError { code, message }) = found.error {
        bail!("the LFS server at {url} says of the object {}: {code} {message}", object.sha256);
    }
    let action = found.actions.and_then(|actions| actions.download);
    let action = action.with_context(|| format!("the LFS server at {url} offers no download"))?;
    if !action.href.starts_with("http://") && !action.href.starts_with("https://") {
        bail!("the LFS server at {url} leads to `{}`, which is no URL of http", action.href);
    }
    Ok(action)
}

/// Headers as curl reads them from a file: one a line.
fn header_lines(headers: &BTreeMap<String, String>) -> Result<String> {
    let mut lines = String::new();
    for (name, value) in headers {
        if name.chars().chain(value.chars()).any(char::is_control) {
            bail!("the LFS server sends a header with control characters");
        }
        let _ = writeln!(lines, "{name}: {value}");
    }
    Ok(lines)
}

/// Where a remote keeps its objects.
#[derive(Debug, PartialEq, Eq)]
enum Endpoint {
    Server(String),
    /// A repository on this machine.
    Folder(PathBuf),
}

/// docs/api/server-discovery.md; ssh's own discovery is left to git-lfs, and its host asked over https.
fn endpoint(address: &str) -> Endpoint {
    if let Some(path) = address.strip_prefix("file://") {
        return Endpoint::Folder(path.into());
    }
    let web = if let Some(rest) = address.strip_prefix("ssh://").or(address.strip_prefix("git://"))
    {
        let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        // The port is ssh's.
        let host = host.split_once(':').map_or(host, |(host, _)| host);
        format!("https://{host}/{path}")
    } else if address.contains("://") {
        address.to_owned()
    } else if let Some((_, rest)) = address.split_once('@')
        && let Some((host, path)) = rest.split_once(':')
    {
        format!("https://{host}/{path}")
    } else {
        return Endpoint::Folder(address.into());
    };
    let web = web.trim_end_matches('/');
    let web = web.strip_suffix(".git").unwrap_or(web);
    Endpoint::Server(format!("{web}.git/info/lfs"))
}

/// The object of a repository on this machine, bare or not, where git-lfs keeps it.
fn copy_local(folder: &Path, object: &LfsObject, to: &Path) -> Result<()> {
    let oid = object.sha256.as_str();
    let place = format!("lfs/objects/{}/{}/{oid}", &oid[..2], &oid[2..4]);
    let places = [folder.join(&place), folder.join(".git").join(&place)];
    let Some(found) = places.iter().find(|path| path.exists()) else {
        bail!(
            "`{}` does not have the git-lfs object {oid}\nhelp: `git lfs fetch --all` there brings it",
            folder.display()
        );
    };
    fs::copy(found, to)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_remote_has_its_endpoint() {
        let server = |url: &str| Endpoint::Server(url.to_owned());
        for (address, expected) in [
            ("https://github.com/a/b", server("https://github.com/a/b.git/info/lfs")),
            ("https://github.com/a/b.git/", server("https://github.com/a/b.git/info/lfs")),
            ("git@github.com:a/b.git", server("https://github.com/a/b.git/info/lfs")),
            ("ssh://git@host:2222/a", server("https://host/a.git/info/lfs")),
            ("file:///srv/a", Endpoint::Folder("/srv/a".into())),
            ("/srv/a", Endpoint::Folder("/srv/a".into())),
        ] {
            assert_eq!(endpoint(address), expected, "{address}");
        }
    }

    #[test]
    fn a_pointer_is_read_and_other_files_are_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p");
        let read = |text: &str| {
            fs::write(&path, text).unwrap();
            Pointer::read(&path)
        };
        let head = "version https://git-lfs.github.com/spec/v1\n";
        let pointer =
            read(&format!("{head}oid sha256:{}\nsize 12\n", "ab".repeat(32))).unwrap().unwrap();
        assert_eq!((pointer.sha256.as_str(), pointer.size), (&*"ab".repeat(32), 12));
        assert_eq!(read("a patch").unwrap(), None);
        assert!(read(head).is_err());
    }

    #[test]
    fn a_header_cannot_smuggle_another() {
        let headers = BTreeMap::from([("A".to_owned(), "b\nC: d".to_owned())]);
        assert!(header_lines(&headers).is_err());
    }
}

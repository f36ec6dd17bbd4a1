// SPDX-License-Identifier: GPL-2.0-or-later
//! Lookaside caches: what a packaging repository names in its file `sources` and keeps elsewhere
//! (Fedora's dist-git, and CentOS Stream's).
//!
//! The commit is pinned, so a sha512 or sha256 in its `sources` proves the bytes as a pin of the
//! pipeline file does. An md5 or sha1 proves nothing any more: such a file wants a pin beside it.
//!
//! Old entries stay in `sources` when nothing needs them any more, so a line that cannot be read and a
//! file that cannot be had are told with their reason, and whoever knows the spec says whether they are
//! needed.

use super::lfs::yaml;
use super::{Brought, Skipped, SourceFact, place};
use crate::config::{GitSource, Lookaside, Sha256, Sha512, SourceFile, TreeFolder, nearest};
use crate::error::{Help, Reason, did_you_mean, find};
use crate::fetch::{Download, Fetch, FileRequest, LARGEST, Pin, check};
use crate::git::{Kind, Repository};
use crate::process::Failure;
use anyhow::{Context, Result, anyhow, bail, ensure};
use std::fmt::Write;
use std::path::{Path, PathBuf};

const LIST: &str = "sources";
const LARGEST_LIST: u64 = 1 << 20;
const MOST_FILES: usize = 1000;

/// A line of `sources`.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    file: SourceFile,
    /// The kind of the digest, in lowercase as it stands in addresses.
    kind: String,
    digest: String,
}

/// What proves the bytes of an entry.
enum Proof {
    Sha256(Sha256),
    Sha512(Sha512),
}

/// Where a commit names what the cache has.
pub fn place_of_list(directory: &TreeFolder) -> String {
    match directory.as_str() {
        "." => LIST.to_owned(),
        folder => format!("{folder}/{LIST}"),
    }
}

/// Puts the files into a folder. Returns those that nothing proves.
pub fn fetch(
    cache: &Lookaside,
    source: &GitSource,
    repository: &Repository,
    into: &Path,
    fetch: &Fetch,
    brought: &mut Brought,
) -> Result<Vec<Skipped>> {
    let GitSource { commit, url, directory, .. } = source;
    let place_of_list = place_of_list(directory);
    let list = repository.entry(commit, &place_of_list)?;
    let Some(list) = list.filter(|list| list.kind == Kind::File) else {
        return Err(anyhow!("commit {commit} of {url} has no file `{place_of_list}`, which would say what is in the \
             lookaside cache").help("leave out `lookaside`, or set `directory` to where it is"));
    };
    ensure!(list.size <= LARGEST_LIST, "`{place_of_list}` of commit {commit} is no list of files");
    let (entries, odd) = parse(&repository.text(&list)?)
        .with_context(|| format!("`{place_of_list}` of commit {commit}"))?;
    if entries.is_empty()
        && let Some(odd) = odd.first()
    {
        let place = format!("`{place_of_list}` of commit {commit}: ");
        return Err(odd.why.clone().within(place).into());
    }
    let names = || entries.iter().map(|entry| entry.file.as_str());
    if let Some(pin) = cache.pins.iter().find(|pin| names().all(|name| name != pin.name.as_str())) {
        let near = nearest(pin.name.as_str(), names());
        let error = anyhow!("`{place_of_list}` of commit {commit} names no file `{}`", pin.name);
        return Err(did_you_mean(error, near));
    }
    let mut skipped: Vec<Skipped> = odd
        .into_iter()
        .map(|odd| Skipped { why: odd.why.within(format_args!("`{place_of_list}`: ")), ..odd })
        .collect();
    let mut wanted = Vec::new();
    for entry in &entries {
        match entry.proof(cache) {
            Some(proof) => wanted.push((entry, proof)),
            None => skipped.push(entry.unproved(source)),
        }
    }
    let missing = wanted.iter().filter(|(_, proof)| !fetch.available_offline(&proof.pin()));
    let missing: Vec<String> = missing.map(|(entry, _)| format!("`{}`", entry.file)).collect();
    if !missing.is_empty() {
        fetch.network(&format!("{} of the lookaside cache", missing.join(", ")))?;
    }
    for (entry, proof) in wanted {
        let address = entry.address(cache, source);
        let to = into.join(entry.file.as_str());
        let file = match entry.file(&proof, &address, fetch) {
            Ok(file) => file,
            Err(error) => {
                let Some(said) = absent(&error) else { return Err(error) };
                let name = entry.file.to_string();
                let why = Reason::new(format!("`{name}` is not in the lookaside cache: {said}"))
                    .help(format!("it would be {address}; a mirror that has it serves as well"));
                skipped.push(Skipped { name, why });
                continue;
            }
        };
        place(&file, &to)?;
        if let Some(pin) = cache.pins.iter().find(|pin| pin.name == entry.file) {
            check::pinned(&to, entry.file.as_str(), &pin.sha256, None)?;
        }
        brought.files.push(SourceFact::of(entry.file.as_str(), &to, Some(address.clone()))?);
        brought.pins.push((proof.pin(), address));
    }
    Ok(skipped)
}

/// What a cache says of a file that it does not have. Whatever else goes wrong may be right in a
/// moment, or is somebody's doing, and refuses the whole.
fn absent(error: &anyhow::Error) -> Option<&str> {
    let said = ["403", "404", "410"].map(|status| format!("returned error: {status}"));
    let tail = &find::<Failure>(error)?.tail;
    tail.iter().find(|line| said.iter().any(|said| line.contains(said))).map(String::as_str)
}

impl Proof {
    fn pin(&self) -> Pin {
        match self {
            Self::Sha256(sha256) => Pin::Sha256(sha256.clone()),
            Self::Sha512(sha512) => Pin::Sha512(sha512.clone()),
        }
    }
}

impl Entry {
    fn proof(&self, cache: &Lookaside) -> Option<Proof> {
        let pinned = cache.pins.iter().find(|pin| pin.name == self.file);
        match self.kind.as_str() {
            "sha512" => Sha512::try_from(self.digest.clone()).ok().map(Proof::Sha512),
            "sha256" => Sha256::try_from(self.digest.clone()).ok().map(Proof::Sha256),
            _ => pinned.map(|pin| Proof::Sha256(pin.sha256.clone())),
        }
    }

    fn unproved(&self, source: &GitSource) -> Skipped {
        let why = Reason::new(format!(
            "commit {} names `{}` by {} alone, which proves nothing any more",
            source.commit, self.file, self.kind,
        ))
        .help(format!(
            "get it, look at it, and pin it in `lookaside`:\n      \
             pins: [{{ name: {}, sha256: … }}]",
            yaml(self.file.as_str())
        ));
        Skipped { name: self.file.to_string(), why }
    }

    /// `URL/PACKAGE/FILE/KIND/DIGEST/FILE`.
    fn address(&self, cache: &Lookaside, source: &GitSource) -> String {
        let file = encoded(self.file.as_str());
        let (base, package) = (cache.url.as_str().trim_end_matches('/'), encoded(source.package()));
        format!("{base}/{package}/{file}/{}/{}/{file}", self.kind, self.digest)
    }

    fn file(&self, proof: &Proof, address: &str, fetch: &Fetch) -> Result<PathBuf> {
        let shown = self.file.as_str();
        let download = |to: &Path| {
            fetch.download(&Download { url: address, to, size: LARGEST, header: None, body: None })
        };
        match proof {
            Proof::Sha256(sha256) => {
                fetch.file(&FileRequest { display_name: shown, sha256, size: None }, download)
            }
            Proof::Sha512(sha512) => {
                let good = |path: &Path| check::pinned_by_sources(path, shown, sha512);
                fetch.content(&Pin::Sha512(sha512.clone()), shown, None, good, |to| {
                    fetch.network(&format!("`{shown}`"))?;
                    download(to)
                })
            }
        }
    }
}

/// Reads `KIND (FILE) = DIGEST`, and the older `MD5  FILE`, a line each; and what cannot be read.
fn parse(text: &str) -> Result<(Vec<Entry>, Vec<Skipped>)> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut odd: Vec<Skipped> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let number = number + 1;
        let shown: String = line.chars().take(80).flat_map(char::escape_debug).collect();
        let Some(entry) = entry(line) else {
            ensure!(
                odd.len() < MOST_FILES,
                "it has more than {MOST_FILES} lines that name no file"
            );
            let why =
                Reason::new(format!("line {number} is no `SHA512 (FILE) = DIGEST`: `{shown}`"));
            odd.push(Skipped { name: meant(line).to_owned(), why });
            continue;
        };
        if entries.iter().any(|known| known.file == entry.file) {
            bail!("line {number} names `{}` once more", entry.file);
        }
        ensure!(entries.len() < MOST_FILES, "it names more than {MOST_FILES} files");
        entries.push(entry);
    }
    Ok((entries, odd))
}

/// The file that a line seems to be about.
fn meant(line: &str) -> &str {
    let inside = line.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')'));
    inside.map(|(file, _)| file).or(line.split_whitespace().last()).unwrap_or_default().trim()
}

fn entry(line: &str) -> Option<Entry> {
    let ends = line.split_once(" (").zip(line.rsplit_once(") = "));
    let (kind, file, digest) = if let Some(((kind, _), (_, digest))) = ends {
        let file = line.strip_prefix(kind)?.strip_prefix(" (")?;
        (kind, file.strip_suffix(digest)?.strip_suffix(") = ")?, digest)
    } else {
        let (digest, file) = line.split_once(char::is_whitespace)?;
        ("md5", file.trim_start().trim_start_matches('*'), digest)
    };
    let kind = kind.to_ascii_lowercase();
    let digest = digest.to_ascii_lowercase();
    let length = match kind.as_str() {
        "md5" => 32,
        "sha1" => 40,
        "sha256" => 64,
        "sha512" => 128,
        _ => return None,
    };
    let hex = digest.len() == length && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.then_some(())?;
    Some(Entry { file: SourceFile::try_from(file.to_owned()).ok()?, kind, digest })
}

/// A part of an address's path. A plus is escaped too: some storage reads it as a space.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests;

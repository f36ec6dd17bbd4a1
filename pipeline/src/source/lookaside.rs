//! Lookaside caches: what a packaging repository names in its file `sources` and keeps elsewhere
//! (Fedora's dist-git, and CentOS Stream's).
//!
//! The commit is pinned, so a sha512 or sha256 in its `sources` proves the bytes as a pin of the
//! pipeline file does. An md5 or sha1 proves nothing any more: such a file wants a pin beside it.

use super::lfs::yaml;
use super::{Brought, Skipped, SourceFact, place};
use crate::config::{GitSource, Lookaside, Sha256, Sha512, SourceFile, nearest};
use crate::fetch::{Download, Fetch, LARGEST, Pin, Wanted, check};
use crate::git::{Kind, Repository};
use anyhow::{Context, Result, bail, ensure};
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
    let place_of_list = match directory.as_str() {
        "." => LIST.to_owned(),
        folder => format!("{folder}/{LIST}"),
    };
    let list = repository.entry(commit, &place_of_list)?;
    let Some(list) = list.filter(|list| list.kind == Kind::File) else {
        bail!(
            "commit {commit} of {url} has no file `{place_of_list}`, which would say what is in the \
             lookaside cache\nhelp: leave out `lookaside`, or set `directory` to where it is"
        );
    };
    ensure!(list.size <= LARGEST_LIST, "`{place_of_list}` of commit {commit} is no list of files");
    let entries = parse(&repository.text(&list)?)
        .with_context(|| format!("`{place_of_list}` of commit {commit}"))?;
    let names = || entries.iter().map(|entry| entry.file.as_str());
    if let Some(pin) = cache.pins.iter().find(|pin| names().all(|name| name != pin.name.as_str())) {
        let near = nearest(pin.name.as_str(), names());
        let near = near.map(|name| format!("\nhelp: did you mean `{name}`?")).unwrap_or_default();
        bail!("`{place_of_list}` of commit {commit} names no file `{}`{near}", pin.name);
    }
    let mut skipped = Vec::new();
    let mut wanted = Vec::new();
    for entry in &entries {
        match entry.proof(cache) {
            Some(proof) => wanted.push((entry, proof)),
            None => skipped.push(entry.unproved(source)),
        }
    }
    let missing = wanted.iter().filter(|(_, proof)| !fetch.at_hand(&proof.pin()));
    let missing: Vec<String> = missing.map(|(entry, _)| format!("`{}`", entry.file)).collect();
    if !missing.is_empty() {
        fetch.network(&format!("{} of the lookaside cache", missing.join(", ")))?;
    }
    for (entry, proof) in wanted {
        let address = entry.address(cache, source);
        let to = into.join(entry.file.as_str());
        place(&entry.file(&proof, &address, fetch)?, &to)?;
        if let Some(pin) = cache.pins.iter().find(|pin| pin.name == entry.file) {
            check::pinned(&to, entry.file.as_str(), &pin.sha256, None)?;
        }
        brought.files.push(SourceFact::of(entry.file.as_str(), &to, address.clone())?);
        brought.pins.push((proof.pin(), address));
    }
    Ok(skipped)
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
        let why = format!(
            "commit {} names `{}` by {} alone, which proves nothing any more\n\
             help: get it, look at it, and pin it in `lookaside`:\n      \
             pins: [{{ name: {}, sha256: … }}]",
            source.commit,
            self.file,
            self.kind,
            yaml(self.file.as_str())
        );
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
            Proof::Sha256(sha256) => fetch.file(&Wanted { shown, sha256, size: None }, download),
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

/// Reads `KIND (FILE) = DIGEST`, and the older `MD5  FILE`, a line each.
fn parse(text: &str) -> Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let number = number + 1;
        let shown: String = line.chars().take(80).flat_map(char::escape_debug).collect();
        let Some(entry) = entry(line) else {
            bail!("line {number} is no `SHA512 (FILE) = DIGEST`: `{shown}`");
        };
        if entries.iter().any(|known| known.file == entry.file) {
            bail!("line {number} names `{}` once more", entry.file);
        }
        ensure!(entries.len() < MOST_FILES, "it names more than {MOST_FILES} files");
        entries.push(entry);
    }
    Ok(entries)
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
mod tests {
    use super::*;

    fn source(more: &str) -> GitSource {
        let text = format!(
            "{{ url: 'https://h/rpms/qemu.git', commit: {}, directory: '.', \
             lookaside: {{ url: 'https://l/pkgs/rpms/' {more} }} }}",
            "a1".repeat(20)
        );
        serde_yaml::from_str(&text).unwrap()
    }

    fn address(entry: &Entry, source: &GitSource) -> String {
        entry.address(source.lookaside.as_ref().unwrap(), source)
    }

    #[test]
    fn each_form_of_a_line_is_read() {
        let (md5, sha1) = ("0a".repeat(16), "0b".repeat(20));
        let (sha256, sha512) = ("0c".repeat(32), "0d".repeat(64));
        let entries = parse(&format!(
            "SHA512 (qemu-8.0.tar.xz) = {sha512}\nSHA256 (a b (1).tar) = {sha256}\n\n# a comment\n\
             MD5 (old.tgz) = {}\r\n{md5}  older+1.tgz\nSHA1 (m) = {sha1}\n",
            md5.to_uppercase()
        ))
        .unwrap();
        let seen: Vec<(&str, &str)> =
            entries.iter().map(|entry| (entry.file.as_str(), entry.kind.as_str())).collect();
        let expected = [
            ("qemu-8.0.tar.xz", "sha512"),
            ("a b (1).tar", "sha256"),
            ("old.tgz", "md5"),
            ("older+1.tgz", "md5"),
            ("m", "sha1"),
        ];
        assert_eq!(seen, expected);
        assert_eq!(entries[2].digest, md5);
        assert_eq!(parse("").unwrap(), []);
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        let sha512 = "0d".repeat(64);
        for line in [
            "SHA512 (a) = 0d0d".to_owned(),
            format!("SHA512 (../a) = {sha512}"),
            format!("SHA512 (a/b) = {sha512}"),
            format!("SHA512 (..) = {sha512}"),
            format!("SHA512 () = {sha512}"),
            format!("SHA512 (a\u{1b}b) = {sha512}"),
            format!("SHA3 (a) = {sha512}"),
            format!("SHA512 (a) = {}", "0z".repeat(64)),
            format!("{sha512}  a"),
            "<html>".to_owned(),
            "a".to_owned(),
        ] {
            let error = parse(&format!("\n{line}\n")).unwrap_err().to_string();
            assert!(error.starts_with("line 2 is no `SHA512 (FILE) = DIGEST`"), "{line}: {error}");
            assert!(!error.contains('\u{1b}'), "{error}");
        }
        let twice = format!("SHA512 (a) = {sha512}\n{}  a\n", "0a".repeat(16));
        assert_eq!(parse(&twice).unwrap_err().to_string(), "line 2 names `a` once more");
        let many = (0..=MOST_FILES).fold(String::new(), |mut all, number| {
            let _ = writeln!(all, "SHA512 ({number}) = {sha512}");
            all
        });
        assert!(parse(&many).unwrap_err().to_string().contains("more than 1000 files"));
    }

    #[test]
    fn a_file_has_its_place_in_the_cache() {
        let digest = "0d".repeat(64);
        let entry = parse(&format!("SHA512 (a b+1~#.tgz) = {digest}")).unwrap().remove(0);
        assert_eq!(
            address(&entry, &source("")),
            format!("https://l/pkgs/rpms/qemu/a%20b%2B1~%23.tgz/sha512/{digest}/a%20b%2B1~%23.tgz")
        );
        assert!(address(&entry, &source(", package: qemu-kvm")).contains("/rpms/qemu-kvm/a%20b"));
    }

    #[test]
    fn what_proves_nothing_wants_a_pin() {
        let entry = parse(&format!("{}  a.tgz", "0a".repeat(16))).unwrap().remove(0);
        let unpinned = source("");
        assert!(entry.proof(unpinned.lookaside.as_ref().unwrap()).is_none());
        let why = entry.unproved(&unpinned).why;
        assert!(why.contains("names `a.tgz` by md5 alone, which proves nothing"), "{why}");
        assert!(why.contains("pins: [{ name: a.tgz, sha256: … }]"), "{why}");
        let pinned = source(&format!(", pins: [{{ name: a.tgz, sha256: {} }}]", "0c".repeat(32)));
        let proof = entry.proof(pinned.lookaside.as_ref().unwrap()).unwrap();
        assert_eq!(proof.pin().place(), format!("sha256/{}", "0c".repeat(32)));
    }
}

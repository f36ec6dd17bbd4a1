// SPDX-License-Identifier: GPL-2.0-or-later
//! Resolves an image and the packages that are installed on it.

use crate::config::{
    FORMAT, Fingerprint, ImageBase, Lock, LockedImage, LockedKey, LockedPackage, Repository,
    RpmCapability, Sha256, WebUrl,
};
use crate::digest;
use crate::error::Help;
use crate::fetch::{Download, Fetch, Pin};
use crate::files;
use crate::intake::{self, Folder, Limits};
use crate::openpgp::{self, Certificate, Keys, Refused};
use crate::process::{Runner, interrupted};
use crate::repodata::{self, Listed, Odd, Packages};
use crate::sandbox::{self, Confinement, Engine, Image, Job, Mount};
use crate::store::Work;
use anyhow::{Context, Error, Result, anyhow, bail};
use rpm_inspect::Nevra;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// The most that is taken of a key, of `repomd.xml`, and of a list of packages.
const LARGEST_KEY: u64 = 1 << 20;
const LARGEST_INDEX: u64 = 16 << 20;
const LARGEST_LIST: u64 = 512 << 20;
/// What a resolver may download: a large environment ten times over.
const DOWNLOADED: Limits = Limits { entries: 10_000, depth: 0, bytes: 4 << 30 };
/// Where the resolver finds and puts things.
const REPOSITORIES: &str = "/etc/yum.repos.d";
const KEYS: &str = "/keys";
const PACKAGES: &str = "/packages";

/// What a repository lists.
pub struct Listing<'a> {
    pub repository: &'a Repository,
    pub packages: Vec<Listed>,
    /// Its entries that cannot be read.
    pub odd: Vec<Odd>,
}

impl Listing<'_> {
    /// Its packages of a name, where anything by that name is taken of it.
    pub fn named<'l>(&'l self, name: &'l str) -> impl Iterator<Item = &'l Listed> {
        let taken = self.is_asked(name);
        self.packages.iter().filter(move |listed| taken && listed.nevra.name == name)
    }

    /// An entry that may be of a package by name and architecture, and cannot be read.
    pub fn odd(&self, name: &str, arch: &str) -> Option<&Odd> {
        let asked = self.is_asked(name);
        self.odd.iter().find(|odd| asked && odd.rivals(name, arch))
    }

    fn is_asked(&self, name: &str) -> bool {
        let only = &self.repository.only;
        only.is_empty() || only.iter().any(|own| own.as_str() == name)
    }

    /// What is to be told of the entries that nobody asked for.
    pub fn note(&self) -> Option<String> {
        let first = self.odd.first()?;
        Some(format!(
            "repository `{}` has entries that cannot be read, {} of them; {first}",
            self.repository.id,
            self.odd.len()
        ))
    }
}

/// An environment that was resolved, and what its repositories said on the way.
pub struct Resolution<'a> {
    pub lock: Lock,
    pub listings: Vec<Listing<'a>>,
    /// The keys of the repositories.
    pub certificates: Vec<Certificate>,
}

/// Resolves the environment.
pub fn resolve<'a>(
    declared: &'a ImageBase,
    engine: Engine,
    fetch: &Fetch,
) -> Result<Resolution<'a>> {
    fetch.network("a lock")?;
    fetch.will_contact(declared.reference.as_str());
    let work = fetch.store().work()?;
    let (digest, id) = Image::resolve(fetch.runner(), engine, &declared.reference, work.path())?;
    let base = Image::of_id(engine, &id);
    if !base.tag(fetch.runner(), &id)? {
        bail!("`{}` lost the image {id} that it just pulled", engine.program());
    }
    let keys = keys(declared, &work, fetch)?;
    let certificates: Vec<Certificate> = keys.iter().map(|(_, key)| key.clone()).collect();
    let listings = match download(declared, &base, &work, fetch) {
        Ok(()) => listings(declared, &work, fetch)?,
        Err(error) if interrupted(&error).is_some() => return Err(error),
        Err(error) => {
            let listings = listings(declared, &work, fetch).unwrap_or_default();
            return Err(explained(error, declared, &listings));
        }
    };
    let mut packages = Vec::new();
    let downloaded = Folder::open(&work.scratch("packages")?, "packages", DOWNLOADED)?;
    let taken = work.scratch("taken")?;
    for path in downloaded.files()? {
        let copy = taken.join(&path);
        downloaded.take(&path, &copy, false)?;
        let locked = locked(&copy, &listings, &certificates)?;
        fetch.adopt(&Pin::Sha256(locked.sha256.clone()), &copy)?;
        packages.push(locked);
    }
    packages.sort_by(|a, b| a.nevra.cmp(&b.nevra));
    let image = LockedImage { reference: declared.reference.clone(), digest, id };
    // A key that signed nothing of the closure has no business in the environment.
    let used = |key: &LockedKey| packages.iter().any(|package| package.key == key.fingerprint);
    let keys = keys.into_iter().map(|(locked, _)| locked).filter(used).collect();
    let lock = Lock { version: FORMAT, declaration: declared.clone(), image, keys, packages };
    Ok(Resolution { lock, listings, certificates })
}

/// What yum could not resolve, with the entries that may be why.
fn explained(error: Error, declared: &ImageBase, listings: &[Listing]) -> Error {
    let asked = |odd: &&Odd| {
        declared
            .packages
            .iter()
            .any(|package| odd.names.iter().any(|name| name == package.as_str()))
    };
    let odd = listings
        .iter()
        .find_map(|listing| Some((&listing.repository.id, listing.odd.iter().find(asked)?)));
    match odd {
        Some((id, odd)) => error.context(format!("the entry of repository `{id}` for {odd}")),
        None => error,
    }
}

/// The keys of the repositories, each once, and each the one that is pinned.
fn keys(declared: &ImageBase, work: &Work, fetch: &Fetch) -> Result<Vec<(LockedKey, Certificate)>> {
    let mut keys: Vec<(LockedKey, Certificate)> = Vec::new();
    for Repository { id, key, .. } in &declared.repositories {
        if keys.iter().any(|(known, _)| known.fingerprint == key.fingerprint) {
            continue;
        }
        let to = work.path().join("key");
        let url = key.url.as_str();
        fetch
            .download(&Download { url, to: &to, size: LARGEST_KEY, header: None, body: None })
            .with_context(|| format!("the key of repository `{id}`"))?;
        let shown = || format!("the key of repository `{id}` at {url}");
        let published = Keys::read(&files::read(&to, &files::PUBLIC_KEYS)?).with_context(shown)?;
        fs::remove_file(&to)?;
        let mut certificate =
            pinned(published, key.fingerprint.as_str(), fetch.runner()).with_context(shown)?;
        if key.accept_sha1 {
            certificate.accept_sha1();
        }
        let armored = certificate.armored().to_owned();
        fs::write(work.scratch("keys")?.join(format!("{}.asc", key.fingerprint)), &armored)?;
        keys.push((LockedKey { fingerprint: key.fingerprint.clone(), armored }, certificate));
    }
    Ok(keys)
}

/// The key that is asked for, of all that a file holds. What else is in it is somebody else's business,
/// and is written to the log.
fn pinned(published: Keys, fingerprint: &str, runner: &Runner) -> Result<Certificate> {
    let Keys { usable, refused } = published;
    for other in &refused {
        runner.write(&format!("not the key that is pinned, and not one that counts: {other}"));
    }
    let found: Vec<String> =
        usable.iter().map(|certificate| certificate.fingerprint().to_owned()).collect();
    if let Some(certificate) = usable.into_iter().find(|key| key.fingerprint() == fingerprint) {
        return Ok(certificate);
    }
    let mut others = refused;
    let same = |other: &Refused| other.fingerprint.as_deref() == Some(fingerprint);
    if let Some(at) = others.iter().position(same) {
        return Err(others.remove(at).why);
    }
    let others = others.iter().map(|other| format!("({other})"));
    let found: Vec<String> = found.into_iter().chain(others).collect();
    Err(anyhow!("it serves the key {}, and the pipeline pins {fingerprint}", found.join(", "))
        .help("find out who changed it and why before the pin follows"))
}

/// Has the image's yum download what it would install, and install nothing.
fn download(declared: &ImageBase, base: &Image, work: &Work, fetch: &Fetch) -> Result<()> {
    let repositories = work.scratch("repositories")?;
    fs::write(repositories.join("pipeline.repo"), repo_file(declared))?;
    for repository in &declared.repositories {
        fetch.will_contact(repository.url.as_str());
    }
    let names = declared.packages.iter().map(RpmCapability::as_str);
    let argv = [
        "yum",
        "--assumeyes",
        "--setopt=tsflags=nodocs",
        // yum passes over a name that nobody provides unless it is told otherwise; dnf never does.
        "--setopt=skip_missing_names_on_install=False",
        "--setopt=install_weak_deps=False",
        "install",
        "--downloadonly",
        "--downloaddir=/packages",
    ];
    let job = Job {
        purpose: "lock".into(),
        argv: argv.into_iter().chain(names).map(str::to_owned).collect(),
        confinement: Confinement::Resolver,
        mounts: vec![
            Mount::read_only(repositories, REPOSITORIES),
            Mount::read_only(work.scratch("keys")?, KEYS),
            Mount::writable(work.scratch("packages")?, PACKAGES),
        ],
        variables: Vec::new(),
        memory: "4g".to_owned(),
        pids: 512,
    };
    let output = sandbox::ask(fetch.runner(), base, &job, work.path())
        .context("yum cannot resolve the packages")?;
    if let Some(line) = output.lines().find(|line| line.starts_with("No package ")) {
        return Err(anyhow!("{line}").help("which of the repositories should have it?"));
    }
    Ok(())
}

/// The repositories as yum reads them (yum.conf(5)).
fn repo_file(declared: &ImageBase) -> String {
    let mut text = String::new();
    for Repository { id, url, key, only } in &declared.repositories {
        let _ = writeln!(
            text,
            "[{id}]\nname={id}\nbaseurl={url}\nenabled=1\ngpgcheck=1\ngpgkey=file://{KEYS}/{}.asc\n\
             skip_if_unavailable=0\nmetadata_expire=0",
            key.fingerprint
        );
        let only: Vec<&str> = only.iter().map(RpmCapability::as_str).collect();
        if !only.is_empty() {
            let _ = writeln!(text, "includepkgs={}", only.join(" "));
        }
        text.push('\n');
    }
    text
}

/// What each repository lists, read from its metadata.
pub fn listings<'a>(
    declared: &'a ImageBase,
    work: &Work,
    fetch: &Fetch,
) -> Result<Vec<Listing<'a>>> {
    declared
        .repositories
        .iter()
        .map(|repository| {
            let Packages { listed, odd } = listing(repository, work, fetch)
                .with_context(|| format!("metadata of repository `{}`", repository.id))?;
            Ok(Listing { repository, packages: listed, odd })
        })
        .collect()
}

fn listing(repository: &Repository, work: &Work, fetch: &Fetch) -> Result<Packages> {
    let to = work.path().join("metadata");
    let folder = repository.url.as_str().trim_end_matches('/');
    let get = |href: &str, size: u64| -> Result<Vec<u8>> {
        let url = format!("{folder}/{href}");
        fetch.download(&Download { url: &url, to: &to, size, header: None, body: None })?;
        let bytes = fs::read(&to)?;
        fs::remove_file(&to)?;
        Ok(bytes)
    };
    let primary = repodata::repomd(&get("repodata/repomd.xml", LARGEST_INDEX)?)?;
    let bytes = get(&primary.href, primary.size.unwrap_or(LARGEST_LIST).min(LARGEST_LIST))?;
    let found = digest::sha256(&bytes);
    if found != primary.sha256 {
        return Err(anyhow!(
            "`{}` has sha256 {found}, and repomd.xml says {}",
            primary.href,
            primary.sha256
        )
        .help("is the repository being updated?"));
    }
    repodata::packages(&bytes, &primary.href)
}

/// A downloaded package as the lock names it: listed by a repository, and signed by that one's key.
fn locked(
    path: &Path,
    listings: &[Listing],
    certificates: &[Certificate],
) -> Result<LockedPackage> {
    let digest = digest::sha256_file(path)?;
    let size = path.metadata()?.len();
    let shown = intake::shown(Path::new(path.file_name().unwrap_or_default()));
    let checked =
        openpgp::check_package(path, certificates).with_context(|| format!("package `{shown}`"))?;
    // It may be a newer one than yum took, or the same: who asks for a package wants to know.
    let Nevra { name, arch, .. } = &checked.nevra;
    for listing in listings {
        if let Some(odd) = listing.odd(name, arch) {
            return Err(anyhow!("the environment needs {}, and repository `{}` has an entry that cannot be read for {odd}", checked.nevra, listing.repository.id).help("use a mirror whose list of packages is sound"));
        }
    }
    let same = |listed: &&Listed| {
        listed.sha256.as_deref().is_none_or(|sha256| sha256 == digest)
            && listed.nevra == checked.nevra
    };
    let found = listings
        .iter()
        .find_map(|listing| Some((listing.repository, listing.packages.iter().find(same)?)));
    let (repository, listed) = found.ok_or_else(|| {
        anyhow!("yum downloaded {}, and no repository lists it with these bytes", checked.nevra)
            .help("was a repository updated meanwhile? `vgpu-pipeline lock` again")
    })?;
    let pinned = &repository.key.fingerprint;
    if checked.fingerprint != pinned.as_str() {
        bail!(
            "{} is signed by {}, and repository `{}` by {pinned}",
            checked.nevra,
            checked.fingerprint,
            repository.id
        );
    }
    let url = format!("{}/{}", repository.url.as_str().trim_end_matches('/'), listed.href);
    Ok(LockedPackage {
        nevra: checked.nevra.to_string(),
        url: WebUrl::try_from(url).map_err(Error::msg)?,
        size,
        sha256: Sha256::try_from(digest).map_err(Error::msg)?,
        key: Fingerprint::try_from(checked.fingerprint).map_err(Error::msg)?,
    })
}

//! Resolves an image and the packages that are installed on it.

use super::repodata::{self, Listed};
use crate::config::{
    FORMAT, Fingerprint, ImageBase, Lock, LockedImage, LockedKey, LockedPackage, Repository,
    RpmCapability, Sha256, WebUrl,
};
use crate::fetch::{Download, Fetch, Pin};
use crate::openpgp::{self, Certificate};
use crate::rpmfile::Nevra;
use crate::sandbox::{self, Confinement, Engine, Image, Job, Mount};
use crate::store::{Work, sha256};
use anyhow::{Context, Result, anyhow, bail};
use rpm_version::Evr;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// The most that is taken of a key, of `repomd.xml`, and of a list of packages.
const LARGEST_KEY: u64 = 1 << 20;
const LARGEST_INDEX: u64 = 16 << 20;
const LARGEST_LIST: u64 = 512 << 20;
/// Where the resolver finds and puts things.
const REPOSITORIES: &str = "/etc/yum.repos.d";
const KEYS: &str = "/keys";
const PACKAGES: &str = "/packages";

/// What a repository lists.
pub struct Listing<'a> {
    pub repository: &'a Repository,
    pub packages: Vec<Listed>,
}

pub fn resolve(declared: &ImageBase, engine: Engine, fetch: &Fetch) -> Result<Lock> {
    fetch.network("a lock")?;
    fetch.will_contact(declared.reference.as_str());
    let (digest, id) = Image::resolve(fetch.cmd(), engine, &declared.reference)?;
    let base = Image::of_id(engine, &id);
    if !base.name(fetch.cmd(), &id) {
        bail!("`{}` lost the image {id} that it just pulled", engine.program());
    }
    let work = fetch.store().work()?;
    let keys = keys(declared, &work, fetch)?;
    let certificates: Vec<Certificate> = keys.iter().map(|(_, key)| key.clone()).collect();
    download(declared, &base, &work, fetch)?;
    let listings = listings(declared, &work, fetch)?;
    let mut packages = Vec::new();
    for entry in fs::read_dir(work.scratch("packages")?)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rpm") {
            let locked = locked(&path, &listings, &certificates)?;
            fetch.adopt(&Pin::Sha256(locked.sha256.clone()), &path)?;
            packages.push(locked);
        }
    }
    packages.sort_by(|a, b| a.nevra.cmp(&b.nevra));
    let image = LockedImage { reference: declared.reference.clone(), digest, id };
    // A key that signed nothing of the closure has no business in the environment.
    let used = |key: &LockedKey| packages.iter().any(|package| package.key == key.fingerprint);
    let keys = keys.into_iter().map(|(locked, _)| locked).filter(used).collect();
    Ok(Lock { version: FORMAT, declaration: declared.clone(), image, keys, packages })
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
        let published = Certificate::read(&fs::read(&to)?)
            .with_context(|| format!("the key of repository `{id}` at {url}"))?;
        fs::remove_file(&to)?;
        let found: Vec<String> =
            published.iter().map(|certificate| certificate.fingerprint().to_owned()).collect();
        let Some(mut certificate) = published
            .into_iter()
            .find(|certificate| certificate.fingerprint() == key.fingerprint.as_str())
        else {
            bail!(
                "{url} serves the key {}, and the pipeline pins {} for repository `{id}`\n\
                 help: find out who changed it and why before the pin follows",
                found.join(", "),
                key.fingerprint
            );
        };
        if key.accept_sha1 {
            certificate.accept_sha1();
        }
        let armored = certificate.armored().to_owned();
        fs::write(work.scratch("keys")?.join(format!("{}.asc", key.fingerprint)), &armored)?;
        keys.push((LockedKey { fingerprint: key.fingerprint.clone(), armored }, certificate));
    }
    Ok(keys)
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
    let output = sandbox::ask(fetch.cmd(), base, &job, work.path())
        .context("yum cannot resolve the packages")?;
    if let Some(line) = output.lines().find(|line| line.starts_with("No package ")) {
        bail!("{line}\nhelp: which of the repositories should have it?");
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
            let packages = listing(repository, work, fetch)
                .with_context(|| format!("metadata of repository `{}`", repository.id))?;
            Ok(Listing { repository, packages })
        })
        .collect()
}

fn listing(repository: &Repository, work: &Work, fetch: &Fetch) -> Result<Vec<Listed>> {
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
    let found = crate::store::sha256_of(&bytes);
    if found != primary.sha256 {
        bail!(
            "`{}` has sha256 {found}, and repomd.xml says {}\nhelp: is the repository being updated?",
            primary.href,
            primary.sha256
        );
    }
    repodata::packages(&bytes, &primary.href)
}

/// A downloaded package as the lock names it: listed by a repository, and signed by that one's key.
fn locked(
    path: &Path,
    listings: &[Listing],
    certificates: &[Certificate],
) -> Result<LockedPackage> {
    let digest = sha256(path)?;
    let size = path.metadata()?.len();
    let shown = path.file_name().unwrap_or_default().to_string_lossy();
    let checked =
        openpgp::check_package(path, certificates).with_context(|| format!("package `{shown}`"))?;
    let same = |listed: &&Listed| {
        listed.sha256.as_deref().is_none_or(|sha256| sha256 == digest)
            && listed.nevra == checked.nevra
    };
    let found = listings
        .iter()
        .find_map(|listing| Some((listing.repository, listing.packages.iter().find(same)?)));
    let (repository, listed) = found.ok_or_else(|| {
        anyhow!(
            "yum downloaded {}, and no repository lists it with these bytes\n\
             help: was a repository updated meanwhile? `vgpu-pipeline lock` again",
            checked.nevra
        )
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
        url: WebUrl::try_from(url).map_err(anyhow::Error::msg)?,
        size,
        sha256: Sha256::try_from(digest).map_err(anyhow::Error::msg)?,
        key: Fingerprint::try_from(checked.fingerprint).map_err(anyhow::Error::msg)?,
    })
}

/// The version of a listed package, in rpm's order.
pub fn evr(listed: &Listed) -> Evr<'static> {
    let Nevra { epoch, version, release, .. } = &listed.nevra;
    let epoch = if *epoch == 0 { String::new() } else { epoch.to_string() };
    Evr::new(epoch, version.clone(), release.clone())
}

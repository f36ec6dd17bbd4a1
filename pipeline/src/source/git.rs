//! A packaging repository: its spec, and the files of its SOURCES folder at one commit, with what
//! git-lfs keeps elsewhere put in its place.

use super::SourceFact;
use super::lfs::{self, Pointer};
use crate::config::{CommitArchive, FileName, GitSource, LfsObject, TreePath};
use crate::fetch::{Fetch, Pin, Wanted, check, retry};
use crate::git::{Remote, Repository, find};
use crate::store::Work;
use anyhow::{Context, Result, bail};
use fs_err as fs;
use std::path::Path;

/// Puts the files into the work's files, and the spec into their folder `spec`.
pub fn fetch(
    source: &GitSource,
    spec: Option<&TreePath>,
    work: &Work,
    fetch: &Fetch,
) -> Result<Vec<SourceFact>> {
    let bundle = bundle(source, fetch)?;
    let repository = Repository::new(&work.scratch("git")?, &source.commit, fetch.cmd())?;
    repository.unbundle(&bundle, &source.commit)?;
    let names = names(source, &repository)?;
    let tree = work.scratch("tree")?;
    let mut paths = vec![source.directory.as_str()];
    if let Some(spec) = spec {
        let found = repository.files(&source.commit, spec)?;
        if !matches!(&found[..], [file] if file.regular && file.path == spec.as_str()) {
            bail!("`{spec}` is not a file of commit {} of {}", source.commit, source.url);
        }
        paths.push(spec.as_str());
    }
    repository.check_out(&source.commit, &paths, &tree)?;
    let mut facts = Vec::new();
    for name in &names {
        let path = tree.join(source.directory.as_str()).join(name);
        let to = work.files().join(name);
        match (Pointer::read(&path)?, source.lfs.iter().find(|o| o.file.as_str() == name)) {
            (None, None) => fs::rename(&path, &to)?,
            (Some(pointer), Some(object)) => {
                pointer.check(object, source)?;
                super::place(&object_file(object, source, fetch)?, &to)?;
            }
            (Some(pointer), None) => bail!("{}", pointer.unlisted(name, source)),
            (None, Some(_)) => bail!(
                "`{name}` is a plain file of commit {}, not a git-lfs pointer\n\
                 help: take it out of `lfs`",
                source.commit
            ),
        }
        facts.push(SourceFact::of(name, &to, format!("{} at {}", source.url, source.commit))?);
    }
    if let Some(spec) = spec {
        let folder = work.files().join(super::SPEC);
        fs::create_dir(&folder)?;
        let name = Path::new(spec.as_str()).file_name().context("the spec has no name")?;
        fs::rename(tree.join(spec.as_str()), folder.join(name))?;
    }
    Ok(facts)
}

/// The commit with its history, as a bundle.
fn bundle(source: &GitSource, fetch: &Fetch) -> Result<std::path::PathBuf> {
    let GitSource { url, commit, branch, tag, .. } = source;
    let shown = format!("commit {commit} of {url}");
    let good = |bundle: &Path| {
        let work = fetch.store().work()?;
        Repository::new(&work.scratch("git")?, commit, fetch.cmd())?.unbundle(bundle, commit)
    };
    fetch.content(&Pin::Commit(commit.clone()), &shown, good, |to| {
        fetch.network(&shown)?;
        let work = fetch.store().work()?;
        let repository = Repository::new(&work.scratch("git")?, commit, fetch.cmd())?;
        let remote = Remote::new(url, fetch.cmd())?;
        fetch.will_contact(remote.address());
        let tips = retry::run(fetch.cmd(), || remote.tips())?;
        remote.check_pin(&tips, commit, tag.as_ref(), branch.as_ref())?;
        let name = match (branch, tag) {
            (Some(branch), _) => Some(format!("refs/heads/{branch}")),
            (None, Some(tag)) => Some(format!("refs/tags/{tag}")),
            (None, None) => None,
        };
        match name.as_deref().and_then(|name| find(&tips, name)) {
            Some(tip) => {
                retry::run(fetch.cmd(), || remote.fetch(&repository, tip))?;
                if repository.distance(commit, &tip.commit)?.is_none() {
                    bail!(
                        "the commit {commit} is not in `{}` of {url}, which is at {}\n\
                         help: its history was rewritten, or the pin is of another branch; \
                         a mirror that has the commit serves as well",
                        tip.short(),
                        tip.commit
                    );
                }
            }
            None => {
                retry::run(fetch.cmd(), || remote.fetch_commit(&repository, commit, false))?;
            }
        }
        repository.bundle(commit, to)
    })
}

/// The names of the folder's files: rpmbuild's SOURCES has no folders in it.
fn names(source: &GitSource, repository: &Repository) -> Result<Vec<String>> {
    let GitSource { url, commit, directory, lfs, .. } = source;
    let mut names = Vec::new();
    for file in repository.files(commit, directory)? {
        let name = file.path.strip_prefix(directory.as_str()).unwrap_or_default();
        let name = name.trim_start_matches('/');
        // `.gitignore` and its like are git's affair and no source's.
        if name.starts_with('.') && !name.contains('/') {
            continue;
        }
        if !file.regular || FileName::try_from(name.to_owned()).is_err() {
            bail!(
                "`{}` in commit {commit} of {url} is not a plain file with a plain name",
                file.path
            );
        }
        names.push(name.to_owned());
    }
    if names.is_empty() {
        bail!("commit {commit} of {url} has no files in `{directory}`");
    }
    if let Some(object) = lfs.iter().find(|object| !names.iter().any(|n| n == object.file.as_str()))
    {
        let near = crate::config::nearest(object.file.as_str(), names.iter().map(String::as_str));
        let near = near.map(|name| format!("\nhelp: did you mean `{name}`?")).unwrap_or_default();
        bail!("`{directory}` of commit {commit} has no file `{}`{near}", object.file);
    }
    Ok(names)
}

/// An LFS object: from the repository's LFS server, or as an archive of a commit that has its bytes.
fn object_file(
    object: &LfsObject,
    source: &GitSource,
    fetch: &Fetch,
) -> Result<std::path::PathBuf> {
    let wanted =
        Wanted { shown: object.file.as_str(), sha256: &object.sha256, size: Some(object.size) };
    fetch.file(&wanted, |to| {
        let downloaded = lfs::download(object, source, to, fetch)
            .and_then(|()| check::pinned(to, wanted.shown, &object.sha256, Some(object.size)));
        let Err(problem) = downloaded else { return Ok(()) };
        let Some(archive) = &object.same_as else { return Err(problem) };
        if crate::cmd::interrupted(&problem).is_some() {
            return Err(problem);
        }
        fetch.cmd().write(&format!("git-lfs: {problem:#}; trying the archive of a commit"));
        let _ = fs::remove_file(to);
        make_archive(archive, to, fetch)
            .with_context(|| format!("git-lfs: {problem:#}; then as an archive of a commit"))
    })
}

fn make_archive(archive: &CommitArchive, to: &Path, fetch: &Fetch) -> Result<()> {
    let CommitArchive { url, commit, prefix } = archive;
    let work = fetch.store().work()?;
    let repository = Repository::new(&work.scratch("git")?, commit, fetch.cmd())?;
    let remote = Remote::new(url, fetch.cmd())?;
    fetch.will_contact(remote.address());
    retry::run(fetch.cmd(), || remote.fetch_commit(&repository, commit, true))?;
    repository.archive(commit, prefix, to)
}

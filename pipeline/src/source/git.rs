// SPDX-License-Identifier: GPL-2.0-or-later
//! A packaging repository: its spec, and the files of one of its folders at one commit, with what
//! git-lfs and lookaside caches keep elsewhere put in its place.
//!
//! One odd name is no reason to refuse a repository: what cannot be taken is told with its reason, and
//! whoever knows the spec says whether it is needed.

use super::OTHER_SOURCE;
use super::kind::{BringContext, SourceKind};
use super::lfs::{self, Pointer};
use super::{Brought, SOURCES, SPECS, Skipped, SourceFact, lookaside};
use crate::config::{CommitArchive, GitSource, LfsObject, SourceFile, TreePath, nearest};
use crate::error::{Help, Reason, did_you_mean};
use crate::fetch::{Fetch, FileRequest, LARGEST, Pin, check, retry};
use crate::files;
use crate::git::{Kind, Remote, Repository, TreeEntry, find};
use crate::stage::{KeyBuilder, Network};
use anyhow::{Context, Result, anyhow, bail};
use fs_err as fs;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;

/// More than the largest packages of any distribution have.
pub const MOST_FILES: usize = 20_000;
/// Files that tell git what to do.
const GITS_OWN: [&str; 5] =
    [".gitattributes", ".gitignore", ".gitkeep", ".gitmodules", ".lfsconfig"];
/// Each link costs a call of git.
const MOST_LINKS: usize = 100;

/// What there is to take of a folder.
#[derive(Default)]
struct Contents {
    files: Vec<String>,
    /// From a name to the name of the file that it leads to.
    links: BTreeMap<String, String>,
    skipped: Vec<Skipped>,
}

impl SourceKind for GitSource {
    fn recipe(&self, mut key: KeyBuilder) -> KeyBuilder {
        key = key.text("commit", self.commit.as_str()).text("directory", self.directory.as_str());
        for object in &self.lfs {
            key = key.text("lfs", object.file.as_str()).text("sha256", object.sha256.as_str());
        }
        match &self.lookaside {
            Some(lookaside) => key.config("lookaside", &lookaside.pins),
            None => key,
        }
    }

    fn tools(&self, _network: Network) -> &'static [&'static str] {
        &["git", "gzip", "curl"]
    }

    fn pins(&self) -> Vec<(Pin, String)> {
        let commit = format!("commit {} of {}", self.commit, self.url);
        let objects = self.lfs.iter();
        let objects =
            objects.map(|object| (Pin::Sha256(object.sha256.clone()), object.file.to_string()));
        [(Pin::Commit(self.commit.clone()), commit)].into_iter().chain(objects).collect()
    }

    fn bring(&self, cx: &BringContext, brought: &mut Brought) -> Result<()> {
        bring(self, cx, brought)
    }
}

/// The files of the folder, and the spec.
fn bring(source: &GitSource, cx: &BringContext, brought: &mut Brought) -> Result<()> {
    let BringContext { spec, work, fetch, .. } = *cx;
    let bundle = bundle(source, fetch)?;
    let repository = Repository::new(&work.scratch("git")?, &source.commit, fetch.runner())?;
    repository.unbundle(&bundle, &source.commit)?;
    let Contents { files, links, mut skipped } = contents(source, &repository)?;
    let tree = work.scratch("tree")?;
    if let Some(spec) = spec {
        let found = repository.entry(&source.commit, spec.as_str())?;
        if found.is_none_or(|entry| entry.kind != Kind::File) {
            bail!("`{spec}` is not a file of commit {} of {}", source.commit, source.url);
        }
    }
    let folder = source.directory.as_str();
    let path = |name: &str| match folder {
        "." => name.to_owned(),
        folder => format!("{folder}/{name}"),
    };
    let paths: Vec<String> = files.iter().map(|name| path(name)).collect();
    let paths = paths.iter().map(String::as_str).chain(spec.map(TreePath::as_str));
    repository.check_out(&source.commit, paths, &tree)?;
    if let Some(spec) = spec {
        let folder = work.files().join(SPECS);
        fs::create_dir(&folder)?;
        let name = Path::new(spec.as_str()).file_name().context("the spec has no name")?;
        // It may be one of the sources too.
        files::copy(&tree.join(spec.as_str()), &folder.join(name), &files::SPEC)?;
    }
    let place = |name: &str| Some(format!("{}#{}", location(source), path(name)));
    let into = work.files().join(SOURCES);
    for name in &files {
        let (from, to) = (tree.join(path(name)), into.join(name));
        let pointer = Pointer::read(&from)?;
        match (pointer, source.lfs.iter().find(|object| object.file.as_str() == name)) {
            (None, None) => super::place(&from, &to)?,
            (Some(Ok(pointer)), Some(object)) => {
                pointer.check(object, source)?;
                super::place(&object_file(object, source, &repository, fetch)?, &to)?;
            }
            (Some(pointer), listed) => {
                let why = match pointer {
                    Ok(pointer) => pointer.unlisted(name, source),
                    Err(why) => why.within(format_args!("`{name}` of commit {} ", source.commit)),
                };
                if listed.is_some() {
                    return Err(why.into());
                }
                skipped.push(Skipped { name: name.clone(), why });
                continue;
            }
            (None, Some(_)) => {
                return Err(anyhow!(
                    "`{name}` is a plain file of commit {}, not a git-lfs pointer",
                    source.commit
                )
                .help("take it out of `lfs`"));
            }
        }
        brought.files.push(SourceFact::of(name, &to, place(name))?);
    }
    for (name, leads_to) in &links {
        let (from, to) = (into.join(leads_to), into.join(name));
        if from.exists() {
            super::place(&from, &to)?;
            brought.files.push(SourceFact::of(name, &to, place(name))?);
        } else {
            let why = Reason::new(format!("`{name}` leads to `{leads_to}`, which was not taken"));
            skipped.push(Skipped { name: name.clone(), why });
        }
    }
    if let Some(cache) = &source.lookaside {
        skipped.extend(lookaside::fetch(cache, source, &repository, &into, fetch, brought)?);
    }
    if brought.files.is_empty() {
        let GitSource { url, commit, directory, .. } = source;
        let whys: Vec<String> = skipped.iter().map(|it| it.why.to_string()).collect();
        bail!("commit {commit} of {url} has no files in `{directory}`\n{}", whys.join("\n"));
    }
    brought.skipped.extend(skipped);
    Ok(())
}

/// A commit as SPDX writes a download location (SPDX 2.3, 7.7).
fn location(source: &GitSource) -> String {
    let url = source.url.as_str();
    // `user@host:path` is ssh's, and no URL.
    let scp =
        url.split_once(':').filter(|(host, rest)| !host.contains('/') && !rest.starts_with("//"));
    match scp {
        Some((host, path)) => format!("git+ssh://{host}/{path}@{}", source.commit),
        None => format!("git+{url}@{}", source.commit),
    }
}

/// The commit with its history, as a bundle.
fn bundle(source: &GitSource, fetch: &Fetch) -> Result<std::path::PathBuf> {
    let GitSource { url, commit, branch, tag, .. } = source;
    let shown = format!("commit {commit} of {url}");
    let (pin, ours) = (Pin::Commit(commit.clone()), Cell::new(false));
    let cached = fetch.place(&pin)?;
    let good = |bundle: &Path| {
        let work = fetch.store().work()?;
        let repository = Repository::new(&work.scratch("git")?, commit, fetch.runner())?;
        repository.unbundle(bundle, commit)?;
        if bundle != cached && !ours.get() {
            // Of a mirror's bundle only the commit is kept, and nothing that came along with it.
            let anew = bundle.with_extension("anew");
            repository.bundle(commit, &anew)?;
            fs::rename(anew, bundle)?;
        }
        Ok(())
    };
    fetch.content(&pin, &shown, None, good, |to| {
        fetch.network(&shown)?;
        let work = fetch.store().work()?;
        let repository = Repository::new(&work.scratch("git")?, commit, fetch.runner())?;
        let remote = Remote::new(url, fetch.runner())?;
        fetch.will_contact(remote.address());
        let tips = retry::run(fetch.runner(), || remote.tips())?;
        remote.check_pin(&tips, commit, tag.as_ref(), branch.as_ref())?;
        let name = match (branch, tag) {
            (Some(branch), _) => Some(format!("refs/heads/{branch}")),
            (None, Some(tag)) => Some(format!("refs/tags/{tag}")),
            (None, None) => None,
        };
        match name.as_deref().and_then(|name| find(&tips, name)) {
            Some(tip) => {
                retry::run(fetch.runner(), || remote.fetch(&repository, tip))?;
                if repository.distance(commit, &tip.commit)?.is_none() {
                    return Err(anyhow!(
                        "the commit {commit} is not in `{}` of {url}, which is at {}",
                        tip.short(),
                        tip.commit
                    )
                    .help(
                        "its history was rewritten, or the pin is of another branch; \
                         a mirror that has the commit serves as well",
                    ));
                }
            }
            None => {
                retry::run(fetch.runner(), || remote.fetch_commit(&repository, commit, false))?;
            }
        }
        ours.set(true);
        repository.bundle(commit, to)
    })
}

/// What is in the folder: rpmbuild's SOURCES has no folders in it, and what it has are files.
fn contents(source: &GitSource, repository: &Repository) -> Result<Contents> {
    let GitSource { url, commit, directory, lfs, .. } = source;
    let entries = repository.folder(commit, directory)?;
    if entries.len() > MOST_FILES {
        bail!("commit {commit} of {url} has more than {MOST_FILES} files in `{directory}`");
    }
    let mut contents = Contents::default();
    let mut links: Vec<(String, TreeEntry)> = Vec::new();
    let mut size = 0;
    for entry in entries {
        let name = entry.path.rsplit('/').next().unwrap_or_default().to_owned();
        // git's own affair and no source's, wherever they are.
        if GITS_OWN.contains(&name.as_str()) {
            continue;
        }
        let shown = name.escape_debug();
        let why = Reason::new(match entry.kind {
            Kind::File if SourceFile::try_from(name.clone()).is_ok() => {
                size += entry.size;
                contents.files.push(name);
                continue;
            }
            Kind::Link if SourceFile::try_from(name.clone()).is_ok() => {
                links.push((name, entry));
                continue;
            }
            Kind::File | Kind::Link | Kind::Unreadable => {
                format!("`{shown}` has a name that no spec can say")
            }
            Kind::Folder => format!("`{shown}` is a folder, and sources are files"),
            Kind::Submodule => {
                format!("`{shown}` is a submodule: what it holds is in another repository")
            }
        });
        contents.skipped.push(Skipped { name, why });
    }
    if size > LARGEST {
        bail!(
            "the files in `{directory}` of commit {commit} have {size} bytes, more than {LARGEST}"
        );
    }
    for (number, (name, entry)) in links.into_iter().enumerate() {
        let to = if number < MOST_LINKS { repository.text(&entry)? } else { String::new() };
        let to = to.strip_suffix('\n').unwrap_or(&to);
        let to = to.strip_prefix("./").unwrap_or(to);
        if contents.files.iter().any(|file| file == to) {
            contents.links.insert(name, to.to_owned());
        } else {
            let shown: String = to.chars().take(80).flat_map(char::escape_debug).collect();
            let why = Reason::new(format!(
                "`{}` is a link to `{shown}`, which is no file of `{directory}`",
                name.escape_debug()
            ))
            .help(OTHER_SOURCE);
            contents.skipped.push(Skipped { name, why });
        }
    }
    let names = || contents.files.iter().map(String::as_str);
    if let Some(object) = lfs.iter().find(|object| !names().any(|n| n == object.file.as_str())) {
        let near = nearest(object.file.as_str(), names());
        let error = anyhow!("`{directory}` of commit {commit} has no file `{}`", object.file);
        return Err(did_you_mean(error, near));
    }
    Ok(contents)
}

/// An LFS object: from the repository's LFS server, or as an archive of a commit that has its bytes.
fn object_file(
    object: &LfsObject,
    source: &GitSource,
    repository: &Repository,
    fetch: &Fetch,
) -> Result<std::path::PathBuf> {
    let wanted = FileRequest {
        display_name: object.file.as_str(),
        sha256: &object.sha256,
        size: Some(object.size),
    };
    fetch.file(&wanted, |to| {
        let downloaded = lfs::download(object, source, repository, to, fetch).and_then(|()| {
            check::pinned(to, wanted.display_name, &object.sha256, Some(object.size))
        });
        let Err(problem) = downloaded else { return Ok(()) };
        let Some(archive) = &object.same_as else { return Err(problem) };
        if crate::process::interrupted(&problem).is_some() {
            return Err(problem);
        }
        fetch.runner().write(&format!("git-lfs: {problem:#}; trying the archive of a commit"));
        let _ = fs::remove_file(to);
        make_archive(archive, to, fetch)
            .with_context(|| format!("git-lfs: {problem:#}; then as an archive of a commit"))
    })
}

fn make_archive(archive: &CommitArchive, to: &Path, fetch: &Fetch) -> Result<()> {
    let CommitArchive { url, commit, prefix } = archive;
    let work = fetch.store().work()?;
    let repository = Repository::new(&work.scratch("git")?, commit, fetch.runner())?;
    let remote = Remote::new(url, fetch.runner())?;
    fetch.will_contact(remote.address());
    retry::run(fetch.runner(), || remote.fetch_commit(&repository, commit, true))?;
    repository.archive(commit, prefix, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_has_a_location_whatever_way_its_address_is_written() {
        let commit = "c".repeat(40);
        for (url, expected) in [
            ("https://h.example/a.git", "git+https://h.example/a.git"),
            ("git@h.example:a/b.git", "git+ssh://git@h.example/a/b.git"),
            ("file:///srv/a", "git+file:///srv/a"),
        ] {
            let text = format!("{{ url: '{url}', commit: {commit} }}");
            let source: GitSource = serde_yaml::from_str(&text).unwrap();
            assert_eq!(location(&source), format!("{expected}@{commit}"));
        }
    }
}

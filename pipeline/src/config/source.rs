// SPDX-License-Identifier: GPL-2.0-or-later
//! The section `source`.

use super::path::Path;
use super::scalars::{
    Commit, DebianPackage, DebianVersion, FileName, FileUrl, GitRef, GitUrl, LocalFile, Sha256,
    SourceFile, Suite, TreeFolder, TreePath, WebUrl,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One source. All of them together are what rpmbuild finds in its SOURCES folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Source {
    /// A packaging repository: a spec and its SOURCES, at one commit.
    Git(GitSource),
    /// A file from the web.
    Archive(ArchiveSource),
    /// The files of a Debian source package, from the apt sources of this machine.
    Debian(DebianSource),
    /// A file on this machine.
    Path(PathSource),
}

impl Source {
    /// The names that its files have in SOURCES, as far as the pipeline file says them, each with its place
    /// below the source's own.
    pub(super) fn named_files(&self, at: &Path) -> Vec<(&str, Path)> {
        match self {
            Self::Git(git) => {
                let at = at.key("git");
                let lfs = at.key("lfs");
                let objects = git.lfs.iter().enumerate();
                let objects = objects.map(|(n, it)| (it.file.as_str(), lfs.item(n).key("file")));
                let pins = at.key("lookaside").key("pins");
                let pinned = git.lookaside.iter().flat_map(|it| &it.pins).enumerate();
                let pinned = pinned.map(|(n, it)| (it.name.as_str(), pins.item(n).key("name")));
                objects.chain(pinned).collect()
            }
            Self::Archive(archive) => vec![(archive.file_name(), at.key("archive").key("url"))],
            Self::Debian(package) => {
                let at = at.key("debian").key("files");
                let files = package.files.iter().enumerate();
                files.map(|(n, it)| (it.name.as_str(), at.item(n).key("name"))).collect()
            }
            Self::Path(path) => vec![(path.file_name(), at.key("path").key("file"))],
        }
    }

    /// The file that it is on this machine, with its place below the source's own.
    pub(super) fn local_file(&self, at: &Path) -> Option<(&std::path::Path, Path)> {
        match self {
            Self::Git(_) | Self::Archive(_) | Self::Debian(_) => None,
            Self::Path(path) => Some((&path.file, at.key("path").key("file"))),
        }
    }
}

/// A packaging repository at one commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GitSource {
    /// The repository, as git takes it; proxies and `insteadOf` of the user's git apply.
    pub url: GitUrl,
    /// The commit that is built; another one is never taken in its place.
    pub commit: Commit,
    /// The branch that has the commit, which `bump` and `lock --check` follow. A branch that lost it is an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<GitRef>,
    /// The tag that names the commit. A tag that names another one is an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<GitRef>,
    /// The folder whose files are taken; `.` is the top of the repository.
    #[serde(default = "sources_folder")]
    pub directory: TreeFolder,
    /// The files of that folder that git-lfs keeps elsewhere.
    #[serde(default)]
    pub lfs: Vec<LfsObject>,
    /// The git-lfs server, where it is on another host than the repository. A `.lfsconfig` of the
    /// repository alone leads nowhere else.
    #[serde(default, rename = "lfs-url", skip_serializing_if = "Option::is_none")]
    pub lfs_url: Option<WebUrl>,
    /// Where the files are that the folder's file `sources` names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookaside: Option<Lookaside>,
}

/// A lookaside cache, where distributions keep what is too large for their packaging repositories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lookaside {
    /// Its address. A file is at `URL/PACKAGE/FILE/sha512/DIGEST/FILE`.
    pub url: WebUrl,
    /// The package as the cache knows it. Left out, it is the last part of the repository's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<FileName>,
    /// The sha256 of the files that `sources` names by a digest that proves nothing any more, such as
    /// md5.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pins: Vec<PinnedFile>,
}

/// A git-lfs object, by what its pointer has to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LfsObject {
    /// The file in the folder.
    pub file: SourceFile,
    pub sha256: Sha256,
    pub size: u64,
    /// Where the same bytes come from if the LFS server does not have them.
    #[serde(default, rename = "same-as", skip_serializing_if = "Option::is_none")]
    pub same_as: Option<CommitArchive>,
}

/// What `git archive --prefix PREFIX COMMIT | gzip -n` makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommitArchive {
    pub url: GitUrl,
    pub commit: Commit,
    /// The folder that the archive unpacks to.
    pub prefix: TreePath,
}

/// A file from the web.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArchiveSource {
    /// Its address; the last part of it is the file's name.
    #[schemars(with = "FileUrl")]
    pub url: WebUrl,
    pub sha256: Sha256,
    pub size: u64,
}

impl GitSource {
    /// The package as a lookaside cache knows it.
    pub fn package(&self) -> &str {
        let own = self.lookaside.as_ref().and_then(|lookaside| lookaside.package.as_ref());
        let last = || self.url.as_str().trim_end_matches('/').rsplit(['/', ':']).next();
        let last = || last().map(|name| name.strip_suffix(".git").unwrap_or(name));
        own.map(FileName::as_str).or_else(last).unwrap_or_default()
    }
}

impl ArchiveSource {
    /// The file's name; its rule has seen that there is one.
    pub fn file_name(&self) -> &str {
        self.url.as_str().rsplit('/').next().unwrap_or_default()
    }
}

/// A Debian source package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DebianSource {
    /// The source package's name.
    pub package: DebianPackage,
    /// Its exact version; another one is never taken in its place.
    pub version: DebianVersion,
    /// The suite that serves it; its `-updates` and `-security` suites are looked at too.
    pub suite: Suite,
    /// Each file that is taken, with its pin. Files of the package that are not named are dropped.
    pub files: Vec<PinnedFile>,
}

/// A file by its name and the sha256 that it must have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PinnedFile {
    pub name: SourceFile,
    pub sha256: Sha256,
}

/// A file on this machine, relative to the pipeline file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PathSource {
    #[schemars(with = "LocalFile")]
    pub file: PathBuf,
    pub sha256: Sha256,
}

impl PathSource {
    /// The file's name; its rule has seen that there is one.
    pub fn file_name(&self) -> &str {
        self.file.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }
}

fn sources_folder() -> TreeFolder {
    TreeFolder::try_from("SOURCES".to_owned())
        .unwrap_or_else(|problem| unreachable!("default: {problem}"))
}

//! The section `source`.

use super::words::{
    Commit, DebianPackage, DebianVersion, FileName, GitRef, GitUrl, Sha256, Suite, TreePath, WebUrl,
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

/// A packaging repository at one commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GitSource {
    /// The repository, as git takes it; proxies and `insteadOf` of the user's git apply.
    pub url: GitUrl,
    /// The commit that is built; another one is never taken in its place.
    pub commit: Commit,
    /// The branch that has the commit, which `lock --check` follows. A branch that lost it is an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<GitRef>,
    /// The tag that names the commit. A tag that names another one is an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<GitRef>,
    /// The folder whose files are taken.
    #[serde(default = "sources_folder")]
    pub directory: TreePath,
    /// The files of that folder that git-lfs keeps elsewhere.
    #[serde(default)]
    pub lfs: Vec<LfsObject>,
}

/// A git-lfs object, by what its pointer has to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LfsObject {
    /// The file in the folder.
    pub file: FileName,
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
    pub url: WebUrl,
    pub sha256: Sha256,
    pub size: u64,
}

impl ArchiveSource {
    /// The file's name; [`super::check`] has seen that it is a plain one.
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
    pub name: FileName,
    pub sha256: Sha256,
}

/// A file on this machine, relative to the pipeline file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PathSource {
    pub file: PathBuf,
    pub sha256: Sha256,
}

fn sources_folder() -> TreePath {
    TreePath::try_from("SOURCES".to_owned())
        .unwrap_or_else(|problem| unreachable!("default: {problem}"))
}

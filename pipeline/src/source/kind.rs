// SPDX-License-Identifier: GPL-2.0-or-later
//! The kinds of sources: what each adds to the key, pins, and needs. How each is brought is in a room of
//! its own.

use crate::config::Source;
use crate::fetch::Pin;
use crate::stage::{KeyBuilder, Network};

/// What a source adds to the key.
pub fn recipe(mut key: KeyBuilder, source: &Source) -> KeyBuilder {
    match source {
        Source::Git(git) => {
            key = key.text("commit", git.commit.as_str()).text("directory", git.directory.as_str());
            for object in &git.lfs {
                key = key.text("lfs", object.file.as_str()).text("sha256", object.sha256.as_str());
            }
            match &git.lookaside {
                Some(lookaside) => key.config("lookaside", &lookaside.pins),
                None => key,
            }
        }
        Source::Archive(archive) => {
            key.text("archive", archive.file_name()).text("sha256", archive.sha256.as_str())
        }
        Source::Debian(debian) => key
            .text("debian", debian.package.as_str())
            .text("version", debian.version.as_str())
            .config("files", &debian.files),
        Source::Path(path) => key
            .text("path", &path.file.file_name().unwrap_or_default().to_string_lossy())
            .text("sha256", path.sha256.as_str()),
    }
}

/// The programs that bring it.
pub fn tools(source: &Source, network: Network) -> &'static [&'static str] {
    match source {
        Source::Git(_) => &["git", "gzip", "curl"],
        Source::Archive(_) => &["curl"],
        Source::Debian(_) if network == Network::On => &["apt-get", "apt-cache"],
        Source::Debian(_) | Source::Path(_) => &[],
    }
}

/// The content that it pins, with a name for people: what a mirror has to hold. Files on this machine are
/// not in it, and what a commit pins itself is known once that is there.
pub fn pins(source: &Source) -> Vec<(Pin, String)> {
    match source {
        Source::Git(git) => {
            let shown = format!("commit {} of {}", git.commit, git.url);
            let objects = git.lfs.iter();
            let objects =
                objects.map(|object| (Pin::Sha256(object.sha256.clone()), object.file.to_string()));
            [(Pin::Commit(git.commit.clone()), shown)].into_iter().chain(objects).collect()
        }
        Source::Archive(archive) => {
            vec![(Pin::Sha256(archive.sha256.clone()), archive.url.to_string())]
        }
        Source::Debian(package) => {
            let files = package.files.iter();
            files.map(|file| (Pin::Sha256(file.sha256.clone()), file.name.to_string())).collect()
        }
        Source::Path(_) => Vec::new(),
    }
}

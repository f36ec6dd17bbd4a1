// SPDX-License-Identifier: GPL-2.0-or-later
//! Which LFS server a repository's objects are asked of (git-lfs, docs/api/server-discovery.md).
//!
//! A `.lfsconfig` is the repository's word, and anybody may have written it: on the repository's own
//! host it is followed. Whom else this machine asks, the pipeline file says and nobody else.

use super::yaml;
use crate::config::{GitSource, WebUrl};
use crate::error::Help;
use crate::fetch::{Fetch, host, redacted};
use crate::git::{Kind, Remote, Repository};
use anyhow::{Result, anyhow};
use std::path::PathBuf;

/// No `.lfsconfig` comes near this.
const LARGEST_CONFIG: u64 = 64 << 10;

/// Where a repository keeps its objects.
#[derive(Debug, PartialEq, Eq)]
pub enum Endpoint {
    Server(String),
    /// A repository on this machine.
    Folder(PathBuf),
}

pub fn of(source: &GitSource, repository: &Repository, fetch: &Fetch) -> Result<Endpoint> {
    if let Some(url) = &source.lfs_url {
        return Ok(Endpoint::Server(url.as_str().trim_end_matches('/').to_owned()));
    }
    let remote = Remote::new(&source.url, fetch.runner())?;
    let own = endpoint(remote.address());
    let Some(named) = named(source, repository, fetch)? else { return Ok(own) };
    follow(&named, &own, source)
}

/// The server that the `.lfsconfig` of the commit names.
fn named(source: &GitSource, repository: &Repository, fetch: &Fetch) -> Result<Option<String>> {
    let Some(entry) = repository.entry(&source.commit, ".lfsconfig")? else { return Ok(None) };
    let readable = entry.kind == Kind::File && entry.size <= LARGEST_CONFIG;
    match if readable { repository.settings(&entry) } else { Ok(Vec::new()) } {
        Ok(settings) => Ok(server(&settings).map(str::to_owned)),
        Err(error) if crate::process::interrupted(&error).is_some() => Err(error),
        Err(error) => {
            // As git-lfs has it: what cannot be read says nothing.
            fetch.runner().write(&format!("`.lfsconfig` cannot be read: {error:#}"));
            Ok(None)
        }
    }
}

/// What settings say of the server. A clone's remote is called `origin`, and ours would be too.
fn server(settings: &[(String, String)]) -> Option<&str> {
    ["lfs.url", "remote.origin.lfsurl"].into_iter().find_map(|wanted| {
        let found = settings.iter().rev().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    })
}

/// The server that a repository names for itself, if it is on the repository's own host.
fn follow(named: &str, own: &Endpoint, source: &GitSource) -> Result<Endpoint> {
    let shown: String = redacted(named).chars().take(200).flat_map(char::escape_debug).collect();
    let commit = &source.commit;
    let Ok(url) = WebUrl::try_from(named.to_owned()) else {
        return Err(anyhow!(
            "the `.lfsconfig` of commit {commit} has the git-lfs objects at `{shown}`: \
             only http and https are followed, without a password and without a query"
        )
        .help("where they can be had is `lfs-url` of the source"));
    };
    let url = url.as_str().trim_end_matches('/');
    let is_own = match own {
        Endpoint::Server(own) => {
            let keeps_secret = url.starts_with("https:") || own.starts_with("http:");
            keeps_secret && host(url) == host(own)
        }
        Endpoint::Folder(_) => false,
    };
    if !is_own {
        return Err(anyhow!(
            "the `.lfsconfig` of commit {commit} has the git-lfs objects at `{shown}`, \
             on another host than the repository, which does not decide whom this machine asks"
        )
        .help(format!(
            "if that is where they are, say so in the source:\n      lfs-url: {}",
            yaml(url)
        )));
    }
    Ok(Endpoint::Server(url.to_owned()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Rendered;

    fn at(url: &str) -> Endpoint {
        Endpoint::Server(url.to_owned())
    }

    fn source() -> GitSource {
        let text = format!("{{ url: 'https://h.example/a.git', commit: {} }}", "a1".repeat(20));
        serde_yaml::from_str(&text).unwrap()
    }

    #[test]
    fn each_remote_has_its_endpoint() {
        for (address, expected) in [
            ("https://github.com/a/b", at("https://github.com/a/b.git/info/lfs")),
            ("https://github.com/a/b.git/", at("https://github.com/a/b.git/info/lfs")),
            ("git@github.com:a/b.git", at("https://github.com/a/b.git/info/lfs")),
            ("ssh://git@host:2222/a", at("https://host/a.git/info/lfs")),
            ("file:///srv/a", Endpoint::Folder("/srv/a".into())),
            ("/srv/a", Endpoint::Folder("/srv/a".into())),
        ] {
            assert_eq!(endpoint(address), expected, "{address}");
        }
    }

    #[test]
    fn a_server_on_the_repositorys_own_host_is_followed() {
        for (named, own, expected) in [
            ("https://h/lfs", "https://h/a.git/info/lfs", "https://h/lfs"),
            ("https://H/lfs/", "https://h/a.git/info/lfs", "https://H/lfs"),
            ("https://h/lfs", "http://h/a.git/info/lfs", "https://h/lfs"),
            ("http://h:80/lfs", "http://h:80/a.git/info/lfs", "http://h:80/lfs"),
        ] {
            assert_eq!(follow(named, &at(own), &source()).unwrap(), at(expected), "{named}");
        }
    }

    #[test]
    fn a_repository_leads_nowhere_else() {
        for named in [
            "https://other/lfs",
            "https://h.other/lfs",
            "https://h:8443/lfs",
            "http://h/lfs",
            "http://127.0.0.1/lfs",
            "http://169.254.169.254/latest",
            "http://[::1]/lfs",
            "file:///etc",
            "ssh://git@h/a",
            "git@h:a",
            "https://me:secret@h/lfs",
            "https://h@other/lfs",
            "https://other\\@h/lfs",
            "/srv/lfs",
            "https://h/\u{1b}[2J",
            "",
        ] {
            let error = follow(named, &at("https://h/a.git/info/lfs"), &source()).unwrap_err();
            let error = error.rendered();
            assert!(error.contains("`lfs-url`") || error.contains("lfs-url: "), "{named}: {error}");
            assert!(!error.contains("secret") && !error.contains('\u{1b}'), "{error}");
        }
        // A local repository has no host to share.
        follow("https://h/lfs", &Endpoint::Folder("/srv/a".into()), &source()).unwrap_err();
    }

    #[test]
    fn the_settings_are_asked_as_git_lfs_asks_them() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let both = [pair("remote.origin.lfsurl", "r"), pair("lfs.url", "a"), pair("lfs.url", "b")];
        assert_eq!(server(&both), Some("b"));
        assert_eq!(server(&both[..1]), Some("r"));
        for other in
            ["remote.upstream.lfsurl", "lfs.pushurl", "lfs.https://h.access", "include.path"]
        {
            assert_eq!(server(&[pair(other, "x")]), None);
        }
        assert_eq!(server(&[pair("lfs.url", " ")]), None);
    }
}

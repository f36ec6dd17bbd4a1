// SPDX-License-Identifier: GPL-2.0-or-later
//! Content by its digest: from the store's own cache, from mirrors, and only then from its origin.
//!
//! Whatever comes in is checked against its pin before anybody sees it, wherever it came from, so a
//! mirror need not be trusted. With the network off nothing here opens a connection. What can only be
//! had by a tool of its own, such as apt, podman or git, is fetched by the room that knows the tool;
//! it asks [`Fetch::network`] first.

pub mod check;
mod curl;
mod gzip;
mod host;
mod mirror;
mod origin;
mod pin;
pub mod retry;

use crate::config::WebUrl;
use crate::error::Help;
use crate::files;
use crate::note::Note;
use crate::process::{Runner, interrupted};
use crate::store::{Store, layout};
use anyhow::{Context, Result, anyhow};
use curl::{Credentials, RetryPolicy};
pub use curl::{Download, redacted};
use fs_err as fs;
pub use gzip::Gzip;
pub use host::host;
pub use mirror::Mirror;
pub use origin::{Origin, same_origin};
pub use pin::Pin;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The most that is taken of what no pin gives a size for.
pub const LARGEST: u64 = 4 << 30;

/// Whether anything beyond this machine may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    On,
    Off,
}

/// Where content may come from.
#[derive(Debug, Clone)]
pub struct Origins {
    pub network: Network,
    pub mirrors: Vec<Mirror>,
}

/// Fetches content, and remembers whom it asked.
pub struct Fetch<'a> {
    store: &'a Store,
    origins: &'a Origins,
    runner: &'a Runner<'a>,
    contacted: RefCell<BTreeSet<String>>,
    /// Mirrors that could not be reached, took too long or served something else: none is waited for
    /// twice.
    given_up: RefCell<BTreeSet<String>>,
}

/// A file by its sha256, and its size where that is known.
#[derive(Debug, Clone)]
pub struct FileRequest<'a> {
    /// Its name for people.
    pub display_name: &'a str,
    pub sha256: &'a crate::config::Sha256,
    pub size: Option<u64>,
}

impl<'a> Fetch<'a> {
    pub fn new(store: &'a Store, origins: &'a Origins, runner: &'a Runner<'a>) -> Self {
        Self { store, origins, runner, contacted: RefCell::default(), given_up: RefCell::default() }
    }

    pub fn runner(&self) -> &'a Runner<'a> {
        self.runner
    }

    pub fn store(&self) -> &'a Store {
        self.store
    }

    /// Refuses where the network is off. `what` is what somebody request of it.
    pub fn network(&self, what: &str) -> Result<()> {
        match self.origins.network {
            Network::On => Ok(()),
            Network::Off => Err(anyhow!("{what} is neither in the store nor in a mirror folder, and the network is off").help("`vgpu-pipeline lock FILE --fetch DIR` fills a mirror folder where there is a network")),
        }
    }

    /// The hosts that were asked, for the manifest.
    pub fn contacted(&self) -> BTreeSet<String> {
        self.contacted.borrow().clone()
    }

    /// Somebody is about to ask the host of this address.
    pub fn will_contact(&self, url: &str) {
        if let Some(host) = host(url) {
            self.contacted.borrow_mut().insert(host);
        }
    }

    /// A pinned file: the cache's or a mirror's copy, else what `origin` puts where it is told.
    pub fn file(
        &self,
        request: &FileRequest,
        origin: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<PathBuf> {
        let pin = Pin::Sha256(request.sha256.clone());
        let validate =
            |path: &Path| check::pinned(path, request.display_name, request.sha256, request.size);
        self.content(&pin, request.display_name, request.size, validate, |to| {
            self.network(&format!("`{}`", request.display_name))?;
            origin(to)
        })
    }

    /// A pinned file from the web.
    pub fn web(&self, request: &FileRequest, url: &WebUrl) -> Result<PathBuf> {
        self.file(request, |to| {
            self.download(&Download {
                url: url.as_str(),
                to,
                size: request.size.unwrap_or(LARGEST),
                header: None,
                body: None,
            })
        })
    }

    /// Whatever an address serves. Only for what no pin can cover, or what is checked by other means.
    pub fn download(&self, download: &Download) -> Result<()> {
        self.network(&format!("`{}`", redacted(download.url)))?;
        curl::run(download, RetryPolicy::Patient, Credentials::Netrc, self)
    }

    /// The same from an address that a server named: the user's credentials are for addresses that the
    /// user names.
    pub fn download_for_server(&self, download: &Download) -> Result<()> {
        self.network(&format!("`{}`", redacted(download.url)))?;
        curl::run(download, RetryPolicy::Patient, Credentials::None, self)
    }

    /// Content of any kind, from wherever it can be had. `validate` refuses what is not what the pin says;
    /// a size that is known spares who serves another.
    pub fn content(
        &self,
        pin: &Pin,
        display_name: &str,
        size: Option<u64>,
        validate: impl Fn(&Path) -> Result<()>,
        origin: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<PathBuf> {
        if let Some(found) = self.cached_or_mirrored(pin, display_name, size, &validate)? {
            return Ok(found);
        }
        let work = self.store.work()?;
        let staged = work.path().join("content");
        origin(&staged).with_context(|| format!("cannot fetch `{display_name}`"))?;
        validate(&staged)?;
        self.keep(pin, &staged)
    }

    /// Content from the cache or a mirror, if one has it.
    pub fn cached_or_mirrored(
        &self,
        pin: &Pin,
        display_name: &str,
        size: Option<u64>,
        validate: &impl Fn(&Path) -> Result<()>,
    ) -> Result<Option<PathBuf>> {
        let place = self.place(pin)?;
        if place.exists() {
            match validate(&place) {
                Ok(()) => return Ok(Some(place)),
                Err(error) if interrupted(&error).is_some() => return Err(error),
                // It stays until something better has come: not every trouble is the entry's fault.
                Err(error) => {
                    self.runner.write(&format!(
                        "`{display_name}` in the cache is not validate: {error:#}"
                    ));
                }
            }
        }
        let work = self.store.work()?;
        let staged = work.path().join("content");
        if self.mirrored(pin, display_name, size, &staged, validate)? {
            return Ok(Some(self.keep(pin, &staged)?));
        }
        Ok(None)
    }

    fn keep(&self, pin: &Pin, staged: &Path) -> Result<PathBuf> {
        let place = self.place(pin)?;
        fs::rename(staged, &place).with_context(|| place.display().to_string())?;
        Ok(place)
    }

    fn mirrored(
        &self,
        pin: &Pin,
        display_name: &str,
        size: Option<u64>,
        staged: &Path,
        validate: &impl Fn(&Path) -> Result<()>,
    ) -> Result<bool> {
        for mirror in &self.origins.mirrors {
            if self.given_up.borrow().contains(&mirror.to_string()) {
                continue;
            }
            let came = match mirror {
                Mirror::Folder(folder) => {
                    let from = folder.join(pin.place());
                    let found = from.metadata().ok().map(|meta| meta.len());
                    let other = size.is_some() && found.is_some() && found != size;
                    if other {
                        let why = "has another size than what is pinned";
                        self.runner.write(&format!("mirror {mirror}: `{display_name}` {why}"));
                    }
                    !other && files::copy(&from, staged, &files::SOURCE).is_ok()
                }
                Mirror::Url(_) if self.origins.network == Network::Off => false,
                Mirror::Url(url) => {
                    let url = format!("{}/{}", url.as_str().trim_end_matches('/'), pin.place());
                    let most = size.unwrap_or(LARGEST);
                    let download =
                        Download { url: &url, to: staged, size: most, header: None, body: None };
                    match curl::run(&download, RetryPolicy::Once, Credentials::Netrc, self) {
                        Ok(()) => true,
                        Err(error) if interrupted(&error).is_some() => return Err(error),
                        Err(error) => {
                            if curl::unreachable(&error) || curl::too_much(&error) {
                                self.give_up(mirror, &error);
                            }
                            false
                        }
                    }
                }
            };
            if !came {
                continue;
            }
            match validate(staged) {
                Ok(()) => return Ok(true),
                Err(error) if interrupted(&error).is_some() => return Err(error),
                Err(problem) => {
                    self.runner.write(&format!(
                        "mirror {mirror}: `{display_name}` is not taken: {problem}"
                    ));
                    fs::remove_file(staged)?;
                    // A folder costs nothing to look into again.
                    if matches!(mirror, Mirror::Url(_)) {
                        self.give_up(mirror, &problem);
                    }
                }
            }
        }
        Ok(false)
    }

    /// Asks a mirror nothing any more, and says so once.
    fn give_up(&self, mirror: &Mirror, why: &anyhow::Error) {
        if self.given_up.borrow_mut().insert(mirror.to_string()) {
            let why = why.to_string();
            let why = why.lines().next().unwrap_or_default();
            self.runner
                .note(Note::MirrorGivenUp { mirror: mirror.to_string(), why: why.to_owned() });
        }
    }

    /// Takes a file that somebody else fetched and checked into the cache.
    pub fn adopt(&self, pin: &Pin, file: &Path) -> Result<()> {
        fs::rename(file, self.place(pin)?)?;
        Ok(())
    }

    /// Whether content could be had without the network.
    pub fn available_offline(&self, pin: &Pin) -> bool {
        self.origins.available_offline(self.store, pin)
    }

    /// Where content is in the cache.
    pub fn place(&self, pin: &Pin) -> Result<PathBuf> {
        let place = place(self.store, pin);
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(place)
    }
}

impl Origins {
    /// For who only looks at what is there.
    pub fn none() -> Self {
        Self { network: Network::Off, mirrors: Vec::new() }
    }

    /// Whether content could be had without the network. Its pin is not checked: this is for the list
    /// of what is missing.
    pub fn available_offline(&self, store: &Store, pin: &Pin) -> bool {
        let folders = self.mirrors.iter().filter_map(Mirror::folder);
        place(store, pin).exists() || folders.into_iter().any(|dir| dir.join(pin.place()).exists())
    }
}

/// The cache is laid out as a mirror is.
fn place(store: &Store, pin: &Pin) -> PathBuf {
    store.root().join(layout::CONTENT).join(pin.place())
}

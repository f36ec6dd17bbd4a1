// SPDX-License-Identifier: GPL-2.0-or-later
//! The vendor's qemu-wrapper, checked against its pins, as its hosts have it.

use crate::config::{VendorWrapper, Wrapper};
use crate::digest::sha256;
use crate::error::Help;
use crate::fetch::{Fetch, FileRequest, Pin, check};
use crate::files;
use anyhow::{Result, anyhow, bail};
use fs_err as fs;
use std::path::{Path, PathBuf};

/// The file as it is pinned. `base_dir` is the folder that relative paths start from.
pub fn fetch(vendor: &VendorWrapper, base_dir: &Path, fetch: &Fetch) -> Result<PathBuf> {
    match vendor {
        VendorWrapper::Web(web) => {
            let shown = web.url.as_str();
            fetch.web(
                &FileRequest { display_name: shown, sha256: &web.sha256, size: Some(web.size) },
                &web.url,
            )
        }
        VendorWrapper::Path(path) => {
            let file = base_dir.join(&path.file);
            let shown = file.display().to_string();
            check::pinned(&file, &shown, &path.sha256, None)?;
            Ok(file)
        }
    }
}

/// Where it comes from; none for a file of this machine.
pub fn origin(vendor: &VendorWrapper) -> Option<String> {
    match vendor {
        VendorWrapper::Web(web) => Some(web.url.to_string()),
        VendorWrapper::Path(_) => None,
    }
}

/// What a mirror has to hold of it, with a name for people.
pub fn pins(wrapper: &Wrapper) -> Vec<(Pin, String)> {
    match &wrapper.vendor {
        VendorWrapper::Web(web) => vec![(Pin::Sha256(web.sha256.clone()), web.url.to_string())],
        VendorWrapper::Path(_) => Vec::new(),
    }
}

/// Writes the file as hosts have it.
pub fn apply_distro_edits(file: &Path, wrapper: &Wrapper, to: &Path) -> Result<()> {
    let text = as_shipped(files::read_text(file, &files::WRAPPER)?, wrapper)?;
    Ok(fs::write(to, text)?)
}

/// The text with what the distribution changes in it.
pub fn as_shipped(mut text: String, wrapper: &Wrapper) -> Result<String> {
    let name = wrapper.vendor.file_name();
    for words in &wrapper.replace {
        let (find, with) = (words.find.as_str(), words.with.as_str());
        let count = text.matches(find).count();
        if count != 1 {
            bail!("`wrapper.replace` finds `{find}` {count} times in `{name}`, not once");
        }
        text = text.replacen(find, with, 1);
    }
    let found = sha256(text.as_bytes());
    if found != wrapper.shipped().as_str() {
        return Err(anyhow!(
            "`{name}` has sha256 {found} after `wrapper.replace`, and hosts have {}",
            wrapper.shipped()
        )
        .help("`wrapper.shipped` is the sha256 of the file on an untouched host"));
    }
    Ok(text)
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The vendor's qemu-wrapper: what its newest package holds, and the file upstream that becomes it.
//!
//! The package is the proof: it is signed, and what is pinned as `shipped` is the file in it.

use crate::config::{ArchiveSource, Pipeline, Sha256, VendorPackage, VendorWrapper, Wrapper};
use crate::digest;
use crate::dom0;
use crate::error::Help;
use crate::fetch::{Download, Fetch, redacted};
use crate::files;
use crate::lock::report::{UpstreamReport, one_line};
use crate::lock::resolve::{Listing, Resolution};
use crate::openpgp;
use crate::package_file;
use crate::process::interrupted;
use crate::repodata::Listed;
use anyhow::{Context, Error, Result, anyhow, bail};
use rpm_inspect::Evr;
use std::path::Path;

/// No package with a wrapper in it comes near this.
const LARGEST_PACKAGE: u64 = 256 << 20;

/// Takes over the wrapper of the newest package. Returns whether it is another file.
pub fn follow(
    next: &mut Pipeline,
    resolution: &Resolution,
    fetch: &Fetch,
    report: &mut UpstreamReport,
) -> Result<bool> {
    let Some(wrapper) = &mut next.wrapper else { return Ok(false) };
    let Some(package) = wrapper.package.clone() else { return Ok(false) };
    let newest = resolution.listings.iter().flat_map(|listing| {
        let binary = listing.named(package.name.as_str()).filter(|it| it.nevra.arch != "src");
        binary.map(move |listed| (listing, listed))
    });
    let Some((listing, listed)) = newest.max_by(|a, b| a.1.nevra.evr().cmp(&b.1.nevra.evr()))
    else {
        report.act(format!("no repository lists {}, which brings the qemu-wrapper", package.name));
        return Ok(false);
    };
    let pinned = Evr::parse(package.version.as_str());
    if pinned.is_some_and(|pinned| pinned >= listed.nevra.evr()) {
        report.note(format!(
            "the vendor's qemu-wrapper is that of {} {}, the newest",
            package.name, package.version
        ));
        return Ok(false);
    }
    let what = format!("the vendor's qemu-wrapper of {}", listed.nevra);
    let looked = shipped(wrapper, listing, listed, resolution, fetch)
        .and_then(|shipped| take_over(wrapper, &package, listed, &shipped, fetch));
    match looked {
        Ok(changed) => {
            let how = if changed { "is taken over" } else { "is the same file" };
            report.note(format!("{what} {how}"));
            Ok(changed)
        }
        Err(error) if interrupted(&error).is_some() => Err(error),
        // An update of QEMU waits for no wrapper.
        Err(error) => {
            report.act(format!("{what} could not be taken over: {}", one_line(&error)));
            Ok(false)
        }
    }
}

/// The digest of the wrapper in the package, whose signature is the repository's.
fn shipped(
    wrapper: &Wrapper,
    listing: &Listing,
    listed: &Listed,
    resolution: &Resolution,
    fetch: &Fetch,
) -> Result<Sha256> {
    let work = fetch.store().work()?;
    let to = work.path().join("package.rpm");
    let folder = listing.repository.url.as_str().trim_end_matches('/');
    let url = format!("{folder}/{}", listed.href);
    let size = listed.size.min(LARGEST_PACKAGE);
    download(&url, &to, size, fetch)?;
    let checked = openpgp::check_package(&to, &resolution.certificates)?;
    let pinned = &listing.repository.key.fingerprint;
    if checked.nevra != listed.nevra || checked.fingerprint != pinned.as_str() {
        bail!(
            "it is {}, signed by {}, and {} signed by {pinned} was listed",
            checked.nevra,
            checked.fingerprint,
            listed.nevra
        );
    }
    let facts = package_file::open(&to)?.inspect(&mut |_, _| Ok::<(), rpm_inspect::Error>(()))?;
    let name = format!("/{}", wrapper.vendor.file_name());
    let found: Vec<String> = facts
        .files
        .into_iter()
        .filter(|file| file.path.ends_with(&name))
        .filter_map(|file| file.sha256)
        .collect();
    match <[String; 1]>::try_from(found) {
        Ok([sha256]) => Sha256::try_from(sha256).map_err(Error::msg),
        Err(found) => bail!("it has {} files that are called `{name}`, not one", found.len()),
    }
}

/// Pins the file that becomes the shipped one. Returns whether that is another than before.
fn take_over(
    wrapper: &mut Wrapper,
    package: &VendorPackage,
    listed: &Listed,
    shipped: &Sha256,
    fetch: &Fetch,
) -> Result<bool> {
    let changed = shipped != wrapper.shipped();
    let candidate = newer(wrapper, package, listed, fetch).and_then(|(text, vendor)| {
        let distro = (*shipped != *vendor.sha256()).then(|| shipped.clone());
        let candidate = Wrapper { vendor, shipped: distro, ..wrapper.clone() };
        dom0::as_shipped(text, &candidate)?;
        Ok(candidate)
    });
    match candidate {
        Ok(candidate) => *wrapper = candidate,
        Err(error) if changed || interrupted(&error).is_some() => return Err(error),
        // The same bytes are pinned already, by an older address.
        Err(_) => {}
    }
    let version = format!("{}-{}", listed.nevra.version, listed.nevra.release);
    let version = version.try_into().map_err(Error::msg)?;
    wrapper.package = Some(VendorPackage { name: package.name.clone(), version });
    Ok(changed)
}

/// The file at upstream's address for the newer version, and its pin.
fn newer(
    wrapper: &Wrapper,
    package: &VendorPackage,
    listed: &Listed,
    fetch: &Fetch,
) -> Result<(String, VendorWrapper)> {
    let VendorWrapper::Web(web) = &wrapper.vendor else {
        bail!("it has another content, and `wrapper.vendor` is a file on this machine");
    };
    let before = Evr::parse(package.version.as_str()).map(|it| it.version).unwrap_or_default();
    let url = with_version(web.url.as_str(), before, &listed.nevra.version)
        .ok_or_else(|| {
            anyhow!(
                "it has another content, and `{}` has no {before} that would become {}",
                web.url,
                listed.nevra.version
            )
        })
        .help("an address with the tag in it, such as `…/refs/tags/v1.2.3/…`, can be followed")?;
    let work = fetch.store().work()?;
    let to = work.path().join("wrapper");
    let size = files::WRAPPER.most;
    download(&url, &to, size, fetch)?;
    let text = files::read_text(&to, &files::WRAPPER)?;
    let sha256 = Sha256::try_from(digest::sha256(text.as_bytes())).map_err(Error::msg)?;
    let url = url.try_into().map_err(Error::msg).context("the newer address")?;
    let size = text.len() as u64;
    Ok((text, VendorWrapper::Web(ArchiveSource { url, sha256, size })))
}

fn download(url: &str, to: &Path, size: u64, fetch: &Fetch) -> Result<()> {
    fetch
        .download(&Download { url, to, size, header: None, body: None })
        .with_context(|| format!("cannot fetch `{}`", redacted(url)))
}

/// An address with another version, wherever the old one stands in it as a word of its own.
fn with_version(url: &str, before: &str, after: &str) -> Option<String> {
    let part = |c: char| c.is_ascii_digit() || c == '.';
    let mut written = String::new();
    let mut rest = url;
    let mut found = false;
    while let Some(at) = rest.find(before).filter(|_| !before.is_empty()) {
        let (head, tail) = (&rest[..at], &rest[at + before.len()..]);
        let own = !head.ends_with(part) && !tail.starts_with(part);
        written.push_str(head);
        written.push_str(if own { after } else { before });
        found |= own;
        rest = tail;
    }
    written.push_str(rest);
    found.then_some(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_in_an_address_is_a_word_of_its_own() {
        let of = |url| with_version(url, "26.1.4", "26.2.0");
        assert_eq!(
            of("https://h.example/refs/tags/v26.1.4/a-26.1.4/w").as_deref(),
            Some("https://h.example/refs/tags/v26.2.0/a-26.2.0/w")
        );
        for url in ["https://h.example/v26.1.40/w", "https://h.example/v126.1.4/w", "https://h/w"] {
            assert_eq!(of(url), None, "{url}");
        }
        assert_eq!(with_version("https://h.example/w", "", "1"), None);
    }
}

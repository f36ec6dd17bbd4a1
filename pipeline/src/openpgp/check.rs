// SPDX-License-Identifier: GPL-2.0-or-later
//! Whether a package from outside is whole, and signed in whole by a key that the pipeline pins.
//!
//! A signature is over the header, or over header and payload. The first kind suffices where the
//! header names the SHA-256 of the payload, as rpm writes it since version 4.14; a package of
//! CentOS 7 has to have the second. The digest of what the payload unpacks to (tag 5097) is no
//! substitute: only packages that deltarpm put together would need it, and no mirror serves those.

use super::certificate::Certificate;
use super::issuer::{Issuer, is_strong, issuer_name};
use super::packet::one_signature;
use crate::error::Help;
use crate::package_file;
use anyhow::{Context, Result, anyhow, ensure};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureType};
use rpm::IndexSignatureTag as Tag;
use rpm_inspect::{Nevra, PackageFile};
use std::io::Read;
use std::path::Path;

/// Where signatures are, and what each is over. rpm has one tag for RSA and one for all other keys.
const SIGNATURES: [(Tag, Over); 4] = [
    (Tag::RPMSIGTAG_RSA, Over::Header),
    (Tag::RPMSIGTAG_DSA, Over::Header),
    (Tag::RPMSIGTAG_PGP, Over::Everything),
    (Tag::RPMSIGTAG_GPG, Over::Everything),
];

const HELP_AGAIN: &str = "download it again, from another mirror if need be";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    Header,
    Everything,
}

/// A signature of a package, with the pinned key that it names.
struct Signed<'a> {
    over: Over,
    signature: Signature,
    issuer: Issuer<'a>,
}

/// Who signed a package, after every digest and every signature in it was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// As the signed header has it.
    pub nevra: Nevra,
    /// The pinned key's, also where a subkey of it signed.
    pub fingerprint: String,
}

/// Checks a package against the keys that the pipeline pins.
pub fn check_package(path: &Path, certificates: &[Certificate]) -> Result<Checked> {
    judge(path, certificates).with_context(|| format!("package `{}`", path.display()))
}

fn judge(path: &Path, certificates: &[Certificate]) -> Result<Checked> {
    let file = package_file::open(path)?;
    let signatures = signatures(&file, certificates)?;
    let fingerprint = one_key(&signatures)?;
    let everything = signatures.iter().any(|signed| signed.over == Over::Everything);
    ensure!(
        everything || file.payload_sha256()?.is_some(),
        anyhow!(
            "the key `{fingerprint}` signed its header alone, and nothing signed covers its payload"
        )
        .help(HELP_AGAIN)
    );
    // Digests first: what they say is plainer than that a signature does not fit.
    if let Some(what) = file.content()?.finish()?.mismatch(&file)? {
        return Err(
            anyhow!("{what} is not what it says: it was altered or cut short").help(HELP_AGAIN)
        );
    }
    for Signed { over, signature, issuer } in &signatures {
        let header = file.header.bytes();
        let (made, what) = match over {
            Over::Header => (issuer.made(signature, header)?, "header as it is"),
            Over::Everything => (
                issuer.made(signature, header.chain(file.payload()?))?,
                "header and payload as they are",
            ),
        };
        ensure!(made, anyhow!("the key `{fingerprint}` did not sign its {what}").help(HELP_AGAIN));
    }
    Ok(Checked { nevra: file.nevra()?, fingerprint: fingerprint.to_owned() })
}

/// Every signature in the package, none of them by a stranger.
fn signatures<'a>(file: &PackageFile, certificates: &'a [Certificate]) -> Result<Vec<Signed<'a>>> {
    let mut found = Vec::new();
    for (tag, over) in SIGNATURES {
        let Some(bytes) = file.signature.binary(tag as u32)? else { continue };
        let signature = one_signature(bytes)
            .filter(|signature| signature.typ() == Some(SignatureType::Binary))
            .with_context(|| format!("its tag {} is not a signature of a file", tag as u32))?;
        let name =
            issuer_name(&signature).context("its signature does not say by which key it is")?;
        let issuer = certificates.iter().find_map(|key| Issuer::find(key, &signature));
        let issuer = issuer
            .with_context(|| {
                format!("it is signed by the key `{name}`, which the pipeline does not pin")
            })
            .help("pin that key too, if you know whose it is")?;
        let sha1 = signature.hash_alg() == Some(HashAlgorithm::Sha1) && issuer.certificate.sha1;
        if !is_strong(&signature) && !sha1 {
            let hash = signature.hash_alg().unwrap_or_default();
            return Err(anyhow!(
                "the key `{name}` signed it by way of {hash}, which is too weak to prove anything"
            )
            .help(
                "where that is how its owner signs, `accept-sha1: true` beside the pinned \
                 fingerprint takes SHA-1",
            ));
        }
        found.push(Signed { over, signature, issuer });
    }
    Ok(found)
}

/// The fingerprint of the one key behind all signatures.
fn one_key<'a>(signatures: &[Signed<'a>]) -> Result<&'a str> {
    let mut keys = signatures.iter().map(|signed| signed.issuer.certificate.fingerprint());
    let key = keys
        .next()
        .context("it is not signed")
        .help("take it from a repository that signs its packages")?;
    if let Some(other) = keys.find(|other| *other != key) {
        return Err(anyhow!("two keys signed it, `{key}` and `{other}`").help(HELP_AGAIN));
    }
    Ok(key)
}

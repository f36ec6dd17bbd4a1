// SPDX-License-Identifier: GPL-2.0-or-later
//! Reads somebody's private key, and says what is wrong with one that cannot be used.
//!
//! A key is refused here, before any work, if one client of the repository could not import it or
//! would not accept its signatures. Messages come from this file alone: no error of the PGP library
//! is passed on, since nobody promises what is in one.

#[cfg(test)]
mod tests;

use super::SigningKey;
use crate::error::Help;
use crate::openpgp::{OneKey, SelfSignatures, armour_blocks, each_key, is_one_line, rsa_bits};
use anyhow::{Error, Result, anyhow};
use pgp::composed::{Deserializable, SignedSecretKey};
use pgp::crypto::public_key::PublicKeyAlgorithm as Algorithm;
use pgp::packet::{KeyFlags, SecretKey, Signature};
use pgp::types::{KeyDetails, KeyVersion, Password, S2kParams, SecretParams, StringToKey};

const LARGEST_FILE: usize = 1 << 20;
/// Photographs are packets, too.
const LARGEST_PACKET: u64 = 1 << 18;
const FEWEST_BITS: u16 = 2048;

const HELP_NEW: &str = "make one with `vgpu-pipeline key new FILE`, or with \
                        `gpg --quick-generate-key 'NAME' rsa4096 sign never`";
const HELP_EXPORT: &str = "export it with `gpg --armor --export-secret-keys FINGERPRINT`";

/// A key of a file that can sign once it is unlocked.
struct Candidate {
    name: String,
    primary: SecretKey,
    own: SelfSignatures,
    user_id: String,
}

/// One that cannot, or that is not asked for.
struct Other {
    name: Option<String>,
    why: Error,
}

/// Reads the key out of a file.
pub(super) fn load(
    bytes: &[u8],
    passphrase: Option<&[u8]>,
    asked: Option<&str>,
    now: u32,
) -> Result<SigningKey> {
    let (candidates, others) = keys(bytes, now)?;
    let (Candidate { name, mut primary, own, user_id }, others) =
        choose(candidates, others, asked)?;
    let locked = primary.secret_params().is_encrypted();
    unlock(&mut primary, &name, passphrase)?;
    let mut key = SigningKey::new(primary, own.details, user_id, own.expires, locked)?;
    key.others = others;
    Ok(key)
}

/// The one that is asked for, else the only one; and what is said of the others.
fn choose(
    mut candidates: Vec<Candidate>,
    mut others: Vec<Other>,
    asked: Option<&str>,
) -> Result<(Candidate, Vec<String>)> {
    let at = match asked {
        Some(asked) => match candidates.iter().position(|key| key.name == asked) {
            Some(at) => at,
            None => return Err(not_there(&candidates, others, asked)),
        },
        None if candidates.len() > 1 => {
            let names: Vec<String> =
                candidates.iter().map(|key| format!("`{}`", key.name)).collect();
            return Err(anyhow!(
                "the key file holds {} private keys that can sign: {}",
                names.len(),
                names.join(", ")
            )
            .help("`fingerprint` of the section `sign` says which one does"));
        }
        None if candidates.is_empty() => match others.len() {
            1 => return Err(others.remove(0).why),
            _ => {
                return Err(anyhow!("none of its keys can sign: {}", listed(&others).join("; "))
                    .help(HELP_NEW));
            }
        },
        None => 0,
    };
    let chosen = candidates.swap_remove(at);
    let mut said = listed(&others);
    said.extend(candidates.iter().map(|key| format!("the key `{}` is not asked for", key.name)));
    Ok((chosen, said))
}

fn not_there(candidates: &[Candidate], mut others: Vec<Other>, asked: &str) -> Error {
    if let Some(at) = others.iter().position(|other| other.name.as_deref() == Some(asked)) {
        return others.remove(at).why;
    }
    let names: Vec<&str> = candidates.iter().map(|key| key.name.as_str()).collect();
    let names = match (names.as_slice(), others.len()) {
        // What cannot sign at all is the plainer trouble.
        ([], 1) => return others.remove(0).why,
        _ => names.into_iter().map(str::to_owned).chain(listed(&others)).collect::<Vec<_>>(),
    };
    anyhow!("the key is {}, and the pipeline wants {asked}", names.join(", "))
        .help("use the pinned key, or change `sign.fingerprint`")
}

fn listed(others: &[Other]) -> Vec<String> {
    let first = |other: &Other| {
        let why = other.why.to_string();
        let why = why.split('\n').next().unwrap_or_default();
        match &other.name {
            Some(name) if !why.contains(name.as_str()) => format!("the key `{name}`: {why}"),
            _ => why.to_owned(),
        }
    };
    others.iter().map(first).collect()
}

/// Every private key in the file: those that can sign, and the others.
fn keys(bytes: &[u8], now: u32) -> Result<(Vec<Candidate>, Vec<Other>)> {
    if bytes.len() > LARGEST_FILE {
        return Err(anyhow!("the key is larger than {LARGEST_FILE} bytes").help(HELP_EXPORT));
    }
    if is_one_line(bytes) {
        return Err(anyhow!("the line breaks of the key are gone").help(
            "keep them: `export KEY=\"$(cat FILE)\"` with its quotes, or name the file instead",
        ));
    }
    let blocks = armour_blocks(bytes);
    let private: Vec<usize> =
        blocks.iter().filter(|(name, _)| name == "PGP PRIVATE KEY BLOCK").map(|b| b.1).collect();
    match (private.as_slice(), blocks.first()) {
        ([_, ..], _) => {}
        ([], Some((name, _))) if name == "PGP PUBLIC KEY BLOCK" => {
            return Err(anyhow!("the key is a public key, which cannot sign").help(HELP_EXPORT));
        }
        ([], Some((name, _))) => {
            return Err(anyhow!("the key is a `{name}`, not an OpenPGP key").help(HELP_EXPORT));
        }
        ([], None) => return Err(anyhow!("the key is not ASCII-armoured").help(HELP_EXPORT)),
    }
    let (mut candidates, mut others) = (Vec::<Candidate>::new(), Vec::new());
    for start in private {
        let found = each_key(&bytes[start..], LARGEST_PACKET).unwrap_or_default();
        if found.is_empty() {
            others.push(Other { name: None, why: unreadable() });
        }
        for OneKey { packets, .. } in found {
            let key = packets.and_then(|packets| {
                SignedSecretKey::from_packets(packets.into_iter().map(Ok).peekable()).next()?.ok()
            });
            let Some(key) = key else {
                others.push(Other { name: None, why: unreadable() });
                continue;
            };
            let name = format!("{:X}", key.primary_key.fingerprint());
            // The same key may stand there twice.
            if candidates.iter().any(|known| known.name == name) {
                continue;
            }
            match candidate(&key, &name, now) {
                Ok(candidate) => candidates.push(candidate),
                Err(why) => others.push(Other { name: Some(name), why }),
            }
        }
    }
    others.retain(|other| !candidates.iter().any(|key| other.name.as_deref() == Some(&key.name)));
    Ok((candidates, others))
}

/// Refuses what some client of the repository would not accept.
fn candidate(key: &SignedSecretKey, name: &str, now: u32) -> Result<Candidate> {
    check_kind(&key.primary_key)?;
    if !key.details.revocation_signatures.is_empty() {
        return Err(anyhow!("the key `{name}` is revoked").help(HELP_NEW));
    }
    let public = key.primary_key.public_key();
    let own = SelfSignatures::read(public, &key.details, now);
    let Some(user_id) = own.user_id() else {
        return Err(
            anyhow!("no user id of the key `{name}` has a valid self-signature").help(HELP_EXPORT)
        );
    };
    check_time(name, public.created_at().as_secs(), own.expires, now)?;
    if !own.flags.as_ref().is_none_or(KeyFlags::sign) {
        return Err(anyhow!("{}", may_not_sign(name, key)).help(HELP_NEW));
    }
    if let SecretParams::Encrypted(secret) = key.primary_key.secret_params()
        && let S2kParams::Cfb { s2k: StringToKey::Private { .. }, .. } =
            secret.string_to_key_params()
    {
        return Err(anyhow!(
            "the secret part of the primary key `{name}` is not in the file (`--export-secret-subkeys` \
             leaves it out, a smartcard never gives it away)"
        ).help(HELP_EXPORT));
    }
    Ok(Candidate { name: name.to_owned(), primary: key.primary_key.clone(), own, user_id })
}

fn unreadable() -> Error {
    anyhow!("the key is damaged, or of a kind that is not known here").help(
        "`gpg --show-keys FILE` tells \
         what gpg makes of it",
    )
}

/// Only what rpm 4.11 imports.
fn check_kind(key: &SecretKey) -> Result<()> {
    let name = key.fingerprint();
    let kind = match key.algorithm() {
        Algorithm::RSA => None,
        Algorithm::DSA => Some("DSA"),
        Algorithm::ECDSA => Some("ECDSA"),
        Algorithm::EdDSALegacy | Algorithm::Ed25519 => Some("Ed25519"),
        _ => Some("not RSA"),
    };
    if let Some(kind) = kind {
        return Err(anyhow!(
            "the key `{name:X}` is {kind}: the rpm 4.11 of dom0 imports RSA alone"
        )
        .help(HELP_NEW));
    }
    if key.version() != KeyVersion::V4 {
        return Err(anyhow!("the key `{name:X}` is not of OpenPGP version 4").help(HELP_NEW));
    }
    let bits = rsa_bits(key);
    if bits < FEWEST_BITS {
        return Err(anyhow!("the key `{name:X}` has {bits} bits, and needs {FEWEST_BITS} or more")
            .help(HELP_NEW));
    }
    Ok(())
}

fn check_time(name: &str, created: u32, expires: Option<u32>, now: u32) -> Result<()> {
    if created > now {
        return Err(anyhow!("the key `{name}` is dated {}, which is in the future", date(created))
            .help("set this machine's clock"));
    }
    match expires {
        Some(end) if end <= now => {
            Err(anyhow!("the key `{name}` expired on {}", date(end)).help(format!(
                "extend it with `gpg --quick-set-expire {name} 2y` \
             and export it again"
            )))
        }
        _ => Ok(()),
    }
}

fn may_not_sign(name: &str, key: &SignedSecretKey) -> String {
    let flagged = |signatures: &[Signature]| signatures.iter().any(|s| s.key_flags().sign());
    if key.secret_subkeys.iter().any(|subkey| flagged(&subkey.signatures))
        || key.public_subkeys.iter().any(|subkey| flagged(&subkey.signatures))
    {
        format!(
            "the key `{name}` signs with a subkey, and the rpm 4.11 of dom0 accepts signatures of the \
             primary key alone"
        )
    } else {
        format!("the primary key `{name}` may not sign")
    }
}

fn unlock(key: &mut SecretKey, name: &str, passphrase: Option<&[u8]>) -> Result<()> {
    if !key.secret_params().is_encrypted() {
        return Ok(());
    }
    let Some(passphrase) = passphrase else {
        return Err(anyhow!("the key `{name}` is locked with a passphrase, and none was given")
            .help(
                "put it into an \
             environment variable, and that variable's name into `sign.passphrase_env`",
            ));
    };
    key.remove_password(&Password::from(passphrase)).map_err(|_| {
        anyhow!("the passphrase does not unlock the key `{name}`")
            .help("`gpg --import FILE` tries it")
    })
}

/// A day as people write it. The arithmetic counts years from March, so that a leap day comes last.
fn date(seconds: u32) -> String {
    let days = seconds / 86_400 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    format!("{:04}-{month:02}-{day:02}", year + era * 400)
}

//! Reads somebody's private key, and says what is wrong with one that cannot be used.
//!
//! A key is refused here, before any work, if one client of the repository could not import it or
//! would not accept its signatures. Messages come from this file alone: no error of the PGP library
//! is passed on, since nobody promises what is in one.

#[cfg(test)]
mod tests;

use super::SigningKey;
use crate::openpgp::{OwnWords, armour_blocks, rsa_bits};
use anyhow::{Error, Result, anyhow, bail};
use pgp::composed::{Deserializable, SignedSecretKey};
use pgp::crypto::public_key::PublicKeyAlgorithm as Algorithm;
use pgp::packet::{KeyFlags, SecretKey, Signature};
use pgp::types::{KeyDetails, KeyVersion, Password, S2kParams, SecretParams, StringToKey};

const LARGEST_FILE: usize = 1 << 20;
const FEWEST_BITS: u16 = 2048;

const HELP_NEW: &str = "help: make one with `vgpu-pipeline key new FILE`, or with \
                        `gpg --quick-generate-key 'NAME' rsa4096 sign never`";
const HELP_EXPORT: &str = "help: export it with `gpg --armor --export-secret-keys FINGERPRINT`";

pub(super) fn load(bytes: &[u8], passphrase: Option<&str>, now: u32) -> Result<SigningKey> {
    let key = one_private_key(bytes)?;
    check_kind(&key.primary_key)?;
    let name = format!("{:X}", key.primary_key.fingerprint());
    if !key.details.revocation_signatures.is_empty() {
        bail!("the key `{name}` is revoked\n{HELP_NEW}");
    }
    let public = key.primary_key.public_key();
    let own = OwnWords::read(public, &key.details, now);
    let Some(user_id) = own.user_id() else {
        bail!("no user id of the key `{name}` has a valid self-signature\n{HELP_EXPORT}");
    };
    check_time(&name, public.created_at().as_secs(), own.expires, now)?;
    if !own.flags.as_ref().is_none_or(KeyFlags::sign) {
        bail!("{}\n{HELP_NEW}", may_not_sign(&name, &key));
    }
    let mut primary = key.primary_key.clone();
    let locked = primary.secret_params().is_encrypted();
    unlock(&mut primary, &name, passphrase)?;
    SigningKey::new(primary, own.details, user_id, own.expires, locked)
}

/// The one private key in the file.
fn one_private_key(bytes: &[u8]) -> Result<SignedSecretKey> {
    if bytes.len() > LARGEST_FILE {
        bail!("the key is larger than {LARGEST_FILE} bytes\n{HELP_EXPORT}");
    }
    let blocks = armour_blocks(bytes);
    let private: Vec<usize> =
        blocks.iter().filter(|(name, _)| name == "PGP PRIVATE KEY BLOCK").map(|b| b.1).collect();
    let start = match (private.as_slice(), blocks.first()) {
        ([start], _) => *start,
        ([_, ..], _) => bail!("the key file holds {} private keys\n{HELP_EXPORT}", private.len()),
        ([], Some((name, _))) if name == "PGP PUBLIC KEY BLOCK" => {
            bail!("the key is a public key, which cannot sign\n{HELP_EXPORT}")
        }
        ([], Some((name, _))) => bail!("the key is a `{name}`, not an OpenPGP key\n{HELP_EXPORT}"),
        ([], None) => bail!("the key is not ASCII-armoured\n{HELP_EXPORT}"),
    };
    let keys = SignedSecretKey::from_armor_many_buf(&bytes[start..])
        .and_then(|(keys, _)| keys.collect::<Result<Vec<_>, _>>())
        .map_err(|_| unreadable())?;
    match <[_; 1]>::try_from(keys) {
        Ok([key]) => Ok(key),
        Err(keys) if keys.is_empty() => Err(unreadable()),
        Err(keys) => bail!("the key file holds {} private keys\n{HELP_EXPORT}", keys.len()),
    }
}

fn unreadable() -> Error {
    anyhow!(
        "the key is damaged, or of a kind that is not known here\nhelp: `gpg --show-keys FILE` tells \
         what gpg makes of it"
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
        bail!("the key `{name:X}` is {kind}: the rpm 4.11 of dom0 imports RSA alone\n{HELP_NEW}");
    }
    if key.version() != KeyVersion::V4 {
        bail!("the key `{name:X}` is not of OpenPGP version 4\n{HELP_NEW}");
    }
    let bits = rsa_bits(key);
    if bits < FEWEST_BITS {
        bail!("the key `{name:X}` has {bits} bits, and needs {FEWEST_BITS} or more\n{HELP_NEW}");
    }
    Ok(())
}

fn check_time(name: &str, created: u32, expires: Option<u32>, now: u32) -> Result<()> {
    if created > now {
        bail!(
            "the key `{name}` is dated {}, which is in the future\nhelp: set this machine's clock",
            date(created)
        );
    }
    match expires {
        Some(end) if end <= now => bail!(
            "the key `{name}` expired on {}\nhelp: extend it with `gpg --quick-set-expire {name} 2y` \
             and export it again",
            date(end)
        ),
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

fn unlock(key: &mut SecretKey, name: &str, passphrase: Option<&str>) -> Result<()> {
    let SecretParams::Encrypted(secret) = key.secret_params() else { return Ok(()) };
    if let S2kParams::Cfb { s2k: StringToKey::Private { .. }, .. } = secret.string_to_key_params() {
        bail!(
            "the secret part of the primary key `{name}` is not in the file (`--export-secret-subkeys` \
             leaves it out, a smartcard never gives it away)\n{HELP_EXPORT}"
        );
    }
    let Some(passphrase) = passphrase else {
        bail!(
            "the key `{name}` is locked with a passphrase, and none was given\nhelp: put it into an \
             environment variable, and that variable's name into `sign.passphrase_env`"
        );
    };
    key.remove_password(&Password::from(passphrase)).map_err(|_| {
        anyhow!(
            "the passphrase does not unlock the key `{name}`\nhelp: `gpg --import FILE` tries it"
        )
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

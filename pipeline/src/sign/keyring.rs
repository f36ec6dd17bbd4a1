//! Where keys are found, and the development key that stands in until there is one.

use super::key::SigningKey;
use super::package;
use crate::config::{KeySource, Sign};
use crate::store::owned::private_folder;
use anyhow::{Context, Result, bail};
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

/// Whose the development key is: by this it is one, wherever its file lies.
const DEVELOPMENT: &str = "vgpu-pipeline development key <development@localhost>";

/// A key in use.
pub struct Signer {
    key: SigningKey,
    development: bool,
}

impl Signer {
    pub fn fingerprint(&self) -> String {
        self.key.fingerprint()
    }

    pub fn user_id(&self) -> &str {
        self.key.user_id()
    }

    /// When it expires, in seconds since 1970.
    pub fn expires(&self) -> Option<u32> {
        self.key.expires()
    }

    /// Whether this is a key that was made because none was configured.
    pub fn is_development(&self) -> bool {
        self.development
    }

    pub fn public_armored(&self) -> &str {
        self.key.public_armored()
    }

    /// A detached signature, for `repomd.xml`.
    pub fn detached(&self, content: &[u8], time: u32) -> Result<String> {
        self.key.detached_armored(content, time)
    }

    pub(super) fn package(&self, from: &Path, to: &Path, time: u32) -> Result<()> {
        package::sign_package(from, to, &self.key, time)
    }
}

/// The configured key, or the development key where there is one. `beside` is the folder that
/// relative paths start from.
pub fn load(sign: &Sign, beside: &Path) -> Result<Option<Signer>> {
    let passphrase = match &sign.passphrase_env {
        Some(name) => std::env::var(name.as_str()).ok().map(Zeroizing::new),
        None => None,
    };
    let (armored, origin) = match &sign.key {
        Some(KeySource::File(file)) => {
            let path = beside.join(file);
            (read(&path)?, format!("`{}`", path.display()))
        }
        Some(KeySource::Env(name)) => {
            // An unset secret of a CI system is an empty variable: never a reason for another key.
            let Some(text) =
                std::env::var(name.as_str()).ok().filter(|text| !text.trim().is_empty())
            else {
                bail!(
                    "the environment variable `{name}` has no signing key\nhelp: put the armoured key there"
                );
            };
            (Zeroizing::new(text.into_bytes()), format!("environment variable `{name}`"))
        }
        None => {
            refuse_without_key(sign)?;
            let path = development_key_file()?;
            if !path.exists() {
                return Ok(None);
            }
            (read(&path)?, format!("`{}`", path.display()))
        }
    };
    let key = SigningKey::from_armored(&armored, passphrase.as_ref().map(|text| text.as_str()))
        .with_context(|| format!("signing key in {origin}"))?;
    if let Some(wanted) = &sign.fingerprint {
        let wanted = wanted.as_str().replace(' ', "").to_uppercase();
        if wanted != key.fingerprint() {
            bail!(
                "the key in {origin} is {}, and the pipeline wants {wanted}\n\
                 help: use the pinned key, or change `sign.fingerprint`",
                key.fingerprint()
            );
        }
    }
    let development = sign.key.is_none() || key.user_id() == DEVELOPMENT;
    if development && sign.key.is_some() && in_ci() {
        bail!(
            "the key in {origin} is a development key, and `CI` is set: a key that is named there has \
             to be a real one\nhelp: `vgpu-pipeline key new` makes one"
        );
    }
    Ok(Some(Signer { key, development }))
}

/// Refuses a pipeline that says which key it wants, or how to unlock it, and names no key: the
/// development key is no answer to that.
fn refuse_without_key(sign: &Sign) -> Result<()> {
    let why = match sign {
        Sign { fingerprint: Some(wanted), .. } => {
            format!("`sign.fingerprint` wants the key {wanted}")
        }
        Sign { passphrase_env: Some(name), .. } if in_ci() => {
            format!("`CI` is set and `sign.passphrase_env` names `{name}`")
        }
        Sign { .. } => return Ok(()),
    };
    bail!("{why}, and nothing names a key\nhelp: name it by `sign.key`, `--key` or `--key-env`")
}

/// Whether a machine runs this without anybody watching: CI systems set the variable, and an empty or
/// a false one is none.
pub fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !["", "0", "false"].iter().any(|no| value == *no))
}

/// Makes the development key, once for this user: of two runs that both found none, the later one
/// takes the other's.
pub fn make_development_key() -> Result<Signer> {
    let file = development_key_file()?;
    let folder = file.parent().context("the key's file has a folder")?;
    let help = "name another folder by the variable XDG_DATA_HOME, or a key by `--key`";
    private_folder(folder, "the folder of the development key", help)?;
    let key = SigningKey::generate(DEVELOPMENT, now()?)?;
    if let Err(error) = write_new(&file, &key) {
        return load(&Sign::default(), Path::new(""))?.ok_or(error);
    }
    Ok(Signer { key, development: true })
}

/// Writes a new secret key, for its owner's eyes only, whole or not at all, and never over another
/// file.
pub fn write_new(path: &Path, key: &SigningKey) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let shown = || format!("cannot write the key `{}`", path.display());
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(shown)?;
    // A temporary file is its owner's alone from the begin (mode 0600).
    let mut file = NamedTempFile::new_in(folder).with_context(shown)?;
    file.write_all(key.secret_armored()?.as_bytes()).with_context(shown)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|refused| refused.error).with_context(shown)?;
    Ok(())
}

/// Where the development key of this user is (XDG Base Directory Specification).
pub fn development_key_file() -> Result<PathBuf> {
    let data = std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| std::env::home_dir().map(|home| home.join(".local/share")))
        .context("neither XDG_DATA_HOME nor HOME says where keys are kept")?;
    Ok(data.join("vgpu-pipeline/development-key.asc"))
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let meta = fs::metadata(path).with_context(|| format!("signing key `{}`", path.display()))?;
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        bail!(
            "the signing key `{}` may be read by others (mode {mode:o})\nhelp: chmod 600 {}",
            path.display(),
            path.display()
        );
    }
    let bytes = fs::read(path).with_context(|| format!("signing key `{}`", path.display()))?;
    Ok(Zeroizing::new(bytes))
}

/// Now, as OpenPGP counts time.
pub fn now() -> Result<u32> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    u32::try_from(seconds).context("the clock is past what OpenPGP can say")
}

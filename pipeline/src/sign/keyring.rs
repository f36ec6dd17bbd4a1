// SPDX-License-Identifier: GPL-2.0-or-later
//! Where keys are found, and the development key that stands in until there is one.

use super::key::SigningKey;
use super::public::Public;
use super::remembered::Remembered;
use super::vault;
use crate::config::{KeySource, Sign};
use crate::error::Help;
use crate::files::{self, write};
use crate::folders;
use crate::process::{again, interrupt};
use crate::store::owned::{private_folder, refuse_foreign_parents, refuse_foreign_way};
use anyhow::{Context, Result, anyhow, bail, ensure};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use zeroize::Zeroizing;

/// Whose the development key is: by this it is one, wherever its file lies.
const DEVELOPMENT: &str = "vgpu-pipeline development key <development@localhost>";
/// What to do about its folder, and about a key, where others could change it.
const HELP_FOLDER: &str = "name another folder by the variable XDG_DATA_HOME, or a key by `--key`";
const HELP_KEY: &str = "copy the key to a file and a folder of your own";

/// A key that will sign: what is public of it, and where it is read again when something is signed.
///
/// Nothing of its secret is in this process until then. Whether it can sign was tried by a process that
/// has ended, memory and all.
pub struct Signer {
    public: Public,
    sign: Sign,
    base_dir: PathBuf,
}

impl Signer {
    pub fn fingerprint(&self) -> String {
        self.public.fingerprint.clone()
    }

    /// Whether this is a key that was made because none was configured.
    pub fn is_development(&self) -> bool {
        self.sign.key.is_none() || self.public.user_id == DEVELOPMENT
    }

    pub fn public_armored(&self) -> &str {
        &self.public.armored
    }

    /// What is said of the other keys in its file.
    pub fn others(&self) -> &[String] {
        &self.public.others
    }

    /// One that signs nothing: a test looks at keys of steps.
    #[cfg(test)]
    pub fn by_name(fingerprint: &str) -> Self {
        let (fingerprint, text) = (fingerprint.to_owned(), String::new);
        let public = Public {
            fingerprint,
            user_id: text(),
            expires: None,
            armored: text(),
            others: Vec::new(),
        };
        Self { public, sign: Sign::default(), base_dir: PathBuf::new() }
    }

    /// A detached signature, for `repomd.xml`.
    pub fn detached(&self, content: &[u8], time: u32) -> Result<String> {
        self.unlock()?.detached_armored(content, time)
    }

    /// The key itself: the one that was shown when the run began, or none.
    pub(super) fn unlock(&self) -> Result<SigningKey> {
        let key = open(&self.sign, &self.base_dir)?.context("the development key is gone")?;
        ensure!(
            key.fingerprint() == self.public.fingerprint,
            anyhow!(
                "the signing key was {} when the run began, and is {} now",
                self.public.fingerprint,
                key.fingerprint()
            )
            .help("run again, if it was meant to change")
        );
        Ok(key)
    }
}

/// The configured key, or the development key where there is one. `beside` is the folder that
/// relative paths start from, `memory` one where what is public of a key is remembered.
pub fn load(sign: &Sign, base_dir: &Path, memory: &Path) -> Result<Option<Signer>> {
    asked(sign)?;
    let file = match &sign.key {
        Some(KeySource::Env(_)) => None,
        Some(KeySource::File(file)) => Some(base_dir.join(file)),
        None => {
            refuse_without_key(sign)?;
            let file = development_key_file()?;
            if !file.exists() {
                return Ok(None);
            }
            Some(file)
        }
    };
    // Whatever is remembered of its file, somebody may put another one there.
    if let Some(file) = file.as_ref().filter(|file| file.exists()) {
        refuse_foreign_way(file, "the signing key", HELP_KEY)?;
    }
    let remembered = file.and_then(|file| Remembered::of(&file, sign, memory));
    let public = match (remembered.as_ref().and_then(Remembered::get), remembered) {
        (Some(public), _) => public,
        (None, remembered) => {
            let public = ask(sign, base_dir)?;
            if let Some(remembered) = remembered {
                remembered.keep(&public);
            }
            public
        }
    };
    let signer = Signer { public, sign: sign.clone(), base_dir: base_dir.to_owned() };
    if sign.key.is_some() && signer.is_development() && in_ci() {
        return Err(anyhow!("the key {} is a development key, and `CI` is set: a key that is named there has to be a \
             real one", signer.fingerprint()).help("`vgpu-pipeline key new FILE` makes one"));
    }
    Ok(Some(signer))
}

/// What a process of its own says of the key: its memory ends with it.
fn ask(sign: &Sign, base_dir: &Path) -> Result<Public> {
    let mut args: Vec<OsString> = ["key", "show", "--json"].map(OsString::from).to_vec();
    let mut option = |name: &str, value: &str| args.push(format!("{name}={value}").into());
    if let Some(name) = &sign.passphrase_env {
        option("--passphrase-env", name.as_str());
    }
    if let Some(fingerprint) = &sign.fingerprint {
        option("--fingerprint", fingerprint.as_str());
    }
    match &sign.key {
        Some(KeySource::Env(name)) => option("--key-env", name.as_str()),
        Some(KeySource::File(file)) => args.extend(["--".into(), base_dir.join(file).into()]),
        None => {}
    }
    Ok(serde_json::from_str(&again::ask(args, vault::handle())?)?)
}

/// The configured key itself, or the development key where there is one.
pub fn open(sign: &Sign, base_dir: &Path) -> Result<Option<SigningKey>> {
    let passphrase = match &sign.passphrase_env {
        Some(name) => vault::variable(name.as_str())?,
        None => None,
    };
    let (armored, origin) = match &sign.key {
        Some(KeySource::File(file)) => {
            let path = base_dir.join(file);
            (read(&path)?, format!("`{}`", path.display()))
        }
        Some(KeySource::Env(name)) => {
            // An unset secret of a CI system is an empty variable: never a reason for another key.
            let text = vault::variable(name.as_str())?;
            let Some(text) = text.filter(|text| !text.trim_ascii().is_empty()) else {
                let shown = named(name.as_str()).unwrap_or_else(|| "that is named".to_owned());
                return Err(anyhow!("the environment variable {shown} has no signing key")
                    .help("put the armoured key there"));
            };
            (text, format!("environment variable `{name}`"))
        }
        None => {
            let path = development_key_file()?;
            if !path.exists() {
                return Ok(None);
            }
            (read(&path)?, format!("`{}`", path.display()))
        }
    };
    let asked = asked(sign)?;
    let passphrase = passphrase.as_ref().map(|bytes| bytes.as_slice());
    let key = SigningKey::from_armored(&armored, passphrase, asked.as_deref())
        .with_context(|| format!("signing key in {origin}"))?;
    Ok(Some(key))
}

/// A variable that is not set, for a message. Somebody may have given the secret itself where its
/// variable's name belongs.
fn named(name: &str) -> Option<String> {
    let usual = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    name.chars().all(usual).then(|| format!("`{name}`"))
}

/// The fingerprint that is asked for, as gpg prints one.
fn asked(sign: &Sign) -> Result<Option<String>> {
    let Some(wanted) = &sign.fingerprint else { return Ok(None) };
    let asked = wanted.as_str().replace(' ', "").to_uppercase();
    if !asked.chars().all(|c| c.is_ascii_hexdigit()) {
        return Err(anyhow!(
            "the fingerprint that is asked for has other characters than hexadecimal digits"
        )
        .help("`vgpu-pipeline key show FILE` shows that of a key"));
    }
    Ok(Some(asked))
}

/// Refuses a pipeline that says which key it wants, or how to unlock it, and names no key: the
/// development key is no answer to that.
fn refuse_without_key(sign: &Sign) -> Result<()> {
    let why = match sign {
        Sign { fingerprint: Some(wanted), .. } => {
            format!("`sign.fingerprint` wants the key {wanted}")
        }
        Sign { passphrase_env: Some(name), .. } if in_ci() => {
            let name = named(name.as_str()).unwrap_or_else(|| "a variable".to_owned());
            format!("`CI` is set and `sign.passphrase_env` names {name}")
        }
        Sign { .. } => return Ok(()),
    };
    Err(anyhow!("{why}, and nothing names a key")
        .help("name it by `sign.key`, `--key` or `--key-env`"))
}

/// Whether nobody watches this: CI systems set the variable, and an empty or a false one is none.
pub fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !["", "0", "false"].iter().any(|no| value == *no))
}

/// Refuses, before any work, a place where no development key could be made; its folder is made.
pub fn development_place() -> Result<()> {
    let file = development_key_file()?;
    let folder = file.parent().context("the key's file has a folder")?;
    let what = "the folder of the development key";
    private_folder(folder, what, HELP_FOLDER)?;
    write::staged_for(&file)
        .map(drop)
        .with_context(|| format!("cannot write into {what} `{}`", folder.display()))
        .with_help(|| HELP_FOLDER.to_string())
}

/// Makes the development key, once for this user: of two runs that both found none, the later one
/// takes the other's.
pub fn make_development_key(memory: &Path) -> Result<Signer> {
    development_place()?;
    let file = development_key_file()?;
    let user_id = format!("--user-id={DEVELOPMENT}");
    let args: [&OsStr; 5] =
        ["key".as_ref(), "new".as_ref(), user_id.as_ref(), "--".as_ref(), file.as_ref()];
    let made = again::ask(args, None);
    match (load(&Sign::default(), Path::new(""), memory)?, made) {
        (Some(signer), _) => Ok(signer),
        (None, Err(error)) => Err(error),
        (None, Ok(_)) => bail!("the development key is gone"),
    }
}

/// Refuses, before the work of making a key, a place where none can be written; its folder is made.
pub fn make_place(path: &Path) -> Result<()> {
    let shown = || format!("cannot write the key `{}`", path.display());
    if path.symlink_metadata().is_ok() {
        return Err(
            anyhow!("{}: it is there already", shown()).help("name a file that does not exist")
        );
    }
    refuse_foreign_parents(path, "the new key", "name a file in a folder of your own")?;
    let folder = folder_of(path);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(shown)
}

fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Writes a new secret key, for its owner's eyes only, whole or not at all, and never over another
/// file.
pub fn write_new(path: &Path, key: &SigningKey) -> Result<()> {
    let shown = || format!("cannot write the key `{}`", path.display());
    // A temporary file is its owner's alone from the start (mode 0600).
    let mut file = write::staged_for(path)?;
    file.write_all(key.secret_armored()?.as_bytes()).with_context(shown)?;
    file.as_file().sync_all().with_context(shown)?;
    interrupt::check()?;
    file.persist_noclobber(path).map_err(|refused| refused.error).with_context(shown)?;
    Ok(())
}

/// Where the development key of this user is.
pub fn development_key_file() -> Result<PathBuf> {
    let data =
        folders::data().context("neither XDG_DATA_HOME nor HOME says where keys are kept")?;
    Ok(data.join("development-key.asc"))
}

/// A file that only its owner can read, and whose owner could not have somebody else sign by it.
fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let mut file = files::open(path, &files::SECRET_KEY)?;
    let meta = file.metadata()?;
    let mode = meta.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(anyhow!(
            "the signing key `{}` may be read by others (mode {mode:o})",
            path.display()
        )
        .help(format!("chmod 600 {}", path.display())));
    }
    let us = rustix::process::geteuid().as_raw();
    refuse_owner(&meta, us, &format!("the signing key `{}`", path.display()))?;
    // Whoever may put another file in its place chooses the key as well.
    let real = path.canonicalize()?;
    let folder = real.parent().unwrap_or(Path::new("/"));
    let shown = format!("the folder `{}` of the signing key", folder.display());
    let meta = fs::metadata(folder)?;
    refuse_owner(&meta, us, &shown)?;
    if meta.mode() & 0o1002 == 0o002 {
        return Err(anyhow!("{shown} may be written by everybody")
            .help(format!("chmod o-w {}", folder.display())));
    }
    refuse_foreign_way(path, "the signing key", HELP_KEY)?;
    let mut bytes = Zeroizing::new(vec![0; usize::try_from(file.metadata()?.len())?]);
    file.read_exact(&mut bytes).with_context(|| format!("signing key `{}`", path.display()))?;
    Ok(bytes)
}

fn refuse_owner(meta: &fs::Metadata, us: u32, display_name: &str) -> Result<()> {
    if meta.uid() != us && meta.uid() != 0 {
        return Err(anyhow!(
            "{display_name} belongs to another user (uid {}), who can change it at any time",
            meta.uid()
        )
        .help(HELP_KEY.to_string()));
    }
    Ok(())
}

/// Now, as OpenPGP counts time.
pub fn now() -> Result<u32> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    u32::try_from(seconds).context("the clock is past what OpenPGP can say")
}

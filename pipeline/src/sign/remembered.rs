// SPDX-License-Identifier: GPL-2.0-or-later
//! What is public of a key, remembered for as long as its file stays what it was: a run that has nothing
//! to sign need not read the key, and starts no process for it.
//!
//! A file is known by its place on the disk and the time of its last change (`st_ctime`, which nobody
//! sets). A key that expires, or that a passphrase unlocks, is tried in each run. Whatever is remembered,
//! nothing is signed before the key itself was read and found to be the one that was shown.

use super::public::Public;
use crate::config::Sign;
use crate::files;
use fs_err as fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where what is public of one state of a key's file is kept.
pub struct Remembered {
    file: PathBuf,
}

impl Remembered {
    /// Nothing where the key has to be tried each time.
    pub fn of(key: &Path, sign: &Sign, folder: &Path) -> Option<Self> {
        if sign.passphrase_env.is_some() {
            return None;
        }
        let path = key.canonicalize().ok()?;
        let meta = path.metadata().ok()?;
        let state = [meta.dev(), meta.ino(), meta.size(), meta.uid().into(), meta.mode().into()];
        let state = (path, state, meta.ctime(), meta.ctime_nsec(), &sign.fingerprint);
        let name = blake3::hash(&serde_json::to_vec(&state).ok()?).to_hex();
        Some(Self { file: folder.join(format!("{name}.json")) })
    }

    pub fn get(&self) -> Option<Public> {
        serde_json::from_slice(&files::read(&self.file, &files::SETTINGS).ok()?).ok()
    }

    /// What cannot be kept, or not in full, is asked for again.
    pub fn keep(&self, public: &Public) {
        if public.expires.is_none()
            && let Ok(text) = serde_json::to_vec(public)
        {
            let _ = fs::write(&self.file, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    fn public(expires: Option<u32>) -> Public {
        let text = |text: &str| text.to_owned();
        let (user_id, armored) = (text("u"), text("a"));
        Public { fingerprint: text("f"), user_id, expires, armored, others: Vec::new() }
    }

    #[test]
    fn a_key_is_remembered_until_its_file_changes_in_any_way() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key");
        fs::write(&key, "one").unwrap();
        let of = || Remembered::of(&key, &Sign::default(), folder.path());
        assert!(of().unwrap().get().is_none());
        of().unwrap().keep(&public(None));
        assert_eq!(of().unwrap().get().unwrap().fingerprint, "f");

        let elsewhere = folder.path().join("elsewhere");
        let changes: [&dyn Fn(); 3] = [
            &|| set_permissions(&key, Permissions::from_mode(0o644)).unwrap(),
            &|| fs::write(&key, "two").unwrap(),
            &|| {
                fs::write(&elsewhere, "two").unwrap();
                fs::rename(&elsewhere, &key).unwrap();
            },
        ];
        for change in changes {
            // The kernel's clock of files ticks in some milliseconds.
            std::thread::sleep(std::time::Duration::from_millis(20));
            change();
            assert!(of().unwrap().get().is_none());
            of().unwrap().keep(&public(None));
            assert!(of().unwrap().get().is_some());
        }
    }

    #[test]
    fn what_may_be_no_good_next_time_is_not_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key");
        fs::write(&key, "one").unwrap();
        let plain = Remembered::of(&key, &Sign::default(), folder.path()).unwrap();
        plain.keep(&public(Some(1)));
        assert!(plain.get().is_none());
        let name = "PASSPHRASE".to_owned().try_into().unwrap();
        let locked = Sign { passphrase_env: Some(name), ..Sign::default() };
        assert!(Remembered::of(&key, &locked, folder.path()).is_none());
        assert!(Remembered::of(&key.join("none"), &Sign::default(), folder.path()).is_none());
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! Where secrets from the environment wait: in a file of memory, outside of this process and of its
//! environment, until something is signed.
//!
//! A variable cannot be taken back: it stays in the first pages of the process and in `/proc/PID/environ`
//! for whoever may look. So this program puts the values into a file without a name, starts itself anew
//! without the variables, and finds that file as its standard input. No child inherits it.
//!
//! What this cannot do: whoever may trace this process, as root may, can open that file until the run
//! ends; and the variable is where it came from, in the shell or the CI system that set it.

use crate::process::again;
use anyhow::{Context, Error, Result};
use rustix::fs::MemfdFlags;
use rustix::process::DumpableBehavior;
use std::fs::File;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::OnceLock;
use zeroize::Zeroizing;

const NAME: &str = "vgpu-pipeline-secrets";
/// How the kernel shows such a file (`proc_pid_fd(5)`).
const SHOWN: &str = "/memfd:vgpu-pipeline-secrets (deleted)";
/// Above what a key or a passphrase has.
const LARGEST: u32 = 1 << 20;

static VAULT: OnceLock<File> = OnceLock::new();

/// Takes over what an earlier image of this process put away. To be called before anything is read
/// from the standard input, and before any process is started.
pub fn take_over() -> Result<()> {
    // No core dump of this process, and no look into it by others of the same user: a key may come from
    // a file as well. What it starts is as it was.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    if std::fs::read_link("/proc/self/fd/0").ok().as_deref() != Some(Path::new(SHOWN)) {
        return Ok(());
    }
    let kept = rustix::io::fcntl_dupfd_cloexec(std::io::stdin(), 3)?;
    rustix::stdio::dup2_stdin(File::options().read(true).open("/dev/null")?)?;
    let _ = VAULT.set(File::from(kept));
    Ok(())
}

/// Puts variables away where any of them is set, which ends in this program's start without them; `keep_values`
/// says whether it will read them then. An error says why that was impossible.
pub fn put_away(names: &[&str], keep_values: bool) -> Result<(), Error> {
    let set: Vec<&str> =
        names.iter().copied().filter(|name| std::env::var_os(name).is_some()).collect();
    if set.is_empty() {
        return Ok(());
    }
    let vault = if keep_values { Some(filled(&set)?.into()) } else { None };
    Err(again::start_anew(&set, vault))
}

fn filled(names: &[&str]) -> Result<File> {
    let shown = "cannot put secrets away";
    let file = rustix::fs::memfd_create(NAME, MemfdFlags::CLOEXEC).context(shown)?;
    let mut file = File::from(file);
    for name in names {
        let Some(value) = std::env::var_os(name) else { continue };
        for part in [name.as_bytes(), value.as_bytes()] {
            let length = u32::try_from(part.len()).ok().filter(|length| *length <= LARGEST);
            let length = length.with_context(|| {
                format!("the environment variable `{name}` is larger than {LARGEST} bytes")
            })?;
            file.write_all(&length.to_le_bytes()).context(shown)?;
            file.write_all(part).context(shown)?;
        }
    }
    Ok(file)
}

/// What a variable held.
pub fn variable(name: &str) -> Result<Option<Zeroizing<Vec<u8>>>> {
    match VAULT.get() {
        Some(vault) => find(vault, name),
        None => Ok(None),
    }
}

fn find(vault: &File, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>> {
    let end = vault.metadata()?.len();
    let mut at = 0;
    while at < end {
        let (found, from) = length(vault, at)?;
        let mut known = vec![0; usize::try_from(found)?];
        vault.read_exact_at(&mut known, from)?;
        let (size, from) = length(vault, from + found)?;
        if known == name.as_bytes() {
            let mut value = Zeroizing::new(vec![0; usize::try_from(size)?]);
            vault.read_exact_at(&mut value, from)?;
            return Ok(Some(value));
        }
        at = from + size;
    }
    Ok(None)
}

/// The length of a part that begins at `at`, and where its bytes are.
fn length(vault: &File, at: u64) -> Result<(u64, u64)> {
    let mut bytes = [0; 4];
    vault.read_exact_at(&mut bytes, at)?;
    Ok((u32::from_le_bytes(bytes).min(LARGEST).into(), at + 4))
}

/// The file itself, for a child that reads keys for us.
pub fn handle() -> Option<&'static File> {
    VAULT.get()
}

/// Overwrites what is there: nothing is signed any more.
pub fn wipe() {
    if let Some(vault) = VAULT.get() {
        let length = vault.metadata().map_or(0, |meta| meta.len());
        let zeros = vec![0; usize::try_from(length).unwrap_or(0)];
        let _ = vault.write_all_at(&zeros, 0);
        let _ = vault.set_len(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_found_by_its_name_and_bytes_are_bytes() {
        let mut file = tempfile::tempfile().unwrap();
        for part in [&b"ONE"[..], b"\xff\n", b"TWO", b"", b"ONE_MORE", b"three"] {
            file.write_all(&u32::try_from(part.len()).unwrap().to_le_bytes()).unwrap();
            file.write_all(part).unwrap();
        }
        let found = |name| find(&file, name).unwrap().map(|value| value.to_vec());
        assert_eq!(found("ONE"), Some(b"\xff\n".to_vec()));
        assert_eq!(found("TWO"), Some(Vec::new()));
        assert_eq!(found("ONE_MORE"), Some(b"three".to_vec()));
        assert_eq!(found("FOUR"), None);
    }
}

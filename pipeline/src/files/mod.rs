// SPDX-License-Identifier: GPL-2.0-or-later
//! Files that a user or a pipeline names: read whole, and only if they are files.
//!
//! A path may lead to a pipe that nobody writes to, to a device without an end, to a hole of a
//! terabyte, or to somebody's secret. So each is opened without blocking, is looked at before a byte
//! is read, and is read up to what a file of its kind can have. A link to a plain file is one.

pub mod write;

use crate::error::Help;
use crate::text;
use anyhow::{Context, Result, anyhow};
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

/// A kind of input: how messages call it, and the most bytes that it can have.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    pub name: &'static str,
    pub most: u64,
}

pub const PIPELINE: Kind = Kind { name: "cannot read the pipeline file", most: 1 << 20 };
pub const CONTRACT: Kind = Kind { name: "contract", most: 1 << 20 };
pub const SETTINGS: Kind = Kind { name: "settings", most: 1 << 20 };
/// A locked environment has some hundred packages, each in half a KiB.
pub const LOCK: Kind = Kind { name: "lock", most: 16 << 20 };
pub const SPEC: Kind = Kind { name: "spec", most: 4 << 20 };
pub const CONTAINERFILE: Kind = Kind { name: "containerfile", most: 1 << 20 };
/// The largest C file of QEMU has 400 KiB.
pub const DEVICE: Kind = Kind { name: "", most: 4 << 20 };
/// A dom0 has about 40,000 files, in 4 MB.
pub const INSTALLED: Kind = Kind { name: "the list of what is installed,", most: 256 << 20 };
pub const PUBLIC_KEYS: Kind = Kind { name: "the keys in", most: 1 << 18 };
pub const SECRET_KEY: Kind = Kind { name: "signing key", most: 1 << 20 };
pub const WRAPPER: Kind = Kind { name: "wrapper", most: 4 << 20 };
pub const SOURCE: Kind = Kind { name: "source", most: 4 << 30 };
/// `process` ends a build whose log grows beyond a part of this.
pub const LOG: Kind = Kind { name: "log", most: 1 << 30 };
pub const KERNEL: Kind = Kind { name: "kernel", most: 256 << 20 };
/// What `verify` is given; each reader behind it has bounds of its own.
pub const JUDGED: Kind = Kind { name: "", most: u64::MAX };

/// File systems whose files are answers of the kernel, without a size and some without an end
/// (statfs(2): the magic numbers of proc, sysfs, debugfs and tracefs).
const ANSWERS: [u64; 4] = [0x9fa0, 0x6265_6572, 0x6462_6720, 0x7472_6163];

/// A path that starts from a folder, as a person would write it: `a/../b` is `b`, unless `a` is a link, and
/// what lies above it somewhere else.
pub fn join(folder: &Path, path: &Path) -> PathBuf {
    let mut joined = PathBuf::new();
    for part in folder.join(path).components() {
        let above = part == Component::ParentDir
            && matches!(joined.components().next_back(), Some(Component::Normal(_)))
            && fs::symlink_metadata(&joined).is_ok_and(|meta| meta.is_dir());
        if above {
            joined.pop();
        } else {
            joined.push(part);
        }
    }
    joined
}

/// All bytes of a file.
pub fn read(path: &Path, kind: &Kind) -> Result<Vec<u8>> {
    let bytes = opened(path, kind).and_then(|file| bounded(&file, kind));
    bytes.with_context(|| called(path, kind))
}

/// A file of text. One that looks like a secret is refused unread: an error might quote it.
pub fn read_text(path: &Path, kind: &Kind) -> Result<String> {
    let text = text_of(read(path, kind)?);
    text.with_context(|| called(path, kind))
}

/// A file of text in whatever encoding that has ASCII in it: a spec keeps its bytes.
pub fn read_any_text(path: &Path, kind: &Kind) -> Result<Vec<u8>> {
    let bytes = read(path, kind)?;
    refuse_no_text(&bytes).with_context(|| called(path, kind))?;
    Ok(bytes)
}

/// A file of text, if there is one.
pub fn read_text_if_there(path: &Path, kind: &Kind) -> Result<Option<String>> {
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        _ => read_text(path, kind).map(Some),
    }
}

/// An open file, for what is read in pieces.
pub fn open(path: &Path, kind: &Kind) -> Result<File> {
    opened(path, kind).with_context(|| called(path, kind))
}

/// Refuses early what could not be read later.
pub fn look(path: &Path, kind: &Kind) -> Result<Metadata> {
    let look = || -> Result<Metadata> { Ok(opened(path, kind)?.metadata()?) };
    look().with_context(|| called(path, kind))
}

/// Copies a file. Nothing of a mode or an owner goes with it.
pub fn copy(from: &Path, to: &Path, kind: &Kind) -> Result<()> {
    let copy = || -> Result<()> {
        let mut bytes = opened(from, kind)?.take(kind.most.saturating_add(1));
        let copied = io::copy(&mut bytes, &mut File::create(to)?)?;
        refuse_size(copied, kind)
    };
    copy().with_context(|| called(from, kind))
}

/// Bytes as text.
pub fn text_of(bytes: Vec<u8>) -> Result<String> {
    refuse_no_text(&bytes)?;
    match std::str::from_utf8(&bytes) {
        Ok(_) => {}
        Err(error) => {
            return Err(anyhow!("line {} of it is not UTF-8", line(&bytes, error.valid_up_to()))
                .help("`iconv -t UTF-8` makes it UTF-8"));
        }
    }
    Ok(String::from_utf8(bytes)?)
}

fn refuse_no_text(bytes: &[u8]) -> Result<()> {
    if let Some(secret) = text::secret(bytes) {
        return Err(anyhow!("it looks like {secret}, and nothing of it is read")
            .help("name the file that is meant"));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(anyhow!("it is UTF-16").help("`iconv -f UTF-16 -t UTF-8` makes it UTF-8"));
    }
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        return Err(
            anyhow!("line {} of it has a NUL byte", line(bytes, at)).help("name a file of text")
        );
    }
    Ok(())
}

/// The line that a byte is in.
fn line(bytes: &[u8], at: usize) -> usize {
    bytes[..at].split(|byte| *byte == b'\n').count()
}

fn opened(path: &Path, kind: &Kind) -> Result<File> {
    // Opening a device can have effects by itself: it is looked at by its name first.
    plain(&fs::metadata(path)?, kind)?;
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    let flags = flags.bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    plain(&file.metadata()?, kind)?;
    let on = rustix::fs::fstatfs(&file)?.f_type;
    if u64::try_from(on).is_ok_and(|on| ANSWERS.contains(&on)) {
        return Err(
            anyhow!("it is an answer of the kernel, not a file").help("copy it to a file first")
        );
    }
    Ok(file)
}

fn bounded(file: &File, kind: &Kind) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(kind.most.saturating_add(1)).read_to_end(&mut bytes)?;
    refuse_size(bytes.len() as u64, kind)?;
    Ok(bytes)
}

fn plain(meta: &Metadata, kind: &Kind) -> Result<()> {
    let found = meta.file_type();
    let what = match found {
        _ if found.is_file() => return refuse_size(meta.len(), kind),
        _ if found.is_dir() => "a folder",
        _ if found.is_fifo() => "a pipe",
        _ if found.is_socket() => "a socket",
        _ => "a device",
    };
    Err(anyhow!("it is {what}, and is not a file").help("name a plain file, or a link to one"))
}

fn refuse_size(found: u64, kind: &Kind) -> Result<()> {
    if found > kind.most {
        return Err(anyhow!("it has {found} bytes, and {} are the most", kind.most)
            .help("is it the file that is meant?"));
    }
    Ok(())
}

fn called(path: &Path, kind: &Kind) -> String {
    let shown = text::excerpt(&path.display().to_string());
    let space = if kind.name.is_empty() { "" } else { " " };
    format!("{}{space}`{shown}`", kind.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Rendered;
    use std::os::unix::fs::symlink;
    use std::time::{Duration, Instant};

    fn refusal(path: &Path) -> String {
        let began = Instant::now();
        let error = read_text(path, &CONTRACT).map_err(|error| error.rendered());
        assert!(began.elapsed() < Duration::from_secs(1), "{path:?}");
        let copied = tempfile::tempdir().unwrap().path().join("copy");
        assert!(copy(path, &copied, &CONTRACT).is_err() || path.is_file(), "{path:?}");
        error.unwrap_err()
    }

    #[test]
    fn only_plain_files_are_read_and_no_other_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let mode = rustix::fs::Mode::from_bits_truncate(0o600);
        let fifo = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, path("fifo"), fifo, mode, 0).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
        symlink(path("loop"), path("loop")).unwrap();
        symlink("/dev/zero", path("link")).unwrap();
        for (name, expected) in [
            ("fifo", "it is a pipe"),
            ("socket", "it is a socket"),
            ("", "it is a folder"),
            ("loop", "Too many levels"),
            ("link", "it is a device"),
            ("missing", "No such file"),
        ] {
            let error = refusal(&path(name));
            assert!(error.starts_with("contract `") && error.contains(expected), "{error}");
        }
        for (name, expected) in [
            ("/dev/zero", "it is a device"),
            ("/dev/tty", "it is a device"),
            ("/proc/self/mem", "an answer of the kernel"),
            ("/proc/self/environ", "an answer of the kernel"),
            ("/proc/kmsg", "an answer of the kernel"),
            ("/sys/kernel/uevent_seqnum", "an answer of the kernel"),
        ] {
            let error = refusal(Path::new(name));
            let absent = error.contains("No such") || error.contains("not permitted");
            assert!(error.contains(expected) || absent, "{name}: {error}");
        }
        fs::write(path("plain"), "a: b\n").unwrap();
        symlink(path("plain"), path("good")).unwrap();
        assert_eq!(read_text(&path("good"), &CONTRACT).unwrap(), "a: b\n");
    }

    #[test]
    fn a_path_is_written_as_a_person_would() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("a/deep")).unwrap();
        symlink(path("a/deep"), path("link")).unwrap();
        for (base, relative, expected) in [
            ("a", "../b/c.yaml", "b/c.yaml"),
            ("a/deep", "../../b", "b"),
            ("a/./deep", "./b", "a/deep/b"),
            ("link", "../b", "link/../b"),
            ("gone", "../b", "gone/../b"),
        ] {
            assert_eq!(join(&path(base), Path::new(relative)), path(expected));
        }
        assert_eq!(join(Path::new(""), Path::new("../b")), Path::new("../b"));
        assert_eq!(join(&path("a"), Path::new("/b")), Path::new("/b"));
    }

    #[test]
    fn a_size_is_refused_before_a_byte_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hole");
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        let error = refusal(&path);
        assert!(error.contains("it has 1099511627776 bytes, and 1048576 are the most"), "{error}");
        assert!(copy(&path, &folder.path().join("copy"), &CONTRACT).is_err());
        File::options().write(true).open(&path).unwrap().set_len(CONTRACT.most).unwrap();
        assert_eq!(read(&path, &CONTRACT).unwrap().len() as u64, CONTRACT.most);
    }

    #[test]
    fn what_is_no_text_is_said_with_its_line_and_never_shown() {
        for (bytes, expected) in [
            (&b"a\nb\xff\n"[..], "line 2 of it is not UTF-8"),
            (b"\xff\xfea\0", "it is UTF-16"),
            (b"a\n\nb\0c", "line 3 of it has a NUL byte"),
            (b"machine h login m password CANARY\n", "it looks like a .netrc"),
        ] {
            let error = text_of(bytes.to_vec()).unwrap_err().rendered();
            assert!(error.starts_with(expected) && error.contains("\nhelp: "), "{error}");
            assert!(!error.contains("CANARY"), "{error}");
        }
        assert_eq!(text_of(b"\xef\xbb\xbfa: b\r\n".to_vec()).unwrap(), "\u{feff}a: b\r\n");
    }
}

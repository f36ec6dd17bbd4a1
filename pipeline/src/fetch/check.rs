// SPDX-License-Identifier: GPL-2.0-or-later
//! A file against its pin, with a reason where one can be seen.
//!
//! The pin alone decides: what an archive looks like inside is a diagnosis of bytes that are not the
//! pinned ones, and never an objection to bytes that are. Padding, further members and a signature
//! behind an archive are its author's own.

use super::gzip::Gzip;
use crate::config::{Sha256, Sha512};
use crate::digest::{sha256_file, sha512_file};
use crate::error::Help;
use crate::files;
use anyhow::{Result, anyhow};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// How a git-lfs pointer begins (git-lfs, docs/spec.md; lfs/pointer.go has the two names that the
/// format had before its release).
const LFS_POINTERS: [&[u8]; 3] = [
    b"version https://git-lfs.github.com/spec/",
    b"version https://hawser.github.com/spec/",
    b"version http://git-media.io/v/",
];
/// A pointer has less than this (git-lfs, docs/spec.md).
pub const LARGEST_POINTER: u64 = 1024;
const XZ_MAGIC: &[u8] = b"\xfd7zXZ\0";
/// How an xz stream ends (The .xz File Format, 2.1.2.4).
const XZ_FOOTER_MAGIC: &[u8] = b"YZ";
/// What is unpacked at most to see whether an archive has its end.
const MOST_UNPACKED: u64 = 1 << 30;

/// Whether bytes of a file this long begin as a git-lfs pointer does.
pub fn is_lfs_pointer(head: &[u8], length: u64) -> bool {
    let head = head.trim_ascii_start();
    length < LARGEST_POINTER && LFS_POINTERS.iter().any(|pointer| head.starts_with(pointer))
}

/// Refuses a file that is not, byte for byte, what its pin says. `display_name` is its name for people.
pub fn pinned(path: &Path, display_name: &str, pin: &Sha256, size: Option<u64>) -> Result<()> {
    let head = no_pointer(path, display_name)?;
    let length = path.metadata()?.len();
    if let Some(size) = size
        && size != length
    {
        let cut = if length < size { "truncated" } else { "too long" };
        return Err(anyhow!(
            "`{display_name}` is {cut}: it has {length} bytes, and {size} are pinned"
        )
        .help("get the pinned file; change the pin only if you know why it differs"));
    }
    let found = sha256_file(path)?;
    if found != pin.as_str() {
        let cut = if cut_off(path, &head) { "; the archive ends in the middle" } else { "" };
        return Err(anyhow!(
            "`{display_name}` is not what the pipeline pins: sha256 {found}, pinned {pin}{cut}"
        )
        .help("get the pinned file; change the pin only if you know why it differs"));
    }
    Ok(())
}

/// The same for a file that the `sources` of a packaging repository names by its sha512.
pub fn pinned_by_sources(path: &Path, display_name: &str, pin: &Sha512) -> Result<()> {
    let head = no_pointer(path, display_name)?;
    let found = sha512_file(path)?;
    if found != pin.as_str() {
        let cut = if cut_off(path, &head) { "; the archive ends in the middle" } else { "" };
        return Err(anyhow!("`{display_name}` is not what `sources` of the pinned commit names: sha512 {found}, there {pin}{cut}").help("does the lookaside cache serve something else today? a mirror that has it serves as well"));
    }
    Ok(())
}

/// The first bytes of a file, which is refused if it is a pointer, even where the pin is the pointer's
/// own: nobody means one.
fn no_pointer(path: &Path, display_name: &str) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    files::open(path, &files::SOURCE)?.take(64).read_to_end(&mut head)?;
    let length = path.metadata()?.len();
    if is_lfs_pointer(&head, length) {
        return Err(anyhow!(
            "`{display_name}` is a git-lfs pointer of {length} bytes, not the archive itself"
        )
        .help("fetch the object with `git lfs pull` where the file came from"));
    }
    Ok(head)
}

/// Whether a compressed file lacks its end, as far as that can be seen: a guess for a message.
fn cut_off(path: &Path, head: &[u8]) -> bool {
    let Ok(file) = files::open(path, &files::SOURCE) else { return false };
    if Gzip::<&[u8]>::begins(head) {
        return gzip_is_cut(BufReader::new(file));
    }
    if head.starts_with(XZ_MAGIC) {
        return xz_is_cut(file).unwrap_or(true);
    }
    false
}

/// gzip's end shows only to who reads it through.
fn gzip_is_cut(input: impl BufRead) -> bool {
    let unpacked = io::copy(&mut Gzip::new(input).take(MOST_UNPACKED), &mut io::sink());
    unpacked.is_err_and(|error| error.kind() == io::ErrorKind::UnexpectedEof)
}

/// Whether an xz file ends otherwise than with a stream's footer and padding of zeros. Decoding would
/// take the 64 MiB that `xz -9` asks for.
fn xz_is_cut(mut file: File) -> Result<bool> {
    let mut tail = Vec::new();
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(1 << 16)))?;
    file.read_to_end(&mut tail)?;
    let end = tail.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    Ok(!tail[..end].ends_with(XZ_FOOTER_MAGIC))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Rendered;
    use flate2::{Compression, write::GzEncoder};
    use std::fs;
    use std::io::Write;
    use std::path::PathBuf;

    fn refusal(content: &[u8], pin: Option<&[u8]>) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, pin.unwrap_or(content)).unwrap();
        let pin = Sha256::try_from(sha256_file(&path).unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        pinned(&path, "file", &pin, None).map_or_else(|e| e.rendered(), |()| String::new())
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn xz(text: &str) -> Vec<u8> {
        let mut packed = Vec::new();
        let mut encoder = liblzma::read::XzEncoder::new(text.as_bytes(), 6);
        encoder.read_to_end(&mut packed).unwrap();
        packed
    }

    /// Every form in which the tools of the field write or take a file whose end is not its last byte.
    fn padded() -> Vec<(&'static str, Vec<u8>)> {
        let text = "some text that is long enough to be cut";
        let skippable = [&b"\x50\x2a\x4d\x18\x04\0\0\0pad!"[..]].concat();
        let zstd = zstd::encode_all(text.as_bytes(), 3).unwrap();
        let tar = [text.as_bytes(), &[0; 10240]].concat();
        vec![
            ("gzip, zeros behind", [gzip(text), vec![0; 512]].concat()),
            ("gzip, one zero behind", [gzip(text), vec![0]].concat()),
            ("gzip, two members", [gzip(text), gzip(text)].concat()),
            (
                "gzip, zeros between",
                [gzip(text), vec![0; 7], gzip(text), vec![0; 100_000]].concat(),
            ),
            ("gzip, a signature behind", [gzip(text), b"-----BEGIN".to_vec()].concat()),
            ("xz, padding of four", [xz(text), vec![0; 4]].concat()),
            ("xz, two streams", [xz(text), vec![0; 8], xz(text), vec![0; 12]].concat()),
            ("zstd, a skippable frame behind", [zstd.clone(), skippable.clone()].concat()),
            ("zstd, a skippable frame before", [skippable, zstd].concat()),
            ("tar, further zero blocks", tar.clone()),
            ("tar.gz, further zero blocks", gzip(&String::from_utf8(tar).unwrap())),
            ("bzip2, two streams", b"BZh9\x17\x72\x45\x38\x50\x90\0\0\0\0".repeat(2)),
        ]
    }

    #[test]
    fn the_pinned_file_passes() {
        assert_eq!(refusal(&gzip("text"), None), "");
        assert_eq!(refusal(b"plain", None), "");
        assert_eq!(refusal(b"", None), "");
    }

    #[test]
    fn a_pin_proves_the_bytes_however_an_archive_ends() {
        for (kind, bytes) in padded() {
            assert_eq!(refusal(&bytes, None), "", "{kind}");
        }
        // What ends in the middle too: whoever pinned it has seen it.
        let whole = gzip("some text that is long enough to be cut");
        assert_eq!(refusal(&whole[..whole.len() - 6], None), "");
    }

    #[test]
    fn an_archive_with_padding_that_is_another_one_is_not_called_cut_off() {
        for (kind, bytes) in padded() {
            let error = refusal(&bytes, Some(b"pinned"));
            assert!(error.contains("is not what the pipeline pins"), "{kind}: {error}");
            assert!(!error.contains("ends in the middle"), "{kind}: {error}");
        }
    }

    #[test]
    fn an_lfs_pointer_is_explained_even_where_the_pin_is_its_own() {
        for version in [
            "https://git-lfs.github.com/spec/v1",
            "https://hawser.github.com/spec/v1",
            "http://git-media.io/v/2",
        ] {
            let pointer = format!("version {version}\noid sha256:0\nsize 1\n");
            let error = refusal(pointer.as_bytes(), None);
            assert!(error.contains(&format!("git-lfs pointer of {} bytes", pointer.len())));
        }
        // What only begins like one, and is longer than any is.
        let patch = format!("version https://git-lfs.github.com/spec/v1\n{}", "+a\n".repeat(400));
        assert_eq!(refusal(patch.as_bytes(), None), "");
    }

    #[test]
    fn another_content_shows_both_digests() {
        let error = refusal(b"other", Some(b"pinned"));
        assert!(error.contains("sha256 ") && error.contains(", pinned "), "{error}");
        assert!(!error.contains("ends in the middle"), "{error}");
    }

    #[test]
    fn a_truncated_archive_that_is_not_the_pinned_one_is_called_that() {
        let text = "some text that is long enough to be cut";
        for whole in [gzip(text), xz(text), [gzip(text), vec![0; 9], gzip(text)].concat()] {
            let cut = &whole[..whole.len() - 6];
            assert!(refusal(cut, Some(&whole)).contains("ends in the middle"));
        }
        let mut damaged = gzip(text);
        let middle = damaged.len() / 2;
        damaged[middle] ^= 0xff;
        assert!(!refusal(&damaged, Some(b"pinned")).contains("ends in the middle"));
    }

    #[test]
    fn a_sha512_shows_both_digests_too() {
        let folder = tempfile::tempdir().unwrap();
        let path: PathBuf = folder.path().join("file");
        fs::write(&path, "text").unwrap();
        let pin = Sha512::try_from(sha512_file(&path).unwrap()).unwrap();
        pinned_by_sources(&path, "file", &pin).unwrap();
        fs::write(&path, "other").unwrap();
        let error = pinned_by_sources(&path, "file", &pin).unwrap_err().rendered();
        assert!(error.contains("sha512 ") && error.contains(&format!(", there {pin}")), "{error}");
    }
}

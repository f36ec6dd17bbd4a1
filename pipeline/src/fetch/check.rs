//! A file against its pin, with a reason where one can be seen.

use crate::config::Sha256;
use crate::files;
use crate::store::sha256;
use anyhow::{Context, Result, bail};
use flate2::read::MultiGzDecoder;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// How a git-lfs pointer begins (git-lfs, docs/spec.md).
pub const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const XZ_MAGIC: &[u8] = b"\xfd7zXZ\0";
/// How an xz stream ends (The .xz File Format, 2.1.2.4).
const XZ_FOOTER_MAGIC: &[u8] = b"YZ";

/// Refuses a file that is not, byte for byte, what its pin says. `shown` is its name for people.
pub fn pinned(path: &Path, shown: &str, pin: &Sha256, size: Option<u64>) -> Result<()> {
    let mut head = [0; 64];
    let read = files::open(path, &files::SOURCE)?.take(64).read(&mut head)?;
    let head = &head[..read];
    if head.starts_with(LFS_POINTER) {
        bail!(
            "`{shown}` is a git-lfs pointer of {} bytes, not the archive itself\n\
             help: fetch the object with `git lfs pull` where the file came from",
            path.metadata()?.len()
        );
    }
    let length = path.metadata()?.len();
    if let Some(size) = size
        && size != length
    {
        let cut = if length < size { "truncated" } else { "too long" };
        bail!(
            "`{shown}` is {cut}: it has {length} bytes, and {size} are pinned\n\
             help: get the pinned file; change the pin only if you know why it differs"
        );
    }
    let found = sha256(path)?;
    let whole = whole(path, head).with_context(|| format!("source `{shown}`"))?;
    if found != pin.as_str() {
        let cut = if whole { "" } else { "; the archive ends in the middle" };
        bail!(
            "`{shown}` is not what the pipeline pins: sha256 {found}, pinned {pin}{cut}\n\
             help: get the pinned file; change the pin only if you know why it differs"
        );
    }
    if !whole {
        bail!(
            "`{shown}` is truncated: the archive ends in the middle, and the pin names it so\n\
             help: fetch it again and pin the sha256 of the whole file"
        );
    }
    Ok(())
}

/// Whether a compressed file has its end. Files of other kinds are taken as whole.
fn whole(path: &Path, head: &[u8]) -> Result<bool> {
    let mut file = files::open(path, &files::SOURCE)?;
    if head.starts_with(&GZIP_MAGIC) {
        // gzip's end shows only to who reads it through; a damaged middle is an error too.
        return Ok(
            io::copy(&mut MultiGzDecoder::new(BufReader::new(file)), &mut io::sink()).is_ok()
        );
    }
    if head.starts_with(XZ_MAGIC) {
        // The footer repeats the header's flags. Decoding would take the 64 MiB that `xz -9` asks for.
        let mut footer = [0; 4];
        if file.seek(SeekFrom::End(-4)).is_err() || file.read_exact(&mut footer).is_err() {
            return Ok(false);
        }
        return Ok(footer.ends_with(XZ_FOOTER_MAGIC) && head.get(6..8) == footer.get(..2));
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn refusal(content: &[u8], pin: Option<&[u8]>) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, pin.unwrap_or(content)).unwrap();
        let pin = Sha256::try_from(sha256(&path).unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        pinned(&path, "file", &pin, None).map_or_else(|e| e.to_string(), |()| String::new())
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn the_pinned_file_passes() {
        assert_eq!(refusal(&gzip("text"), None), "");
        assert_eq!(refusal(b"plain", None), "");
    }

    #[test]
    fn an_lfs_pointer_is_explained_even_where_the_pin_is_its_own() {
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
        assert!(refusal(pointer, None).contains("git-lfs pointer of 6"));
    }

    #[test]
    fn another_content_shows_both_digests() {
        let error = refusal(b"other", Some(b"pinned"));
        assert!(error.contains("sha256 ") && error.contains(", pinned "), "{error}");
        assert!(!error.contains("ends in the middle"), "{error}");
    }

    #[test]
    fn a_truncated_archive_is_called_that() {
        let whole = gzip("some text that is long enough to be cut");
        let cut = &whole[..whole.len() - 6];
        assert!(refusal(cut, Some(&whole)).contains("ends in the middle"));
        assert!(refusal(cut, None).contains("is truncated"));
        let mut xz = XZ_MAGIC.to_vec();
        xz.extend([0, 4, 1, 2, 3, 4, 0, 4, b'Y', b'Z']);
        assert_eq!(refusal(&xz, None), "");
        assert!(refusal(&xz[..xz.len() - 1], None).contains("is truncated"));
    }
}

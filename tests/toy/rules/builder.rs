// SPDX-License-Identifier: GPL-2.0-or-later
//! Packages to judge: small ones by rpmbuild, and what somebody could make of their bytes.

use crate::support::ends_with;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// What a package is built of, besides what all of them have.
#[derive(Default)]
pub struct Recipe<'a> {
    pub name: &'a str,
    /// Lines of the preamble, such as `Requires:`.
    pub tags: &'a str,
    /// The version, with which one package differs from another.
    pub version: &'a str,
    /// Commands of %install; `$file` is the file that is always there.
    pub install: &'a str,
    /// Lines of %files.
    pub files: &'a str,
    /// Sections behind %files.
    pub more: &'a str,
    pub define: &'a [&'a str],
}

/// The file that every package has.
pub const FILE: &str = "/usr/share/ruled/file";
/// Its text.
pub const TEXT: &str = "The file of a package that is there to be judged.\n";

/// Builds it with the real rpmbuild.
pub fn build(folder: &Path, recipe: &Recipe) -> PathBuf {
    let top = TempDir::new_in(folder).unwrap();
    let Recipe { name, tags, version, install, files, more, define } = recipe;
    let name = if name.is_empty() { "ruled" } else { name };
    let version = if version.is_empty() { "1" } else { version };
    let text = TEXT.trim_end();
    let spec = format!(
        "Name: {name}\nEpoch: 2\nVersion: {version}\nRelease: 1\nSummary: A test\nLicense: MIT\n{tags}\n\
         %description\nA test.\n%install\nfile=%{{buildroot}}{FILE}\nmkdir -p ${{file%%/*}}\n\
         echo '{text}' > $file\n{install}\n%files\n{FILE}\n{files}\n{more}\n"
    );
    fs::write(top.path().join("p.spec"), spec).unwrap();
    let mut rpmbuild = Command::new("rpmbuild");
    rpmbuild.args(["-bb", "--quiet", "--target", "x86_64", "--define", "debug_package %{nil}"]);
    rpmbuild.args(["--define", &format!("_topdir {}", top.path().display())]);
    for define in *define {
        rpmbuild.args(["--define", define]);
    }
    ends_with(0, rpmbuild.arg(top.path().join("p.spec")));
    let built = top.path().join("RPMS/x86_64").join(format!("{name}-{version}-1.x86_64.rpm"));
    let to = folder.join("ruled.rpm");
    fs::copy(built, &to).unwrap();
    to
}

/// A package of rpm's format 6, which the rpm of this machine cannot build: made by the `rpm` crate. Those
/// that rpm 6.1 makes have the same tags (Debian sid's was tried).
pub fn of_format_6(folder: &Path) -> PathBuf {
    let config = rpm::BuildConfig::v6()
        .compression(rpm::CompressionType::None)
        .source_date(1_700_000_000_u32);
    let mut builder = rpm::PackageBuilder::new("ruled", "1", "MIT", "noarch", "A test");
    builder.using_config(config).release("1");
    let options = rpm::FileOptions::new(FILE).permissions(0o644);
    builder.with_file_contents(TEXT, options).unwrap();
    let path = folder.join("six.rpm");
    builder.build().unwrap().write_file(&path).unwrap();
    // The crate's lead says 3 where rpm's says 4; no digest is over it.
    let mut bytes = fs::read(&path).unwrap();
    bytes[4] = 4;
    fs::write(&path, bytes).unwrap();
    path
}

/// A package whose payload is not compressed, as bytes to be edited.
pub fn plain(folder: &Path) -> Bytes {
    let file = build(folder, &Recipe { define: &["_binary_payload w.ufdio"], ..Recipe::default() });
    Bytes(fs::read(file).unwrap())
}

const LEAD: usize = 96;
const INTRO: usize = 16;
const ENTRY: usize = 16;

/// An RPM, byte by byte.
#[derive(Clone)]
pub struct Bytes(pub Vec<u8>);

impl Bytes {
    pub fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join("edited.rpm");
        fs::write(&path, &self.0).unwrap();
        path
    }

    pub fn word(&self, at: usize) -> usize {
        u32::from_be_bytes(*self.0[at..].first_chunk().unwrap()) as usize
    }

    pub fn set_word(&mut self, at: usize, word: u32) {
        self.0[at..at + 4].copy_from_slice(&word.to_be_bytes());
    }

    fn block(&self, start: usize) -> Range<usize> {
        start..start + INTRO + ENTRY * self.word(start + 8) + self.word(start + 12)
    }

    pub fn signature(&self) -> Range<usize> {
        self.block(LEAD)
    }

    pub fn header(&self) -> Range<usize> {
        self.block(self.signature().end.next_multiple_of(8))
    }

    pub fn payload(&self) -> usize {
        self.header().end
    }

    /// Where the index entry of a tag stands, in a block.
    pub fn entry(&self, block: &Range<usize>, tag: u32) -> usize {
        let entries = block.start + INTRO..block.start + INTRO + ENTRY * self.word(block.start + 8);
        let mut entries = entries.step_by(ENTRY);
        entries.find(|at| self.word(*at) == tag as usize).expect("the tag")
    }

    /// Where the value of a tag begins.
    pub fn value(&self, block: &Range<usize>, tag: u32) -> usize {
        let offset = self.word(self.entry(block, tag) + 8);
        block.start + INTRO + ENTRY * self.word(block.start + 8) + offset
    }

    /// Replaces bytes, which have to be there, by as many others, wherever they stand from a place on.
    pub fn replace(&mut self, from: usize, old: &[u8], new: &[u8]) -> &mut Self {
        assert_eq!(old.len(), new.len());
        let rest = &mut self.0[from..];
        let at = rest.windows(old.len()).position(|window| window == old).expect("the bytes");
        rest[at..at + new.len()].copy_from_slice(new);
        self
    }

    /// Gives it another payload.
    pub fn with_payload(&self, payload: &[u8]) -> Self {
        Self([&self.0[..self.payload()], payload].concat())
    }

    /// Makes every digest and size true again, so that nothing but the edit is wrong.
    pub fn fix(&mut self) -> &mut Self {
        let (signature, header) = (self.signature(), self.header());

        let payload = format!("{:x}", Sha256::digest(&self.0[header.end..]));
        let has = |tag: u32, block: &Range<usize>| {
            let all = block.start + INTRO..block.start + INTRO + ENTRY * self.word(block.start + 8);
            all.step_by(ENTRY).any(|at| self.word(at) == tag as usize)
        };
        let (digest, alt) = (has(5092, &header), has(5097, &header));
        for (tag, there) in [(5092, digest), (5097, alt)] {
            if there {
                let at = self.value(&header, tag);
                self.0[at..at + 64].copy_from_slice(payload.as_bytes());
            }
        }
        let block = self.0[header.clone()].to_vec();
        let all = self.0[header.start..].to_vec();
        let at = self.value(&signature, 273);
        self.0[at..at + 64].copy_from_slice(format!("{:x}", Sha256::digest(&block)).as_bytes());
        let at = self.value(&signature, 269);
        self.0[at..at + 40].copy_from_slice(format!("{:x}", Sha1::digest(&block)).as_bytes());
        if self.has_md5() {
            let at = self.value(&signature, 1004);
            self.0[at..at + 16].copy_from_slice(&Md5::digest(&all));
        }
        let at = self.value(&signature, 1000);
        self.set_word(at, u32::try_from(all.len()).unwrap());
        self
    }

    fn has_md5(&self) -> bool {
        let block = self.signature();
        let all = block.start + INTRO..block.start + INTRO + ENTRY * self.word(block.start + 8);
        all.step_by(ENTRY).any(|at| self.word(at) == 1004)
    }

    /// Gives a tag another number, so that it is not found.
    pub fn hide(&mut self, block: &Range<usize>, tag: u32, number: u32) -> &mut Self {
        let at = self.entry(block, tag);
        self.set_word(at, number);
        self
    }
}

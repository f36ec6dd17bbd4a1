// SPDX-License-Identifier: GPL-2.0-or-later
//! What a package is called: name, epoch, version, release and architecture.

use crate::PackageFile;
use crate::error::{Error, ErrorKind, OrError, Result, ensure};
use rpm::IndexTag;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// What a file name may have (`NAME_MAX`).
const LONGEST: usize = 255;

/// The full name of a package, fit to stand in a file's name and on one line.
///
/// It is ordered as a text, part by part; [`evr`](Self::evr) gives rpm's own order.
///
/// ```
/// use rpm_inspect::Nevra;
///
/// # fn main() -> Result<(), rpm_inspect::Error> {
/// let stock: Nevra = "qemu-2:4.2.1-5.2.15.2.xcpng8.3.x86_64".parse()?;
/// let ours: Nevra = "qemu-2:4.2.1-5.2.15.2.xcpng8.3.1.x86_64".parse()?;
/// assert_eq!(stock.epoch, 2);
/// assert!(ours.evr() > stock.evr());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Nevra {
    /// Such as `qemu`.
    pub name: String,
    /// 0 where the package gives none, as rpm compares it.
    pub epoch: u32,
    /// The author's, such as `4.2.1`.
    pub version: String,
    /// The packager's, such as `5.2.15.2.xcpng8.3`.
    pub release: String,
    /// `src` for a source package, whatever machine it was made on.
    pub arch: String,
}

impl Nevra {
    /// Takes the parts from whoever gives them, and refuses what rpmbuild would not let pass.
    ///
    /// # Errors
    ///
    /// A part is empty, too long, or has characters that no such part has.
    pub fn new(name: &str, epoch: u32, version: &str, release: &str, arch: &str) -> Result<Self> {
        // A hyphen divides the parts, and only a name may have more of them.
        let parts =
            [("name", name, "._+-"), ("version", version, "._+~^"), ("release", release, "._+~^")];
        for (what, text, more) in parts.into_iter().chain([("architecture", arch, "_")]) {
            let fits = text.len() <= LONGEST
                && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
                && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c));
            ensure!(fits, Malformed, "`{}` is not the {what} of a package", text.escape_debug());
        }
        let [name, version, release, arch] = [name, version, release, arch].map(str::to_owned);
        Ok(Self { name, epoch, version, release, arch })
    }

    /// What rpm orders packages of one name by.
    #[must_use]
    pub fn evr(&self) -> Evr<'_> {
        Evr { epoch: self.epoch, version: &self.version, release: &self.release }
    }
}

/// Reads what was written so.
impl FromStr for Nevra {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts = || {
            let (rest, arch) = text.rsplit_once('.')?;
            let (rest, release) = rest.rsplit_once('-')?;
            let (name, version) = rest.rsplit_once('-')?;
            let (epoch, version) = version.split_once(':').unwrap_or(("0", version));
            Some((name, epoch.parse().ok()?, version, release, arch))
        };
        let (name, epoch, version, release, arch) = parts().ok_or_else(|| {
            let message = format!("`{}` is no package's name", text.escape_debug());
            Error::new(ErrorKind::Malformed, message)
        })?;
        Self::new(name, epoch, version, release, arch)
    }
}

/// As rpm writes it; an epoch of 0 is left out.
impl fmt::Display for Nevra {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}.{}", self.name, self.evr(), self.arch)
    }
}

/// Epoch, version and release: what rpm orders packages of one name by.
///
/// ```
/// use rpm_inspect::Evr;
///
/// let evr = |text| Evr::parse(text).unwrap();
/// assert!(evr("1.10-1") > evr("1.9-1"));
/// assert!(evr("1:1.0-1") > evr("2.0-1"));
/// assert!(evr("1.0~rc1-1") < evr("1.0-1"));
/// assert_eq!(evr("0:1.0-1"), evr("1.00-1"));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Evr<'a> {
    /// 0 where there is none.
    pub epoch: u32,
    /// May be any text: rpm compares the runs of digits and of letters in it.
    pub version: &'a str,
    /// The same.
    pub release: &'a str,
}

impl<'a> Evr<'a> {
    /// Reads `[EPOCH:]VERSION[-RELEASE]`; nothing where the epoch is not a number of 32 bits.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
        let (version, release) = rest.rsplit_once('-').unwrap_or((rest, ""));
        Some(Self { epoch: epoch.parse().ok()?, version, release })
    }
}

/// As rpm has it (`rpmVersionCompare`): the epoch counts most, then the version, then the release.
impl Ord for Evr<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        // The epoch of that crate is a text, in which none and 0 differ.
        fn rest<'a>(it: &Evr<'a>) -> rpm_version::Evr<'a> {
            rpm_version::Evr::new("0", it.version, it.release)
        }
        self.epoch.cmp(&other.epoch).then_with(|| rest(self).cmp(&rest(other)))
    }
}

impl PartialOrd for Evr<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By the order: `1.0` and `1.00` are one version to rpm.
impl PartialEq for Evr<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Evr<'_> {}

/// `[EPOCH:]VERSION-RELEASE`; an epoch of 0 is left out.
impl fmt::Display for Evr<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.epoch > 0 {
            write!(out, "{}:", self.epoch)?;
        }
        write!(out, "{}-{}", self.version, self.release)
    }
}

impl PackageFile {
    /// What the package calls itself in its header, which is the part that gets signed.
    ///
    /// # Errors
    ///
    /// A part of it is missing, or is none.
    pub fn nevra(&self) -> Result<Nevra> {
        let header = &self.header;
        let text = |tag: IndexTag| {
            let value = header.text(tag as u32)?;
            let missing = || format!("its header does not hold the tag {}", tag as u32);
            value.or_error(ErrorKind::Malformed, missing())
        };
        let epoch = header.number(IndexTag::RPMTAG_EPOCH as u32)?.unwrap_or_default();
        // As rpm tells them apart: a binary package names the source package that it comes from.
        let source = self.source_package()?.is_none();
        let arch = if source { "src" } else { text(IndexTag::RPMTAG_ARCH)? };
        Nevra::new(
            text(IndexTag::RPMTAG_NAME)?,
            epoch,
            text(IndexTag::RPMTAG_VERSION)?,
            text(IndexTag::RPMTAG_RELEASE)?,
            arch,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_written_as_rpm_writes_it() {
        let shown = |epoch| Nevra::new("gcc-c++", epoch, "4.8.5", "44.el7", "x86_64").unwrap();
        assert_eq!(shown(0).to_string(), "gcc-c++-4.8.5-44.el7.x86_64");
        assert_eq!(shown(2).to_string(), "gcc-c++-2:4.8.5-44.el7.x86_64");
        for epoch in [0, 2] {
            assert_eq!(shown(epoch).to_string().parse::<Nevra>().unwrap(), shown(epoch));
        }
        for bad in ["", "a-1-1", "a-1.noarch", "a-x:1-1.noarch", "a b-1-1.noarch"] {
            assert!(bad.parse::<Nevra>().is_err(), "{bad}");
        }
        Nevra::new("python3.11", 0, "1.0~rc1^git3", "1.el10_0+2", "noarch").unwrap();
    }

    #[test]
    fn a_part_that_is_no_part_is_refused() {
        let new = |parts: [&str; 4]| Nevra::new(parts[0], 0, parts[1], parts[2], parts[3]);
        let long = "a".repeat(LONGEST + 1);
        for bad in ["", "../a", "a b", "a\n", ".a", "-a", "a:1", "ä", "a\0", &long] {
            for at in 0..4 {
                let mut parts = ["a", "1", "1", "noarch"];
                parts[at] = bad;
                let message = new(parts).unwrap_err().to_string();
                assert!(message.ends_with("of a package") && !message.contains('\n'), "{message}");
            }
        }
        let message = new(["a", "1-2", "1", "noarch"]).unwrap_err().to_string();
        assert_eq!(message, "`1-2` is not the version of a package");
    }
}

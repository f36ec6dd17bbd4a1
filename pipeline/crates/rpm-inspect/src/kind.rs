// SPDX-License-Identifier: GPL-2.0-or-later
//! What a package is: binary or source, and of which format.

use crate::PackageFile;
use crate::error::{Result, bail};
use rpm::IndexTag as Tag;

/// Whether a package is installed on hosts, or built from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Installed.
    Binary,
    /// Built from (`.src.rpm`).
    Source,
}

/// The kinds in the lead, which rpm 4.11 still looks at where a header is old.
const LEAD_BINARY: [u8; 2] = [0, 0];
const LEAD_SOURCE: [u8; 2] = [0, 1];

impl PackageFile {
    /// The kind, where everything that could tell says the same. rpm asks one tag or the other,
    /// by its version: a package that is both would be judged as one and installed as the other.
    ///
    /// # Errors
    ///
    /// They do not.
    pub fn kind(&self) -> Result<Kind> {
        let marked = self.header.number(Tag::RPMTAG_SOURCEPACKAGE as u32)?.is_some();
        let lead = [self.lead()[6], self.lead()[7]];
        match (self.source_package()?.is_some(), marked, lead) {
            (true, false, LEAD_BINARY) => Ok(Kind::Binary),
            (false, _, LEAD_SOURCE) => Ok(Kind::Source),
            _ => bail!(
                Malformed,
                "it says in one place that it is a source package, and not in another"
            ),
        }
    }

    /// The file of the source package that a binary package was built from.
    ///
    /// # Errors
    ///
    /// `RPMTAG_SOURCERPM` is not a text.
    pub fn source_package(&self) -> Result<Option<&str>> {
        self.header.text(Tag::RPMTAG_SOURCERPM as u32)
    }

    /// The format: 4, or 6 where it says so. Packages of the format 3 are told as 4, and have no header
    /// that is read here.
    ///
    /// # Errors
    ///
    /// `RPMTAG_RPMFORMAT` is not a number.
    pub fn format(&self) -> Result<u32> {
        let from_lead = if self.lead()[4] == 4 { 6 } else { 4 };
        let said = self.header.number(Tag::RPMTAG_RPMFORMAT as u32)?;
        Ok(said.unwrap_or(from_lead).max(from_lead))
    }
}

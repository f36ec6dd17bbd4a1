// SPDX-License-Identifier: GPL-2.0-or-later
//! A file on this machine.

use super::kind::{BringContext, SourceKind};
use super::{Brought, SourceFact};
use crate::config::PathSource;
use crate::fetch::{Pin, check};
use crate::files;
use crate::stage::{KeyBuilder, Network};
use anyhow::Result;

impl SourceKind for PathSource {
    fn recipe(&self, key: KeyBuilder) -> KeyBuilder {
        key.text("path", self.file_name()).text("sha256", self.sha256.as_str())
    }

    fn tools(&self, _network: Network) -> &'static [&'static str] {
        &[]
    }

    fn pins(&self) -> Vec<(Pin, String)> {
        Vec::new()
    }

    fn bring(&self, cx: &BringContext, brought: &mut Brought) -> Result<()> {
        let (from, to) = (files::join(cx.base_dir, &self.file), cx.place_of(self.file_name()));
        files::copy(&from, &to, &files::SOURCE)?;
        check::pinned(&to, &from.display().to_string(), &self.sha256, None)?;
        brought.files.push(SourceFact::of(self.file_name(), &to, None)?);
        Ok(())
    }
}

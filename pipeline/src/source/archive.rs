// SPDX-License-Identifier: GPL-2.0-or-later
//! A file from the web.

use super::kind::{BringContext, SourceKind};
use super::{Brought, SourceFact, place};
use crate::config::ArchiveSource;
use crate::fetch::{FileRequest, Pin};
use crate::stage::{KeyBuilder, Network};
use anyhow::Result;

impl SourceKind for ArchiveSource {
    fn recipe(&self, key: KeyBuilder) -> KeyBuilder {
        key.text("archive", self.file_name()).text("sha256", self.sha256.as_str())
    }

    fn tools(&self, _network: Network) -> &'static [&'static str] {
        &["curl"]
    }

    fn pins(&self) -> Vec<(Pin, String)> {
        vec![(Pin::Sha256(self.sha256.clone()), self.url.to_string())]
    }

    fn bring(&self, cx: &BringContext, brought: &mut Brought) -> Result<()> {
        let name = self.file_name();
        let request =
            FileRequest { display_name: name, sha256: &self.sha256, size: Some(self.size) };
        let to = cx.place_of(name);
        place(&cx.fetch.web(&request, &self.url)?, &to)?;
        brought.files.push(SourceFact::of(name, &to, Some(self.url.to_string()))?);
        Ok(())
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The stage `sign` as a step.

use super::{Signed, Signer, sign_all};
use crate::note::Note;
use crate::stage::{Context, KeyBuilder, Needs, Network, Slot, Stage, Step, Taken, Value};
use crate::store::Stored;
use crate::verify::Verified;
use anyhow::{Context as _, Result};

pub struct SignStep<'p> {
    /// None while the development key was not made yet.
    pub signer: Option<&'p Signer>,
}

impl SignStep<'_> {
    fn signer(&self) -> Result<&Signer> {
        self.signer.context("no signing key was loaded")
    }
}

impl Step for SignStep<'_> {
    const STAGE: Stage = Stage::Sign;
    const REVISION: u32 = 3;
    type Value = Signed;
    type Takes<'s> = (&'s Slot<Verified>,);

    fn recipe(&self, key: KeyBuilder, _: &Self::Takes<'_>) -> Option<KeyBuilder> {
        Some(key.text("signer", &self.signer?.fingerprint()))
    }

    fn needs(&self, _network: Network) -> Result<Needs> {
        Ok(Needs::default())
    }

    fn run(&self, cx: &Context, (verified,): Taken<'_, Self>) -> Result<Signed> {
        sign_all(verified, self.signer()?, cx)
    }

    fn recall(&self, stored: Stored, _: Taken<'_, Self>) -> Result<Signed> {
        Signed::of(stored)
    }

    fn notes(&self, _signed: &Signed) -> Result<Vec<Note>> {
        let signer = self.signer()?;
        let others = signer.others().iter().map(|what| Note::KeyPassedOver { what: what.clone() });
        let key = Note::SigningKey { fingerprint: signer.fingerprint() };
        Ok(std::iter::once(key).chain(others).collect())
    }
}

impl Value for Signed {
    fn stored(&self) -> &Stored {
        &self.stored
    }
}

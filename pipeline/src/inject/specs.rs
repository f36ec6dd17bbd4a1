// SPDX-License-Identifier: GPL-2.0-or-later
//! All that a pipeline makes of one spec.

use super::{Edited, edit, refuse_no_spec};
use crate::config::{Edit, Pipeline, Stock};
use anyhow::{Context, Result};

/// A spec as it stands and as it will be built.
pub struct Specs {
    pub text: Vec<u8>,
    pub edited: Edited,
    /// As it is built for the test binary, where there is one.
    pub for_tests: Option<Edited>,
    /// As the stock package is built, where there is one.
    pub stock: Option<Edited>,
    /// The stock spec with the edits for the test binary: built for its objects alone, and only where
    /// those edits want nothing of the devices.
    pub stock_for_tests: Option<Edited>,
}

impl Specs {
    /// Applies the edits. `display_name` is what errors call the spec.
    pub fn of(pipeline: &Pipeline, text: Vec<u8>, display_name: &str) -> Result<Self> {
        refuse_no_spec(&text, display_name)?;
        let defines = &pipeline.build.define;
        let edit = |spec: &[u8], edits: &[Edit]| {
            edit(spec, display_name, edits, &pipeline.device, defines)
        };
        let edited = edit(&text, &pipeline.spec.edits)?;
        let binary = pipeline.build.test_binary.as_ref();
        let for_tests = binary.map(|binary| edit(&edited.spec, &binary.edits));
        let for_tests = for_tests.transpose().context("`build.test-binary`")?;
        let stock = match &pipeline.verify.stock {
            Some(Stock::Build(stock)) => Some(edit(&text, &stock.edits).context("`verify.stock`")?),
            None => None,
        };
        // For the objects of its compiler cache alone: a tree that cannot be made is none.
        let stock_for_tests = stock.as_ref().zip(binary).and_then(|(stock, binary)| {
            super::edit(&stock.spec, display_name, &binary.edits, &[], defines).ok()
        });
        Ok(Self { text, edited, for_tests, stock, stock_for_tests })
    }
}

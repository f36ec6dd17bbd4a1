// SPDX-License-Identifier: GPL-2.0-or-later
//! Arrays out of a header: what rpm keeps about files, dependencies and changes.

use crate::error::Result;
use crate::header::{HeaderStructure, INT16, INT32, INT64, STRING, STRING_ARRAY};
use std::borrow::Cow;

impl HeaderStructure {
    /// A number of 64 bits.
    ///
    /// # Errors
    ///
    /// The tag is of another kind.
    pub fn long(&self, tag: u32) -> Result<Option<u64>> {
        let value = self.find(tag, &[INT64], 1)?;
        Ok(value.and_then(|value| value.first_chunk()).map(|eight| u64::from_be_bytes(*eight)))
    }

    /// An array of numbers of 16 bits; a tag that is not there has none.
    ///
    /// # Errors
    ///
    /// The tag is of another kind.
    pub fn shorts(&self, tag: u32) -> Result<Vec<u16>> {
        let value = self.find(tag, &[INT16], u32::MAX)?.unwrap_or_default();
        Ok(value.as_chunks().0.iter().map(|two| u16::from_be_bytes(*two)).collect())
    }

    /// An array of numbers of 32 bits.
    ///
    /// # Errors
    ///
    /// The tag is of another kind.
    pub fn numbers(&self, tag: u32) -> Result<Vec<u32>> {
        let value = self.find(tag, &[INT32], u32::MAX)?.unwrap_or_default();
        Ok(value.as_chunks().0.iter().map(|four| u32::from_be_bytes(*four)).collect())
    }

    /// An array of numbers of 64 bits.
    ///
    /// # Errors
    ///
    /// The tag is of another kind.
    pub fn longs(&self, tag: u32) -> Result<Vec<u64>> {
        let value = self.find(tag, &[INT64], u32::MAX)?.unwrap_or_default();
        Ok(value.as_chunks().0.iter().map(|eight| u64::from_be_bytes(*eight)).collect())
    }

    /// An array of strings, or the only one. Those of old are not all UTF-8: what is not is replaced.
    ///
    /// # Errors
    ///
    /// The tag is of another kind.
    pub fn texts(&self, tag: u32) -> Result<Vec<Cow<'_, str>>> {
        let value = self.find(tag, &[STRING_ARRAY, STRING], u32::MAX)?.unwrap_or_default();
        let value = value.strip_suffix(&[0]);
        let texts = value.into_iter().flat_map(|all| all.split(|byte| *byte == 0));
        Ok(texts.map(String::from_utf8_lossy).collect())
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The folders of the store.

/// The results of steps, one folder each.
pub const RESULTS: &str = "results";
/// What runs are working on.
pub const WORK: &str = "work";
/// What holds other runs off.
pub const LOCKS: &str = "locks";
/// The logs of the last run, by pipeline.
pub const LOGS: &str = "logs";
/// What failed builds left, for somebody to look into.
pub const FAILED: &str = "failed";
/// Fetched content, by its digest, as a mirror folder has it.
pub const CONTENT: &str = "content";
/// Which image an engine made of an environment, by its id.
pub const IMAGES: &str = "images";
/// What is public of signing keys.
pub const PUBLIC_KEYS: &str = "public-keys";
/// The pipeline that this program carries.
pub const DEFAULT: &str = "default";
/// The compiler caches of pipelines without a stock package.
pub const COMPILER_CACHES: &str = "compiler-caches";

// SPDX-License-Identifier: GPL-2.0-or-later
//! The lock of an environment: where it is, and whether it is of the pipeline as it stands.

use super::Project;
use crate::config::{Base, ImageBase, Lock};
use crate::error::Reason;
use crate::files;
use anyhow::Result;
use std::path::{Path, PathBuf};

/// What the lock is good for.
pub enum LockState {
    /// The base needs none.
    NotNeeded,
    Current(Box<Lock>),
    /// There is none, or it is of another declaration: why nothing can be built.
    Unusable(Reason),
}

impl LockState {
    pub fn current(&self) -> Option<&Lock> {
        match self {
            Self::Current(lock) => Some(lock),
            Self::NotNeeded | Self::Unusable(_) => None,
        }
    }

    pub fn unusable(&self) -> Option<&Reason> {
        match self {
            Self::Unusable(why) => Some(why),
            Self::NotNeeded | Self::Current(_) => None,
        }
    }
}

impl Project {
    /// The base that a lock resolves, where it is one.
    pub fn lockable(&self) -> Option<&ImageBase> {
        match &self.pipeline.environment.base {
            Base::Image(declared) => Some(declared),
            Base::Debian(_) => None,
        }
    }

    /// The lock as it stands, old or not.
    pub fn lock_as_written(&self) -> Result<Option<Lock>> {
        let text = files::read_text_if_there(&self.lock_file, &files::LOCK)?;
        let shown = self.lock_file.display().to_string();
        Ok(text.map(|text| Lock::parse(&text, &shown)).transpose()?)
    }

    pub fn lock_state(&self) -> Result<LockState> {
        let Some(declared) = self.lockable() else { return Ok(LockState::NotNeeded) };
        let shown = self.lock_file.display();
        let why = match self.lock_as_written()? {
            None => format!("the environment has no lock `{shown}`"),
            Some(lock) => match lock.stale(declared) {
                Some(why) => format!("`{shown}` is older than the pipeline: {why}"),
                None => return Ok(LockState::Current(Box::new(lock))),
            },
        };
        let again = format!("`{}` resolves it where there is a network", self.command("lock"));
        Ok(LockState::Unusable(Reason::new(why).help(again)))
    }
}

/// Where the lock of a pipeline's environment is. Only an ending that says YAML makes way for its own: in
/// `xcp-8.3` the last part is a number.
pub fn file_of(pipeline: &Path) -> PathBuf {
    let is_yaml = pipeline.extension().is_some_and(|it| it == "yaml" || it == "yml");
    if is_yaml {
        return pipeline.with_extension("lock");
    }
    let mut name = pipeline.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipelines_whose_names_differ_behind_a_dot_have_locks_of_their_own() {
        for (file, lock) in [
            ("a/xcp-8.3.yaml", "a/xcp-8.3.lock"),
            ("xcp.yml", "xcp.lock"),
            ("xcp-8.2", "xcp-8.2.lock"),
            ("xcp-8.3", "xcp-8.3.lock"),
            ("xcp.lock", "xcp.lock.lock"),
            ("a.b/xcp", "a.b/xcp.lock"),
        ] {
            assert_eq!(file_of(Path::new(file)), Path::new(lock));
        }
    }
}

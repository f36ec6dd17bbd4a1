//! Pipeline files: from a path, or the one that this program carries.

use crate::config::{self, Pipeline};
use crate::files;
use crate::store::Store;
use anyhow::{Context, Result};
use fs_err as fs;
use std::path::{Path, PathBuf};

/// A pipeline and where it came from.
#[derive(Debug)]
pub struct Loaded {
    pub pipeline: Pipeline,
    /// The folder that its relative paths start from.
    pub beside: PathBuf,
    /// Where the lock of its environment is, or would be.
    pub lock_file: PathBuf,
    /// blake3 of where its file is, links resolved: another pipeline may have the same name.
    pub place: String,
}

/// Where the lock of a pipeline's environment is. Only an ending that says YAML makes way for its own: in
/// `xcp-8.3` the last part is a number.
fn lock_file(file: &Path) -> PathBuf {
    let is_yaml = file.extension().is_some_and(|it| it == "yaml" || it == "yml");
    if is_yaml {
        return file.with_extension("lock");
    }
    let mut name = file.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

/// The default pipeline and the files that it names, as they lie in this program's source tree.
const DEFAULT: &str = "pipeline/workstation.yaml";
const CARRIED: &[(&str, &str)] = &[
    (DEFAULT, include_str!("../../workstation.yaml")),
    ("pipeline/workstation/qemu.spec", include_str!("../../workstation/qemu.spec")),
    ("device/vgpu-stub.c", include_str!("../../../device/vgpu-stub.c")),
    ("device/vgpu-stub.yaml", include_str!("../../../device/vgpu-stub.yaml")),
    ("wrapper/sample/qemu-wrapper", include_str!("../../../wrapper/sample/qemu-wrapper")),
    (
        "containers/debian-12.Containerfile",
        include_str!("../../../containers/debian-12.Containerfile"),
    ),
];

impl Loaded {
    /// Reads a pipeline file.
    pub fn read(file: &Path) -> Result<Self> {
        let shown = file.display().to_string();
        let text = files::read_text(file, &files::PIPELINE)?;
        let mut pipeline = config::parse(&text, &shown)?;
        let beside = file.parent().unwrap_or(Path::new("")).to_owned();
        let mut contracts = Vec::new();
        for path in &pipeline.verify.contracts {
            let path = files::join(&beside, path);
            let shown = path.display().to_string();
            let text = files::read_text(&path, &files::CONTRACT)?;
            contracts.push(config::parse_contract(&text, &shown)?);
        }
        pipeline = pipeline.with_contracts(contracts, &text, &shown)?;
        if let Some(kernel) = pipeline.verify.guest.as_mut().and_then(|guest| guest.kernel.as_mut())
        {
            *kernel = beside.join(&*kernel);
        }
        let place = fs::canonicalize(file)?;
        let place = blake3::hash(place.as_os_str().as_encoded_bytes()).to_hex().to_string();
        Ok(Self { pipeline, beside, lock_file: lock_file(file), place })
    }

    /// What is this pipeline's and not another's of the same name is kept under this.
    pub fn own_name(&self) -> String {
        format!("{}-{}", self.pipeline.name, self.place.get(..8).unwrap_or(&self.place))
    }

    /// The default pipeline, laid out in the store so that it is read like any other.
    pub fn default_in(store: &Store) -> Result<Self> {
        let mut digest = blake3::Hasher::new();
        for (name, text) in CARRIED {
            digest.update(name.as_bytes()).update(text.as_bytes());
        }
        let folder = store.scratch(&format!("default/{}", &digest.finalize().to_hex()[..16]))?;
        for (name, text) in CARRIED {
            let path = folder.join(name);
            if files::read(&path, &files::PIPELINE).is_ok_and(|found| found == text.as_bytes()) {
                continue;
            }
            let parent = path.parent().context("a carried file has a folder")?;
            fs::create_dir_all(parent)?;
            let staged = tempfile::NamedTempFile::new_in(parent)?;
            fs::write(staged.path(), text)?;
            staged.persist(&path)?;
        }
        Self::read(&folder.join(DEFAULT))
    }
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
            assert_eq!(lock_file(Path::new(file)), Path::new(lock));
        }
    }
}

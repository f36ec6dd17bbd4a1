// SPDX-License-Identifier: GPL-2.0-or-later
//! What the package for dom0 knows of a pipeline's devices: a file of data for each, made of its contract.
//! `wrapper/qemu_device/contract.py` reads them.

use crate::config::{Admitted, Edit, ExpectedType, Pipeline, PropertySetting};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Where they are beside the modules, and on a host below the package's folder.
const FOLDER: &str = "devices";
const ORIGIN: &str = "origin.json";

/// The devices that one pipeline's package serves.
#[derive(Debug, Clone)]
pub struct ServedDevices {
    /// Files by their place below the package's folder of modules.
    files: BTreeMap<String, String>,
    /// What the release of its QEMU ends in, and that of this package.
    pub release_suffix: Option<String>,
}

impl ServedDevices {
    /// Those of a pipeline's devices whose contracts say what an operator may set.
    pub fn of(pipeline: &Pipeline) -> Self {
        let types = &pipeline.verify.types;
        let devices = pipeline.device.iter();
        let devices = devices.filter_map(|it| types.iter().find(|type_| type_.name == it.qom_type));
        let mut files: BTreeMap<_, _> = devices.filter_map(file).collect();
        let release_suffix = pipeline.spec.edits.iter().find_map(|edit| match edit {
            Edit::ReleaseSuffix(suffix) => Some(suffix.as_str().to_owned()),
            _ => None,
        });
        let origin = json!({ "pipeline": pipeline.name, "release-suffix": release_suffix });
        files.insert(ORIGIN.to_owned(), text(&origin));
        Self { files, release_suffix }
    }

    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// blake3 of all of it.
    pub fn digest(&self) -> String {
        let mut digest = blake3::Hasher::new();
        for part in self.files().flat_map(|(name, text)| [name, text]) {
            digest.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
        digest.finalize().to_hex().to_string()
    }
}

/// The file of one type; none where its contract has no settings.
pub fn file(expected: &ExpectedType) -> Option<(String, String)> {
    let settings = expected.settings.as_ref()?;
    let kind = |name| expected.properties.as_ref().and_then(|own| own.get(name));
    let properties = settings.properties.iter();
    let properties = properties.map(|(name, setting)| {
        let mut entry = admitted(setting);
        entry["name"] = json!(name);
        entry["kind"] = json!(kind(name));
        entry["default"] = json!(setting.default);
        entry["unique"] = json!(setting.unique);
        entry["help"] = json!(setting.help);
        entry
    });
    let whole = json!({
        "type": expected.name,
        "properties": properties.collect::<Vec<_>>(),
        "slot": { "default": settings.slot.default, "choices": settings.slot.all() },
        "max-per-vm": settings.max_per_vm,
    });
    Some((format!("{FOLDER}/{}.json", expected.name), text(&whole)))
}

/// A pattern is told in pieces, so that a host has nothing to parse and to get wrong.
fn admitted(setting: &PropertySetting) -> Value {
    match setting.admitted() {
        Some(Admitted::Words(words)) => json!({ "one-of": words }),
        Some(Admitted::Numbers(range)) => json!({ "range": [range.from, range.to] }),
        Some(Admitted::Text { pattern, source, max_length }) => {
            let pieces = pattern.pieces.iter().map(|piece| {
                let characters: String = piece.characters.iter().collect();
                json!([characters, piece.least, piece.most.map_or(max_length, usize::from)])
            });
            let pieces: Vec<Value> = pieces.collect();
            json!({ "pattern": source, "max-length": max_length, "pieces": pieces })
        }
        None => json!({ "one-of": [] }),
    }
}

fn text(value: &Value) -> String {
    format!("{value:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Project;
    use std::fs;
    use std::path::Path;

    /// What the checks of the host's Python are run with. `UPDATE=1` writes the files.
    #[test]
    fn the_contracts_of_the_tests_are_as_the_checks_have_them() {
        let project = Project::with_contracts(&[
            include_str!("../../../device/vgpu-stub.yaml"),
            include_str!("../../../tests/fixtures/contracts/meter.yaml"),
            include_str!("../../../tests/fixtures/contracts/tag.yaml"),
        ]);
        for expected in &project.pipeline.verify.types {
            let (name, made) = file(expected).unwrap();
            let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/host/wrapper").join(name);
            if std::env::var_os("UPDATE").is_some() {
                fs::write(&kept, &made).unwrap();
            }
            let found = fs::read(&kept).unwrap();
            assert_eq!(
                String::from_utf8(found).unwrap(),
                made,
                "{}: `UPDATE=1` writes it",
                kept.display()
            );
        }
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! A saved image, looked into before an engine does: an engine loads every image that an archive holds,
//! under every name that it gives them.

use crate::config::ImageDigest;
use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use sha2::Digest;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// No description of an image comes near this.
const LARGEST_TEXT: u64 = 4 << 20;

/// An entry of `manifest.json` (docker image-spec v1.2, "Combined Image JSON + Filesystem Changeset").
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Manifest {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

/// What an image's configuration says of its layers (OCI image-spec, config.md).
#[derive(Deserialize)]
struct Config {
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    diff_ids: Vec<String>,
}

/// Refuses an archive that is anything but this one image, without a name.
pub fn is_archive_of(archive: &Path, id: &ImageDigest) -> Result<()> {
    judge(archive, id)
        .with_context(|| format!("`{}` is not the saved image {id}", archive.display()))
}

fn judge(archive: &Path, id: &ImageDigest) -> Result<()> {
    let mut texts = BTreeMap::new();
    let mut digests = BTreeMap::new();
    for entry in tar::Archive::new(File::open(archive)?).entries()? {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = entry.path()?.to_string_lossy().into_owned();
        let mut hasher = sha2::Sha256::new();
        if entry.size() <= LARGEST_TEXT && name.strip_suffix(".json").is_some() {
            let mut text = Vec::new();
            entry.by_ref().take(LARGEST_TEXT).read_to_end(&mut text)?;
            hasher.update(&text);
            texts.insert(name.clone(), text);
        } else {
            io::copy(&mut entry, &mut hasher)?;
        }
        // Whoever names a file twice wants one of them overlooked.
        let digest = format!("sha256:{:x}", hasher.finalize());
        ensure!(digests.insert(name.clone(), digest).is_none(), "it holds `{name}` twice");
    }
    let manifest = texts.get("manifest.json").context("it has no `manifest.json`")?;
    let manifests: Vec<Manifest> = serde_json::from_slice(manifest)?;
    let [Manifest { config, repo_tags, layers }] = &manifests[..] else {
        bail!("it holds {} images", manifests.len());
    };
    ensure!(repo_tags.as_ref().is_none_or(Vec::is_empty), "it names its image");
    ensure!(!texts.contains_key("index.json"), "it is of two formats at once");
    ensure!(
        digests.get(config).is_some_and(|digest| digest == id.as_str()),
        "its image has another configuration"
    );
    let text = texts.get(config).context("its configuration is no JSON file")?;
    let declared = serde_json::from_slice::<Config>(text)?.rootfs.diff_ids;
    let found: Vec<&String> = layers.iter().filter_map(|layer| digests.get(layer)).collect();
    ensure!(declared.iter().eq(found), "its layers are not those of the configuration");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Rendered;

    /// An archive of these files.
    fn archive(files: &[(&str, &[u8])]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut builder = tar::Builder::new(file.as_file());
        for (name, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            builder.append_data(&mut header, name, *content).unwrap();
        }
        builder.finish().unwrap();
        drop(builder);
        file
    }

    fn digest(content: &[u8]) -> String {
        format!("sha256:{:x}", sha2::Sha256::digest(content))
    }

    #[test]
    fn only_the_one_image_without_a_name_is_taken() {
        let layer = b"layer".as_slice();
        let config = format!("{{\"rootfs\":{{\"diff_ids\":[\"{}\"]}}}}", digest(layer));
        let config = config.as_bytes();
        let id = ImageDigest::try_from(digest(config)).unwrap();
        let one = |tags: &str| format!("{{\"Config\":\"c.json\",{tags}\"Layers\":[\"l.tar\"]}}");
        let check = |manifest: &str, layer: &[u8], more: &[(&str, &[u8])]| {
            let manifest = manifest.as_bytes();
            let files = [("c.json", config), ("l.tar", layer), ("manifest.json", manifest)];
            let file = archive(&[&files, more].concat());
            is_archive_of(file.path(), &id).map_err(|error| error.rendered())
        };
        let good = format!("[{}]", one(""));
        assert_eq!(check(&good, layer, &[]), Ok(()));
        assert_eq!(check(&format!("[{}]", one("\"RepoTags\":[],")), layer, &[]), Ok(()));
        for (result, expected) in [
            (
                check(&format!("[{}]", one("\"RepoTags\":[\"a:b\"],")), layer, &[]),
                "it names its image",
            ),
            (check(&format!("[{0},{0}]", one("")), layer, &[]), "it holds 2 images"),
            (check(&good, b"other", &[]), "its layers are not those"),
            (check(&good, layer, &[("c.json", b"{}")]), "it holds `c.json` twice"),
            (check(&good, layer, &[("index.json", b"{}")]), "of two formats"),
            (check("[]", layer, &[]), "it holds 0 images"),
            (check("nonsense", layer, &[]), "expected"),
        ] {
            assert!(result.as_ref().is_err_and(|error| error.contains(expected)), "{result:?}");
        }
    }
}

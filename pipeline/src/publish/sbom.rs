// SPDX-License-Identifier: GPL-2.0-or-later
//! The bills of materials of a release: SPDX 2.3 (ISO/IEC 5962), in its JSON form, one of what is in the
//! packages and one of the environment that built them.

use super::manifest::Provenance;
use super::statement::Environment;
use crate::inject::flaws;
use crate::stage::Material;
use anyhow::{Context, Result};
use serde::Serialize;
use std::collections::BTreeMap;

const DOCUMENT: &str = "SPDXRef-DOCUMENT";
const NO_ASSERTION: &str = "NOASSERTION";

/// A package that leaves, by its file.
pub struct Leaving<'a> {
    pub output: &'a Material,
    pub name: String,
    pub version: String,
    /// As rpm's tag has it.
    pub license: String,
    pub source: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    spdx_version: &'static str,
    data_license: &'static str,
    #[serde(rename = "SPDXID")]
    id: &'static str,
    name: String,
    #[serde(rename = "documentNamespace")]
    namespace: String,
    creation_info: CreationInfo,
    packages: Vec<Package>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    has_extracted_licensing_infos: Vec<License>,
    relationships: Vec<Relationship>,
}

#[derive(Serialize)]
struct CreationInfo {
    created: String,
    creators: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Package {
    #[serde(rename = "SPDXID")]
    id: String,
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    version_info: String,
    #[serde(rename = "packageFileName", skip_serializing_if = "Option::is_none")]
    file_name: Option<String>,
    download_location: String,
    files_analyzed: bool,
    checksums: Vec<Checksum>,
    license_concluded: &'static str,
    license_declared: String,
    copyright_text: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_refs: Vec<Reference>,
    primary_package_purpose: &'static str,
}

#[derive(Serialize)]
struct Checksum {
    algorithm: &'static str,
    #[serde(rename = "checksumValue")]
    value: String,
}

#[derive(Serialize)]
struct Reference {
    #[serde(rename = "referenceCategory")]
    category: &'static str,
    #[serde(rename = "referenceType")]
    kind: &'static str,
    #[serde(rename = "referenceLocator")]
    locator: String,
}

#[derive(Serialize)]
struct License {
    #[serde(rename = "licenseId")]
    id: String,
    #[serde(rename = "extractedText")]
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Relationship {
    spdx_element_id: String,
    #[serde(rename = "relationshipType")]
    kind: &'static str,
    related_spdx_element: String,
}

/// A document that grows.
struct Writer {
    packages: Vec<Package>,
    licenses: BTreeMap<String, String>,
    relationships: Vec<Relationship>,
}

impl Writer {
    fn new() -> Self {
        Self { packages: Vec::new(), licenses: BTreeMap::new(), relationships: Vec::new() }
    }

    fn add(&mut self, name: &str, sha256: &str, purpose: &'static str) -> &mut Package {
        let id = format!("SPDXRef-{}", self.packages.len() + 1);
        self.packages.push(Package {
            id,
            name: name.to_owned(),
            version_info: String::new(),
            file_name: None,
            download_location: NO_ASSERTION.to_owned(),
            files_analyzed: false,
            checksums: vec![Checksum { algorithm: "SHA256", value: sha256.to_owned() }],
            license_concluded: NO_ASSERTION,
            license_declared: NO_ASSERTION.to_owned(),
            copyright_text: NO_ASSERTION,
            external_refs: Vec::new(),
            primary_package_purpose: purpose,
        });
        let last = self.packages.len() - 1;
        &mut self.packages[last]
    }

    fn relate(&mut self, one: &str, how: &'static str, other: &str) {
        self.relationships.push(Relationship {
            spdx_element_id: one.to_owned(),
            kind: how,
            related_spdx_element: other.to_owned(),
        });
    }

    /// What rpm's tag says, where that is an expression of SPDX's; else a license of the document's own.
    fn license(&mut self, said: &str) -> String {
        if said.is_empty() {
            return NO_ASSERTION.to_owned();
        }
        if spdx::Expression::parse(said).is_ok() {
            return said.to_owned();
        }
        let next = format!("LicenseRef-{}", self.licenses.len() + 1);
        self.licenses.entry(said.to_owned()).or_insert(next).clone()
    }

    fn finish(self, name: String, provenance: &Provenance, time: u32) -> Result<String> {
        let created = jiff::Timestamp::from_second(time.into()).context("the build's time")?;
        let packages = serde_json::to_vec(&self.packages)?;
        let digest = crate::digest::sha256(&packages);
        let licenses = self.licenses.into_iter().map(|(said, id)| License {
            id,
            text: format!("The License tag of the package says: {said}"),
        });
        let document = Document {
            spdx_version: "SPDX-2.3",
            data_license: "CC0-1.0",
            id: DOCUMENT,
            namespace: format!("urn:vgpu-pipeline:spdx:{name}:{digest}"),
            name,
            creation_info: CreationInfo {
                created: created.to_string(),
                creators: vec![format!("Tool: {}", provenance.builder.replace(' ', "-"))],
            },
            packages: self.packages,
            has_extracted_licensing_infos: licenses.collect(),
            relationships: self.relationships,
        };
        Ok(serde_json::to_string_pretty(&document)? + "\n")
    }
}

/// What is in the packages: each, and the sources, patches and devices that they were made of.
pub fn of_packages(leaving: &[Leaving], provenance: &Provenance, time: u32) -> Result<String> {
    let mut writer = Writer::new();
    let mut made = Vec::new();
    for package in leaving {
        let license = writer.license(&package.license);
        let purpose = if package.source { "SOURCE" } else { "INSTALL" };
        let entry = writer.add(&package.name, &package.output.sha256, purpose);
        entry.version_info.clone_from(&package.version);
        entry.file_name = package.output.name.rsplit('/').next().map(str::to_owned);
        entry.license_declared = license;
        let id = entry.id.clone();
        writer.relate(DOCUMENT, "DESCRIBES", &id);
        made.push((id, package));
    }
    let inputs = provenance.inputs.iter();
    for input in inputs.filter(|it| ["source", "device", "spec", "wrapper"].contains(&it.role)) {
        let is_patch = [".patch", ".diff"].iter().any(|end| input.name.ends_with(end));
        let entry = writer.add(&input.name, &input.sha256, "SOURCE");
        if let Some(origin) = &input.origin {
            entry.download_location.clone_from(origin);
        }
        if is_patch {
            entry.external_refs = flaws([&input.name])
                .into_iter()
                .map(|flaw| Reference {
                    category: "SECURITY",
                    kind: "fix",
                    locator: advisory(&flaw),
                })
                .collect();
        }
        let id = entry.id.clone();
        for (package, _) in &made {
            if is_patch {
                writer.relate(&id, "PATCH_APPLIED", package);
            } else {
                writer.relate(package, "GENERATED_FROM", &id);
            }
        }
    }
    writer.finish(provenance.pipeline.clone(), provenance, time)
}

/// The environment: each package that was installed in it, and its base image.
pub fn of_environment(
    environment: &Environment,
    provenance: &Provenance,
    time: u32,
) -> Result<String> {
    let mut writer = Writer::new();
    for package in environment.packages {
        let entry = writer.add(&package.name, &package.sha256, "INSTALL");
        entry.version_info.clone_from(&package.version);
        entry.file_name = Some(package.file.clone());
        if package.uri.starts_with("pkg:") {
            entry.external_refs.push(Reference {
                category: "PACKAGE-MANAGER",
                kind: "purl",
                locator: package.uri.clone(),
            });
        } else {
            entry.download_location.clone_from(&package.uri);
        }
        let id = entry.id.clone();
        writer.relate(DOCUMENT, "DESCRIBES", &id);
    }
    if let Some((reference, sha256)) = environment.image {
        let id = writer.add(reference, sha256, "CONTAINER").id.clone();
        writer.relate(DOCUMENT, "DESCRIBES", &id);
    }
    writer.finish(format!("{}-environment", provenance.pipeline), provenance, time)
}

/// Where a flaw is told of.
fn advisory(flaw: &str) -> String {
    match flaw.strip_prefix("XSA-") {
        Some(number) => format!("https://xenbits.xen.org/xsa/advisory-{number}.html"),
        None => format!("https://www.cve.org/CVERecord?id={flaw}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_that_is_no_expression_is_a_license_of_the_documents_own() {
        let mut writer = Writer::new();
        for (said, expected) in [
            ("GPL-2.0-or-later", "GPL-2.0-or-later"),
            ("GPL-2.0-only AND (MIT OR BSD-3-Clause)", "GPL-2.0-only AND (MIT OR BSD-3-Clause)"),
            ("GPLv2 and LGPLv2+", "LicenseRef-1"),
            ("BSD", "LicenseRef-2"),
            ("GPLv2 and LGPLv2+", "LicenseRef-1"),
            ("", NO_ASSERTION),
        ] {
            assert_eq!(writer.license(said), expected);
        }
        assert_eq!(writer.licenses.len(), 2);
    }

    #[test]
    fn a_flaw_has_an_address() {
        assert_eq!(advisory("XSA-480"), "https://xenbits.xen.org/xsa/advisory-480.html");
        assert_eq!(advisory("CVE-2026-1"), "https://www.cve.org/CVERecord?id=CVE-2026-1");
    }
}

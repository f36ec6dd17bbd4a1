// SPDX-License-Identifier: GPL-2.0-or-later
//! The provenance of a release for whoever did not build it: an in-toto Statement v1 (in-toto/attestation,
//! spec/v1/statement.md) whose predicate is SLSA's provenance v1 (slsa.dev/spec/v1.0/provenance).
//!
//! Each dependency says by `annotations.intent` what it was for, as openSUSE's build service writes it, and
//! has a plain file name, so that its reader takes the structure.

use super::manifest::Provenance;
use crate::environment::EnvironmentPackage;
use crate::stage::Material;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;

const STATEMENT: &str = "https://in-toto.io/Statement/v1";
const PREDICATE: &str = "https://slsa.dev/provenance/v1";
/// What `externalParameters` and the names of dependencies mean here: this module's version of it.
const BUILD_TYPE: &str = "urn:vgpu-pipeline:build:1";
const BUILDER: &str = "urn:vgpu-pipeline";

/// What a release was made of, beside what its manifest lists.
pub struct Environment<'a> {
    pub packages: &'a [EnvironmentPackage],
    /// The base image by reference and the sha256 of its manifest.
    pub image: Option<(&'a str, &'a str)>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(rename = "_type")]
    kind: &'static str,
    subject: Vec<ResourceDescriptor>,
    predicate_type: &'static str,
    predicate: serde_json::Value,
}

/// in-toto/attestation, `spec/v1/resource_descriptor.md`.
#[derive(Debug, Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct ResourceDescriptor {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
    digest: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<&'static str, &'static str>,
}

impl ResourceDescriptor {
    fn new(name: &str, sha256: &str) -> Self {
        Self {
            name: name.rsplit('/').next().unwrap_or(name).to_owned(),
            uri: None,
            digest: BTreeMap::from([("sha256", sha256.to_owned())]),
            annotations: BTreeMap::new(),
        }
    }

    fn at(mut self, uri: Option<&str>) -> Self {
        self.uri = uri.map(str::to_owned);
        self
    }

    fn intended(mut self, intent: &'static str) -> Self {
        self.annotations.insert("intent", intent);
        self
    }
}

/// Writes the statement. `outputs` are the files that leave: packages, source packages, the wrapper.
pub fn write(
    provenance: &Provenance,
    environment: &Environment,
    outputs: &[Material],
) -> Result<String, serde_json::Error> {
    let mut dependencies: Vec<ResourceDescriptor> =
        provenance.inputs.iter().filter_map(dependency).collect();
    dependencies.extend(environment.packages.iter().map(|package| {
        ResourceDescriptor::new(&package.file, &package.sha256)
            .at(Some(&package.uri))
            .intended("buildenv")
    }));
    dependencies.extend(environment.image.map(|(reference, sha256)| {
        let uri = format!("docker://{reference}");
        ResourceDescriptor::new(reference, sha256).at(Some(&uri)).intended("buildenv")
    }));
    dependencies.sort();
    dependencies.dedup();
    let spec = provenance.inputs.iter().find(|input| input.role == "spec");
    let statement = Statement {
        kind: STATEMENT,
        subject: outputs.iter().map(|it| ResourceDescriptor::new(&it.name, &it.sha256)).collect(),
        predicate_type: PREDICATE,
        predicate: json!({
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "pipeline": provenance.pipeline,
                    "recipeFile": spec.map(|spec| &spec.name),
                },
                "internalParameters": { "keys": provenance.keys },
                "resolvedDependencies": dependencies,
            },
            "runDetails": {
                "builder": {
                    "id": BUILDER,
                    "version": { "vgpu-pipeline": env!("CARGO_PKG_VERSION") },
                },
            },
        }),
    };
    Ok(serde_json::to_string_pretty(&statement)? + "\n")
}

/// An input as what somebody else would need of it; none for what was made of others on the way.
fn dependency(input: &Material) -> Option<ResourceDescriptor> {
    let intent = match (input.role, input.name.as_str()) {
        ("source" | "device" | "spec" | "contract" | "wrapper", _) => "source",
        ("pipeline", _) => "buildconfig",
        ("environment", "Containerfile") => "buildenv",
        _ => return None,
    };
    let descriptor = ResourceDescriptor::new(&input.name, &input.sha256);
    Some(descriptor.at(input.origin.as_deref()).intended(intent))
}

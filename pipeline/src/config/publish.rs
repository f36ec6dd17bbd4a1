// SPDX-License-Identifier: GPL-2.0-or-later
//! The section `publish`.

use super::scalars::{PackagePattern, Url};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The yum repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Publish {
    /// Where it will be served; the `.repo` file and its `gpgkey=` are written for this address.
    #[serde(rename = "base-url")]
    pub base_url: Url,
    /// How the `.repo` file has clients use the repository.
    #[serde(skip_serializing_if = "Client::is_default")]
    pub client: Client,
}

/// Options of yum's and dnf's, by their own names (`yum.conf(5)`, `[repository] OPTIONS`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Client {
    /// Whether the repository is used without `--enablerepo=`.
    pub enabled: bool,
    /// The names of packages that are taken from it, and no other.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub includepkgs: Option<Vec<PackagePattern>>,
    /// The names of packages that are not taken from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub exclude: Option<Vec<PackagePattern>>,
    /// Whether everything else goes on while its server is down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_if_unavailable: Option<bool>,
    /// Its priority, of which 1 is the highest, for clients that know priorities.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 99))]
    pub priority: Option<u8>,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            enabled: true,
            includepkgs: None,
            exclude: None,
            skip_if_unavailable: None,
            priority: None,
        }
    }
}

impl Client {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a client takes the package of a name.
    pub fn takes(&self, name: &str) -> bool {
        let among = |patterns: &Option<Vec<PackagePattern>>| {
            patterns.as_ref().map(|all| all.iter().any(|one| matches(one.as_str(), name)))
        };
        among(&self.includepkgs).unwrap_or(true) && !among(&self.exclude).unwrap_or(false)
    }
}

/// Whether a name is as a pattern, in which `*` stands for any characters.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((begin, rest)) => name.strip_prefix(begin).is_some_and(|tail| {
            (0..=tail.len()).any(|at| tail.get(at..).is_some_and(|tail| matches(rest, tail)))
        }),
    }
}

impl Default for Publish {
    fn default() -> Self {
        let url = Url::try_from("http://localhost:8000".to_owned());
        let base_url = url.unwrap_or_else(|problem| unreachable!("default: {problem}"));
        Self { base_url, client: Client::default() }
    }
}
